"""Moves one function along the way it was prepared for, or brings it back if it does not work."""

from __future__ import annotations

from dataclasses import replace

from fleet.aws.failures import CallFailed, NoCredentials, RoleRefused
from fleet.aws.updates import invoke
from fleet.deployment import OWN_ALIASES, Baking, Done, End, Observed, Prove, Stale, Stuck, Way
from fleet.errors import FleetError
from fleet.ledger import Action, Verb
from fleet.migration.ground import Ground
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.prepared import Prepared, carried_out
from fleet.migration.problems import FORBIDDEN, Halted, OutOfCredentials, StillUnderWay
from fleet.migration.proving import Proof, ProofOutcome, judge
from fleet.migration.returning import Return, images_of
from fleet.migration.route import moving, next_step
from fleet.migration.travelling import Journey
from fleet.migration.work import Work
from fleet.model import LATEST
from fleet.results import Result

_BLOCKED = (
    "AWS takes no updates of this runtime by now: what can't be published can't be come back to, "
    "and on go1.x --route dual uploads to it; where a version is published already, --route bridge "
    "remains"
)


def move(ground: Ground, prepared: Prepared) -> Outcome:
    """Move a function that was prepared; what could not be done becomes its outcome.

    Raises OutOfCredentials.
    """
    to_do = _to_do(prepared.plan)
    return carried_out(
        ground, prepared, lambda work, way: _Move(work, way, to_do).moved(), blocked=_BLOCKED
    )


def _to_do(plan: FunctionPlan) -> tuple[str, ...]:
    return tuple(note.text for note in plan.notes if note.code.startswith("managed-"))


def staying(seen: Observed) -> tuple[str, ...]:
    """Say which aliases of its owners are not on the version that was proven. Pure."""
    serving = None if seen.serving is None else seen.serving.version
    return tuple(
        f"alias {alias.name} stays on version {alias.version}"
        + (", with its weights" if alias.weights else "")
        for alias in seen.aliases
        # One on $LATEST has moved with it.
        if alias.name not in OWN_ALIASES and alias.version != LATEST
        if alias.version != serving or alias.weights
    )


class _Move:
    def __init__(self, work: Work, way: Way, to_do: tuple[str, ...]) -> None:
        """`to_do` is what its owners have to do now."""
        self._work = work
        self._way = way
        self._to_do = to_do
        self._proof = Proof(ProofOutcome.WORKS, "")

    def moved(self) -> Outcome:
        work = self._work
        if work.observer.aliases():
            # They were read for the plan, which may have been agreed to long afterwards.
            work.observer.forget()
        work.have(self._way)
        way = self._way = work.with_bridge(self._way, Verb.MIGRATE)
        journey = work.journey(way)
        try:
            end = journey.travel(
                lambda seen: next_step(seen, way), Verb.MIGRATE, prove=self._proves
            )
        except (CallFailed, RoleRefused, StillUnderWay) as error:
            if not journey.in_gap(work.observer.now.deployment):
                raise
            # Better where it was than where nothing of it runs.
            return self._back(self._why(error))
        return self._ended(end, journey)

    def _ended(self, end: End | Prove, journey: Journey) -> Outcome:
        work = self._work
        match end:
            case Done() | Baking():
                notes = (*staying(work.observer.seen()), *self._to_do)
                if self._proof.reason:
                    notes = (self._proof.reason, *notes)
                result = Result.MIGRATED if work.done else Result.ALREADY_THERE
                return work.ended(Result.BAKING if end == Baking() else result, notes=notes)
            case Stale():
                return work.ended(Result.STALE, f"{end.reason}; nothing of it was overwritten")
            case Stuck() if journey.in_gap(work.observer.now.deployment):
                return self._back(end.reason)
            case Stuck():
                return work.ended(Result.FAILED, f"{end.reason}; `fleet rollback` brings it back")
            case Prove():
                return self._back(self._proof.reason)

    def _why(self, error: CallFailed | RoleRefused | StillUnderWay) -> str:
        if isinstance(error, StillUnderWay):
            return str(error)
        return self._work.halted(error, blocked=_BLOCKED).reason

    def _back(self, why: str) -> Outcome:
        """Bring it back at once, whoever presses Ctrl-C: as it stands it does not work."""
        work = self._work
        try:
            kept, keep = work.observer.seen().kept, self._way.keep
            # Gone by somebody's hand: then no alias is moved.
            images = images_of(work.ground.store, work.ref, kept, keep) if kept else {}
            back = Return(work, self._way, images, stoppable=False).returned()
        except (FleetError, OSError) as error:
            said = f"{why}; and it is not back: {error}: `fleet rollback` brings it back"
            if isinstance(error, NoCredentials):
                raise OutOfCredentials(work.ended(Result.FAILED, said), error) from error
            return work.ended(Result.FAILED, said)
        if back.result is Result.ROLLED_BACK:
            return replace(back, reason=why)
        return replace(
            back, result=Result.FAILED, reason=f"{why}; and it is not back whole: {back.reason}"
        )

    def _proves(self) -> bool:
        """Whether it may go on; raises Halted where nobody should be moved without a proof."""
        work = self._work
        self._proof = self._shown()
        asked = work.ground.events.of(work.ref.name) is not None
        if self._proof.outcome is ProofOutcome.INCONCLUSIVE and asked:
            waiting = ", ".join(alias.name for alias in moving(work.observer.seen(), self._way))
            if waiting:
                said = (
                    f"{self._proof.reason}; $LATEST has moved and stays, and these aliases wait "
                    f"for the proof: {waiting}: run the same command again, or leave out the event"
                )
                raise Halted(Result.BLOCKED, said)
        return self._proof.outcome is not ProofOutcome.FAILS

    def _shown(self) -> Proof:
        work, ground = self._work, self._work.ground
        test = ground.events.of(work.ref.name)
        if test is None:
            said = "it was not invoked: no test event was given"
            return Proof(ProofOutcome.INCONCLUSIVE, said)
        if work.observer.now.reserved_concurrency == 0:
            said = "it could not be invoked: its reserved concurrency is 0"
            return Proof(ProofOutcome.INCONCLUSIVE, said)
        proofs: list[Proof] = []

        def act() -> tuple[str, str]:
            answer, request_id = invoke(ground.aws, work.lane, work.ref.name, test.event)
            proofs.append(judge(answer, test.expected))
            return proofs[0].outcome.value, request_id

        what = "invoke $LATEST with the test event"
        try:
            ground.journal.noted(Verb.MIGRATE, work.ref, Action.INVOKE, what, act)
        except CallFailed as failure:
            if failure.situation in FORBIDDEN:
                raise
            return judge(failure, test.expected)
        return proofs[0]
