"""Saved scans: SQLite in one file by default, PostgreSQL by URL."""

from fleet.store.rows import FunctionRow
from fleet.store.store import Store
from fleet.store.summaries import HistoryPoint, Totals

__all__ = ["FunctionRow", "HistoryPoint", "Store", "Totals"]
