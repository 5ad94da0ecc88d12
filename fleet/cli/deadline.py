"""The dates of a runtime, as the reports show them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from fleet.errors import BadSelection
from fleet.lifecycle import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    from fleet.lifecycle import Lifecycle
    from reports.report import Deadline


def parse_day(option: str, text: str | None) -> date | None:
    """A day written YYYY-MM-DD; None where none was given. Raises BadSelection."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadSelection(option, text, "a date is written YYYY-MM-DD") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadSelection(option, text, f"must be from {FIRST_DAY} to {LAST_DAY}")
    return day


def deadline_of(lifecycle: Lifecycle, runtime: str, on: date) -> Deadline:
    """One runtime's dates on a day. Raises BadSelection for a runtime without any."""
    from reports.report import Deadline

    dates = lifecycle.runtime(runtime)
    return Deadline(
        runtime=runtime,
        announced=dates.deadline,
        as_of=on,
        phase=dates.phase(on).words,
        allows=dates.allows(on),
        update_block=dates.update_blocked,
        rollback=dates.rollback(on),
        source=dates.source,
        looked_up=dates.looked_up,
    )
