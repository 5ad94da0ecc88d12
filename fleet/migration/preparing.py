"""One function before its first write: read, judged, repackaged here, and its way planned.

Nothing in here changes anything in AWS.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from fleet.aws.deployments import newest_version
from fleet.aws.failures import CallFailed, RoleRefused
from fleet.aws.functions import read_function_urls, read_permissions
from fleet.aws.limits import runtime_mode
from fleet.deployment import (
    GO_VERSION,
    LANGUAGE,
    MIGRATED_FROM,
    OWN_ALIASES,
    SERVING_ALIAS,
    Deployment,
    Done,
    Observed,
    Way,
)
from fleet.errors import FleetError
from fleet.inspection import Assessment, Deployed, PackageFacts, Strategy, Target
from fleet.migration.candidates import moved, way_of, ways
from fleet.migration.facts import Finding, GateFacts, LayerNow
from fleet.migration.foresight import foresee
from fleet.migration.gates import Choice, check, choose
from fleet.migration.ground import Ground
from fleet.migration.lanes import LaneKnowledge, LayerRead
from fleet.migration.observing import Observer
from fleet.migration.packages import Workbench
from fleet.migration.paths import path
from fleet.migration.plan import FunctionPlan, Result
from fleet.migration.problems import halted_by
from fleet.migration.promises import promises
from fleet.migration.route import next_step
from fleet.migration.work import Recipe, bridge_of, locating
from fleet.model import GO1X, LATEST, ROLLBACK_ALIAS, Alias, Caller, FunctionRef, PackageType
from fleet.ownership import owner_of
from fleet.package.inspect import inspect_package
from fleet.package.problems import BadPackage
from fleet.package.rewriting.repackage import Repackaged
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.layers import extensions_of
from fleet.package.verdict.origin import inspection

T = TypeVar("T")

_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9 _.:/=+@-]")
_LONGEST_TAG = 256


@dataclass(frozen=True, slots=True)
class Prepared:
    """A function that was looked at, and what the look has left for the move."""

    plan: FunctionPlan
    observer: Observer | None = None
    """None where there is nothing to be done."""
    recipe: Recipe | None = None
    images: Mapping[str, Alias] = field(default_factory=dict)
    """Of the way back: what each alias was before it was moved."""


def prepare(ground: Ground, ref: FunctionRef) -> Prepared:
    """Say what would be done to take one function off go1.x, from what it is now.

    What AWS refuses becomes the function's result. Raises NoCredentials, Interrupted, and OSError
    where there is no room for its package here.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="fleet-") as room:
            return _Preparation(ground, ref, Path(room)).prepared()
    except (CallFailed, RoleRefused) as failure:
        halted = halted_by(failure)
        return not_moving(ref, halted.result, "refused-by-aws", halted.reason)


class _Preparation:
    def __init__(self, ground: Ground, ref: FunctionRef, room: Path) -> None:
        self._ground = ground
        self._ref = ref
        self._lane = ground.aws.lane(ref.account, ref.region)
        self._knowledge: LaneKnowledge = ground.knowledge(ref)
        self._bench = Workbench(room, ground.downloads, self._lane)
        self._made: dict[tuple[str, Strategy], Repackaged] = {}
        self._observer = Observer(
            ground.aws,
            self._lane,
            ref,
            ground.key,
            keep=ROLLBACK_ALIAS,
            serve=SERVING_ALIAS,
        )

    def prepared(self) -> Prepared:
        now = self._observer.now
        runtime = now.deployment.runtime
        if now.config.package_type is PackageType.IMAGE or self._is_blocklisted:
            return self._gated(self._gate_facts(None))
        if runtime != GO1X and runtime not in set(Target):
            return not_moving(
                self._ref, Result.ALREADY_THERE, "not-go1x", f"it runs on {runtime}, not on go1.x"
            )
        seen = self._observer.seen()
        start = self._start(seen)
        if start is None:
            return self._already_there(seen)
        if now.by_reference:
            return self._gated(self._gate_facts(None))
        return self._from(seen, start)

    @property
    def _is_blocklisted(self) -> bool:
        return self._ref.account in self._ground.blocklist

    def _start(self, seen: Observed) -> Deployment | None:
        """What it was before fleet came; None where it has left go1.x for good."""
        kept = None if seen.kept is None else seen.kept.deployment
        if kept is not None and kept.runtime != GO1X:
            kept = None
        if seen.deployment.runtime == GO1X:
            return kept if kept and self._is_dual(kept, seen.deployment) else seen.deployment
        # The tags are put last: whatever it is now, its owners have deployed since then.
        if kept is None or MIGRATED_FROM in seen.tags:
            return None
        # What was changed of its settings halfway is its owners', and stays.
        return replace(kept, rest=seen.deployment.rest)

    def _is_dual(self, kept: Deployment, now: Deployment) -> bool:
        """Whether it stands in the middle of the dual route: on go1.x, with a shim beside."""
        if replace(kept, code_sha256=now.code_sha256) != now or kept == now:
            return False
        original = self._original(kept)
        try:
            return self._repackaging(kept, Strategy.SHIM, original).code_sha256 == now.code_sha256
        except FleetError:
            return False

    def _original(self, start: Deployment) -> Path:
        if not self._bench.has(start.code_sha256):
            locate = locating(self._ground, self._lane, self._ref, start.code_sha256)
            self._bench.fetched(locate)
        return self._bench.package(start.code_sha256)

    def _repackaging(self, start: Deployment, strategy: Strategy, original: Path) -> Repackaged:
        made = self._made.get((start.code_sha256, strategy))
        if made is None:
            _, made = self._bench.repackaged(original, start.handler or "", strategy)
            self._made[start.code_sha256, strategy] = made
        return made

    def _already_there(self, seen: Observed) -> Prepared:
        reason = f"its $LATEST is on {seen.deployment.runtime}"
        behind = [
            f"{alias.name} (version {alias.version})"
            for alias in seen.aliases
            if alias.name not in OWN_ALIASES
            and alias.version != LATEST
            and self._observer.version(alias.version).deployment.runtime == GO1X
        ]
        if behind:
            reason += (
                f"; still on go1.x: {', '.join(behind)}, which only its owners can move, since "
                "that releases what $LATEST is now"
            )
        return not_moving(self._ref, Result.ALREADY_THERE, "already-there", reason)

    def _from(self, seen: Observed, start: Deployment) -> Prepared:
        layers = [self._knowledge.layer(arn) for arn in start.layers]
        original = self._original(start)
        try:
            facts = self._facts(start.code_sha256, original)
        except BadPackage as error:
            facts, problem = None, error.problem
        else:
            problem = ""
        deployed = Deployed(
            handler=start.handler,
            runtime=start.runtime,
            architecture=start.architecture,
            layers=tuple(each.layer for each in layers),
            code_signing=self._observer.now.config.signing_profile is not None,
            target=self._ground.asked.target,
        )
        assessment = assess(deployed, facts)
        gate = self._gate_facts(assessment, layers, start)
        choice = choose(gate, self._ground.asked)
        gate = self._repackaged(gate, choice, start, original, facts, problem)
        if choice.route is None or gate.new_size is None or gate.repackaging_problem:
            return self._gated(gate)
        go_version = inspection(deployed, facts, assessment).go_version
        return self._planned(seen, start, choice, gate, original, go_version)

    def _facts(self, code_sha256: str, package: Path) -> PackageFacts:
        known = self._ground.store.facts(code_sha256)
        if known is None:
            known = inspect_package(package)
            self._ground.store.save_facts(code_sha256, known)
        return known

    def _gate_facts(
        self,
        assessment: Assessment | None,
        layers: list[LayerRead] | None = None,
        start: Deployment | None = None,
    ) -> GateFacts:
        now, aws, name = self._observer.now, self._ground.aws, self._ref.name
        plain = GateFacts(
            ref=self._ref,
            package_type=now.config.package_type,
            runtime=now.deployment.runtime,
            assessment=assessment,
            owner=owner_of(now.tags, self._ground.owners),
            tags=now.tags,
            on_blocklist=self._is_blocklisted,
            # Halfway it is our own update that is under way: it is waited for.
            updating=not now.settled and now.deployment == (start or now.deployment),
            state=now.state,
            settings_problem=now.settings_problem,
            by_reference=now.by_reference,
            reserved_concurrency=now.reserved_concurrency,
        )
        if layers is None:
            return plain
        return replace(
            plain,
            signing_policy=self._knowledge.signing_policy(name),
            runtime_mode=_unless_refused(lambda: runtime_mode(aws, self._lane, name)),
            storage=self._knowledge.storage(),
            layers=tuple(
                LayerNow(
                    each.layer.arn,
                    each.refused,
                    tuple(extensions_of(each.layer.facts)) if each.layer.facts else (),
                )
                for each in layers
            ),
            aliases=self._observer.aliases(),
            callers=self._callers(),
        )

    def _callers(self) -> tuple[Caller, ...] | None:
        aws, lane, name = self._ground.aws, self._lane, self._ref.name
        qualifiers = [LATEST, *(each.name for each in self._observer.aliases())]
        answers = [
            self._knowledge.event_sources(name),
            _unless_refused(lambda: read_function_urls(aws, lane, name)),
            *(
                _unless_refused(lambda each=each: read_permissions(aws, lane, name, each))  # type: ignore[misc]  # the loop's own
                for each in qualifiers
                if each not in OWN_ALIASES
            ),
        ]
        if any(each is None for each in answers):
            return None
        return tuple(caller for each in answers for caller in each or ())

    def _repackaged(
        self,
        gate: GateFacts,
        choice: Choice,
        start: Deployment,
        original: Path,
        facts: PackageFacts | None,
        problem: str,
    ) -> GateFacts:
        layers = self._knowledge
        beside = sum(
            read.facts.unzipped_size
            for read in (layers.layer(arn).layer for arn in start.layers)
            if read.facts
        )
        if facts is None:
            return replace(gate, repackaging_problem=problem or "its package was not read")
        if choice.strategy is None or choice.route is None:
            return replace(
                gate, new_size=facts.size, new_unzipped_size=facts.unzipped_size + beside
            )
        try:
            done = self._repackaging(start, choice.strategy, original)
        except FleetError as error:
            return replace(gate, strategy=choice.strategy, repackaging_problem=_told(error))
        gate = replace(
            gate,
            strategy=choice.strategy,
            new_size=done.size,
            new_unzipped_size=done.unzipped_size + beside,
        )
        if self._ground.attempt is None or check(gate, self._ground.asked).blocking:
            return gate
        handler = "bootstrap" if choice.strategy is Strategy.RENAME else start.handler or ""
        package = self._bench.package(done.code_sha256)
        outcome, why = self._ground.attempt(package, handler, start.architecture)
        return replace(gate, trial=outcome, trial_reason=why)

    def _planned(
        self,
        seen: Observed,
        start: Deployment,
        choice: Choice,
        gate: GateFacts,
        original: Path,
        go_version: str,
    ) -> Prepared:
        assert choice.route is not None  # noqa: S101 - asked before
        bridge = bridge_of(self._ground, self._ref, seen)
        end = self._end(start, self._ground.asked.target, choice.strategy, original)
        chosen = Way(
            choice.route,
            path(choice.route, start, end, bridge=bridge),
            keep=ROLLBACK_ALIAS,
            serve=SERVING_ALIAS,
            tags=_tags(go_version),
        )
        way = chosen
        if seen.deployment not in chosen.path:
            ends = chain([end], self._other_ends(start, original))
            way = way_of(seen.deployment, ways(chosen, ends, bridge)) or chosen
        same = self._same_as_latest(seen, start)
        newest = None if same is None else self._observer.version(same)
        steps = foresee(seen, way, lambda now: next_step(now, way), newest=newest)
        if isinstance(steps[0], Done):
            return not_moving(
                self._ref, Result.ALREADY_THERE, "already-there", "there is nothing left to do"
            )
        checked = check(gate, self._ground.asked)
        last = steps[-1]
        result, reasons = Result.READY, checked.blocking
        if checked.blocking:
            result = Result.BLOCKED
        elif not isinstance(last, Done):
            result = Result.STALE
            reasons = (Finding("stale", getattr(last, "reason", "")),)
        if result is Result.READY:
            self._knowledge.reserve((gate.new_size or 0) * gate.publishes)
        plan = FunctionPlan(
            ref=self._ref,
            result=result,
            reasons=reasons,
            notes=checked.notes,
            route=way.route,
            steps=steps if result is Result.READY else (),
            way=way,
            promises=promises(
                gate,
                same_as_latest=frozenset() if same is None else frozenset({same}),
                updates_blocked=self._ground.asked.updates_blocked,
            ),
            owner=gate.owner,
            assessment=gate.assessment,
        )
        if result is not Result.READY:
            return Prepared(plan)
        made = {each.code_sha256: each.strategy for each in self._made.values()}
        strategy = made.get(way.end.code_sha256)
        return Prepared(plan, self._observer, Recipe(start, strategy))

    def _end(
        self, start: Deployment, target: Target, strategy: Strategy | None, original: Path
    ) -> Deployment:
        if strategy is None:
            return moved(start, target, None, start.code_sha256)
        code_sha256 = self._repackaging(start, strategy, original).code_sha256
        return moved(start, target, strategy, code_sha256)

    def _other_ends(self, start: Deployment, original: Path) -> Iterator[Deployment]:
        for target in Target:
            for strategy in (None, *Strategy):
                try:
                    yield self._end(start, target, strategy, original)
                except FleetError:
                    continue

    def _same_as_latest(self, seen: Observed, start: Deployment) -> str | None:
        """The version that publishing $LATEST would answer, as far as an alias points at it."""
        if seen.kept is not None and seen.kept.deployment == start:
            return seen.kept.version
        equal = {
            each.version
            for each in seen.aliases
            if each.version != LATEST and self._observer.version(each.version).deployment == start
        }
        if not equal:
            return None
        newest = newest_version(self._ground.aws, self._lane, self._ref.name)
        return newest if newest in equal else None

    def _gated(self, gate: GateFacts) -> Prepared:
        checked = check(gate, self._ground.asked)
        reasons = checked.blocking or (
            Finding("not-repackaged", gate.repackaging_problem or "no route is left"),
        )
        return Prepared(
            FunctionPlan(
                ref=self._ref,
                result=Result.BLOCKED,
                reasons=reasons,
                notes=checked.notes,
                route=checked.route,
                owner=gate.owner,
                assessment=gate.assessment,
            )
        )


def not_moving(ref: FunctionRef, result: Result, code: str, text: str) -> Prepared:
    """A function with which nothing is done, and why."""
    return Prepared(FunctionPlan(ref=ref, result=result, reasons=(Finding(code, text),)))


def _tags(go_version: str) -> dict[str, str]:
    tags = {MIGRATED_FROM: GO1X, LANGUAGE: "go"}
    if go_version:
        tags[GO_VERSION] = _NOT_IN_A_TAG.sub("_", go_version)[:_LONGEST_TAG]
    return tags


def _told(error: FleetError) -> str:
    problem, advice = getattr(error, "problem", ""), getattr(error, "advice", "")
    return "; ".join(part for part in (problem, advice) if part) or str(error)


def _unless_refused(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except CallFailed:
        return None
