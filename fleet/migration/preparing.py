"""One function before its first write: read, judged, repackaged here, and its way planned.

Nothing in here changes anything in AWS.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from fleet.deployment import (
    GO_VERSION,
    LANGUAGE,
    MIGRATED_FROM,
    SERVING_ALIAS,
    Deployment,
    Done,
    Observed,
    Route,
    Stale,
    Way,
    stands_halfway,
)
from fleet.errors import FleetError
from fleet.inspection import Deployed, PackageFacts, Strategy, Target, Verdict
from fleet.migration.bringing import rebuilt_from, told, words_of
from fleet.migration.candidates import (
    moved,
    noted_ends,
    rescued,
    starts_bootstrap,
    way_of,
    ways,
)
from fleet.migration.facts import AskedRoute, Finding, GateFacts, LayerNow
from fleet.migration.foresight import foresee
from fleet.migration.gates import Choice, check, choose
from fleet.migration.ground import Ground
from fleet.migration.lanes import LayerRead
from fleet.migration.looking import Look, unzipped
from fleet.migration.paths import path
from fleet.migration.plan import FunctionPlan
from fleet.migration.prepared import Prepared, looked_at, not_moving
from fleet.migration.promises import promises
from fleet.migration.route import next_step
from fleet.migration.work import Recipe, bridge_of, is_unpublished
from fleet.model import GO1X, ROLLBACK_ALIAS, FunctionRef, PackageType
from fleet.package.inspect import inspect_package
from fleet.package.problems import BadPackage
from fleet.package.rewriting.repackage import Repackaged
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.layers import extensions_of
from fleet.package.verdict.origin import inspection
from fleet.rebuilding.rebuilt import NotRebuilt, Rebuilt
from fleet.results import Result

_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9 _.:/=+@-]")
_LONGEST_TAG = 256


def prepare(ground: Ground, ref: FunctionRef) -> Prepared:
    """Say what would be done to take one function off go1.x, from what it is now.

    Raises what `looked_at` raises.
    """
    with tempfile.TemporaryDirectory(prefix="fleet-") as room:
        return looked_at(ref, lambda: _Preparation(ground, ref, Path(room)).prepared())


class _Preparation:
    def __init__(self, ground: Ground, ref: FunctionRef, room: Path) -> None:
        self._ground = ground
        self._ref = ref
        self._look = Look(ground, ref, room, keep=ROLLBACK_ALIAS, serve=SERVING_ALIAS)
        self._made: dict[tuple[str, Strategy], Repackaged] = {}
        self._asked = ground.asked
        self._anew: Rebuilt | None = None
        self._both = ""
        """CodeSha256 of the package with a new program beside the old one; '' where none is."""
        self._notes: tuple[Finding, ...] = ()
        """On that package."""

    def prepared(self) -> Prepared:
        now = self._look.observer.now
        runtime = now.deployment.runtime
        if now.config.package_type is PackageType.IMAGE or self._look.is_blocklisted:
            return self._gated(self._look.as_seen())
        if runtime != GO1X and runtime not in set(Target):
            return not_moving(
                self._ref, Result.ALREADY_THERE, "not-go1x", f"it runs on {runtime}, not on go1.x"
            )
        seen = self._look.observer.seen()
        start = self._start(seen)
        if start is None:
            return self._already_there(seen)
        if now.by_reference:
            return self._gated(self._look.as_seen())
        return self._from(seen, start)

    def _start(self, seen: Observed) -> Deployment | None:
        """What it was before fleet came; None where it has left go1.x for good."""
        kept = None if seen.kept is None else seen.kept.deployment
        if kept is not None and kept.runtime != GO1X:
            kept = None
        if seen.deployment.runtime == GO1X:
            if kept is None or not self._is_dual(kept, seen.deployment):
                return seen.deployment
        # The tags are put last: whatever it is now, its owners have deployed since then.
        elif kept is None or MIGRATED_FROM in seen.tags:
            return None
        # What was changed of its settings halfway is its owners', and stays.
        return replace(kept, rest=seen.deployment.rest)

    def _is_dual(self, kept: Deployment, now: Deployment) -> bool:
        """Whether it stands in the middle of the dual route: on go1.x, with a bootstrap beside."""
        if self._rescued(kept, now):
            return True
        if replace(kept, code_sha256=now.code_sha256) != now or kept == now:
            return False
        self._look.original(kept)
        with suppress(FleetError):
            return self._repackaging(kept, Strategy.SHIM).code_sha256 == now.code_sha256
        return False

    def _rescued(self, start: Deployment, now: Deployment) -> str:
        store = self._ground.store
        return rescued(start, now, store.steps(self._ref), store.statements([now.code_sha256]))

    def _repackaging(self, start: Deployment, strategy: Strategy) -> Repackaged:
        made = self._made.get((start.code_sha256, strategy))
        if made is None:
            original = self._look.original(start)
            _, made = self._look.bench.repackaged(original, start.handler or "", strategy)
            self._made[start.code_sha256, strategy] = made
        return made

    def _already_there(self, seen: Observed) -> Prepared:
        now = seen.deployment
        if stands_halfway(now.runtime, now.layers, self._ref.account):
            said = (
                "it stands halfway off go1.x, on the bridge layer, and nothing tells what it was: "
                f"the alias {ROLLBACK_ALIAS} is gone or holds something else; upload its package "
                "with a bootstrap, then take the layer off"
            )
            return not_moving(self._ref, Result.BLOCKED, "halfway", said)
        reason = f"its $LATEST is on {seen.deployment.runtime}"
        behind = self._look.behind(seen, lambda each: each.runtime == GO1X)
        if behind:
            reason += (
                f"; still on go1.x: {', '.join(behind)}, which only its owners can move, since "
                "that releases what $LATEST is now"
            )
        return not_moving(self._ref, Result.ALREADY_THERE, "already-there", reason)

    def _from(self, seen: Observed, start: Deployment) -> Prepared:
        layers = [self._look.knowledge.layer(arn) for arn in start.layers]
        problem = ""
        facts = None
        try:
            facts = self._look.facts(start)
        except BadPackage as error:
            problem = error.problem
        deployed = Deployed(
            handler=start.handler,
            runtime=start.runtime,
            architecture=start.architecture,
            layers=tuple(each.layer for each in layers),
            code_signing=self._look.observer.now.config.signing_profile is not None,
            target=self._ground.asked.target,
        )
        assessment = assess(deployed, facts)
        same = self._look.same_as(seen, start)
        gate = replace(
            self._look.as_asked(start, same=same),
            assessment=assessment,
            layers=tuple(_layer_now(each) for each in layers),
        )
        beside = unzipped(each.layer for each in layers)
        try:
            if assessment.verdict is Verdict.REBUILD:
                gate = self._rebuilt(gate, seen.deployment, start, deployed, beside)
        except NotRebuilt as error:
            reasons = (*_halfway(gate, seen.deployment, start), Finding(error.code, error.problem))
            prepared = self._refused(gate, *reasons)
            return replace(prepared, plan=replace(prepared.plan, notes=words_of(error)))
        if halfway := _halfway(gate, seen.deployment, start):
            return self._gated(gate, *halfway)
        choice = choose(gate, self._asked)
        if not gate.rebuilt:
            gate = self._repackaged(gate, choice, start, facts, problem, beside)
        if choice.route is None or gate.new_size is None or gate.repackaging_problem:
            return self._gated(gate)
        go_version = inspection(deployed, facts, assessment).go_version
        return self._planned(seen, start, choice.strategy, choice.route, gate, same, go_version)

    def _rebuilt(
        self, gate: GateFacts, now: Deployment, start: Deployment, deployed: Deployed, beside: int
    ) -> GateFacts:
        """The gate's facts with a package that holds a new program beside the old one.

        One that is there already stays, whatever is asked for: it goes on by the way it is on.
        Unchanged where there is none, and none is asked for. Raises NotRebuilt.
        """
        if version := self._rescued(start, now):
            return self._with_its_own(gate, now, start, deployed, beside, version)
        if self._asked.raise_library:
            return self._built_anew(gate, start, deployed, beside)
        return gate

    def _with_its_own(
        self,
        gate: GateFacts,
        now: Deployment,
        start: Deployment,
        deployed: Deployed,
        beside: int,
        version: str,
    ) -> GateFacts:
        """The same with the package that an earlier run has uploaded: nothing is built."""
        try:
            facts = self._look.facts(now)
        except BadPackage as bad:
            said = f"the package that fleet uploaded to it cannot be read: {bad.problem}"
            raise NotRebuilt("package-unreadable", said) from bad
        # What is left changes no code of go1.x, so that AWS goes on to take it.
        in_place = starts_bootstrap(deployed, self._look.facts(start))
        route: AskedRoute | None = Route.DIRECT if in_place else None
        self._asked = replace(self._asked, route=route, updates_blocked=False)
        said = (
            "fleet left it halfway, with a program built anew with aws-lambda-go "
            f"{version} beside the old one: it goes on with that package"
        )
        self._notes = (Finding("goes-on", said),)
        return self._with_both(
            gate, facts, start, deployed, beside, lambda: self._look.original(now)
        )

    def _built_anew(
        self, gate: GateFacts, start: Deployment, deployed: Deployed, beside: int
    ) -> GateFacts:
        """The same with a package that is built for it.

        Unchanged where it can't move whatever comes of a build, which takes minutes. Raises
        NotRebuilt.
        """
        asked = self._asked
        old = {each.code for each in gate.assessment.reasons} if gate.assessment else set()
        if any(each.code not in old for each in check(replace(gate, rebuilt=True), asked).blocking):
            return gate
        anew = rebuilt_from(self._look, start, start.architecture, asked.raise_library)
        facts = inspect_package(anew.package)
        self._ground.store.save_facts(facts.code_sha256, facts)
        self._anew = anew
        self._notes = told(anew)
        return self._with_both(gate, facts, start, deployed, beside, lambda: anew.package)

    def _with_both(
        self,
        gate: GateFacts,
        facts: PackageFacts,
        start: Deployment,
        deployed: Deployed,
        beside: int,
        package: Callable[[], Path],
    ) -> GateFacts:
        """The same with a package that holds both programs; `package` gives it for a trial."""
        self._both = facts.code_sha256
        gate = replace(
            gate,
            # On go1.x nobody starts its bootstrap; where it is going that is what counts.
            assessment=assess(replace(deployed, runtime=self._asked.target.value), facts),
            rebuilt=True,
            replaces_its_bootstrap=starts_bootstrap(deployed, self._look.facts(start)),
            new_size=facts.size,
            new_unzipped_size=facts.unzipped_size + beside,
        )
        if self._ground.attempt is None or check(gate, self._asked).blocking:
            return gate
        outcome, why = self._ground.attempt(package(), start.handler or "", start.architecture)
        return replace(gate, trial=outcome, trial_reason=why)

    def _repackaged(
        self,
        gate: GateFacts,
        choice: Choice,
        start: Deployment,
        facts: PackageFacts | None,
        problem: str,
        beside: int,
    ) -> GateFacts:
        if facts is None:
            return replace(gate, repackaging_problem=problem or "its package was not read")
        if choice.strategy is None or choice.route is None:
            return replace(
                gate, new_size=facts.size, new_unzipped_size=facts.unzipped_size + beside
            )
        # What keeps it from coming here is no fault of its package.
        self._look.original(start)
        try:
            done = self._repackaging(start, choice.strategy)
        except FleetError as error:
            return replace(gate, strategy=choice.strategy, repackaging_problem=_told(error))
        gate = replace(
            gate,
            strategy=choice.strategy,
            new_size=done.size,
            new_unzipped_size=done.unzipped_size + beside,
        )
        if self._ground.attempt is None or check(gate, self._asked).blocking:
            return gate
        handler = "bootstrap" if choice.strategy is Strategy.RENAME else start.handler or ""
        package = self._look.bench.package(done.code_sha256)
        outcome, why = self._ground.attempt(package, handler, start.architecture)
        return replace(gate, trial=outcome, trial_reason=why)

    def _planned(
        self,
        seen: Observed,
        start: Deployment,
        strategy: Strategy | None,
        route: Route,
        gate: GateFacts,
        same: str | None,
        go_version: str,
    ) -> Prepared:
        bridge = bridge_of(self._ground, self._ref, seen)
        end = self._end(start, self._ground.asked.target, strategy)
        chosen = Way(
            route,
            path(route, start, end, bridge=bridge),
            keep=ROLLBACK_ALIAS,
            serve=SERVING_ALIAS,
            tags=_tags(go_version),
        )
        way = chosen
        if seen.deployment not in chosen.path:
            noted = noted_ends(self._ground.store.steps(self._ref), start)
            ends = chain([end], self._other_ends(start), noted)
            way = way_of(seen.deployment, ways(chosen, ends, bridge)) or chosen
        newest = None if same is None else self._look.observer.version(same)
        steps = foresee(seen, way, lambda now: next_step(now, way), newest=newest)
        if isinstance(steps[0], Done):
            return not_moving(
                self._ref, Result.ALREADY_THERE, "already-there", "there is nothing left to do"
            )
        checked = check(gate, self._asked)
        last = steps[-1]
        result, reasons = Result.READY, checked.blocking
        if checked.blocking:
            result = Result.BLOCKED
        elif not isinstance(last, Done):
            stale = isinstance(last, Stale)
            result = Result.STALE if stale else Result.BLOCKED
            code = "stale" if stale else "stuck"
            reasons = (Finding(code, getattr(last, "reason", "")),)
        if result is Result.READY:
            self._look.knowledge.reserve((gate.new_size or 0) * gate.publishes)
        plan = FunctionPlan(
            ref=self._ref,
            result=result,
            reasons=reasons,
            notes=(
                *self._notes,
                *checked.notes,
                *(plan_notes(self._ground, self._ref, way) if result is Result.READY else ()),
            ),
            route=way.route,
            steps=steps if result is Result.READY else (),
            way=way,
            promises=(
                promises(
                    gate,
                    same_as_latest=frozenset() if same is None else frozenset({same}),
                    updates_blocked=self._ground.asked.updates_blocked,
                )
                if result is Result.READY
                else ()
            ),
            owner=gate.owner,
            assessment=gate.assessment,
        )
        if result is not Result.READY:
            return Prepared(plan)
        made = None if self._anew is None else self._anew.package
        return Prepared(plan, self._look.observer, Recipe(start, artifact=made))

    def _end(self, start: Deployment, target: Target, strategy: Strategy | None) -> Deployment:
        if strategy is None:
            return moved(start, target, None, self._both or start.code_sha256)
        return moved(start, target, strategy, self._repackaging(start, strategy).code_sha256)

    def _other_ends(self, start: Deployment) -> Iterator[Deployment]:
        self._look.original(start)
        for target in Target:
            for strategy in (None, *Strategy):
                with suppress(FleetError):
                    yield self._end(start, target, strategy)

    def _gated(self, gate: GateFacts, *first: Finding) -> Prepared:
        checked = check(gate, self._asked)
        reasons = checked.blocking or (
            Finding("not-repackaged", gate.repackaging_problem or "no route is left"),
        )
        prepared = self._refused(gate, *first, *reasons)
        plan = replace(prepared.plan, notes=checked.notes, route=checked.route)
        return replace(prepared, plan=plan)

    def _refused(self, gate: GateFacts, *reasons: Finding) -> Prepared:
        return Prepared(
            FunctionPlan(
                ref=self._ref,
                result=Result.BLOCKED,
                reasons=reasons,
                owner=gate.owner,
                assessment=gate.assessment,
            )
        )


def _tags(go_version: str) -> dict[str, str]:
    tags = {MIGRATED_FROM: GO1X, LANGUAGE: "go"}
    if go_version:
        tags[GO_VERSION] = _NOT_IN_A_TAG.sub("_", go_version)[:_LONGEST_TAG]
    return tags


def _told(error: FleetError) -> str:
    problem, advice = getattr(error, "problem", ""), getattr(error, "advice", "")
    return "; ".join(part for part in (problem, advice) if part) or str(error)


def plan_notes(ground: Ground, ref: FunctionRef, way: Way) -> Iterator[Finding]:
    """What belongs to a plan besides its steps: the proof, and the layer if it is to be made."""
    test = ground.events.of(ref.name)
    if test is None:
        yield Finding("proof", "it will not be invoked: there is no test event for it")
    elif test.expected is None:
        yield Finding("proof", "it will be invoked with the test event, which must not fail")
    else:
        said = "it will be invoked with the test event, and has to answer as expected"
        yield Finding("proof", said)
    if any(is_unpublished(arn) for each in way.path for arn in each.layers):
        said = "the bridge layer is not in this account and region yet and will be published once"
        yield Finding("bridge-layer", said)


def _halfway(gate: GateFacts, now: Deployment, start: Deployment) -> tuple[Finding, ...]:
    """Say what is urgent about one that stands where its old program can't run."""
    if gate.rebuilt or now.runtime == start.runtime or now.code_sha256 != start.code_sha256:
        return ()
    if gate.assessment is None or gate.assessment.verdict is not Verdict.REBUILD:
        return ()
    said = (
        f"fleet left it halfway: its old program is on {now.runtime}, where it can't run, and "
        "calls fail: `fleet migrate --raise-lambda-go` goes on, `fleet rollback` brings it back"
    )
    return (Finding("halfway", said),)


def _layer_now(read: LayerRead) -> LayerNow:
    extensions = tuple(extensions_of(read.layer.facts)) if read.layer.facts else ()
    return LayerNow(read.layer.arn, read.refused, extensions)
