from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleet.migration.plan import Outcome
from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave import MemberState, Phase, Stage
from fleet.waves.aftermath import (
    after_back,
    after_move,
    after_stage,
    begun,
    stays_on_x86_64,
)
from fleet.waves.budget import is_failure
from fleet.waves.plan import Arm64, Canary, Wave
from tests.waves.runner import wave

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=3)
REF = FunctionRef("aws", "001234567890", "eu-west-1", "orders")
PLAIN = wave("plain")
WATCHED = wave("watched", canary=Canary())
TWICE = wave("twice", arm64=Arm64(artifact="builds"))
STATE = MemberState(wave="w", ref=REF, phase=Phase.UNDER_WAY, attempts=1, began=EARLIER, run="1")
TOUCHED = replace(STATE, touched=True)
BAKING = replace(TOUCHED, phase=Phase.BAKING, result=Result.BAKING, share=0.5, since=EARLIER)
THERE = Result.ALREADY_THERE
ARM64 = replace(STATE, stage=Stage.ARM64)


def outcome(result: Result, reason: str = "", *done: str) -> Outcome:
    return Outcome(REF, result, reason, done=done)


def moved(
    its: Wave, result: Result, state: MemberState = STATE, share: float = 1.0
) -> tuple[Phase, Result | None]:
    after = after_move(its, state, outcome(result, "why"), share, NOW)
    assert after.began == EARLIER
    return after.phase, after.result


def test_the_first_attempt_is_remembered_and_every_one_is_counted() -> None:
    once = begun(MemberState(wave="w", ref=REF, reason="old"), EARLIER, "1", "abc")
    assert once == MemberState(
        wave="w",
        ref=REF,
        phase=Phase.UNDER_WAY,
        attempts=1,
        began=EARLIER,
        baseline=EARLIER,
        run="1",
        fingerprint="abc",
    )
    twice = begun(once, NOW, "2", "def")
    assert (twice.attempts, twice.began, twice.baseline) == (2, EARLIER, EARLIER)
    assert (twice.run, twice.fingerprint) == ("2", "def")


def test_what_is_compared_with_is_of_the_time_before_the_stages_first_attempt() -> None:
    again = MemberState(wave="w", ref=REF, attempts=1, baseline=EARLIER)
    after = begun(again, NOW, "2", "abc")
    assert (after.began, after.baseline) == (NOW, EARLIER)


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.UNDER_WAY])
@pytest.mark.parametrize("touched", [False, True])
def test_whoever_died_at_a_function_may_have_changed_it(phase: Phase, *, touched: bool) -> None:
    state = replace(STATE, phase=phase, touched=touched)
    assert begun(state, NOW, "2", "").touched is (touched or phase is Phase.UNDER_WAY)


@pytest.mark.parametrize("result", [Result.BAKING, Result.MIGRATED, Result.INTERRUPTED])
@pytest.mark.parametrize("touched", [False, True])
def test_a_function_is_touched_once_a_step_is_done(result: Result, *, touched: bool) -> None:
    state = replace(STATE, touched=touched)
    assert after_move(WATCHED, state, outcome(result), 0.1, NOW).touched is touched
    assert after_move(WATCHED, state, outcome(result, "", "published 2"), 0.1, NOW).touched


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
        (PLAIN, TOUCHED, Result.ALREADY_THERE, Phase.ENDED, Result.MIGRATED),
        (WATCHED, TOUCHED, Result.ALREADY_THERE, Phase.BAKING, Result.BAKING),
        # It was tried before, and blocked say: what it is now was done by others.
        (PLAIN, replace(STATE, attempts=2), Result.ALREADY_THERE, Phase.ENDED, THERE),
        (WATCHED, replace(STATE, attempts=2), Result.ALREADY_THERE, Phase.ENDED, THERE),
        (WATCHED, BAKING, Result.ALREADY_THERE, Phase.BAKING, Result.BAKING),
        # It goes on from where it stands.
        (PLAIN, STATE, Result.INTERRUPTED, Phase.UNDER_WAY, None),
        (WATCHED, BAKING, Result.INTERRUPTED, Phase.BAKING, Result.BAKING),
        # Between two versions is no end.
        (WATCHED, BAKING, Result.BLOCKED, Phase.BAKING, Result.BAKING),
        (WATCHED, BAKING, Result.FAILED, Phase.BAKING, Result.BAKING),
        (TWICE, replace(BAKING, stage=Stage.ARM64), Result.BLOCKED, Phase.BAKING, Result.BAKING),
        (WATCHED, BAKING, Result.ROLLED_BACK, Phase.ENDED, Result.ROLLED_BACK),
        (WATCHED, BAKING, Result.PARTLY_BACK, Phase.ENDED, Result.PARTLY_BACK),
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
        (TWICE, ARM64, Result.BLOCKED, Phase.ENDED, Result.BLOCKED),
        (TWICE, ARM64, Result.STALE, Phase.ENDED, Result.STALE),
        (TWICE, ARM64, Result.FAILED, Phase.ENDED, Result.FAILED),
    ],
)
def test_what_becomes_of_an_attempt(
    its: Wave, state: MemberState, result: Result, phase: Phase, ends: Result | None
) -> None:
    assert moved(its, result, state) == (phase, ends)


@pytest.mark.parametrize("result", [Result.BLOCKED, Result.FAILED])
def test_what_could_not_go_on_stays_where_it_is_and_says_why(result: Result) -> None:
    checked = replace(BAKING, checked=NOW, failed_checks=1)
    after = after_move(WATCHED, checked, outcome(result, "access denied"), 0.75, NOW)
    assert after == replace(checked, reason="it could not go on: access denied")


@pytest.mark.parametrize(
    ("state", "theirs"),
    [
        (STATE, True),
        # This plan's run moved it, and died.
        (TOUCHED, False),
        # That it is on arm64 already says nothing of its runtime.
        (ARM64, False),
        (replace(ARM64, theirs=True), True),
    ],
)
def test_a_runtime_that_had_moved_before_this_plan_came_is_theirs(
    state: MemberState, *, theirs: bool
) -> None:
    for its in (PLAIN, WATCHED, TWICE):
        after = after_move(its, state, outcome(Result.ALREADY_THERE), 0.1, NOW)
        assert after.theirs is theirs


def test_each_share_bakes_anew() -> None:
    checked = replace(BAKING, checked=NOW, failed_checks=2, unjudged=True)
    after = after_move(WATCHED, checked, outcome(Result.BAKING), 0.6, NOW)
    assert (after.share, after.since, after.checked, after.failed_checks) == (0.6, NOW, None, 0)
    assert after.unjudged


def test_a_function_without_aliases_bakes_at_the_whole() -> None:
    assert after_move(WATCHED, STATE, outcome(Result.MIGRATED), 0.1, NOW).share == 1


def test_the_second_stage_begins_anew_and_keeps_what_was_found_out() -> None:
    state = replace(
        TOUCHED,
        attempts=3,
        share=1.0,
        unjudged=True,
        failed_checks=1,
        baseline=EARLIER,
        theirs=True,
        fingerprint="abc",
    )
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
        fingerprint="abc",
        touched=True,
        theirs=True,
    )
    # What it did on the custom runtime is what it is compared with from here.
    assert begun(after, NOW, "2", "abc").baseline == NOW


def test_a_function_that_stays_on_x86_64_says_why() -> None:
    after = after_stage(TWICE, ARM64, Result.BLOCKED, NOW, "there is no such file")
    assert after.reason == "it stays on x86_64: there is no such file"
    assert stays_on_x86_64(after)
    assert not is_failure(after)


@pytest.mark.parametrize(
    ("stage", "phase", "result", "stays"),
    [
        (Stage.ARM64, Phase.ENDED, Result.BLOCKED, True),
        (Stage.ARM64, Phase.ENDED, Result.STALE, True),
        (Stage.ARM64, Phase.ENDED, Result.MIGRATED, False),
        (Stage.ARM64, Phase.ENDED, Result.FAILED, False),
        (Stage.ARM64, Phase.WAITING, Result.BLOCKED, False),
        (Stage.RUNTIME, Phase.ENDED, Result.BLOCKED, False),
    ],
)
def test_what_was_refused_arm64_has_left_go1x(
    stage: Stage, phase: Phase, result: Result, *, stays: bool
) -> None:
    assert stays_on_x86_64(replace(STATE, stage=stage, phase=phase, result=result)) is stays


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("state", [STATE, BAKING])
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
def test_what_becomes_of_a_way_back(
    result: Result, ends: Result, state: MemberState, *, ordered: bool
) -> None:
    after = after_back(state, outcome(result, "said"), "errors rose", NOW, ordered=ordered)
    stays = state is BAKING and not ordered and result in {Result.FAILED, Result.BLOCKED}
    # It serves calls still: its next check tries again, and the brake counts it till then.
    place = (Phase.BAKING, EARLIER) if stays else (Phase.ENDED, NOW)
    assert (after.phase, after.since) == place
    assert (after.result, after.share) == (ends, state.share)
    assert is_failure(after) is not after.ordered
    assert after.ordered is (ordered and ends is Result.ROLLED_BACK)
    assert after.reason.startswith("errors rose")
    assert ("said" in after.reason) is (ends is not Result.ROLLED_BACK)


@pytest.mark.parametrize(
    ("result", "phase", "ends"),
    [
        (Result.ROLLED_BACK, Phase.ENDED, Result.MIGRATED),
        (Result.ALREADY_THERE, Phase.ENDED, Result.MIGRATED),
        # It serves calls meanwhile, and has not failed.
        (Result.BLOCKED, Phase.BAKING, Result.BAKING),
        (Result.FAILED, Phase.BAKING, Result.BAKING),
        (Result.PARTLY_BACK, Phase.ENDED, Result.PARTLY_BACK),
        (Result.STALE, Phase.ENDED, Result.FAILED),
    ],
)
def test_what_goes_back_from_arm64_without_having_failed_has_moved(
    result: Result, phase: Phase, ends: Result
) -> None:
    state = replace(BAKING, stage=Stage.ARM64)
    after = after_back(state, outcome(result, "said"), "why", NOW, ordered=False, stays=True)
    assert (after.phase, after.result) == (phase, ends)
    assert after.reason.startswith("it stays on x86_64: why") is (ends is Result.MIGRATED)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_way_back_that_is_interrupted_is_gone_again(*, ordered: bool) -> None:
    interrupted = outcome(Result.INTERRUPTED, "on from here")
    after = after_back(BAKING, interrupted, "why", NOW, ordered=ordered)
    assert after == replace(BAKING, reason="on from here")
