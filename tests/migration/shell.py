"""A run as the real one goes: observe, decide, note, act, confirm. What it keeps dies with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product

from fleet.deployment import (
    LANGUAGE,
    MIGRATED_FROM,
    REBUILT_FOR,
    SERVING_ALIAS,
    X86_64_ALIAS,
    AliasNow,
    Deployment,
    End,
    Observed,
    Prove,
    Publish,
    PutAlias,
    PutTags,
    RemoveTags,
    Route,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Way,
    Write,
)
from fleet.inspection import Strategy
from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.migration.before import before_images
from fleet.migration.paths import path
from fleet.migration.route import next_step, next_step_back
from fleet.model import GO1X, ROLLBACK_ALIAS, Alias, FunctionRef
from tests.migration.world import BRIDGE, TARGET, Conflict, Refused, World

ROUTES = (Route.BRIDGE, Route.DUAL, Route.DIRECT)
TAGS = {MIGRATED_FROM: GO1X, LANGUAGE: "go"}
REBUILT = {REBUILT_FOR: "arm64"}
_REF = FunctionRef("aws", "111111111111", "eu-west-1", "f")
_NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Fault(StrEnum):
    """What becomes of one call."""

    NONE = "none"
    KILLED_BEFORE = "killed before the call"
    KILLED_AFTER = "killed after AWS has acted"
    LOST = "AWS has acted, the answer is lost"
    REFUSED = "409 or 429"


class Killed(Exception):
    """kill -9."""


def moved(start: Deployment, strategy: Strategy) -> Deployment:
    """Where a go1.x deployment is to end."""
    if strategy is Strategy.SHIM:
        return replace(start, runtime=TARGET, code_sha256=f"{start.code_sha256}+shim")
    code = f"{start.code_sha256}+bootstrap"
    return replace(start, runtime=TARGET, handler="bootstrap", code_sha256=code)


def rebuilt(start: Deployment) -> Deployment:
    """The same for arm64."""
    return replace(start, code_sha256=f"{start.code_sha256}+arm64", architecture="arm64")


def way(route: Route, start: Deployment, end: Deployment) -> Way:
    """The way off go1.x."""
    stations = path(route, start, end, bridge=BRIDGE if route is Route.BRIDGE else None)
    return Way(route, stations, ROLLBACK_ALIAS, SERVING_ALIAS, TAGS)


def way_forward(world: World, route: Route, strategy: Strategy) -> Way | None:
    """The way the function is on already, else the one asked for; None if it is on neither."""
    for each in _ways(world, route, strategy, rebuilds=False):
        if world.latest in each.path[1:]:
            return each
    if world.latest.runtime != GO1X:
        return None
    # Only a shim's package runs on both runtimes.
    strategy = Strategy.SHIM if route is Route.DUAL else strategy
    return way(route, world.latest, moved(world.latest, strategy))


def way_back(world: World, route: Route, strategy: Strategy) -> Way | None:
    """The way it came, or may have come; None where nothing was kept to go back to."""
    ways = [
        replace(each, tags={**TAGS, **REBUILT})
        for each in _ways(world, route, strategy, rebuilds=True)
    ]
    return next((each for each in ways if world.latest in each.path), ways[0] if ways else None)


def way_on(world: World) -> Way | None:
    """The way to arm64, once the runtime's is done."""
    kept = _held(world, X86_64_ALIAS)
    for start in (kept, world.latest):
        if start is None or start.runtime == GO1X or start.architecture != "x86_64":
            continue
        if world.latest in (start, rebuilt(start)) and TAGS.items() <= world.tags.items():
            stations = path(Route.ARCHITECTURE, start, rebuilt(start))
            return Way(Route.ARCHITECTURE, stations, X86_64_ALIAS, SERVING_ALIAS, REBUILT)
    return None


def _ways(world: World, route: Route, strategy: Strategy, *, rebuilds: bool) -> Iterator[Way]:
    kept = _held(world, ROLLBACK_ALIAS)
    if kept is None or kept.runtime != GO1X:
        return
    routes = sorted(ROUTES, key=lambda each: each is not route)
    strategies = sorted(Strategy, key=lambda each: each is not strategy)
    for one, other in product(routes, strategies):
        end = moved(kept, other)
        for each in (end, rebuilt(end)) if rebuilds else (end,):
            try:
                yield way(one, kept, each)
            except ValueError:
                continue


def _held(world: World, name: str) -> Deployment | None:
    hold = world.aliases.get(name)
    return None if hold is None else world.versions[hold.version - 1]


@dataclass
class Run:
    """One process; the world and the ledger outlive it."""

    verb: Verb
    way: Way
    world: World
    ledger: list[Entry]
    minted: str | None = None
    proven: bool = False
    refused: bool = False
    done: list[Write] = field(default_factory=list)
    """Writes that AWS has answered, or may have acted on."""

    def look(self) -> Observed:
        """Observe."""
        return self.world.look(self.way.keep, self.way.serve, self.minted, proven=self.proven)

    def decide(self) -> Step:
        """Name the next step from what is there now."""
        seen = self.look()
        if self.verb is Verb.MIGRATE:
            return next_step(seen, self.way)
        before = before_images(self.ledger)
        return next_step_back(seen, self.way, before, refused=self.refused)

    def act(self, step: Step, fault: Fault = Fault.NONE) -> Step | None:
        """Do it; gives the step that ended the run, or None if it goes on. May raise Killed."""
        if isinstance(step, End):
            return step
        if isinstance(step, Prove):
            self.proven = True
        return self._write(step, fault) if isinstance(step, Write) else None

    def _write(self, step: Write, fault: Fault) -> Stuck | None:
        number = len(self.ledger)
        self.ledger.append(_intent(self.verb, step))
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        try:
            if fault is Fault.REFUSED:
                raise Conflict
            answer = self._call(step)
        except Refused as problem:
            self._end(number, EntryState.FAILED)
            if isinstance(problem, Conflict):
                return None
            self.refused = True
            return Stuck(str(problem)) if self.verb is Verb.MIGRATE else None
        self.done.append(step)
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.NONE:
            self.minted = answer or self.minted
            self._end(number, EntryState.DONE)
        return None

    def finish(self, most: int = 200) -> Step:
        """Go on undisturbed to the end."""
        for _ in range(most):
            if (end := self.act(self.decide())) is not None:
                return end
        raise AssertionError(f"no end after {most} turns: {self.decide()}")

    def _end(self, number: int, state: EntryState) -> None:
        self.ledger[number] = replace(self.ledger[number], state=state, ended=_NOW)

    def _call(self, step: Write) -> str | None:
        match step:
            case Publish():
                return self.world.publish(step.revision, step.code_sha256)
            case PutAlias():
                self.world.put_alias(step)
            case UpdateConfiguration() | UpdateCode():
                self.proven = False
                self.world.update(step)
            case PutTags():
                self.world.tags.update(step.tags)
            case RemoveTags():
                for key in step.keys:
                    self.world.tags.pop(key, None)
        return None


_ACTIONS: Mapping[type[Write], Action] = {
    Publish: Action.PUBLISH,
    PutAlias: Action.PUT_ALIAS,
    UpdateConfiguration: Action.UPDATE_CONFIGURATION,
    UpdateCode: Action.UPDATE_CODE,
    PutTags: Action.PUT_TAGS,
    RemoveTags: Action.REMOVE_TAGS,
}


def _intent(verb: Verb, step: Write) -> Entry:
    before = after = None
    if isinstance(step, PutAlias):
        before = _alias(step.before)
        after = Alias(step.name, step.version, step.weights)
    return Entry(
        run="r",
        verb=verb,
        ref=_REF,
        action=_ACTIONS[type(step)],
        what="",
        caller="",
        began=_NOW,
        alias_before=before,
        alias_after=after,
    )


def _alias(now: AliasNow | None) -> Alias | None:
    return None if now is None else Alias(now.name, now.version, now.weights)
