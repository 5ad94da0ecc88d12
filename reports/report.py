"""What a report is made from: one scan's frames, the scans before it, and the dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from fleet.model import Account, Coverage, ScanHeader
from fleet.prices import Prices
from fleet.wave_status import PlanRecord

if TYPE_CHECKING:
    import pandas as pd

    from reports.worth import Worth


@dataclass(frozen=True, slots=True)
class Deadline:
    """The dates of one runtime and what they mean on one day."""

    runtime: str
    announced: date
    """The day the reports count against: the announced end of life."""
    as_of: date
    """The day the report speaks about."""
    phase: str
    allows: tuple[str, ...]
    """What can still be done in this phase, one sentence each."""
    update_block: date | None
    """The day from which AWS refuses updates; None while no day is announced."""
    rollback: str
    """What rolling back means from that day on, in a sentence."""
    source: str
    looked_up: date | None

    @property
    def days_past(self) -> int:
        """Days from the announced end of life to as_of; negative before it."""
        return (self.as_of - self.announced).days

    @property
    def days_to_block(self) -> int | None:
        """Days from as_of until updates are blocked; negative once they are."""
        return None if self.update_block is None else (self.update_block - self.as_of).days


@dataclass(frozen=True)
class ReportData:
    """Everything a renderer needs; the renderers ask nobody else."""

    header: ScanHeader
    functions: pd.DataFrame
    """As frames.function_frame makes it."""
    coverage: tuple[Coverage, ...]
    """In the order of account and region."""
    accounts: list[Account]
    history: pd.DataFrame
    """As frames.history_frame makes it: every saved scan, this one too."""
    deadline: Deadline
    generated: datetime
    """When the report was made, aware UTC."""
    prices: Prices
    waves: tuple[PlanRecord, ...] = ()
    """The plans of this organization that were run, in the order of their saving."""

    @property
    def inspected(self) -> bool:
        """Whether the scan was to read packages, so that verdicts are to be shown."""
        return self.header.options.inspect is not None

    @cached_property
    def worth(self) -> Worth | None:
        """What the functions cost, and would cost elsewhere; None where no traffic was read."""
        # The brief summary needs none of it, and shall not wait for pandas.
        from reports.worth import worth  # noqa: PLC0415 - see above

        return worth(self.functions, self.prices) if self.header.options.traffic else None
