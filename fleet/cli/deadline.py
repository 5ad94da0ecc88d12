"""The dates of a runtime, as the reports show them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fleet.errors import BadSelection

if TYPE_CHECKING:
    from fleet.lifecycle import Lifecycle
    from reports.report import Deadline


def parse_day(option: str, text: str | None) -> date | None:
    """A day written YYYY-MM-DD; None where none was given. Raises BadSelection."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadSelection(option, text, "a date is written YYYY-MM-DD") from error
