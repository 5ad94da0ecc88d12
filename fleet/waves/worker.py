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

from fleet.aws.deployments import read_now
from fleet.aws.failures import CallFailed, RoleRefused
from fleet.deployment import SERVING_ALIAS, X86_64_ALIAS, Back, Route
from fleet.inspection import Target
from fleet.leasing import Leases, function_key
from fleet.migration.artifact import ARM64
from fleet.migration.bringing import by_address, by_rebuilding
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
from fleet.migration.prepared import GONE, Prepared, not_moving
from fleet.migration.preparing import prepare
from fleet.migration.problems import halted_by
from fleet.migration.rearchitecting import prepare_architecture
from fleet.migration.returning import bring_back, prepare_back
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.results import Result
from fleet.store import Store
from fleet.wave import Lease, MemberState, Order, Phase, Stage
from fleet.waves.aftermath import after_back, after_move, after_stage, begun
from fleet.waves.budget import FAILURES, is_failure
from fleet.waves.canary_policy import policy_of, price_ratio
from fleet.waves.due import Doing
from fleet.waves.fingerprint import fingerprint_of_deployment
from fleet.waves.plan import REBUILD, Member, RouteName, Wave
from fleet.waves.watching import judged
from fleet.waves.witness import Witness

_CHANGED = (
    "it is not what it was when the plan was made (another deploy, or other settings): plan it "
    "anew, under any name"
)
_NO_MORE = "the plan asks for no more"

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
    """Whether a first change may be made, or more calls be sent to the new version."""
    until: datetime | None = None
    """When that ends; None: not for a long time."""
    why: str = ""
    """Of a way back: why."""
    ordered: bool = False
    """Of a way back: whether people wanted it; then it goes as far as the plan has moved it."""


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

        Where somebody else has been at it since, or where all was stopped meanwhile, it is left
        alone. Raises Taken where somebody is at it, NoCredentials, OutOfCredentials, Interrupted
        and FileProblem (the store): after these it stands safely, and whoever comes next goes on.
        """
        # The last look before it is begun; it may have waited in line for long.
        task = replace(task, may_shift=self._may_shift(task))
        if task.doing is Doing.MOVE and task.state.phase is Phase.WAITING and not task.may_shift:
            return task.state
        with self._leases.holding(function_key(task.state.ref.arn)) as lease:
            return self._done(task, lease)

    def _may_shift(self, task: Task) -> bool:
        return task.may_shift and self._is_time(task) and not self._is_called_off(task)

    def _is_time(self, task: Task) -> bool:
        return task.until is None or self._clock() < task.until

    def _is_called_off(self, task: Task) -> bool:
        return any(_concerns(order, task) for order in self._store.orders())

    def _done(self, task: Task, lease: Lease) -> MemberState:
        now = self._store.member(task.plan, task.state.ref)
        if now is not None and not _goes_on(now, task):
            # Somebody has been at it since it was handed out.
            return now
        # One that was planned anew begins anew, whatever is remembered of it.
        state = task.state if now is None or now.phase is Phase.ENDED else now
        ground = self._ground_of(task, lease)
        match task.doing:
            case Doing.MOVE:
                return self._moved(task, lease, ground, state)
            case Doing.JUDGE:
                return self._judged(task, lease, ground, state)
            case Doing.BACK:
                return self._brought_back(task, lease, ground, state, task.why)

    def _moved(self, task: Task, lease: Lease, ground: Ground, state: MemberState) -> MemberState:
        if state.stage is Stage.ARM64 and task.wave.arm64 is None:
            if state.phase is Phase.UNDER_WAY:
                # Whoever began it and died may have changed it.
                return self._brought_back(task, lease, ground, state, _NO_MORE, stays=True)
            said = f"it stays on x86_64: {_NO_MORE}"
            after = after_stage(task.wave, state, Result.MIGRATED, self._clock(), said)
            return self._saved(task, lease, after)
        state = begun(state, self._clock(), self._run, task.member.fingerprint)
        if not self._store.put_member(task.plan, state, lease=lease):
            return self._store.member(task.plan, state.ref) or state
        canary = task.wave.canary
        share = None if canary is None else first_share(policy_of(canary))
        return self._shifted(task, lease, ground, state, share)

    def _shifted(
        self, task: Task, lease: Lease, ground: Ground, state: MemberState, share: float | None
    ) -> MemberState:
        outcome = self._outcome(task, ground, state, share)
        _check_ledger(ground)
        if outcome is None and state.phase is Phase.BAKING:
            return self._saved(task, lease, state)
        if outcome is None:
            # Nothing of it was changed yet, and now is no time to begin.
            # What an earlier stage has changed stays known.
            waiting = replace(state, phase=Phase.WAITING, touched=task.state.touched)
            return self._saved(task, lease, waiting)
        if outcome.result is Result.STALE and state.phase is Phase.BAKING:
            why = f"{outcome.reason}, and nobody can tell how it fares"
            return self._brought_back(task, lease, ground, state, why)
        after = after_move(task.wave, state, outcome, share or WHOLE, self._clock())
        return self._saved(task, lease, after)

    def _outcome(
        self, task: Task, ground: Ground, state: MemberState, share: float | None
    ) -> Outcome | None:
        """What became of it; None where nothing was done, since now is no time to."""
        with TemporaryDirectory(prefix="fleet-") as room:
            prepared = prepared_for(ground, task.wave, task.member, state.stage, Path(room))
            plan, observer = prepared.plan, prepared.observer
            if plan.result is not Result.READY or plan.way is None or observer is None:
                return Outcome(plan.ref, plan.result, "; ".join(each.text for each in plan.reasons))
            at_rest = state.phase is Phase.BAKING or observer.now.deployment == plan.way.start
            # Asked anew: a build takes minutes, and waits for others.
            if at_rest and not self._may_shift(task):
                return None
            way = replace(plan.way, share=share)
            return move(ground, replace(prepared, plan=replace(plan, way=way)))

    def _judged(self, task: Task, lease: Lease, ground: Ground, state: MemberState) -> MemberState:
        failed = state.result in FAILURES
        gone = state.stage is Stage.ARM64 and task.wave.arm64 is None
        if failed or (gone and state.share < WHOLE):
            why = "its canary failed" if failed else _NO_MORE
            return self._brought_back(task, lease, ground, state, why, stays=not failed)
        if task.wave.canary is None:
            # The plan was edited since: nothing is watched any more.
            return self._promoted(task, lease, ground, replace(state, checked=self._clock()), WHOLE)
        ratio = price_ratio(ground.prices, state.ref.region)
        policy = policy_of(task.wave.canary, state.stage, ratio)
        now = self._clock()
        verdict = self._verdict(ground, policy, state, now)
        state = replace(
            state,
            checked=now,
            reason=verdict.reason,
            failed_checks=verdict.failed_checks,
            run=self._run,
        )
        if verdict.decision is Decision.ROLL_BACK:
            what = "it costs more on arm64" if verdict.costs_more else "its canary failed"
            why = f"{what} at {state.share * 100:.4g} % of its calls: {verdict.reason}"
            return self._brought_back(task, lease, ground, state, why, stays=verdict.costs_more)
        if verdict.decision is Decision.WAIT:
            return self._saved(task, lease, state)
        state = replace(state, unjudged=state.unjudged or not verdict.judged)
        # Without calls to judge by, small steps would tell no more.
        share = next_share(policy, state.share) if verdict.judged else WHOLE
        return self._promoted(task, lease, ground, state, share)

    def _promoted(
        self, task: Task, lease: Lease, ground: Ground, state: MemberState, share: float
    ) -> MemberState:
        """The next share or, from the whole, the end."""
        if state.share >= WHOLE:
            return self._ended(task, lease, ground, state)
        if not task.may_shift:
            return self._saved(task, lease, state)
        return self._shifted(task, lease, ground, state, share)

    def _ended(self, task: Task, lease: Lease, ground: Ground, state: MemberState) -> MemberState:
        """The end of a bake, where it still is what it was moved to."""
        now = self._observer(ground, state).now.deployment
        there = now.runtime in set(Target) and (
            state.stage is Stage.RUNTIME or now.architecture == ARM64
        )
        result, reason = Result.MIGRATED, state.reason
        if not there:
            result = Result.STALE
            reason = f"it is back on {now.runtime}, {now.architecture}: somebody has put it there"
        after = after_stage(task.wave, state, result, self._clock(), reason)
        return self._saved(task, lease, after)

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
        self,
        task: Task,
        lease: Lease,
        ground: Ground,
        state: MemberState,
        why: str,
        *,
        stays: bool = False,
    ) -> MemberState:
        """Bring it back; `stays` where it goes back to x86_64 and has not failed."""
        to = back_of(state) if task.ordered else _stage_back(state)
        prepared = prepare_back(ground, state.ref, to)
        if self._is_untouched(task, ground, state, prepared):
            outcome = Outcome(state.ref, Result.ALREADY_THERE)
        else:
            outcome = bring_back(ground, prepared)
            _check_ledger(ground)
        stage = Stage.RUNTIME if to is Back.GO1X else state.stage
        state = replace(state, stage=stage, run=self._run, checked=self._clock())
        # One that has failed stays a failure: a brake does not let go because it has pulled.
        ordered = task.ordered and not is_failure(task.state)
        after = after_back(state, outcome, why, self._clock(), ordered=ordered, stays=stays)
        return self._saved(task, lease, after)

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


def back_of(state: MemberState) -> Back:
    """How far a plan brings a function back: that it had left go1.x before is not its to undo."""
    return _stage_back(state) if state.theirs else Back.GO1X


def _stage_back(state: MemberState) -> Back:
    return Back.X86_64 if state.stage is Stage.ARM64 else Back.GO1X


def prepared_for(ground: Ground, wave: Wave, member: Member, stage: Stage, room: Path) -> Prepared:
    """Look at a function as its wave wants it moved; STALE where it is not what was planned.

    Raises what `looked_at` raises.
    """
    ref = member.ref
    if stage is Stage.ARM64 and wave.arm64 is not None:
        if wave.arm64 == REBUILD:
            bring = by_rebuilding(ARM64)
        else:
            bring = by_address(wave.arm64.artifact, room)
        return prepare_architecture(ground, ref, bring)
    prepared = prepare(ground, ref)
    return _as_planned(ground, member, prepared)


def _as_planned(ground: Ground, member: Member, prepared: Prepared) -> Prepared:
    """The same, or STALE where it is not what was planned."""
    plan = prepared.plan
    if any(reason.code == GONE for reason in plan.reasons):
        # Its owners have deleted it: no failure of the wave's.
        return replace(prepared, plan=replace(plan, result=Result.STALE))
    if plan.result is Result.READY and plan.way is not None:
        # What it was on go1.x, even where it stands halfway.
        changed = fingerprint_of_deployment(plan.way.start) != member.fingerprint
    else:
        changed = plan.result is Result.BLOCKED and _has_changed(ground, member)
    return not_moving(plan.ref, Result.STALE, "not-as-planned", _CHANGED) if changed else prepared


def _has_changed(ground: Ground, member: Member) -> bool:
    """Whether it is another function by now: what keeps that one from moving is not the plan's."""
    ref = member.ref
    lane = ground.aws.lane(ref.account, ref.region)
    try:
        now = read_now(ground.aws, lane, ref.name, ground.key).deployment
    except (CallFailed, RoleRefused):
        return False
    return now.runtime == GO1X and fingerprint_of_deployment(now) != member.fingerprint


def asked_by(wave: Wave, asked: Asked) -> Asked:
    """What a wave asks for, beside what its plan does."""
    route = None if wave.route is None else _ROUTES[wave.route]
    return replace(asked, route=route, allow_managed=wave.allow_managed)


def _check_ledger(ground: Ground) -> None:
    """Raise the FileProblem that kept a step from being noted."""
    if isinstance(ground.journal, Witness):
        ground.journal.check()


def _goes_on(now: MemberState, task: Task) -> bool:
    """Whether it is where it was handed out, or somebody has died since at that very task."""
    handed_out = task.state

    def place(state: MemberState) -> tuple[object, ...]:
        return state.stage, state.phase, state.attempts, state.since, state.checked

    begun = now.phase is Phase.UNDER_WAY and now.stage is handed_out.stage
    ended = now.phase is Phase.ENDED and handed_out.phase is Phase.WAITING
    anew = ended and now.fingerprint not in {"", task.member.fingerprint}
    return begun or anew or place(now) == place(handed_out)


def _concerns(order: Order, task: Task) -> bool:
    return order.plan in {"", task.plan} and order.wave in {"", task.wave.name}
