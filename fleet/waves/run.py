"""The coordinator: does what is due of a plan, and ends. Called again, it goes on.

It may be killed at any point, called twice, late, or on two machines: what counts is in the store
and in AWS, and leases keep two from doing the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypedDict

from fleet.aws.failures import Interrupted, NoCredentials
from fleet.cluster import ClusterProblem
from fleet.deployment import Back
from fleet.errors import FileProblem, FleetError
from fleet.fan_out import Crew, fan_out
from fleet.leasing import Leases, Taken
from fleet.migration.problems import OutOfCredentials
from fleet.model import FunctionRef
from fleet.results import Result
from fleet.store import Store
from fleet.wave import MemberState, Phase, Stage
from fleet.wave_status import Counts
from fleet.waves.budget import FAILURES, failures, is_spent
from fleet.waves.due import Agenda, Doing, Due, Holdup, Record, agenda
from fleet.waves.line import LaneKey, Line, lane_of
from fleet.waves.plan import Plan, Wave
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


@dataclass(frozen=True, slots=True)
class Desk:
    """What the coordinator works with."""

    store: Store
    leases: Leases
    crew: Crew
    perform: Callable[[Task], MemberState]
    """Does a task; with a cluster it is sent there, so it is a function of a module."""
    clock: Callable[[], datetime]
    """The time that all who share the store agree on."""
    tell: Callable[[Event], None]
    progress: Progress
    settled: Callable[[MemberState], object] = lambda _: None
    """Gets every function that was dealt with, as it is then."""


class Coordinator:
    """Runs one plan."""

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

    def tick(self, *, only: str | None = None, rollback_on_stop: bool = False) -> Agenda:
        """Do whatever is due; what is left, and why it waits.

        `only` names a wave that runs here and now; `rollback_on_stop` brings back what a wave has
        moved whose budget is spent. Raises Taken where another run has this plan in hand,
        KeyboardInterrupt once it was asked to stop, NoCredentials, FileProblem (the state) and
        ClusterProblem; what was under way then came to where it is safe, and the next call goes on.
        """

        def next_tasks() -> tuple[list[Task], Agenda]:
            record = self._record()
            found = agenda(self._plan, record, self._desk.clock(), only=only)
            self._tell_of(record, found.holdups)
            tasks = [self._task(each) for each in found.due]
            if rollback_on_stop:
                asked = (wave for wave in self._plan.waves if only in {None, wave.name})
                spent = {wave.name for wave in asked if self._is_spent(wave)}
                back = list(self._ways_back(spent, _STOPPED, _has_moved))
                taken = {task.state.ref for task in back}
                tasks = [*back, *(task for task in tasks if task.state.ref not in taken)]
            return tasks, found

        with self._desk.leases.holding(f"plan/{self._plan.name}"):
            while True:
                tasks, found = next_tasks()
                if not self._pass(tasks):
                    return found

    def bring_back(self, waves: Iterable[str], why: str) -> None:
        """Bring back every function of these waves that was begun; raises as `tick` does."""
        names = set(waves)
        with self._desk.leases.holding(f"plan/{self._plan.name}"):
            while True:
                self._record()
                if not self._pass(list(self._ways_back(names, why, _was_begun))):
                    return

    def _record(self) -> Record:
        store = self._desk.store
        self._states = {state.ref: state for state in store.members(self._plan.name)}
        return Record(self._states, tuple(store.orders()))

    def _pass(self, tasks: Sequence[Task]) -> bool:
        """Do what was not tried yet, as far as the budgets go; false where nothing is left."""
        desk = self._desk
        fresh = [task for task in tasks if _mark(task) not in self._tried]
        if not fresh:
            return False
        with ExitStack() as held:
            free = self._lanes_held(dict.fromkeys(map(lane_of, fresh)), held)
            line = Line(task for task in fresh if lane_of(task) in free)
            self._tried.update(map(_mark, fresh))
            self._tell_begun(fresh)
            desk.progress.planned(len(fresh), "done")
            fan_out(
                desk.crew,
                line,
                desk.perform,
                lambda task, future: self._settle(line, task, future),
                at_once=desk.crew.parallelism,
            )
        return True

    def _lanes_held(self, lanes: Iterable[LaneKey], held: ExitStack) -> set[LaneKey]:
        """The account and regions that no other plan's run is at; theirs wait for the next call."""
        free: set[LaneKey] = set()
        for account, region in lanes:
            try:
                held.enter_context(self._desk.leases.holding(f"lane/{account}/{region}"))
            except Taken as taken:
                _log.warning("%s", taken)
            else:
                free.add((account, region))
        return free

    def _settle(self, line: Line, task: Task, future: Future[MemberState]) -> None:
        line.done(task)
        error = future.exception()
        state = future.result() if error is None else self._after_error(task, error)
        self._states[state.ref] = state
        self._desk.settled(state)
        self._desk.progress.function_done(state.ref, state.result or Result.READY)
        if state.phase is not Phase.ENDED or state.result not in FAILURES:
            return
        asked_for = task.doing is Doing.BACK and state.result is Result.ROLLED_BACK
        if not asked_for:
            self._desk.tell(
                FunctionFailed(
                    **self._about(task.wave.name),
                    ref=state.ref,
                    result=state.result or Result.FAILED,
                    reason=state.reason,
                )
            )
        self._brake(line)

    def _brake(self, line: Line) -> None:
        """Begin no further function where a budget is spent; what is under way goes on."""
        if self._is_spent(None):
            line.drop(lambda task: task.doing is Doing.MOVE)
            return
        spent = {wave.name for wave in self._plan.waves if self._is_spent(wave)}
        line.drop(lambda task: task.doing is Doing.MOVE and task.wave.name in spent)

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
        if isinstance(error, FleetError):
            reason = str(error)
        elif isinstance(error, OSError):
            reason = f"no temporary file can be written ({error.strerror}): set TMPDIR"
        else:
            # A defect met in one function must not cost the others; nor pass for a result.
            _log.debug("unexpected", exc_info=error)
            reason = f"unexpected {type(error).__name__}; --debug tells more"
        store, ref = self._desk.store, task.state.ref
        failed = replace(
            store.member(self._plan.name, ref) or task.state,
            phase=Phase.ENDED,
            result=Result.FAILED,
            reason=reason,
            since=self._desk.clock(),
        )
        store.put_member(self._plan.name, failed)
        return failed

    def _task(self, due: Due) -> Task:
        return Task(
            plan=self._plan.name,
            wave=self._terms[due.wave.name],
            member=due.member,
            state=due.state,
            doing=due.doing,
            may_shift=due.may_shift,
            why="its wave was cancelled while it was on its way",
        )

    def _ways_back(
        self, waves: Collection[str], why: str, which: Callable[[MemberState], bool]
    ) -> Iterator[Task]:
        for wave, member in self._plan.members():
            state = self._states.get(member.ref)
            if wave.name in waves and state is not None and which(state):
                terms = self._terms[wave.name]
                yield Task(
                    plan=self._plan.name,
                    wave=terms,
                    member=member,
                    state=state,
                    doing=Doing.BACK,
                    to=Back.GO1X,
                    why=why,
                )

    def _tell_of(self, record: Record, holdups: Iterable[Holdup]) -> None:
        """Tell of waves that have ended or were stopped since the last look, each once."""
        held = {each.wave: each.why for each in holdups if each.stopped}
        for wave in self._plan.waves:
            states = self._states_of(wave)
            if all(state.phase is Phase.WAITING for state in states):
                continue
            if all(state.phase is Phase.ENDED for state in states):
                # After a retry it ends anew.
                attempts = sum(state.attempts for state in states)
                if self._is_first(wave.name, f"ended after {attempts} attempts"):
                    ended = status_of(self._plan, record, self._desk.clock())
                    word = next(each.state for each in ended.waves if each.name == wave.name)
                    self._desk.tell(WaveEnded(**self._about(wave.name), state=word))
            elif (why := held.get(wave.name)) and self._is_first(wave.name, f"stopped: {why}"):
                self._desk.tell(WaveStopped(**self._about(wave.name), reason=why))

    def _tell_begun(self, tasks: Iterable[Task]) -> None:
        for name in dict.fromkeys(task.wave.name for task in tasks if task.doing is Doing.MOVE):
            if self._is_first(name, "began"):
                self._desk.tell(WaveBegan(**self._about(name)))

    def _is_first(self, wave: str, event: str) -> bool:
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


_STOPPED = "its wave was stopped, its budget being spent"


def _has_moved(state: MemberState) -> bool:
    return (
        state.phase is Phase.BAKING
        or state.result is Result.MIGRATED
        # Whatever became of that stage, it has left go1.x.
        or state.stage is Stage.ARM64
    )


def _was_begun(state: MemberState) -> bool:
    if state.stage is Stage.ARM64:
        # Brought back from arm64, it is on the custom runtime still.
        return state.began is not None
    return state.began is not None and state.result not in {
        Result.ROLLED_BACK,
        # Not touched by this plan.
        Result.ALREADY_THERE,
        Result.BLOCKED,
        Result.STALE,
    }


def _mark(task: Task) -> tuple[object, ...]:
    state = task.state
    return state.ref, state.stage, state.phase, state.attempts, state.since, task.doing
