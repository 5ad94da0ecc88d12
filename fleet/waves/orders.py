"""What people order of a plan's run, from any machine that reaches its state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fleet.errors import BadSelection
from fleet.results import Result
from fleet.wave import MemberState, Phase, Stage
from fleet.waves.budget import FAILURES
from fleet.waves.plan import Plan

AGAIN = FAILURES | {Result.BLOCKED, Result.STALE}
"""Results after which a function may be tried again."""


def check_wave(plan: Plan, name: str | None) -> None:
    """Raise BadSelection where a plan has no such wave."""
    names = [wave.name for wave in plan.waves]
    if name is not None and name not in names:
        raise BadSelection("--wave", name, f"plan {plan.name} has the waves {', '.join(names)}")


def tried_again(states: Iterable[MemberState], wave: str | None) -> tuple[MemberState, ...]:
    """Those that failed, were brought back or left alone, as they wait to be begun anew. Pure.

    One that failed on its way to arm64 begins at that stage.
    """
    return tuple(
        replace(
            MemberState(wave=state.wave, ref=state.ref, attempts=state.attempts),
            stage=state.stage if _is_past_runtime(state) else Stage.RUNTIME,
            reason=f"to be tried again after: {state.result}",
        )
        for state in states
        if state.phase is Phase.ENDED and state.result in AGAIN and wave in {None, state.wave}
    )


def _is_past_runtime(state: MemberState) -> bool:
    # Brought all the way back it has to begin with the runtime; finding itself there costs little.
    return state.stage is Stage.ARM64 and state.result is not Result.ROLLED_BACK
