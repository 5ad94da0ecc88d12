from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleet.migration.plan import Outcome
from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, Phase, Stage
from fleet.waves.aftermath import after_back, after_move, after_stage, begun
from fleet.waves.plan import Arm64, Canary, Wave
from tests.waves.runner import wave

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=3)
REF = FunctionRef("aws", "001234567890", "eu-west-1", "orders")
PLAIN = wave("plain")
WATCHED = wave("watched", canary=Canary())
TWICE = wave("twice", arm64=Arm64(artifact="builds"))
STATE = MemberState(wave="w", ref=REF, phase=Phase.UNDER_WAY, attempts=1, began=EARLIER, run="1")
BAKING = replace(STATE, phase=Phase.BAKING, result=Result.BAKING, share=0.5, since=EARLIER)
ARM64 = replace(STATE, stage=Stage.ARM64)


def outcome(result: Result, reason: str = "", *notes: str) -> Outcome:
    return Outcome(REF, result, reason, notes=notes)


def moved(
    its: Wave, result: Result, state: MemberState = STATE, share: float = 1.0
) -> tuple[Phase, Result | None]:
    after = after_move(its, state, outcome(result, "why"), share, NOW)
    assert after.began == EARLIER
    return after.phase, after.result


def test_the_first_attempt_is_remembered_and_every_one_is_counted() -> None:
    once = begun(MemberState(wave="w", ref=REF, reason="old"), EARLIER, "1")
    assert (once.phase, once.attempts, once.began, once.reason, once.run) == (
        Phase.UNDER_WAY,
        1,
        EARLIER,
        "",
        "1",
    )
    twice = begun(once, NOW, "2")
    assert (twice.attempts, twice.began, twice.run) == (2, EARLIER, "2")


@pytest.mark.parametrize(
    ("its", "state", "result", "phase", "ends"),
    [
        (PLAIN, STATE, Result.MIGRATED, Phase.ENDED, Result.MIGRATED),
        (WATCHED, STATE, Result.MIGRATED, Phase.BAKING, Result.BAKING),
        (WATCHED, STATE, Result.BAKING, Phase.BAKING, Result.BAKING),
        # Its owners, or another plan, had moved it.
        (PLAIN, STATE, Result.ALREADY_THERE, Phase.ENDED, Result.ALREADY_THERE),
        (WATCHED, STATE, Result.ALREADY_THERE, Phase.ENDED, Result.ALREADY_THERE),
        # This plan had, and died before it could say so.
        (PLAIN, replace(STATE, attempts=2), Result.ALREADY_THERE, Phase.ENDED, Result.MIGRATED),
        (WATCHED, replace(STATE, attempts=2), Result.ALREADY_THERE, Phase.BAKING, Result.BAKING),
        (WATCHED, BAKING, Result.ALREADY_THERE, Phase.BAKING, Result.BAKING),
        # It goes on from where it stands.
        (PLAIN, STATE, Result.INTERRUPTED, Phase.UNDER_WAY, Result.INTERRUPTED),
        (WATCHED, BAKING, Result.INTERRUPTED, Phase.BAKING, Result.INTERRUPTED),
        *(
            (its, STATE, result, Phase.ENDED, result)
            for its in (PLAIN, WATCHED, TWICE)
            for result in (
                Result.BLOCKED,
                Result.STALE,
                Result.FAILED,
                Result.ROLLED_BACK,
                Result.PARTLY_BACK,
            )
        ),
        (TWICE, STATE, Result.MIGRATED, Phase.WAITING, Result.MIGRATED),
        (TWICE, STATE, Result.ALREADY_THERE, Phase.WAITING, Result.ALREADY_THERE),
        (TWICE, ARM64, Result.MIGRATED, Phase.ENDED, Result.MIGRATED),
        # It has left go1.x, which is what counts.
        (TWICE, ARM64, Result.BLOCKED, Phase.ENDED, Result.MIGRATED),
        (TWICE, ARM64, Result.STALE, Phase.ENDED, Result.MIGRATED),
        (TWICE, ARM64, Result.FAILED, Phase.ENDED, Result.FAILED),
    ],
)
def test_what_becomes_of_an_attempt(
    its: Wave, state: MemberState, result: Result, phase: Phase, ends: Result
) -> None:
    assert moved(its, result, state) == (phase, ends)


def test_each_share_bakes_anew() -> None:
    checked = replace(BAKING, checked=NOW, failed_checks=2, unjudged=True)
    after = after_move(WATCHED, checked, outcome(Result.BAKING), 0.6, NOW)
    assert (after.share, after.since, after.checked, after.failed_checks) == (0.6, NOW, None, 0)
    assert after.unjudged


def test_a_function_without_aliases_bakes_at_the_whole() -> None:
    assert after_move(WATCHED, STATE, outcome(Result.MIGRATED), 0.1, NOW).share == 1


def test_the_second_stage_begins_anew_and_keeps_what_was_found_out() -> None:
    state = replace(STATE, attempts=3, share=1.0, unjudged=True, failed_checks=1)
    after = after_stage(TWICE, state, Result.MIGRATED, NOW)
    assert after == MemberState(
        wave="w",
        ref=REF,
        stage=Stage.ARM64,
        result=Result.MIGRATED,
        began=EARLIER,
        since=NOW,
        unjudged=True,
        run="1",
    )


def test_a_function_that_stays_on_x86_64_says_why() -> None:
    after = after_stage(TWICE, ARM64, Result.BLOCKED, NOW, "there is no such file")
    assert after.reason == "it stays on x86_64: there is no such file"


@pytest.mark.parametrize(
    ("result", "ends"),
    [
        (Result.ROLLED_BACK, Result.ROLLED_BACK),
        (Result.ALREADY_THERE, Result.ROLLED_BACK),
        (Result.PARTLY_BACK, Result.PARTLY_BACK),
        # Not back where it was to be: a failure, whatever kept it.
        (Result.FAILED, Result.FAILED),
        (Result.BLOCKED, Result.FAILED),
        (Result.STALE, Result.FAILED),
    ],
)
def test_what_becomes_of_a_way_back(result: Result, ends: Result) -> None:
    after = after_back(BAKING, outcome(result, "said"), "errors rose", NOW)
    assert (after.phase, after.result, after.since) == (Phase.ENDED, ends, NOW)
    assert after.reason.startswith("errors rose")
    assert ("said" in after.reason) is (ends is not Result.ROLLED_BACK)


def test_a_way_back_that_is_interrupted_is_gone_again() -> None:
    after = after_back(BAKING, outcome(Result.INTERRUPTED, "on from here"), "why", NOW)
    assert after == replace(BAKING, reason="on from here")
