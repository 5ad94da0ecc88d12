"""The coordinator: does what is due of a plan, and ends. Called again, it goes on.

It may be killed at any point, called twice, late, or on two machines: what counts is in the store
and in AWS, and leases keep two from doing the same.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypedDict

from fleet.aws.failures import Interrupted, NoCredentials
from fleet.cluster import ClusterProblem, WorkersDied
from fleet.errors import FileProblem, FleetError
from fleet.fan_out import Crew, fan_out
from fleet.leasing import Leases, Taken, function_key
from fleet.migration.problems import OutOfCredentials
from fleet.model import FunctionRef
from fleet.results import Result
from fleet.store import Store
from fleet.wave import Lease, MemberState, Phase, Stage
from fleet.wave_status import Counts
from fleet.waves.budget import failures, is_failure, is_spent
from fleet.waves.due import Agenda, Doing, Due, Holdup, Record, agenda
from fleet.waves.line import LaneKey, Line, lane_of
from fleet.waves.plan import Member, Plan, Wave
from fleet.waves.status import counts_of, status_of
from fleet.waves.telling import Event, FunctionFailed, WaveBegan, WaveEnded, WaveStopped
from fleet.waves.worker import Task

_ENDING = (NoCredentials, Interrupted, FileProblem, ClusterProblem)
"""What ends the run, not one function: credentials, the state or the cluster are gone."""

_log = logging.getLogger(__name__)


class _About(TypedDict):
    plan: str
    organization: str
    wave: str
    at: datetime
    counts: Counts


class Progress(Protocol):
    """What somebody who waits wants to see; called from one thread."""

    def planned(self, functions: int, doing: str) -> None:
        """So many functions are to be dealt with now."""

    def function_done(self, ref: FunctionRef, result: Result) -> None:
        """One of them is."""


LOOK_SECONDS = 10.0
"""How long what was found due is gone by: orders come, windows close, checks fall due."""
MOST_DEATHS = 3
"""Attempts whose workers died, before a function is taken for what they die of."""


@dataclass(eq=False)
class LeftOut(FleetError):
    """An edited plan no longer names functions that are on their way."""

    plan: str
    functions: tuple[str, ...]
    """ARNs."""

    def __str__(self) -> str:
        count = len(self.functions)
        return (
            f"plan {self.plan} leaves out {count:,} functions that are on their way, as "
            f"{self.functions[0]}: put them back into the plan or, with the plan as it was, bring "
            "them back with `fleet waves rollback`"
        )


@dataclass(eq=False)
class LeaseLost(FleetError):
    """Another run may have taken this one's place."""

    plan: str

    def __str__(self) -> str:
        return (
            f"the lease on plan {self.plan} ran out, as where a machine was asleep, so nothing "
            "further was begun: run the same command again"
        )


@dataclass(frozen=True, slots=True)
class Desk:
    """What the coordinator works with."""

    store: Store
    leases: Leases
    crew: Crew
    capacity: Callable[[], int]
    """How many functions can be under way by now: workers come and go."""
    perform: Callable[[Task], MemberState]
    """Does a task; with a cluster it is sent there, so it is a function of a module."""
    clock: Callable[[], datetime]
    """The time that all who share the store agree on."""
    tell: Callable[[Event], None]
    progress: Progress
    settled: Callable[[MemberState], object] = lambda _: None
    """Gets every function that was dealt with, as it is then."""
    left: Callable[[FunctionRef, str], object] = lambda _ref, _why: None
    """Gets every function that was due and is left as it is, and why."""


class Coordinator:
    """Runs one plan, once."""

    def __init__(self, plan: Plan, desk: Desk) -> None:
        self._plan = plan
        self._desk = desk
        self._states: dict[FunctionRef, MemberState] = {}
        self._terms: Mapping[str, Wave] = {
            # Its functions would travel with each of its tasks.
            wave.name: wave.model_copy(update={"functions": ()})
            for wave in plan.waves
        }
        self._tried: set[tuple[object, ...]] = set()
        self._asked: set[tuple[str, str]] = set()
        self._out: set[FunctionRef] = set()
        self._lanes: dict[LaneKey, Lease | None] = {}
        self._lease: Lease | None = None
        self._look: Callable[[], object] = lambda: None
        self._look_at = datetime.max.replace(tzinfo=UTC)

    def tick(
        self,
        *,
        only: str | None = None,
        begin: Collection[str] | None = None,
        rollback_on_stop: bool = False,
        first: Callable[[], object] = lambda: None,
    ) -> Agenda:
        """Do whatever is due; what is left, and why it waits.

        `only` names a wave that runs here and now; `begin` the waves of which functions may be
        begun, where not of all; `rollback_on_stop` brings back what a wave has moved whose budget
        is spent; `first` is called once the plan is in hand. Raises Taken where another run has
        it, LeftOut, LeaseLost, KeyboardInterrupt once it was asked to stop, NoCredentials,
        FileProblem (the state) and ClusterProblem; what was under way then came to where it is
        safe, and the next call goes on.
        """
        found: list[Agenda] = []

        def due_now(record: Record) -> tuple[list[Task], datetime | None]:
            now = self._desk.clock()
            found[:] = [agenda(self._plan, record, now, only=only, busy=self._out)]
            self._tell_of(record, found[0].holdups)
            tasks = [
                self._task(each)
                for each in found[0].due
                if each.doing is not Doing.MOVE or begin is None or each.wave.name in begin
            ]
            if rollback_on_stop:
                tasks = self._with_ways_back(tasks, only)
            return tasks, found[0].wake

        with self._in_hand() as held:
            first()
            self._check_nothing_left_out()
            self._work(due_now, held)
        return found[0]

    def bring_back(self, waves: Iterable[str], why: str) -> None:
        """Bring back every function of these waves that this plan has changed, each once.

        Raises as `tick` does.
        """
        names = set(waves)

        def ways_back(_: Record) -> tuple[list[Task], None]:
            return list(self._ways_back(names, why)), None

        with self._in_hand() as held:
            self._work(ways_back, held)

    def to_bring_back(self, waves: Iterable[str]) -> list[MemberState]:
        """Give the functions that `bring_back` would bring back."""
        self._record()
        return [task.state for task in self._ways_back(set(waves), "")]

    @contextmanager
    def _in_hand(self) -> Iterator[ExitStack]:
        with ExitStack() as held:
            self._lease = held.enter_context(self._desk.leases.holding(f"plan/{self._plan.name}"))
            self._record()
            yield held

    def _record(self) -> Record:
        store = self._desk.store
        self._states = {state.ref: state for state in store.members(self._plan.name)}
        return Record(self._states, tuple(store.orders()))

    def _check_nothing_left_out(self) -> None:
        members = {member.ref for _, member in self._plan.members()}
        under_way = {Phase.UNDER_WAY, Phase.BAKING}
        left = [
            state.ref.arn
            for state in self._states.values()
            if state.phase in under_way and state.ref not in members
        ]
        if left:
            raise LeftOut(self._plan.name, tuple(sorted(left)))

    def _work(
        self, due: Callable[[Record], tuple[list[Task], datetime | None]], held: ExitStack
    ) -> None:
        """Hand out what is due until nothing is, looking again as time goes by."""
        desk = self._desk
        line = Line(self._begun, desk.capacity)

        def look(record: Record) -> int:
            tasks, wake = due(record)
            fresh = [task for task in tasks if _mark(task) not in self._tried]
            ours = [task for task in fresh if self._has_lane(lane_of(task), held)]
            for task in fresh:
                if lane_of(task) not in self._lanes or self._lanes[lane_of(task)] is None:
                    self._tried.add(_mark(task))
                    desk.left(task.state.ref, "another run is at its account and region")
            soon = desk.clock() + timedelta(seconds=LOOK_SECONDS)
            self._look_at = soon if wake is None else min(soon, wake)
            return line.fill(ours)

        def look_again() -> None:
            look(Record(self._states, tuple(desk.store.orders())))

        self._look = look_again
        while (waiting := look(self._record())) > 0:
            desk.progress.planned(waiting, "done")
            fan_out(
                desk.crew,
                line,
                desk.perform,
                lambda task, future: self._settle(line, task, future),
                # The line knows how many may be.
                at_once=sys.maxsize,
            )

    def _begun(self, task: Task) -> None:
        self._tried.add(_mark(task))
        self._out.add(task.state.ref)
        if task.doing is Doing.MOVE and self._is_first(task.wave.name, "began"):
            self._desk.tell(WaveBegan(**self._about(task.wave.name)))

    def _has_lane(self, lane: LaneKey, held: ExitStack) -> bool:
        """Whether this run, and no other plan's, is at an account and region."""
        leases = self._desk.leases
        if lane not in self._lanes:
            account, region = lane
            try:
                self._lanes[lane] = held.enter_context(leases.holding(f"lane/{account}/{region}"))
            except Taken as taken:
                self._lanes[lane] = None
                _log.warning("%s", taken)
        lease = self._lanes[lane]
        return lease is not None and not leases.lost(lease)

    def _settle(self, line: Line, task: Task, future: Future[MemberState]) -> None:
        line.done(task)
        self._out.discard(task.state.ref)
        error = future.exception()
        state = future.result() if error is None else self._after_error(task, error)
        self._states[state.ref] = state
        self._desk.settled(state)
        self._desk.progress.function_done(state.ref, state.result or Result.READY)
        failed = is_failure(state)
        if failed:
            self._tell_failed(state, task.wave.name)
        if self._lease is not None and self._desk.leases.lost(self._lease):
            raise LeaseLost(self._plan.name)
        if failed or self._desk.clock() >= self._look_at:
            self._look()

    def _is_spent(self, wave: Wave | None) -> bool:
        states = self._states_of(wave)
        budget = self._plan.budget if wave is None else wave.budget
        return is_spent(budget, failures(states), len(states))

    def _states_of(self, wave: Wave | None) -> list[MemberState]:
        record = Record(self._states)
        members = self._plan.members() if wave is None else ((wave, it) for it in wave.functions)
        return [record.state(*each) for each in members]

    def _after_error(self, task: Task, error: BaseException) -> MemberState:
        if isinstance(error, OutOfCredentials):
            raise error.cause
        if isinstance(error, _ENDING) or not isinstance(error, Exception):
            raise error
        ref = task.state.ref
        now = self._desk.store.member(self._plan.name, ref) or task.state
        if isinstance(error, Taken):
            self._desk.left(ref, str(error))
            return now
        if isinstance(error, WorkersDied) and now.attempts < MOST_DEATHS:
            # The next call goes on from where it stands.
            self._desk.left(ref, str(error))
            return now
        if isinstance(error, FleetError):
            reason = str(error)
        elif isinstance(error, OSError):
            reason = f"no temporary file can be written ({error.strerror}): set TMPDIR"
        else:
            # A defect met in one function must not cost the others; nor pass for a result.
            _log.debug("unexpected", exc_info=error)
            reason = f"unexpected {type(error).__name__}; --debug tells more"
        return self._failed(now, reason)

    def _failed(self, state: MemberState, reason: str) -> MemberState:
        store, name, ref = self._desk.store, self._plan.name, state.ref
        failed = replace(
            state,
            phase=Phase.ENDED,
            result=Result.FAILED,
            reason=reason,
            since=self._desk.clock(),
            touched=state.touched or state.phase is Phase.UNDER_WAY,
        )
        try:
            with self._desk.leases.holding(function_key(ref.arn)) as lease:
                store.put_member(name, failed, lease=lease)
        except Taken:
            # Whoever has it knows better.
            return store.member(name, ref) or state
        return failed

    def _task(self, due: Due) -> Task:
        return Task(
            plan=self._plan.name,
            wave=self._terms[due.wave.name],
            member=due.member,
            state=due.state,
            doing=due.doing,
            may_shift=due.may_shift,
            until=due.until,
            why="its wave was cancelled while it was on its way",
            ordered=due.doing is Doing.BACK,
        )

    def _with_ways_back(self, tasks: list[Task], only: str | None) -> list[Task]:
        """The same with the ways back of waves that have spent a budget, instead of their own."""
        all_of_it = self._is_spent(None)
        asked = (wave for wave in self._plan.waves if only in {None, wave.name})
        spent = {wave.name for wave in asked if all_of_it or self._is_spent(wave)}
        back = [
            task for task in self._ways_back(spent, _STOPPED) if task.state.ref not in self._out
        ]
        taken = {task.state.ref for task in back}
        return [*back, *(task for task in tasks if task.state.ref not in taken)]

    def _ways_back(self, waves: Collection[str], why: str) -> Iterator[Task]:
        members = {member.ref: (wave, member) for wave, member in self._plan.members()}
        for state in self._states.values():
            wave, member = members.get(state.ref, (None, None))
            name = state.wave if wave is None else wave.name
            if name not in waves or name not in self._terms or not _can_come_back(state):
                continue
            yield Task(
                plan=self._plan.name,
                wave=self._terms[name],
                # Of one that an edited plan leaves out nothing is known but what was begun.
                member=member
                or Member(
                    function=state.ref.arn, fingerprint=state.fingerprint or "0" * 16, verdict=""
                ),
                state=state,
                doing=Doing.BACK,
                ordered=True,
                why=why,
            )

    def _tell_of(self, record: Record, holdups: Iterable[Holdup]) -> None:
        """Tell of waves that have ended or were stopped since the last look, each once."""
        held = {each.wave: each.why for each in holdups if each.stopped}
        for wave in self._plan.waves:
            states = self._states_of(wave)
            if all(state.phase is Phase.WAITING for state in states):
                continue
            for state in states:
                if is_failure(state):
                    # Whoever saw it end may have died before telling.
                    self._tell_failed(state, wave.name)
            if all(state.phase is Phase.ENDED for state in states):
                # After a retry it ends anew.
                attempts = sum(state.attempts for state in states)
                if self._is_first(wave.name, f"ended after {attempts} attempts"):
                    ended = status_of(self._plan, record, self._desk.clock())
                    word = next(each.state for each in ended.waves if each.name == wave.name)
                    self._desk.tell(WaveEnded(**self._about(wave.name), state=word))
            elif (why := held.get(wave.name)) and self._is_first(wave.name, f"stopped: {why}"):
                self._desk.tell(WaveStopped(**self._about(wave.name), reason=why))

    def _tell_failed(self, state: MemberState, wave: str) -> None:
        # However it ends then, it is told as soon as it fails.
        # Its stage is told by when that began: what is brought back further stays one failure.
        stage = state.stage if state.baseline is None else state.baseline.isoformat()
        event = f"failed: {state.ref.arn} {state.attempts} {stage}"
        if not self._is_first(wave, event):
            return
        self._desk.tell(
            FunctionFailed(
                **self._about(wave),
                ref=state.ref,
                result=state.result or Result.FAILED,
                reason=state.reason,
            )
        )

    def _is_first(self, wave: str, event: str) -> bool:
        if (wave, event) in self._asked:
            return False
        self._asked.add((wave, event))
        return self._desk.store.tell_once(self._plan.name, wave, event, self._desk.clock())

    def _about(self, name: str) -> _About:
        wave = next(each for each in self._plan.waves if each.name == name)
        return {
            "plan": self._plan.name,
            "organization": self._plan.organization,
            "wave": name,
            "at": self._desk.clock(),
            "counts": counts_of(self._states_of(wave), wave.budget),
        }


_STOPPED = "its wave was stopped, a budget being spent"


def _can_come_back(state: MemberState) -> bool:
    """Whether a plan has changed it, or may have, and it is not back yet."""
    begun = state.touched or state.phase is Phase.UNDER_WAY
    back = state.phase is Phase.ENDED and state.result is Result.ROLLED_BACK
    # Back from arm64, it is on the custom runtime still.
    return begun and not (back and state.stage is Stage.RUNTIME)


def _mark(task: Task) -> tuple[object, ...]:
    """What is done once in a run. The second pass over a function waits for the next one."""
    state = task.state
    if task.doing is Doing.JUDGE:
        return state.ref, task.doing, state.since, state.checked
    return state.ref, task.doing
