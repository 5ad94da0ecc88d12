"""What the corrections share while one emulator runs: its rules, its clock, its switches."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from moto.utilities.utils import get_partition

from .credentials import Sessions
from .function_state import Failure, FunctionState
from .line import Hook
from .log_store import LogStore, Query
from .metric_store import MetricStore
from .request import Call
from .rules import Rules
from .runtimes import Blocked
from .throttling import Throttles
from .untyped import MotoAccount, MotoAlias, MotoBackend, MotoFunction, MotoPolicy, MotoUrl

Place = tuple[str, str, str]
"""Account, region and name of a function."""


@dataclass(slots=True)
class World:
    """The state of one running emulator that moto's backends have no place for."""

    rules: Rules
    clock: Callable[[], float] = time.time
    """Seconds since the epoch; everything that expires or refills goes by it."""
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    seeding: bool = False
    """While True nothing is refused and nothing is recorded."""
    sleep: Callable[[float], object] = time.sleep
    delay: float = 0.0
    """Seconds that every answer is held back."""
    empty_pages: bool = False
    """Whether ListAccounts answers an empty page with a NextToken before each full one."""
    sessions: Sessions = field(init=False)
    throttles: Throttles = field(init=False)
    packages: dict[str, bytes] = field(default_factory=dict)
    """Path of a deployment package → its bytes, from the GetFunction that named it on."""
    downloaded: int = 0
    """Bytes of packages given out."""
    signing_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    # Both go with moto's function ($LATEST) when it is deleted; its published versions share
    # one Policy object with it, so moto's own can't tell qualifiers apart.
    policies: WeakKeyDictionary[MotoFunction, dict[str, MotoPolicy]] = field(
        default_factory=WeakKeyDictionary
    )
    """Function → qualifier → its resource policy."""
    urls: WeakKeyDictionary[MotoFunction, dict[str, MotoUrl]] = field(
        default_factory=WeakKeyDictionary
    )
    """Function → alias → its function URL."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by whatever changes a function: AWS too does one thing at a time to each."""
    update_seconds: float = 0.2
    """How long a function is Pending, and an update InProgress; nothing takes time in seeding."""
    blocked: Blocked = field(default_factory=Blocked)
    functions: WeakKeyDictionary[MotoFunction, FunctionState] = field(
        default_factory=WeakKeyDictionary
    )
    """$LATEST and each version → what moto does not keep of it; state_of() makes missing ones."""
    highest_versions: dict[str, int] = field(default_factory=dict)
    """ARN of a function → the highest version number it ever had: numbers aren't used again."""
    moving_aliases: WeakKeyDictionary[MotoAlias, tuple[str, float]] = field(
        default_factory=WeakKeyDictionary
    )
    """Alias with provisioned concurrency → the version it leaves, and until when."""
    deleted_layers: dict[str, bytes] = field(default_factory=dict)
    """ARN of a deleted layer version → its bytes: functions that have it run on."""
    signing_configs: dict[str, dict[str, object]] = field(default_factory=dict)
    """ARN → code signing configuration."""
    trusted_packages: set[str] = field(default_factory=set)
    """CodeSha256 of the packages that carry a signature which holds."""
    failing: dict[Place, Failure] = field(default_factory=dict)
    """Functions whose updates fail from now on, and how."""
    hidden: set[Place] = field(default_factory=set)
    """Functions whose environment callers can't decrypt."""
    on_call: Hook | None = None
    """Called for every request that is recorded, in the thread that answers it."""
    code_storage: dict[tuple[str, str], int] = field(default_factory=dict)
    """(account, region) → bytes of code storage, where it isn't the usual 75 GB."""
    metrics: MetricStore = field(default_factory=MetricStore)
    """What Lambda has sent to CloudWatch."""
    logs: LogStore = field(default_factory=LogStore)
    """What Lambda has written into log groups."""
    queries: dict[str, Query] = field(default_factory=dict)
    """Id → a query of these, started and perhaps ended."""

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.clock)
        self.throttles = Throttles(self.clock)

    def now(self) -> datetime:
        """The emulator's time, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def settled_at(self) -> float | None:
        """When a change that begins now is done, in seconds since the epoch; None: at once."""
        takes_time = self.update_seconds > 0 and not self.seeding
        return self.clock() + self.update_seconds if takes_time else None

    def organization(self, region: str) -> MotoBackend:
        """moto's organizations backend of the management account; its `org` may be None."""
        from moto.organizations.models import organizations_backends  # noqa: PLC0415 - slow import

        return organizations_backends[self.rules.management_account][get_partition(region)]

    def members(self, region: str) -> dict[str, MotoAccount]:
        """Account id → moto's account, of every account in the organization."""
        return {account.id: account for account in self.organization(region).accounts}
