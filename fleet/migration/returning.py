"""Brings one function back: aliases, then $LATEST, as far as AWS still allows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.deployment import (
    OWN_ALIASES,
    OWN_TAGS,
    REBUILT_FOR,
    SERVING_ALIAS,
    X86_64_ALIAS,
    Back,
    Deployment,
    Done,
    Observed,
    Published,
    Route,
    Stale,
    Step,
    Stuck,
    Way,
)
from fleet.errors import FleetError
from fleet.inspection import Strategy, Target
from fleet.ledger import Verb
from fleet.migration.before import before_images
from fleet.migration.candidates import RUNTIME_ROUTES, moved, way_of, ways
from fleet.migration.facts import Finding
from fleet.migration.foresight import foresee
from fleet.migration.gates import MOST_LAYERS
from fleet.migration.ground import Ground
from fleet.migration.observing import Observer
from fleet.migration.packages import Workbench
from fleet.migration.paths import path
from fleet.migration.plan import FunctionPlan, Outcome, Result
from fleet.migration.preparing import Prepared, not_moving
from fleet.migration.problems import halted_by
from fleet.migration.route import next_step_back
from fleet.migration.work import Recipe, Work, bridge_of, locating
from fleet.model import GO1X, ROLLBACK_ALIAS, Alias, FunctionRef

_REFUSED = (
    "AWS refuses go1.x by now: $LATEST can never go back and stays on the custom runtime; "
    "what calls an alias is back"
)


def prepare_back(ground: Ground, ref: FunctionRef, to: Back = Back.GO1X) -> Prepared:
    """Say what would be done to bring one function back, from what it is now.

    What AWS refuses becomes the function's result. Raises NoCredentials, Interrupted, and OSError
    where there is no room for its package here.
    """
    try:
        return _Preparation(ground, ref, to).prepared()
    except (CallFailed, RoleRefused) as failure:
        halted = halted_by(failure)
        return not_moving(ref, halted.result, "refused-by-aws", halted.reason)


def bring_back(ground: Ground, prepared: Prepared) -> Outcome:
    """Bring a function back that was prepared for it; what could not be done is its outcome.

    Raises NoCredentials, and OSError where there is no room here.
    """
    plan, observer, recipe = prepared.plan, prepared.observer, prepared.recipe
    if plan.result is not Result.READY or plan.way is None or observer is None or recipe is None:
        return Outcome(plan.ref, plan.result, "; ".join(each.text for each in plan.reasons))
    with tempfile.TemporaryDirectory(prefix="fleet-") as room:
        work = Work(ground, plan.ref, observer, recipe, Path(room))
        notes = tuple(each.text for each in plan.notes)
        returning = Return(work, plan.way, prepared.images, notes)
        return work.outcome(returning.returned, blocked=_REFUSED)


class Return:
    """The way back of one function, from wherever it stands on its way."""

    def __init__(
        self, work: Work, way: Way, images: Mapping[str, Alias], notes: tuple[str, ...] = ()
    ) -> None:
        """`images` is what each alias was before the way moved it."""
        self._work = work
        self._way = way
        self._images = images
        self._notes = notes
        self._refused = work.ground.asked.updates_blocked and way.start.runtime == GO1X

    def returned(self) -> Outcome:
        """Go back as far as AWS allows; raises what Journey.travel raises."""
        work = self._work
        way = work.with_bridge(self._way, Verb.ROLLBACK)

        def decide(seen: Observed) -> Step:
            return next_step_back(seen, way, self._images, refused=self._refused)

        journey = work.journey(way)
        try:
            end = journey.travel(decide, Verb.ROLLBACK)
        except CallFailed as failure:
            if failure.situation is not Situation.RUNTIME_BLOCKED:
                raise
            # Learnt on the way, perhaps halfway: on to the end of the way, which works for good.
            self._refused = True
            end = journey.travel(decide, Verb.ROLLBACK)
        if not isinstance(end, Done):
            why = f"$LATEST stays as it is: {getattr(end, 'reason', '')}"
            stayed = Result.STALE if isinstance(end, Stale) else Result.FAILED
            result = Result.PARTLY_BACK if work.done else stayed
            return work.ended(result, why, notes=self._notes)
        away = elsewhere(work.observer.seen(), self._images)
        if work.observer.now.deployment != way.start:
            return work.ended(Result.PARTLY_BACK, _REFUSED, notes=(*away, *self._notes))
        if away:
            return work.ended(Result.PARTLY_BACK, "; ".join(away), notes=self._notes)
        return work.ended(Result.ROLLED_BACK, notes=self._notes)


def elsewhere(seen: Observed, images: Mapping[str, Alias]) -> tuple[str, ...]:
    """Say which aliases that had been moved are not where they were before. Pure."""
    return tuple(
        f"alias {alias.name} is on version {alias.version}, and was on {was.version} before it "
        "was moved: somebody has changed it since, so it was left alone"
        for alias in seen.aliases
        if (was := images.get(alias.name)) is not None
        and (alias.version, dict(alias.weights)) != (was.version, dict(was.weights))
    )


class _Preparation:
    def __init__(self, ground: Ground, ref: FunctionRef, to: Back) -> None:
        self._ground = ground
        self._ref = ref
        self._to = to
        self._keep = ROLLBACK_ALIAS if to is Back.GO1X else X86_64_ALIAS
        self._lane = ground.aws.lane(ref.account, ref.region)
        self._observer = Observer(
            ground.aws, self._lane, ref, ground.key, keep=self._keep, serve=SERVING_ALIAS
        )

    def prepared(self) -> Prepared:
        seen = self._observer.seen()
        kept = self._kept(seen)
        if isinstance(kept, Finding):
            return not_moving(self._ref, Result.BLOCKED, kept.code, kept.text)
        # What was changed of its settings since then is its owners', and stays.
        start = replace(kept.deployment, rest=seen.deployment.rest)
        found = self._way(seen, start)
        if isinstance(found, Finding):
            return not_moving(self._ref, Result.BLOCKED, found.code, found.text)
        way, strategy = found
        images = self._images(kept)
        # A custom runtime takes updates: only the way to go1.x can be closed.
        refused = self._ground.asked.updates_blocked and start.runtime == GO1X
        steps = foresee(seen, way, lambda now: next_step_back(now, way, images, refused=refused))
        last = steps[-1]
        if isinstance(steps[0], Done) and seen.deployment == start:
            said = "it is back already"
            return not_moving(self._ref, Result.ALREADY_THERE, "already-back", said)
        if isinstance(steps[0], (Stale, Stuck)):
            return not_moving(self._ref, Result.STALE, "stale", steps[0].reason)
        notes = [*self._unknown_aliases(seen, images)]
        if kept.deployment.rest != seen.deployment.rest:
            said = (
                "its environment or other settings are not what they were on go1.x: somebody has "
                "changed them since, and they stay as they are now"
            )
            notes.append(Finding("settings-changed", said))
        if isinstance(last, (Stale, Stuck)):
            notes.append(Finding("latest-stays", f"$LATEST stays as it is: {last.reason}"))
        elif refused:
            notes.append(Finding("updates-blocked", _REFUSED))
        plan = FunctionPlan(
            ref=self._ref,
            result=Result.READY,
            notes=tuple(notes),
            route=way.route,
            steps=steps,
            way=way,
        )
        return Prepared(plan, self._observer, Recipe(start, strategy), images)

    def _kept(self, seen: Observed) -> Published | Finding:
        """The version to go back to, or why there is none."""
        if self._ref.account in self._ground.blocklist:
            said = f"account {self._ref.account} is on the blocklist: nothing is written there"
            return Finding("blocklisted", said)
        if seen.kept is None:
            said = (
                f"there is no alias {self._keep}, so nothing tells what it was: fleet has not "
                "moved it, or somebody has deleted the alias"
            )
            return Finding("no-rollback-alias", said)
        runtime = seen.kept.deployment.runtime
        if self._to is Back.GO1X and runtime != GO1X:
            said = f"the alias {self._keep} points at a version on {runtime}, not on go1.x"
            return Finding("not-go1x-kept", said)
        return seen.kept

    def _images(self, kept: Published) -> dict[str, Alias]:
        """What aliases were, as the ledger has it: on the version that is gone back to."""
        version = kept.version if self._to is Back.X86_64 else None
        return dict(before_images(self._ground.store.steps(self._ref), kept=version))

    def _unknown_aliases(self, seen: Observed, images: dict[str, Alias]) -> Iterator[Finding]:
        for alias in seen.aliases:
            ours = alias.name in OWN_ALIASES or alias.name in images
            if not ours and seen.serving is not None and alias.version == seen.serving.version:
                yield Finding(
                    "alias-not-in-ledger",
                    f"alias {alias.name} stays on version {alias.version}, for this state's "
                    "ledger does not know where it was before: move it by hand, or name the "
                    "state that moved it with --state",
                )

    def _way(self, seen: Observed, start: Deployment) -> tuple[Way, Strategy | None] | Finding:
        tags = dict.fromkeys(OWN_TAGS if self._to is Back.GO1X else (REBUILT_FOR,), "")
        home = Way(Route.BRIDGE, (start,), keep=self._keep, serve=SERVING_ALIAS, tags=tags)
        if seen.deployment == start:
            return home, None
        if self._to is Back.X86_64:
            return _through(home, Route.ARCHITECTURE, seen.deployment) or home, None
        bridge = bridge_of(self._ground, self._ref, seen)
        routes = self._routes(start)
        if seen.serving is not None:
            ends = (replace(seen.serving.deployment, rest=start.rest),)
            way = way_of(seen.deployment, ways(home, ends, bridge, routes))
            if way is not None:
                return self._agreed(way, seen) or (way, None)
        return self._halfway(seen, home, bridge, routes)

    def _halfway(
        self, seen: Observed, home: Way, bridge: str, routes: tuple[Route, ...]
    ) -> tuple[Way, Strategy | None] | Finding:
        """The way of a move that did not come to its end: its packages tell where it stands."""
        start = home.start
        with tempfile.TemporaryDirectory(prefix="fleet-") as room:
            bench = Workbench(Path(room), self._ground.downloads, self._lane)
            original = bench.fetched(
                locating(self._ground, self._lane, self._ref, start.code_sha256)
            )
            for strategy in (None, *Strategy):
                code = start.code_sha256
                if strategy is not None:
                    try:
                        _, done = bench.repackaged(original, start.handler or "", strategy)
                    except FleetError:
                        continue
                    code = done.code_sha256
                ends = [moved(start, target, strategy, code) for target in Target]
                way = way_of(seen.deployment, ways(home, ends, bridge, routes))
                if way is not None:
                    return self._agreed(way, seen) or (way, strategy)
        return home, None

    def _routes(self, start: Deployment) -> tuple[Route, ...]:
        """The routes it could go back by, those with a gap last."""
        asked = self._ground.asked.route
        if asked is not None:
            return (asked, *(each for each in RUNTIME_ROUTES if each is not asked))
        knowledge = self._ground.knowledge(self._ref)
        refused = any(knowledge.layer(arn).refused for arn in start.layers)
        if refused or len(start.layers) >= MOST_LAYERS:
            return RUNTIME_ROUTES[1:]
        return RUNTIME_ROUTES

    def _agreed(self, way: Way, seen: Observed) -> Finding | None:
        """Say what keeps it from going back this way; None if nothing does."""
        in_the_gap = seen.deployment in way.path[1:-1]
        if not way.has_gap or in_the_gap or self._ground.asked.route is Route.DIRECT:
            return None
        return Finding(
            "no-route-without-gap",
            "its layers leave no room for the bridge, so that invocations of $LATEST would fail "
            "for seconds on the way back: --route direct takes that way, or move its aliases by "
            "hand",
        )


def _through(home: Way, route: Route, end: Deployment) -> Way | None:
    try:
        return replace(home, route=route, path=path(route, home.start, end))
    except ValueError:
        return None
