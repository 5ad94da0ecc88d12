"""What a test switches on in a running emulator: faults, limits, phases of a runtime's life."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from moto.awslambda.utils import get_backend

from .corrections.function_changes import state_of
from .corrections.function_packages import sha256_of
from .corrections.function_state import Failure
from .corrections.functions import LATEST, version_of
from .corrections.log_store import Reports
from .corrections.metric_store import Calls, Statistics, resource_of
from .corrections.runtimes import Blocked
from .corrections.world import World


class Switches:
    """The switches of one emulator."""

    def __init__(self, world: World) -> None:
        self._world = world

    def throttle(self, account: str, region: str, *, per_second: float | None) -> None:
        """Limit Lambda's control plane there (AWS: 15 a second), or with None no longer.

        GetFunction counts apart, at 100 a second. EVERY stands for each account or region that
        has no limit of its own.
        """
        self._world.throttles.limit(account, region, per_second)

    def slow_down(self, seconds: float) -> None:
        """Hold every answer back by so many seconds."""
        self._world.delay = seconds

    def give_empty_pages(self, *, on: bool) -> None:
        """Whether ListAccounts answers an empty page before each full one, as AWS may."""
        self._world.empty_pages = on

    def take_for_updates(self, seconds: float) -> None:
        """How long a new function is Pending and an update InProgress, by the emulator's clock."""
        self._world.update_seconds = seconds

    def block_runtimes(
        self,
        *,
        creating: Iterable[str] = (),
        updating: Iterable[str] = (),
        publishing: Iterable[str] = (),
    ) -> None:
        """Refuse these runtimes from now on, in place of those refused so far.

        AWS first refuses to create functions with a deprecated runtime, later also to update
        them; that it will refuse to publish them is believed.
        """
        self._world.blocked = Blocked(
            frozenset(creating), frozenset(updating), frozenset(publishing)
        )

    def make_idle(self, account: str, region: str, function: str, version: str = LATEST) -> None:
        """Make it Inactive, as Lambda does with functions in a VPC that nobody invokes.

        Raises Refusal or KeyError for a function or version that is not there.
        """
        latest = get_backend(account, region)._lambdas._functions[function]["latest"]  # noqa: SLF001 - moto's lookup raises an answer
        state_of(version_of(latest, version), self._world).idle = True

    def fail_updates(
        self,
        account: str,
        region: str,
        function: str,
        reason: str | None,
        *,
        code: str = "InternalError",
    ) -> None:
        """Let the function's updates fail from now on, or with None no longer.

        Each is InProgress for its time and Failed then, with this LastUpdateStatusReason and
        LastUpdateStatusReasonCode; code and configuration are what they were before it, until a
        later update is Successful.
        """
        place = account, region, function
        if reason is None:
            self._world.failing.pop(place, None)
        else:
            self._world.failing[place] = Failure(reason, code)

    def hide_environment(self, account: str, region: str, function: str, *, on: bool) -> None:
        """Answer an error in place of its environment, as to callers without kms:Decrypt.

        The function itself goes on with its environment; one without any shows no error.
        """
        place = account, region, function
        (self._world.hidden.add if on else self._world.hidden.discard)(place)

    def limit_code_storage(self, account: str, region: str, size: int) -> None:
        """Give the account and region so many bytes of code storage in place of 75 GB."""
        self._world.code_storage[account, region] = size

    def trust_signature(self, package: bytes) -> None:
        """Take this package for one whose signature holds, under every code signing config."""
        self._world.trusted_packages.add(sha256_of(package))

    def record_invocations(
        self,
        account: str,
        region: str,
        function: str,
        points: Mapping[datetime, float],
        *,
        qualifier: str | None = None,
    ) -> None:
        """Add Invocations to CloudWatch, of a function or one of its qualifiers."""
        dimensions = {("FunctionName", function)}
        if qualifier is not None:
            dimensions.add(resource_of(function, qualifier))
        values = {at: Statistics.of(value) for at, value in points.items()}
        self._world.metrics.add(account, region, "Invocations", frozenset(dimensions), values)

    def record_calls(
        self, account: str, region: str, function: str, at: datetime, calls: Calls
    ) -> None:
        """Add to CloudWatch what Lambda would have sent of calls at this time.

        Under every dimension they count for: the function, the qualifier, the version behind an
        alias. Invoke does the same for the calls that it runs.
        """
        self._world.metrics.add_calls(account, region, function, at, calls)

    def record_durations(
        self,
        account: str,
        region: str,
        function: str,
        points: Mapping[datetime, tuple[float, float]],
    ) -> None:
        """Add Durations to CloudWatch: at a time so many milliseconds, of so many calls."""
        values = {at: Statistics.of(*each) for at, each in points.items() if each[1]}
        dimensions = frozenset({("FunctionName", function)})
        self._world.metrics.add(account, region, "Duration", dimensions, values)

    def record_reports(
        self, account: str, region: str, group: str, at: datetime, reports: Reports
    ) -> None:
        """Let a log group hold Lambda's lines about calls at this time; made where missing."""
        self._world.logs.add((account, region, group), at, reports)

    def end_queries(self, *statuses: str) -> None:
        """Answer the next looks at queries of the logs with these, then as ever with Complete.

        Scheduled and Running let a query go on; after Failed, Cancelled, Timeout or Unknown it
        has ended.
        """
        self._world.logs.endings[:] = statuses

    def spoil_metrics(self, account: str, region: str, function: str, status: str | None) -> None:
        """Answer the function's metrics with this StatusCode from now on, with None no longer.

        Forbidden and InternalError bring no values; PartialData those that there are.
        """
        place = account, region, function
        if status is None:
            self._world.metrics.unreadable.pop(place, None)
        else:
            self._world.metrics.unreadable[place] = status
