"""What every function of a command shares: who calls, what was asked, what is known already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.migration.acting import Journal
from fleet.migration.facts import Asked
from fleet.migration.lanes import LaneKnowledge
from fleet.migration.proving import TestEvents
from fleet.migration.travelling import Patience
from fleet.model import FunctionRef
from fleet.ownership import OwnerRule
from fleet.prices import Prices, load_prices
from fleet.rebuilding.rebuilt import Rebuild
from fleet.store import Store

Try = Callable[[Path, str, str], tuple[str, str]]
"""Package, handler, architecture → how a local trial ended (TrialOutcome's word), and why."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Threads share it."""

    aws: Aws
    downloads: Downloads
    store: Store
    journal: Journal
    patience: Patience
    asked: Asked
    key: bytes = field(repr=False)
    """Hashes settings; a secret of the state."""
    blocklist: frozenset[str] = frozenset()
    """Accounts that are never written to."""
    owners: tuple[OwnerRule, ...] = ()
    bucket: str | None = None
    """Pattern of the name of buckets for large packages, with {account} and {region}."""
    events: TestEvents = field(default_factory=TestEvents)
    attempt: Try | None = None
    """None: no local trial."""
    prices: Prices = field(default_factory=load_prices)
    """Of Lambda: what a change of the architecture is worth."""
    rebuild: Rebuild | None = None
    """None: nothing is built anew."""
    _lanes: dict[tuple[str, str], LaneKnowledge] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def knowledge(self, ref: FunctionRef) -> LaneKnowledge:
        """What is known of the function's account and region."""
        with self._lock:
            lane = (ref.account, ref.region)
            if lane not in self._lanes:
                self._lanes[lane] = LaneKnowledge(
                    self.aws, self.downloads, self.store, self.aws.lane(*lane)
                )
            return self._lanes[lane]

    def bucket_of(self, ref: FunctionRef) -> str | None:
        """The bucket of the function's account and region; None where none was given."""
        if self.bucket is None:
            return None
        return self.bucket.replace("{account}", ref.account).replace("{region}", ref.region)
