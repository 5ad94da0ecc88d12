"""Moves one function along the way it was prepared for, or brings it back if it does not work."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from fleet.aws.failures import CallFailed
from fleet.aws.updates import invoke
from fleet.deployment import OWN_ALIASES, Done, Observed, Prove, Stale, Stuck, Way
from fleet.ledger import Action, Verb
from fleet.migration.before import before_images
from fleet.migration.ground import Ground
from fleet.migration.plan import Outcome, Result
from fleet.migration.preparing import Prepared
from fleet.migration.proving import Proof, ProofOutcome, judge
from fleet.migration.returning import Return
from fleet.migration.route import next_step
from fleet.migration.work import Work
from fleet.model import LATEST

_BLOCKED = (
    "AWS refuses updates of go1.x by now: what can't be published can't be come back to, and "
    "--route dual uploads to go1.x; --route bridge remains where a version is published already"
)


def move(ground: Ground, prepared: Prepared) -> Outcome:
    """Move a function that was prepared; what could not be done becomes its outcome.

    Raises NoCredentials, and OSError where there is no room here.
    """
    plan, observer, recipe = prepared.plan, prepared.observer, prepared.recipe
    if plan.result is not Result.READY or plan.way is None or observer is None or recipe is None:
        return Outcome(plan.ref, plan.result, "; ".join(each.text for each in plan.reasons))
    with tempfile.TemporaryDirectory(prefix="fleet-") as room:
        work = Work(ground, plan.ref, observer, recipe, Path(room))
        moving = _Move(work, plan.way)
        return work.outcome(moving.moved, blocked=_BLOCKED)


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
    def __init__(self, work: Work, way: Way) -> None:
        self._work = work
        self._way = way
        self._proof = Proof(ProofOutcome.WORKS, "")

    def moved(self) -> Outcome:
        work = self._work
        if work.observer.aliases():
            # They were read for the plan, which may have been agreed to long afterwards.
            work.observer.forget()
        way = work.with_bridge(self._way, Verb.MIGRATE)
        journey = work.journey(way)
        end = journey.travel(lambda seen: next_step(seen, way), Verb.MIGRATE, prove=self._proves)
        match end:
            case Done():
                notes = staying(work.observer.seen())
                if self._proof.reason:
                    notes = (self._proof.reason, *notes)
                return work.ended(
                    Result.MIGRATED if work.done else Result.ALREADY_THERE, notes=notes
                )
            case Stale():
                return work.ended(Result.STALE, f"{end.reason}; nothing of it was overwritten")
            case Stuck():
                return work.ended(Result.FAILED, f"{end.reason}; `fleet rollback` brings it back")
            case Prove():
                return self._back(way)

    def _back(self, way: Way) -> Outcome:
        work = self._work
        # The aliases go back by this way alone: what came before it stands.
        kept = work.observer.seen().kept
        images = before_images(
            work.ground.store.steps(work.ref), kept=None if kept is None else kept.version
        )
        back = Return(work, way, images).returned()
        if back.result is Result.ROLLED_BACK:
            return replace(back, reason=self._proof.reason)
        said = f"{self._proof.reason}; and it is not back whole: {back.reason}"
        return replace(back, result=Result.FAILED, reason=said)

    def _proves(self) -> bool:
        self._proof = self._shown()
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
            return judge(failure, test.expected)
        return proofs[0]
