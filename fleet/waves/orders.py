"""What people order of a plan's run, from any machine that reaches its state."""

from __future__ import annotations

from fleet.errors import BadSelection
from fleet.results import Result
from fleet.wave import MemberState, Phase, Stage
from fleet.waves.budget import FAILURES
from fleet.waves.due import Record
from fleet.waves.plan import Plan

AGAIN = FAILURES | {Result.BLOCKED, Result.STALE}
"""Results after which a function may be tried again."""


def check_wave(plan: Plan, name: str | None) -> None:
    """Raise BadSelection where a plan has no such wave."""
    names = [wave.name for wave in plan.waves]
    if name is not None and name not in names:
        raise BadSelection("--wave", name, f"plan {plan.name} has the waves {', '.join(names)}")


def tried_again(record: Record, plan: Plan, wave: str | None) -> tuple[MemberState, ...]:
    """Those that failed, were brought back or left alone, as they wait to be begun anew. Pure.

    One that failed on its way to arm64 begins at that stage. What was known of it before its first
    attempt stays what it is compared with.
    """
    return tuple(
        MemberState(
            wave=each.name,
            ref=state.ref,
            stage=state.stage,
            attempts=state.attempts,
            reason=f"to be tried again after: {state.result}",
            baseline=state.baseline,
            touched=state.touched and not _is_as_it_was(state),
            theirs=state.theirs,
        )
        for each, member in plan.members()
        if wave in {None, each.name}
        if (state := record.state(each, member)).phase is Phase.ENDED and state.result in AGAIN
        # What people had brought back is begun again only where they name its wave.
        if wave is not None or not state.ordered
    )


def _is_as_it_was(state: MemberState) -> bool:
    """Whether all that the plan's run changed is taken back."""
    # Back from arm64, it is on the custom runtime still, which the plan may have brought.
    all_of_it = state.stage is Stage.RUNTIME or state.theirs
    return state.result is Result.ROLLED_BACK and all_of_it
