"""The second pass: one function that left go1.x, and a package built for arm64. Looks only.

Runtime first, architecture after, never together: what fails then has one cause.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fleet.deployment import (
    MIGRATED_FROM,
    REBUILT_FOR,
    SERVING_ALIAS,
    X86_64_ALIAS,
    Deployment,
    Done,
    Observed,
    Route,
    Stale,
    Way,
    is_bridge,
)
from fleet.errors import FileProblem
from fleet.inspection import PackageFacts, Target
from fleet.migration import artifact_rules as rules
from fleet.migration.artifact import ARM64, Artifact, check_artifact
from fleet.migration.bringing import Bring, Brought
from fleet.migration.facts import Finding, GateFacts
from fleet.migration.foresight import foresee
from fleet.migration.gate_rules import BLOCKLISTED, BY_REFERENCE, IMAGE
from fleet.migration.ground import Ground
from fleet.migration.looking import Look, unzipped
from fleet.migration.paths import path
from fleet.migration.plan import FunctionPlan, Promise
from fleet.migration.prepared import Prepared, looked_at, not_moving
from fleet.migration.preparing import plan_notes
from fleet.migration.promises import promises
from fleet.migration.route import next_step
from fleet.migration.work import Recipe
from fleet.model import GO1X, ROLLBACK_ALIAS, FunctionRef, PackageType
from fleet.package.inspect import inspect_package
from fleet.package.problems import BadPackage
from fleet.rebuilding.provenance import is_of
from fleet.results import Result

_LATEST_GOES_BACK = "it moves, and goes back to x86_64 at any time"


def prepare_architecture(
    ground: Ground, ref: FunctionRef, bring: Bring, *, allow_different_source: bool = False
) -> Prepared:
    """Say what would be done to move one function to arm64, from what it is now.

    `bring` has the zip that is to be its package; whatever is wrong with it becomes the
    function's result, as what AWS refuses does. Raises NoCredentials, Interrupted, and OSError
    where there is no room for its packages here.
    """
    with tempfile.TemporaryDirectory(prefix="fleet-") as room:
        return looked_at(
            ref,
            lambda: _Preparation(
                ground, ref, bring, Path(room), allow_different_source=allow_different_source
            ).prepared(),
        )


class _Preparation:
    def __init__(
        self,
        ground: Ground,
        ref: FunctionRef,
        bring: Bring,
        room: Path,
        *,
        allow_different_source: bool,
    ) -> None:
        self._ground = ground
        self._ref = ref
        self._bring = bring
        self._allow_different_source = allow_different_source
        self._look = Look(ground, ref, room, keep=X86_64_ALIAS, serve=SERVING_ALIAS)

    def prepared(self) -> Prepared:
        stops = self._stops()
        if stops is not None:
            return not_moving(self._ref, Result.BLOCKED, stops.code, stops.text)
        seen = self._look.observer.seen()
        start = self._start(seen)
        if start is None:
            return self._already_there(seen)
        if _is_unfinished(seen, self._look.observer.now.tags):
            said = rules.RUNTIME_UNFINISHED.said()
            return not_moving(self._ref, Result.BLOCKED, said.code, said.text)
        return self._from(seen, start)

    def _stops(self) -> Finding | None:
        """Say what keeps it from being looked at any further; None if nothing does."""
        now = self._look.observer.now
        if self._look.is_blocklisted:
            return BLOCKLISTED.said(account=self._ref.account)
        if now.config.package_type is PackageType.IMAGE:
            return IMAGE.said()
        if now.by_reference:
            return BY_REFERENCE.said()
        runtime = now.deployment.runtime
        if runtime not in set(Target):
            return rules.RUNTIME_FIRST.said(runtime=runtime or "no runtime")
        return None

    def _start(self, seen: Observed) -> Deployment | None:
        """What it is on x86_64; None where it has left that for good."""
        if seen.deployment.architecture != ARM64:
            return seen.deployment
        # The tag is put last: without it, and with a version kept, it is under way.
        if seen.tags.get(REBUILT_FOR) == ARM64 or seen.kept is None:
            return None
        kept = seen.kept.deployment
        if kept.architecture == ARM64 or kept.runtime not in set(Target):
            return None
        # What was changed of its settings halfway is its owners', and stays.
        return replace(kept, rest=seen.deployment.rest)

    def _already_there(self, seen: Observed) -> Prepared:
        reason = f"its $LATEST is on {ARM64}"
        behind = self._look.behind(seen, lambda each: each.architecture != ARM64)
        if behind:
            reason += (
                f"; not on {ARM64}: {', '.join(behind)}, which only its owners can move, since "
                "that releases what $LATEST is now"
            )
        return not_moving(self._ref, Result.ALREADY_THERE, "already-there", reason)

    def _from(self, seen: Observed, start: Deployment) -> Prepared:
        layers = tuple(self._look.knowledge.layer(arn).layer for arn in start.layers)
        artifact = Artifact(
            file="",
            facts=None,
            problem="",
            start=start,
            running=self._running(start),
            layers=layers,
            allow_different_source=self._allow_different_source,
        )
        same = self._look.same_as(seen, start)
        gate = self._look.as_asked(start, same=same)
        blocking, _ = check_artifact(gate, self._ground.asked, artifact)
        whatever = tuple(each for each in blocking if each.code != rules.ARTIFACT_UNREADABLE.code)
        if whatever:
            # A build takes minutes: not for what can't move whatever comes of it.
            return self._planned(gate, artifact, Result.BLOCKED, whatever, ())
        brought = self._bring(self._look, start)
        if brought.refusal is not None:
            reasons = (brought.refusal,)
            return self._planned(gate, artifact, Result.BLOCKED, reasons, brought.notes)
        return self._with(brought, seen, gate, artifact, same)

    def _with(
        self,
        brought: Brought,
        seen: Observed,
        gate: GateFacts,
        artifact: Artifact,
        same: str | None,
    ) -> Prepared:
        facts, problem = self._given(brought.file)
        artifact = replace(
            artifact,
            file=brought.name,
            facts=facts,
            problem=problem,
            attested=brought.attested or self._is_ours(facts, artifact.start),
        )
        if facts is not None:
            size = facts.unzipped_size + unzipped(artifact.layers)
            gate = replace(gate, new_size=facts.size, new_unzipped_size=size)
        blocking, notes = check_artifact(gate, self._ground.asked, artifact)
        if not blocking and brought.file is not None and self._ground.attempt is not None:
            handler = artifact.start.handler or ""
            outcome, why = self._ground.attempt(brought.file, handler, ARM64)
            gate = replace(gate, trial=outcome, trial_reason=why)
            blocking, notes = check_artifact(gate, self._ground.asked, artifact)
        notes = (*brought.notes, *notes)
        if blocking or facts is None or brought.file is None:
            return self._planned(gate, artifact, Result.BLOCKED, blocking, notes)
        return self._on_its_way(seen, gate, artifact, facts, brought.file, same, notes)

    def _is_ours(self, facts: PackageFacts | None, start: Deployment) -> bool:
        """Whether fleet has built this very package in the place of what runs."""
        if facts is None:
            return False
        said = self._ground.store.statements([facts.code_sha256]).get(facts.code_sha256, "")
        return is_of(said, start.code_sha256)

    def _given(self, file: Path | None) -> tuple[PackageFacts | None, str]:
        """What is in the artifact, or why that can't be told."""
        if file is None or not file.is_file():
            return None, "there is no such file"
        try:
            facts = inspect_package(file)
        except FileProblem as problem:
            return None, problem.problem
        self._ground.store.save_facts(facts.code_sha256, facts)
        return facts, ""

    def _running(self, start: Deployment) -> PackageFacts | None:
        try:
            return self._look.facts(start)
        except BadPackage:
            return None

    def _on_its_way(
        self,
        seen: Observed,
        gate: GateFacts,
        artifact: Artifact,
        facts: PackageFacts,
        file: Path,
        same: str | None,
        notes: tuple[Finding, ...],
    ) -> Prepared:
        start = artifact.start
        end = replace(start, code_sha256=facts.code_sha256, architecture=ARM64)
        there = seen.deployment
        if there not in (start, end) and replace(there, code_sha256=end.code_sha256) == end:
            said = rules.OTHER_ARTIFACT.said(there=there.code_sha256, given=end.code_sha256)
            return self._planned(gate, artifact, Result.BLOCKED, (said,), notes)
        way = Way(
            Route.ARCHITECTURE,
            path(Route.ARCHITECTURE, start, end),
            keep=X86_64_ALIAS,
            serve=SERVING_ALIAS,
            tags={REBUILT_FOR: ARM64},
        )
        newest = None if same is None else self._look.observer.version(same)
        steps = foresee(seen, way, lambda now: next_step(now, way), newest=newest)
        last = steps[-1]
        if not isinstance(last, Done):
            said = Finding("stale", last.reason)  # type: ignore[union-attr]  # the last is an end
            result = Result.STALE if isinstance(last, Stale) else Result.BLOCKED
            return self._planned(gate, artifact, result, (said,), notes)
        self._look.knowledge.reserve((gate.new_size or 0) * gate.publishes)
        plan = self._planned(gate, artifact, Result.READY, (), notes).plan
        plan = replace(
            plan,
            steps=steps,
            way=way,
            promises=self._promises(gate, same),
            notes=(*plan.notes, *plan_notes(self._ground, self._ref, way)),
        )
        return Prepared(plan, self._look.observer, Recipe(start, artifact=file))

    def _promises(self, gate: GateFacts, same: str | None) -> tuple[Promise, ...]:
        versions = frozenset() if same is None else frozenset({same})
        latest, *others = promises(gate, same_as_latest=versions, updates_blocked=False)
        return (replace(latest, text=_LATEST_GOES_BACK), *others)

    def _planned(
        self,
        gate: GateFacts,
        artifact: Artifact,
        result: Result,
        reasons: tuple[Finding, ...],
        notes: tuple[Finding, ...],
    ) -> Prepared:
        return Prepared(
            FunctionPlan(
                ref=self._ref,
                result=result,
                reasons=reasons,
                notes=notes,
                route=Route.ARCHITECTURE,
                owner=gate.owner,
                assessment=artifact.assessment,
            )
        )


def _is_unfinished(seen: Observed, tags: Mapping[str, str] | None) -> bool:
    """Whether it is on its way off go1.x still: its tags are put last."""
    if any(is_bridge(arn) for arn in seen.deployment.layers):
        return True
    begun = any(alias.name == ROLLBACK_ALIAS for alias in seen.aliases)
    # Tags that could not be read block for themselves.
    return begun and tags is not None and tags.get(MIGRATED_FROM) != GO1X
