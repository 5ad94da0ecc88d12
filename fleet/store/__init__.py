"""Saved scans: SQLite in one file by default, PostgreSQL by URL."""

from fleet.store.rows import FUNCTION_COLUMNS, FunctionRow
from fleet.store.store import Store
from fleet.store.summaries import HistoryPoint, Totals

__all__ = ["FUNCTION_COLUMNS", "FunctionRow", "HistoryPoint", "Store", "Totals"]
