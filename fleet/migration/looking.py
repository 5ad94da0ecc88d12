"""One function for the time of a look: what both passes ask of it, and of the room it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from fleet.aws.deployments import newest_version
from fleet.aws.failures import CallFailed
from fleet.aws.functions import read_function_urls, read_permissions
from fleet.aws.limits import runtime_mode
from fleet.deployment import OWN_ALIASES, Deployment, Observed
from fleet.inspection import Layer, PackageFacts
from fleet.migration.facts import GateFacts
from fleet.migration.ground import Ground
from fleet.migration.observing import Observer
from fleet.migration.packages import Workbench
from fleet.migration.problems import Halted
from fleet.migration.work import locating
from fleet.model import LATEST, Caller, FunctionRef
from fleet.ownership import owner_of
from fleet.package.inspect import inspect_package
from fleet.results import Result

T = TypeVar("T")


class Look:
    """Nothing in here changes anything in AWS."""

    def __init__(
        self, ground: Ground, ref: FunctionRef, room: Path, *, keep: str, serve: str
    ) -> None:
        """`room` is a directory for packages, `keep` and `serve` name the way's aliases.

        Raises CallFailed.
        """
        check_partition(ground, ref)
        self.ground = ground
        self.ref = ref
        self.lane = ground.aws.lane(ref.account, ref.region)
        self.knowledge = ground.knowledge(ref)
        self.bench = Workbench(room, ground.downloads, self.lane)
        self.observer = Observer(ground.aws, self.lane, ref, ground.key, keep=keep, serve=serve)

    @property
    def is_blocklisted(self) -> bool:
        """Whether nothing may be written to its account."""
        return self.ref.account in self.ground.blocklist

    def original(self, start: Deployment) -> Path:
        """The package of a deployment, as AWS has it; raises CallFailed, Interrupted, OSError."""
        if not self.bench.has(start.code_sha256):
            self.bench.fetched(locating(self.ground, self.lane, self.ref, start.code_sha256))
        return self.bench.package(start.code_sha256)

    def facts(self, start: Deployment) -> PackageFacts:
        """What is in that package, read once for all time; raises BadPackage besides."""
        known = self.ground.store.facts(start.code_sha256)
        if known is None:
            known = inspect_package(self.original(start))
            self.ground.store.save_facts(start.code_sha256, known)
        return known

    def same_as(self, seen: Observed, start: Deployment) -> str | None:
        """The version that publishing `start` would answer, as far as an alias points at it."""
        if seen.kept is not None and seen.kept.deployment == start:
            return seen.kept.version
        equal = {
            each.version
            for each in seen.aliases
            if each.version != LATEST and self.observer.version(each.version).deployment == start
        }
        if not equal:
            return None
        newest = newest_version(self.ground.aws, self.lane, self.ref.name)
        return newest if newest in equal else None

    def behind(self, seen: Observed, is_behind: Callable[[Deployment], bool]) -> list[str]:
        """Aliases of its owners on versions of which that is true, with their versions."""
        return [
            f"{alias.name} (version {alias.version})"
            for alias in seen.aliases
            if alias.name not in OWN_ALIASES
            and alias.version != LATEST
            and is_behind(self.observer.version(alias.version).deployment)
        ]

    def as_seen(self, start: Deployment | None = None) -> GateFacts:
        """What GetFunction tells the gates; `start` is where its way began, if it is halfway."""
        now = self.observer.now
        return GateFacts(
            ref=self.ref,
            package_type=now.config.package_type,
            runtime=now.deployment.runtime,
            assessment=None,
            owner=owner_of(now.tags, self.ground.owners),
            tags=now.tags,
            on_blocklist=self.is_blocklisted,
            # Halfway it is our own update that is under way: it is waited for.
            updating=not now.settled and now.deployment == (start or now.deployment),
            state=now.state,
            settings_problem=now.settings_problem,
            by_reference=now.by_reference,
            reserved_concurrency=now.reserved_concurrency,
        )

    def as_asked(self, start: Deployment, *, same: str | None) -> GateFacts:
        """The same with all that other calls tell the gates; `same` is what `same_as` gave."""
        aws, name = self.ground.aws, self.ref.name
        return replace(
            self.as_seen(start),
            signing_policy=self.knowledge.signing_policy(name),
            runtime_mode=unless_refused(lambda: runtime_mode(aws, self.lane, name)),
            storage=self.knowledge.storage(),
            publishes=2 if same is None else 1,
            aliases=self.observer.aliases(),
            provisioned_versions=self.observer.provisioned,
            callers=self._callers(),
        )

    def _callers(self) -> tuple[Caller, ...] | None:
        aws, lane, name = self.ground.aws, self.lane, self.ref.name
        qualifiers = [LATEST, *(each.name for each in self.observer.aliases())]
        answers = [
            self.knowledge.event_sources(name),
            unless_refused(lambda: read_function_urls(aws, lane, name)),
            *(
                unless_refused(lambda each=each: read_permissions(aws, lane, name, each))  # type: ignore[misc]  # the loop's own
                for each in qualifiers
                if each not in OWN_ALIASES
            ),
        ]
        if any(each is None for each in answers):
            return None
        return tuple(caller for each in answers for caller in each or ())


def check_partition(ground: Ground, ref: FunctionRef) -> None:
    """Raise Halted for a function of another partition: no call from here reaches it."""
    here = ground.aws.caller.partition
    if ref.partition != here:
        said = f"it is in the partition {ref.partition}, and these credentials are of {here}"
        raise Halted(Result.BLOCKED, said)


def unzipped(layers: Iterable[Layer]) -> int:
    """Bytes that layers take unzipped, as far as they could be read."""
    return sum(each.facts.unzipped_size for each in layers if each.facts)


def unless_refused(ask: Callable[[], T]) -> T | None:
    """What AWS answers, or None where it refuses."""
    try:
        return ask()
    except CallFailed:
        return None
