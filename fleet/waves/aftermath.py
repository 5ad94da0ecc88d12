"""What an attempt makes of a member's state. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fleet.migration.plan import Outcome
from fleet.results import Result
from fleet.wave import MemberState, Phase, Stage
from fleet.waves.budget import FAILURES
from fleet.waves.plan import Wave

MOVED = frozenset({Result.MIGRATED, Result.ALREADY_THERE})
_REFUSED = frozenset({Result.BLOCKED, Result.STALE})
_STAYS = "it stays on x86_64"


def begun(state: MemberState, now: datetime, run: str, fingerprint: str) -> MemberState:
    """The state of a function that somebody begins to move."""
    return replace(
        state,
        phase=Phase.UNDER_WAY,
        attempts=state.attempts + 1,
        began=state.began or now,
        baseline=state.baseline or now,
        reason="",
        run=run,
        fingerprint=fingerprint,
        # Whoever began it before and died may have changed it.
        touched=state.touched or state.phase is Phase.UNDER_WAY,
    )


def after_move(  # noqa: PLR0911 - one an end
    wave: Wave, state: MemberState, outcome: Outcome, share: float, now: datetime
) -> MemberState:
    """The state after an attempt to move it, or to shift `share` of its calls."""
    # What is there already, and was begun before, was done by one that died at it.
    theirs = outcome.result is Result.ALREADY_THERE and not state.touched
    state = replace(state, touched=state.touched or bool(outcome.done))
    match outcome.result:
        case Result.INTERRUPTED:
            # Whoever comes next goes on from where it stands.
            return replace(state, reason=outcome.reason)
        case Result.BAKING:
            return _baking(state, share, now)
        case Result.ALREADY_THERE if theirs:
            state = replace(state, theirs=state.theirs or state.stage is Stage.RUNTIME)
            return after_stage(wave, state, Result.ALREADY_THERE, now, outcome.reason)
        case Result.MIGRATED | Result.ALREADY_THERE if wave.canary is None:
            return after_stage(wave, state, Result.MIGRATED, now, told(outcome))
        case Result.MIGRATED | Result.ALREADY_THERE:
            return _baking(replace(state, reason=told(outcome)), 1.0, now)
        case Result.BLOCKED | Result.FAILED if state.phase is Phase.BAKING:
            # Between two versions is no end: its next check tries again.
            return replace(state, reason=f"it could not go on: {outcome.reason}")
        case _:
            return after_stage(wave, state, outcome.result, now, outcome.reason)


def after_back(
    state: MemberState,
    outcome: Outcome,
    why: str,
    now: datetime,
    *,
    ordered: bool,
    stays: bool = False,
) -> MemberState:
    """The state after it was brought back, or was to be, because of `why`.

    `ordered` says that people wanted it; `stays` that it goes back from arm64 without having
    failed, as its plan wants it.
    """
    match outcome.result:
        case Result.INTERRUPTED:
            return replace(state, reason=outcome.reason)
        case Result.ROLLED_BACK | Result.ALREADY_THERE:
            already = outcome.result is Result.ALREADY_THERE
            said = f"{why}; it was back already" if already else why
            if stays:
                return _stayed(state, said, now)
            return replace(_ended(state, Result.ROLLED_BACK, said, now), ordered=ordered)
        case Result.BLOCKED | Result.FAILED if state.phase is Phase.BAKING and not ordered:
            # Its next check brings it back. What serves calls and fails the brake counts till then.
            said = f"{why}; and it is not back yet: {outcome.reason}"
            return replace(state, result=state.result if stays else Result.FAILED, reason=said)
        case _:
            bad = outcome.result if outcome.result in FAILURES else Result.FAILED
            return _ended(state, bad, f"{why}; and it is not back: {outcome.reason}", now)


def after_stage(
    wave: Wave, state: MemberState, result: Result, now: datetime, reason: str = ""
) -> MemberState:
    """The state at the end of a stage: the end, or the beginning of the next stage."""
    if state.stage is Stage.RUNTIME and result in MOVED and wave.arm64 is not None:
        return MemberState(
            wave=state.wave,
            ref=state.ref,
            stage=Stage.ARM64,
            result=result,
            reason=reason,
            began=state.began,
            since=now,
            unjudged=state.unjudged,
            run=state.run,
            fingerprint=state.fingerprint,
            touched=state.touched,
            theirs=state.theirs,
        )
    if state.stage is Stage.ARM64 and result in _REFUSED:
        # No failure: it is what it was. And no success either: once mended it is tried again.
        return _ended(state, result, f"{_STAYS}: {reason}", now)
    return _ended(state, result, reason, now)


def stays_on_x86_64(state: MemberState) -> bool:
    """Whether it has left go1.x, and was refused arm64 although its wave goes there."""
    over = state.phase is Phase.ENDED and state.result in _REFUSED
    return over and state.stage is Stage.ARM64


def told(outcome: Outcome) -> str:
    """What to know of a move that went well."""
    return "; ".join(outcome.notes)


def _ended(state: MemberState, result: Result, reason: str, now: datetime) -> MemberState:
    return replace(state, phase=Phase.ENDED, result=result, reason=reason, since=now)


def _stayed(state: MemberState, reason: str, now: datetime) -> MemberState:
    # Its plan wants it there; it has left go1.x, and is what it was then.
    return _ended(state, Result.MIGRATED, f"{_STAYS}: {reason}", now)


def _baking(state: MemberState, share: float, now: datetime) -> MemberState:
    return replace(
        state,
        phase=Phase.BAKING,
        result=Result.BAKING,
        share=share,
        since=now,
        checked=None,
        failed_checks=0,
    )
