"""One function of a wave: its lease, what it is now, and the one thing that is to be done with it.

Whoever does it may die at any point. What was begun is noted before, AWS says afterwards how far
it came, and the next to come goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet.aws.failures import CallFailed, RoleRefused
from fleet.deployment import SERVING_ALIAS, X86_64_ALIAS, Back, Route
from fleet.leasing import Leases, Taken, function_key
from fleet.migration.artifact import ARM64
from fleet.migration.artifacts import artifact_for
from fleet.migration.canary import (
    WHOLE,
    CanaryPolicy,
    Decision,
    Judgement,
    first_share,
    next_share,
)
from fleet.migration.facts import Asked, AskedRoute
from fleet.migration.ground import Ground
from fleet.migration.moving import move
from fleet.migration.observing import Observer
from fleet.migration.plan import Outcome
from fleet.migration.prepared import Prepared
from fleet.migration.preparing import prepare
from fleet.migration.problems import Halted, halted_by
from fleet.migration.rearchitecting import prepare_architecture
from fleet.migration.returning import bring_back, prepare_back
from fleet.model import ROLLBACK_ALIAS
from fleet.results import Result
from fleet.store import Store
from fleet.wave import Lease, MemberState, Order, Phase, Stage
from fleet.waves.aftermath import after_back, after_move, after_stage, begun
from fleet.waves.canary_policy import policy_of
from fleet.waves.due import Doing
from fleet.waves.fingerprint import fingerprint_of_deployment
from fleet.waves.plan import Member, RouteName, Wave
from fleet.waves.watching import judged
from fleet.waves.witness import Witness

_CHANGED = (
    "it is not what it was when the plan was made (another deploy, or other settings): plan it "
    "anew, in a plan of its own or this one"
)


_ROUTES: Mapping[RouteName, AskedRoute] = {
    RouteName.BRIDGE: Route.BRIDGE,
    RouteName.DUAL: Route.DUAL,
    RouteName.DIRECT: Route.DIRECT,
}


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do with one function; it can travel to another machine."""

    plan: str
    wave: Wave
    """Without its functions: they would travel with each of them."""
    member: Member
    state: MemberState
    doing: Doing
    may_shift: bool = True
    why: str = ""
    """Of a way back: why."""
    to: Back | None = None
    """Of a way back: how far; None goes back by the stage that it is in."""


class Worker:
    """Does tasks, one function each; threads share it."""

    def __init__(
        self, ground: Ground, leases: Leases, run: str, clock: Callable[[], datetime]
    ) -> None:
        """`clock` gives the time that all who share the store agree on."""
        self._ground = ground
        self._store: Store = ground.store
        self._leases = leases
        self._run = run
        self._clock = clock

    def do(self, task: Task) -> MemberState:
        """Do it; the function's state afterwards, which is saved by then.

        Where somebody else is at it, or has been since, or where all was stopped meanwhile, it is
        left alone. Raises NoCredentials, OutOfCredentials, Interrupted and FileProblem (the
        store): after these the function stands safely, and whoever comes next goes on.
        """
        if task.doing is not Doing.BACK and self._is_called_off(task):
            return task.state
        try:
            with self._leases.holding(function_key(task.state.ref.arn)) as lease:
                return self._done(task, lease)
        except Taken as taken:
            return replace(task.state, reason=str(taken))

    def _is_called_off(self, task: Task) -> bool:
        """Whether an order came since it was handed out: the last look before it is begun."""
        begins = task.state.phase in {Phase.WAITING, Phase.UNDER_WAY}
        return begins and any(_concerns(order, task) for order in self._store.orders())

    def _done(self, task: Task, lease: Lease) -> MemberState:
        now = self._store.member(task.plan, task.state.ref)
        if now is not None and not _goes_on(now, task.state):
            # Somebody has been at it since it was handed out.
            return now
        state = now or task.state
        ground = self._ground_of(task, lease)
        match task.doing:
            case Doing.MOVE:
                return self._moved(task, lease, ground, state)
            case Doing.JUDGE:
                return self._judged(task, lease, ground, state)
            case Doing.BACK:
                return self._brought_back(task, lease, ground, state, task.why)

    def _moved(self, task: Task, lease: Lease, ground: Ground, state: MemberState) -> MemberState:
        state = self._saved(task, lease, begun(state, self._clock(), self._run))
        canary = task.wave.canary
        share = None if canary is None else first_share(policy_of(canary))
        return self._shifted(task, lease, ground, state, share)

    def _shifted(
        self, task: Task, lease: Lease, ground: Ground, state: MemberState, share: float | None
    ) -> MemberState:
        outcome = self._outcome(task, ground, state, share)
        _check_ledger(ground)
        after = after_move(task.wave, state, outcome, share or WHOLE, self._clock())
        return self._saved(task, lease, after)

    def _outcome(
        self, task: Task, ground: Ground, state: MemberState, share: float | None
    ) -> Outcome:
        with TemporaryDirectory(prefix="fleet-") as room:
            try:
                prepared = self._prepared(task, ground, state, Path(room))
            except Halted as halted:
                return Outcome(state.ref, halted.result, halted.reason)
            plan = prepared.plan
            if plan.result is not Result.READY or plan.way is None:
                return Outcome(plan.ref, plan.result, "; ".join(each.text for each in plan.reasons))
            # What it was on go1.x, even where it stands halfway.
            was = fingerprint_of_deployment(plan.way.start)
            if state.stage is Stage.RUNTIME and was != task.member.fingerprint:
                return Outcome(plan.ref, Result.STALE, _CHANGED)
            way = replace(plan.way, share=share)
            return move(ground, replace(prepared, plan=replace(plan, way=way)))

    def _prepared(self, task: Task, ground: Ground, state: MemberState, room: Path) -> Prepared:
        if state.stage is Stage.RUNTIME or task.wave.arm64 is None:
            return prepare(ground, state.ref)
        file = artifact_for(state.ref, task.wave.arm64.artifact, room, ground.aws)
        return prepare_architecture(ground, state.ref, file, allow_different_source=False)

    def _judged(self, task: Task, lease: Lease, ground: Ground, state: MemberState) -> MemberState:
        now = self._clock()
        if task.wave.canary is None:
            # The plan was edited since: nothing is watched any more.
            return self._shifted(task, lease, ground, state, WHOLE)
        policy = policy_of(task.wave.canary)
        verdict = self._verdict(ground, policy, state, now)
        state = replace(
            state,
            checked=now,
            reason=verdict.reason,
            failed_checks=verdict.failed_checks,
            run=self._run,
        )
        if verdict.decision is Decision.ROLL_BACK:
            why = f"its canary failed at {state.share:.4g} of its calls: {verdict.reason}"
            return self._brought_back(task, lease, ground, state, why)
        promotes = task.may_shift or state.share >= WHOLE
        if verdict.decision is Decision.WAIT or not promotes:
            return self._saved(task, lease, state)
        state = replace(state, unjudged=state.unjudged or not verdict.judged)
        if state.share >= WHOLE:
            after = after_stage(task.wave, state, Result.MIGRATED, now, verdict.reason)
            return self._saved(task, lease, after)
        # Without calls to judge by, small steps would tell no more.
        share = next_share(policy, state.share) if verdict.judged else WHOLE
        return self._shifted(task, lease, ground, state, share)

    def _verdict(
        self, ground: Ground, policy: CanaryPolicy, state: MemberState, now: datetime
    ) -> Judgement:
        try:
            return judged(ground, self._observer(ground, state), policy, state, now)
        except (CallFailed, RoleRefused) as failure:
            return Judgement(
                decision=Decision.WAIT,
                reason=f"it could not be judged: {halted_by(failure).reason}",
                judged=False,
                failed_checks=state.failed_checks,
            )

    def _brought_back(
        self, task: Task, lease: Lease, ground: Ground, state: MemberState, why: str
    ) -> MemberState:
        to = task.to or (Back.X86_64 if state.stage is Stage.ARM64 else Back.GO1X)
        prepared = prepare_back(ground, state.ref, to)
        if self._is_untouched(task, ground, state, prepared):
            outcome = Outcome(state.ref, Result.ALREADY_THERE)
        else:
            outcome = bring_back(ground, prepared)
            _check_ledger(ground)
        stage = Stage.RUNTIME if to is Back.GO1X else state.stage
        state = replace(state, stage=stage, run=self._run)
        return self._saved(task, lease, after_back(state, outcome, why, self._clock()))

    def _is_untouched(
        self, task: Task, ground: Ground, state: MemberState, prepared: Prepared
    ) -> bool:
        """Whether its first attempt ended before its first change; raises CallFailed."""
        # The alias to come back by is made before anything else is changed.
        if not any(each.code == "no-rollback-alias" for each in prepared.plan.reasons):
            return False
        now = self._observer(ground, state).now.deployment
        if state.stage is Stage.ARM64:
            return now.architecture != ARM64
        return fingerprint_of_deployment(now) == task.member.fingerprint

    def _saved(self, task: Task, lease: Lease, state: MemberState) -> MemberState:
        if not self._store.put_member(task.plan, state, lease=lease):
            # Somebody else goes on with it: what they save is what counts.
            return self._store.member(task.plan, state.ref) or state
        return state

    def _ground_of(self, task: Task, lease: Lease) -> Ground:
        ground = self._ground
        leave_off = self._leases.leaving(lease, ground.patience.leave_off)
        return replace(
            ground,
            journal=Witness.of(ground.journal),
            asked=asked_by(task.wave, ground.asked),
            patience=replace(ground.patience, leave_off=leave_off),
        )

    def _observer(self, ground: Ground, state: MemberState) -> Observer:
        keep = X86_64_ALIAS if state.stage is Stage.ARM64 else ROLLBACK_ALIAS
        lane = ground.aws.lane(state.ref.account, state.ref.region)
        return Observer(ground.aws, lane, state.ref, ground.key, keep=keep, serve=SERVING_ALIAS)


def asked_by(wave: Wave, asked: Asked) -> Asked:
    """What a wave asks for, beside what its plan does."""
    route = None if wave.route is None else _ROUTES[wave.route]
    return replace(asked, route=route, allow_managed=wave.allow_managed)


def _check_ledger(ground: Ground) -> None:
    """Raise the FileProblem that kept a step from being noted."""
    if isinstance(ground.journal, Witness):
        ground.journal.check()


def _goes_on(now: MemberState, handed_out: MemberState) -> bool:
    """Whether it is where it was handed out, or somebody has died since at that very task."""

    def place(state: MemberState) -> tuple[object, ...]:
        return state.stage, state.phase, state.attempts, state.since, state.checked

    begun = now.phase is Phase.UNDER_WAY and now.stage is handed_out.stage
    return begun or place(now) == place(handed_out)


def _concerns(order: Order, task: Task) -> bool:
    return order.plan in {"", task.plan} and order.wave in {"", task.wave.name}
