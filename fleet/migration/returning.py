"""Brings one function back: aliases, then $LATEST, as far as AWS still allows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fleet.aws.deployments import read_now
from fleet.aws.failures import CallFailed, Situation
from fleet.aws.limits import runtime_mode
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
    PutTags,
    Route,
    Stale,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Way,
)
from fleet.errors import FleetError
from fleet.inspection import Deployed, Strategy, Target
from fleet.ledger import Verb
from fleet.migration.before import before_images
from fleet.migration.candidates import (
    RUNTIME_ROUTES,
    moved,
    noted_ends,
    rescued,
    starts_bootstrap,
    way_of,
    ways,
)
from fleet.migration.facts import Finding
from fleet.migration.foresight import foresee
from fleet.migration.gates import FREE_MODES, MOST_LAYERS, fits_into_a_call
from fleet.migration.ground import Ground
from fleet.migration.looking import check_partition, unless_refused
from fleet.migration.observing import Observer
from fleet.migration.packages import Workbench
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.prepared import Prepared, carried_out, looked_at, not_moving
from fleet.migration.route import next_step_back
from fleet.migration.work import Recipe, Work, bridge_of, locating
from fleet.model import GO1X, ROLLBACK_ALIAS, Alias, FunctionRef
from fleet.rebuilding.provenance import raised_in
from fleet.results import Result
from fleet.store import Store

_REFUSED = (
    "AWS refuses go1.x by now: $LATEST can never go back and stays on the custom runtime; "
    "what calls an alias is back"
)
_REFUSED_BY_DATE = (
    "by its dates AWS refuses updates of go1.x by now, so $LATEST stays on the custom runtime and "
    "only aliases go back; dates slip: where AWS has put it off, --lifecycle names yours"
)


def prepare_back(ground: Ground, ref: FunctionRef, to: Back = Back.GO1X) -> Prepared:
    """Say what would be done to bring one function back, from what it is now.

    Raises what `looked_at` raises.
    """
    return looked_at(ref, lambda: _Preparation(ground, ref, to).prepared())


def bring_back(ground: Ground, prepared: Prepared) -> Outcome:
    """Bring a function back that was prepared for it; what could not be done is its outcome.

    Raises OutOfCredentials.
    """

    def act(work: Work, way: Way) -> Outcome:
        notes = tuple(each.text for each in prepared.plan.notes)
        stays, unknown = prepared.stays, prepared.unknown
        back = Return(work, way, prepared.images, notes, stays=stays, unknown=unknown)
        return back.returned()

    return carried_out(ground, prepared, act, blocked=_REFUSED)


def images_of(store: Store, ref: FunctionRef, kept: Published, keep: str) -> dict[str, Alias]:
    """What aliases were before a way moved them; `kept` is what its alias `keep` holds.

    All the way to go1.x that is what they were before any way; from arm64 alone, before that pass,
    which has moved the alias `provided` as well.
    """
    if keep == ROLLBACK_ALIAS:
        return dict(before_images(store.steps(ref)))
    images = dict(before_images(store.steps(ref), kept=kept.version))
    return {**images, SERVING_ALIAS: Alias(SERVING_ALIAS, kept.version)}


class Return:
    """The way back of one function, from wherever it stands on its way."""

    def __init__(
        self,
        work: Work,
        way: Way,
        images: Mapping[str, Alias],
        notes: tuple[str, ...] = (),
        *,
        stays: str = "",
        unknown: bool = False,
        stoppable: bool = True,
    ) -> None:
        """`images` is what each alias was before the way moved it.

        `stays` says why $LATEST can't go back, while aliases can; '' where it can. `unknown` is
        whether there are aliases of which nothing tells what they were.
        """
        self._work = work
        self._way = way
        self._images = images
        self._notes = notes
        self._stays = stays
        self._unknown = unknown
        self._stoppable = stoppable
        self._learnt = False
        self._refused = work.ground.asked.updates_blocked and way.start.runtime == GO1X

    def returned(self) -> Outcome:
        """Go back as far as AWS allows; raises what Journey.travel raises."""
        work = self._work
        way = self._way
        if not (self._stays or self._refused):
            work.have(way, back=True)
            way = work.with_bridge(way, Verb.ROLLBACK)

        def decide(seen: Observed) -> Step:
            return staying_put(
                next_step_back(
                    seen, way, self._images, refused=self._refused, stays=bool(self._stays)
                ),
                self._stays,
            )

        tags = work.observer.seen().tags
        marks = {key: tags[key] for key in OWN_TAGS if key in tags}
        journey = work.journey(way, stoppable=self._stoppable)
        try:
            end = journey.travel(decide, Verb.ROLLBACK)
        except CallFailed as failure:
            if failure.situation is not Situation.RUNTIME_BLOCKED:
                raise
            # Learnt on the way, perhaps halfway: on to the end of the way, which works for good.
            self._refused = self._learnt = True
            end = journey.travel(decide, Verb.ROLLBACK)
            if marks:
                # It stays where they say it is.
                journey.hands.do(PutTags(marks), way, Verb.ROLLBACK)
        if not isinstance(end, Done):
            why = f"$LATEST stays as it is: {getattr(end, 'reason', '')}"
            stayed = Result.STALE if isinstance(end, Stale) else Result.FAILED
            result = Result.PARTLY_BACK if work.done else stayed
            return work.ended(result, why, notes=self._notes)
        away = elsewhere(work.observer.seen(), self._images)
        if work.observer.now.deployment != way.start:
            why = _REFUSED if self._learnt else _REFUSED_BY_DATE
            return work.ended(Result.PARTLY_BACK, why, notes=(*away, *self._notes))
        if self._unknown:
            said = "$LATEST is back; an alias is not, since nothing tells where it was before"
            return work.ended(Result.PARTLY_BACK, said, notes=self._notes)
        if away:
            return work.ended(Result.PARTLY_BACK, "; ".join(away), notes=self._notes)
        return work.ended(Result.ROLLED_BACK, notes=self._notes)


def staying_put(step: Step, why: str) -> Step:
    """Give the step, or an end in place of one that changes $LATEST, where `why` says so. Pure."""
    changes = isinstance(step, (UpdateCode, UpdateConfiguration))
    return Stuck(why) if why and changes else step


def elsewhere(seen: Observed, images: Mapping[str, Alias]) -> tuple[str, ...]:
    """Say which aliases that had been moved are not where they were before. Pure."""
    return tuple(
        f"alias {alias.name} is on version {alias.version}, and was on {was.version} before it "
        "was moved: it is not certain that it still is where fleet put it, so it was left alone"
        for alias in seen.aliases
        if (was := images.get(alias.name)) is not None
        and (alias.version, dict(alias.weights)) != (was.version, dict(was.weights))
    )


class _Preparation:
    def __init__(self, ground: Ground, ref: FunctionRef, to: Back) -> None:
        check_partition(ground, ref)
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
        if self._to is Back.X86_64 and seen.deployment.runtime == GO1X:
            said = "it is on go1.x, where nothing of the arm64 pass is left"
            return not_moving(self._ref, Result.ALREADY_THERE, "already-back", said)
        kept = self._kept(seen)
        if isinstance(kept, Finding):
            return not_moving(self._ref, Result.BLOCKED, kept.code, kept.text)
        # What was changed of its settings since then is its owners', and stays.
        start = replace(kept.deployment, rest=seen.deployment.rest)
        way = self._way(seen, start)
        images = images_of(self._ground.store, self._ref, kept, self._keep)
        stays = "" if seen.deployment == start else self._stays(way, seen)
        # A custom runtime takes updates: only the way to go1.x can be closed.
        refused = self._ground.asked.updates_blocked and start.runtime == GO1X

        def decide(now: Observed) -> Step:
            step = next_step_back(now, way, images, refused=refused, stays=bool(stays))
            return staying_put(step, stays)

        steps = foresee(seen, way, decide)
        last = steps[-1]
        if isinstance(steps[0], Done) and seen.deployment == start:
            said = "; ".join(("it is back already", *elsewhere(seen, images)))
            return not_moving(self._ref, Result.ALREADY_THERE, "already-back", said)
        if isinstance(steps[0], Stale):
            return not_moving(self._ref, Result.STALE, "stale", steps[0].reason)
        if isinstance(steps[0], Stuck):
            return not_moving(self._ref, Result.BLOCKED, "latest-stays", steps[0].reason)
        unknown = tuple(self._unknown_aliases(seen, images))
        notes = [*unknown]
        if kept.deployment.rest != seen.deployment.rest:
            said = (
                "its environment or other settings are not what they were on go1.x: somebody has "
                "changed them since, and they stay as they are now"
            )
            notes.append(Finding("settings-changed", said))
        if isinstance(last, (Stale, Stuck)):
            notes.append(Finding("latest-stays", f"$LATEST stays as it is: {last.reason}"))
        elif refused:
            notes.append(Finding("updates-blocked", _REFUSED_BY_DATE))
        plan = FunctionPlan(
            ref=self._ref,
            result=Result.READY,
            notes=tuple(notes),
            route=way.route,
            steps=steps,
            way=way,
        )
        return Prepared(plan, self._observer, Recipe(start), images, stays, bool(unknown))

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
            if self._to is Back.GO1X and any(each.name == X86_64_ALIAS for each in seen.aliases):
                said += f"; the alias {X86_64_ALIAS} is there: `--to x86_64` leads back from arm64"
            return Finding("no-rollback-alias", said)
        runtime = seen.kept.deployment.runtime
        if self._to is Back.GO1X and runtime != GO1X:
            said = f"the alias {self._keep} points at a version on {runtime}, not on go1.x"
            return Finding("not-go1x-kept", said)
        return seen.kept

    def _unknown_aliases(self, seen: Observed, images: dict[str, Alias]) -> Iterator[Finding]:
        for alias in seen.aliases:
            ours = alias.name in OWN_ALIASES or alias.name in images
            back = seen.kept is not None and alias.version == seen.kept.version
            if (
                not (ours or back)
                and seen.serving is not None
                and alias.version == seen.serving.version
            ):
                yield Finding(
                    "alias-not-in-ledger",
                    f"alias {alias.name} stays on version {alias.version}, for this state's "
                    "ledger does not know where it was before: move it by hand, or name the "
                    "state that moved it with --state",
                )

    def _way(self, seen: Observed, start: Deployment) -> Way:
        """The way it has come; without a step where nobody knows what it is now."""
        tags = dict.fromkeys(OWN_TAGS if self._to is Back.GO1X else (REBUILT_FOR,), "")
        home = Way(Route.BRIDGE, (start,), keep=self._keep, serve=SERVING_ALIAS, tags=tags)
        if seen.deployment == start:
            return home
        ends = list(self._known_ends(seen, start))
        if self._to is Back.X86_64:
            routes: tuple[Route, ...] = (Route.ARCHITECTURE,)
            return way_of(seen.deployment, ways(home, ends, "", routes)) or home
        if self._rescued(seen, start):
            now = seen.deployment
            # The bridge would start its old program, which can't run there.
            ends = [moved(start, each, None, now.code_sha256) for each in Target]
            route = Route.DIRECT if self._in_place(start) else Route.DUAL
            known = ways(home, ends, "", (route, Route.DUAL))
            return way_of(now, known) or home
        bridge = bridge_of(self._ground, self._ref, seen)
        routes = self._routes(start)
        return (
            way_of(seen.deployment, ways(home, ends, bridge, routes))
            or self._halfway(seen, home, bridge, routes)
            # Somebody has deployed: the way it came tells best what they have changed.
            or next(ways(home, ends, bridge, routes), home)
        )

    def _rescued(self, seen: Observed, start: Deployment) -> bool:
        store, now = self._ground.store, seen.deployment
        statements = store.statements([now.code_sha256])
        return bool(rescued(start, now, store.steps(self._ref), statements))

    def _in_place(self, start: Deployment) -> bool:
        """Whether a rescue has put its new program where the old one was."""
        facts = self._ground.store.facts(start.code_sha256)
        deployed = Deployed(handler=start.handler, runtime=start.runtime)
        return facts is None or starts_bootstrap(deployed, facts)

    def _known_ends(self, seen: Observed, start: Deployment) -> Iterator[Deployment]:
        """What fleet has made of it: as AWS keeps it, and as this state's ledger has it."""
        if seen.serving is not None:
            yield replace(seen.serving.deployment, rest=start.rest)
        yield from noted_ends(self._ground.store.steps(self._ref), start)

    def _stays(self, way: Way, seen: Observed) -> str:
        """Why $LATEST can't go back, while its aliases can; '' where it can."""
        now = seen.deployment
        if self._to is Back.GO1X and now.architecture != way.start.architecture:
            said = self._ground.store.statements([now.code_sha256]).get(now.code_sha256, "")
            if raised_in(said):
                return (
                    "its old program can't run on a custom runtime, through which it would pass: "
                    "`fleet rollback --to x86_64` first, then this again"
                )
        in_the_gap = seen.deployment in way.path[1:-1]
        if way.has_gap and not in_the_gap and self._ground.asked.route is not Route.DIRECT:
            why = "its layers leave no room for the bridge"
            if self._rescued(seen, way.start):
                why = "its new program has taken the place of the old one, which go1.x starts"
            return (
                f"{why}, so that invocations would fail for seconds on the way back: --route "
                "direct takes that way"
            )
        aws, name = self._ground.aws, self._ref.name
        mode = unless_refused(lambda: runtime_mode(aws, self._lane, name))
        if mode not in FREE_MODES:
            return (
                f"its runtime management mode is {mode or 'not to be read'}, and in Manual neither "
                "runtime nor architecture can be changed"
            )
        if (policy := self._ground.knowledge(self._ref).signing_policy(name)) != "":
            return (
                f"its code signing policy is {policy or 'not to be read'}, and with one packages "
                "without a signature are refused"
            )
        kept = read_now(aws, self._lane, name, self._ground.key, self._keep)
        if not (self._ground.asked.bucket or fits_into_a_call(kept.config.code_size)):
            return "its package is too large for a call: --bucket names the bucket to go through"
        return ""

    def _halfway(
        self, seen: Observed, home: Way, bridge: str, routes: tuple[Route, ...]
    ) -> Way | None:
        """The way of a move that did not come to its end, told by the packages it would make."""
        start = home.start
        with tempfile.TemporaryDirectory(prefix="fleet-") as room:
            bench = Workbench(Path(room), self._ground.downloads, self._lane)
            original = bench.fetched(
                locating(self._ground, self._lane, self._ref, start.code_sha256)
            )
            ends = [moved(start, target, None, start.code_sha256) for target in Target]
            for strategy in Strategy:
                with suppress(FleetError):
                    _, done = bench.repackaged(original, start.handler or "", strategy)
                    ends += [moved(start, each, strategy, done.code_sha256) for each in Target]
        return way_of(seen.deployment, ways(home, ends, bridge, routes))

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
