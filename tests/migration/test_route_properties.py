"""Whatever happens in between, on every route: what architecture.md promises of a journey."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.deployment import (
    OWN_ALIASES,
    SERVING_ALIAS,
    X86_64_ALIAS,
    Deployment,
    Done,
    End,
    Prove,
    Publish,
    PutAlias,
    PutTags,
    Route,
    Stale,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Way,
)
from fleet.inspection import Strategy
from fleet.ledger import Entry, Verb
from fleet.migration.before import before_images
from fleet.migration.foresight import foresee
from fleet.migration.route import next_step, next_step_back
from fleet.model import GO1X, ROLLBACK_ALIAS, Alias
from tests.migration.shell import (
    REBUILT,
    ROUTES,
    TAGS,
    Fault,
    Killed,
    Run,
    way_back,
    way_forward,
    way_on,
)
from tests.migration.world import START, Hold, Refused, World, runs


class Hand(StrEnum):
    """What somebody else does to the function."""

    CODE = "uploads other code"
    ENVIRONMENT = "changes an environment variable"
    LAYERS = "attaches a layer"
    OLD = "deploys from the old template: go1.x again"
    VERSION = "publishes a version"
    ALIAS = "moves an alias"
    ROLLBACK = "moves go1x-rollback"
    NO_ROLLBACK = "deletes go1x-rollback"
    NO_SERVING = "deletes provided"


@dataclass(frozen=True)
class Begin:
    """A command is started; it takes the place of one that still runs."""

    verb: Verb
    route: Route = Route.BRIDGE
    strategy: Strategy = Strategy.RENAME
    rebuilds: bool = False


@dataclass(frozen=True)
class Turn:
    """One turn of the loop; somebody else may come between the look and the act."""

    fault: Fault = Fault.NONE
    between: Hand | None = None


@dataclass(frozen=True)
class Block:
    """From now on AWS refuses to update what is on go1.x, and to name it."""


Disturbance = Turn | Block | Hand

routes = st.sampled_from(ROUTES)
strategies = st.sampled_from(Strategy)
begins = st.one_of(
    st.builds(Begin, st.just(Verb.MIGRATE), routes, strategies),
    st.builds(Begin, st.just(Verb.ROLLBACK), routes, strategies),
    st.just(Begin(Verb.MIGRATE, rebuilds=True)),
)
hands = st.sampled_from(Hand)
disturbances = st.one_of(
    st.builds(Turn, st.sampled_from(Fault)),
    st.builds(Turn, st.just(Fault.NONE), hands),
    hands,
    st.just(Block()),
)
episodes = st.tuples(begins, st.lists(st.tuples(st.integers(0, 20), disturbances), max_size=4))
"""A command, and what comes in between, after so many undisturbed turns each."""
Episode = tuple[Begin, list[tuple[int, Disturbance]]]
stories = st.lists(episodes, min_size=1, max_size=4)


layers = st.sampled_from([(), ("arn:aws:lambda:eu-west-1:111111111111:layer:tools:4",)])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A go1.x function with up to three versions, on which a team's aliases point."""
    world, start = World(), replace(START, layers=draw(layers))
    earlier = draw(st.lists(st.sampled_from(["old", "a"]), max_size=2))
    for code in [*earlier, *draw(st.sampled_from([[], ["a"]]))]:
        world.deploy(replace(start, code_sha256=code))
        world.publish()
    world.deploy(start)
    world.pending.clear()
    numbers = range(len(world.versions), 0, -1)
    for name in ("live", "test") if numbers else ():
        hold = world.aliases[name] = Hold(draw(st.sampled_from(numbers)))
        kind = draw(st.sampled_from(["plain", "weighted", "provisioned"]))
        if kind == "weighted" and hold.version > 1:
            hold.weights = {str(hold.version - 1): 0.25}
        hold.provisioned = kind == "provisioned"
    return world


class Story:
    """A world in which runs follow one another, and what must hold at each moment of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._start = world.latest
        self.ledger: list[Entry] = []
        self.run: Run | None = None
        self.origins: dict[str, Alias] = {}
        """What each alias was before a run moved it, unless somebody else ever did."""
        self._by_hand: set[str] = set()
        self._others = 0
        self._touched = False

    def tell(self, event: Disturbance) -> None:
        match event:
            case Turn():
                self._turn(event)
            case Block():
                self.world.refuses_go1x = True
            case Hand():
                self._hand(event)

    def begin(self, event: Begin) -> Run | None:
        if event.verb is Verb.ROLLBACK:
            way = way_back(self.world, event.route, event.strategy)
        elif event.rebuilds:
            way = way_on(self.world)
        else:
            way = way_forward(self.world, event.route, event.strategy)
        self.run = None if way is None else Run(event.verb, way, self.world, self.ledger)
        return self.run

    def finish(self) -> Step | None:
        """Let what runs go on undisturbed."""
        for _ in range(250):
            if self.run is None:
                return None
            if (end := self._turn(Turn())) is not None:
                return end
        raise AssertionError("it does not end")

    def _turn(self, turn: Turn) -> Step | None:
        if self.run is None:
            return None
        run, end = self.run, None
        self._touched = False
        step = run.decide()
        self._check_serving(run.way)
        if turn.between is not None and not isinstance(step, Done | Stale | Stuck):
            self._hand(turn.between)
        self._check_before(step, run)
        acted = len(run.done)
        try:
            end = run.act(step, turn.fault)
        except Killed:
            self.run = None
        if len(run.done) > acted:
            self._check_after(step, run)
        self._check_serving(run.way)
        if end is not None:
            self._check_end(end, run)
            self.run = None
        return end

    def _hand(self, hand: Hand) -> None:
        self._others += 1
        self._touched = True
        world, now, mark = self.world, self.world.latest, f"other{self._others}"
        package = mark if now.runtime == GO1X else f"{mark}+bootstrap"
        layer = f"arn:aws:lambda:eu-west-1:111111111111:layer:{mark}:1"
        deploys = {
            Hand.CODE: replace(now, code_sha256=package, architecture="x86_64"),
            Hand.ENVIRONMENT: replace(now, rest=mark),
            Hand.LAYERS: replace(now, layers=(*now.layers, layer)),
            Hand.OLD: self._start,
        }
        if hand is Hand.ALIAS:
            self._move_by_hand()
        elif hand is Hand.ROLLBACK and ROLLBACK_ALIAS in world.aliases:
            self._by_hand.add(ROLLBACK_ALIAS)
            world.point(ROLLBACK_ALIAS, 1 + self._others % len(world.versions))
        elif hand in {Hand.ROLLBACK, Hand.NO_ROLLBACK, Hand.NO_SERVING}:
            gone = SERVING_ALIAS if hand is Hand.NO_SERVING else ROLLBACK_ALIAS
            world.aliases.pop(gone, None)
        else:
            with suppress(Refused):
                if hand is Hand.VERSION:
                    world.publish()
                else:
                    world.deploy(deploys[hand])

    def _move_by_hand(self) -> None:
        hold = self.world.aliases.get("live")
        if hold is None:
            return
        self._by_hand.add("live")
        self.origins.pop("live", None)
        hold.provisioned, hold.shifts = False, 0
        self.world.point("live", 1 + self._others % len(self.world.versions))

    def _check_serving(self, way: Way) -> None:
        """No gap: at every moment an invocation of $LATEST finds something that it can run."""
        if not way.route.has_gap and self.world.serving in way.path:
            assert runs(self.world.serving)

    def _check_before(self, step: Step, run: Run) -> None:
        world, way = self.world, run.way
        if isinstance(step, (UpdateCode, UpdateConfiguration)):
            self._deployment = world.latest
            if run.verb is Verb.MIGRATE and not self._touched:
                assert self._kept(way) == way.start
                assert way.keep != ROLLBACK_ALIAS or way.start.runtime == GO1X
        if isinstance(step, PutAlias) and step.name not in OWN_ALIASES:
            self._alias = world.alias(step.name) if step.name in world.aliases else None
            if run.verb is Verb.MIGRATE and not self._touched:
                assert step.before is not None
                assert not step.before.weights
                assert step.before.version == str(world.aliases[way.keep].version)
                assert TAGS.items() <= world.tags.items() or way.tags == TAGS
                assert not way.tags.items() <= world.tags.items()

    def _check_after(self, step: Step, run: Run) -> None:
        """What a write replaced is what was seen; nothing of anybody else."""
        if isinstance(step, (UpdateCode, UpdateConfiguration)):
            assert self._deployment in run.way.path
            assert self.world.latest in run.way.path
        if isinstance(step, Publish):
            assert self.world.latest in run.way.path
        if isinstance(step, PutAlias) and step.name not in OWN_ALIASES:
            was = self._alias
            assert was is not None
            assert was == step.before
            if run.verb is Verb.ROLLBACK:
                assert self._touched or {was.version, *was.weights} <= {*self._ours(), step.version}
                self.origins.pop(step.name, None)
            elif step.name not in self._by_hand:
                self.origins.setdefault(step.name, Alias(was.name, was.version, was.weights))
                known = before_images(self.ledger)
                # An alias's old target is never forgotten.
                assert {name: known[name] for name in self.origins} == self.origins

    def _check_end(self, end: Step, run: Run) -> None:
        world, way = self.world, run.way
        if not isinstance(end, Done):
            return
        assert not world.busy
        assert world.serving == world.latest
        if run.verb is Verb.MIGRATE:
            assert world.latest == way.end
            assert world.versions[world.aliases[way.serve].version - 1] == world.latest
            assert self._kept(way) == way.start
            assert way.tags.items() <= world.tags.items()
            if PutTags(way.tags) in run.done:
                self._check_all_that_may_have_moved(way)
        elif run.refused:
            assert world.latest in {way.end, world.latest} & set(way.path)
            assert runs(world.latest)
        else:
            assert world.latest == way.start
            assert not {*TAGS, *REBUILT} & set(world.tags)
        if run.verb is Verb.ROLLBACK and SERVING_ALIAS in world.aliases:
            aliases = {name: str(world.aliases[name].version) for name in self.origins}
            assert not self._ours() & set(aliases.values())

    def _kept(self, way: Way) -> Deployment:
        """What there is to come back to; whoever moves that alias may choose other settings."""
        kept = self.world.versions[self.world.aliases[way.keep].version - 1]
        return replace(kept, rest=way.start.rest) if way.keep in self._by_hand else kept

    def _check_all_that_may_have_moved(self, way: Way) -> None:
        if self.world.versions[self.world.aliases[way.keep].version - 1] != way.start:
            # By hand it holds other settings: moving would release them.
            return
        kept = self.world.aliases[way.keep].version
        for name, hold in self.world.aliases.items():
            if name not in OWN_ALIASES | self._by_hand:
                assert not hold.shifts
                assert hold.version != kept or hold.weights

    def _ours(self) -> set[str]:
        aliases = self.world.aliases
        return {
            str(aliases[name].version) for name in (SERVING_ALIAS, X86_64_ALIAS) if name in aliases
        }


@settings(max_examples=400)
@given(worlds(), stories)
def test_no_interleaving_breaks_a_promise_and_every_run_ends(
    world: World, episodes: list[Episode]
) -> None:
    story = Story(world)
    for begin, disturbances in episodes:
        story.begin(begin)
        for turns, disturbance in disturbances:
            for _ in range(turns):
                story.tell(Turn())
            story.tell(disturbance)
        if len(disturbances) < 2:
            story.finish()
    story.finish()


faults = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(Fault)), max_size=4)
there_and_back = st.lists(st.tuples(begins, faults), min_size=1, max_size=4)


@settings(max_examples=150)
@given(worlds(), there_and_back)
def test_crashes_and_lost_answers_change_nothing_of_how_it_ends_nor_mint_more(
    world: World, commands: list[tuple[Begin, list[tuple[int, Fault]]]]
) -> None:
    calm, rough = Story(deepcopy(world)), Story(world)
    for begin, happenings in commands:
        ended = calm.finish() if calm.begin(begin) else None
        again = rough.begin(begin)
        assert ended in {None, Done()}
        assert (ended is None) == (again is None)
        for turns, fault in happenings:
            for _ in range(turns):
                rough.tell(Turn())
            rough.tell(Turn(fault))
            if rough.run is None:
                rough.begin(begin)
        rough.finish()
        assert state(rough.world) == state(calm.world)


def state(world: World) -> object:
    """All that counts of a function, once everything has settled."""
    aliases = {name: (each.version, each.weights) for name, each in world.aliases.items()}
    return world.latest, world.serving, world.versions, aliases, world.tags


@settings(max_examples=150)
@given(worlds(), st.lists(st.tuples(begins, st.integers(0, 25)), max_size=3), begins)
def test_what_is_foreseen_is_what_an_undisturbed_run_does(
    world: World, earlier: list[tuple[Begin, int]], command: Begin
) -> None:
    story = Story(world)
    for begin, turns in earlier:
        story.begin(begin)
        for _ in range(turns):
            story.tell(Turn())
    run = story.begin(command)
    if run is None:
        return
    before, minted = before_images(story.ledger), len(world.versions)
    decide = partial(next_step, way=run.way)
    if command.verb is Verb.ROLLBACK:
        decide = partial(next_step_back, way=run.way, before=before)
    foreseen = foresee(run.look(), run.way, decide, newest=world.newest)
    end = story.finish()
    assert foreseen[-1] == end
    assert [told(each, minted) for each in foreseen if not isinstance(each, Prove | End)] == [
        told(each, minted) for each in run.done
    ]


def told(step: Step, minted: int) -> object:
    """A step without what nobody can know before.

    That is numbers of new versions, revisions, and how far AWS's own shift of an alias's
    provisioned concurrency has come by then.
    """
    match step:
        case PutAlias():
            was = step.before and (
                step.before.version,
                {} if step.before.provisioned else dict(step.before.weights),
            )
            return step.name, _known(step.version, minted), step.weights, was
        case UpdateCode() | UpdateConfiguration():
            return type(step), step.before, step.after
        case Publish():
            return step.code_sha256, step.alias
        case _:
            return step


def _known(version: str, minted: int) -> str:
    return version if version.isdecimal() and int(version) <= minted else "new"
