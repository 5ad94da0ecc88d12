from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleet.deployment import AliasNow, Deployment, Observed, Published
from fleet.migration.canary import Decision, Judgement
from fleet.migration.observing import Observer
from fleet.model import FunctionRef
from fleet.traffic import Numbers
from fleet.wave import MemberState, Phase, Stage
from fleet.waves.canary_policy import policy_of
from fleet.waves.plan import Canary
from fleet.waves.watching import combined, comparisons, judged
from tests.moto_fixtures.small_organization import HOME, MEMBER
from tests.waves.runner import Runner

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SINCE, BEGAN = NOW - 10 * MINUTE, NOW - 60 * MINUTE
POLICY = policy_of(Canary(threshold=2))
NOBODY, FEW, FINE = Numbers(), Numbers(invocations=3), Numbers(invocations=100)
BAD = Numbers(invocations=100, errors=10)
FEW_BAD = Numbers(invocations=3, errors=3)
OLD = Deployment("go1.x", "main", (), "a", "x86_64", "settings")
NEW = Deployment("provided.al2023", "bootstrap", (), "b", "x86_64", "settings")
Pair = tuple[Numbers | None, Numbers | None]


def state(share: float = 0.1, **given: object) -> MemberState:
    values = {
        "wave": "w",
        "ref": FunctionRef("aws", "001234567890", "eu-west-1", "orders"),
        "phase": Phase.BAKING,
        "share": share,
        "began": SINCE,
        "baseline": BEGAN,
        "since": SINCE,
    }
    return MemberState(**(values | given))  # type: ignore[arg-type] # the names are checked


def judgement(*pairs: Pair, share: float = 0.1, **given: object) -> Judgement:
    names = [f"n{number}" for number in range(len(pairs))]
    return combined(POLICY, names, pairs, state(share, **given), NOW)


# Promote is the word only where every name that is called has passed.


@pytest.mark.parametrize(
    ("pairs", "decision", "judged", "failed"),
    [
        ([(FINE, FINE)], Decision.PROMOTE, True, 0),
        ([(FINE, FINE), (FINE, FINE)], Decision.PROMOTE, True, 0),
        # One that nobody calls tells nothing, for good or bad.
        ([(NOBODY, NOBODY), (FINE, FINE)], Decision.PROMOTE, True, 0),
        ([(NOBODY, NOBODY), (FINE, BAD)], Decision.WAIT, True, 1),
        ([(NOBODY, NOBODY)], Decision.WAIT, False, 0),
        ([], Decision.WAIT, False, 0),
        # One that was called is waited for, where no other has calls enough.
        ([(FINE, NOBODY), (NOBODY, NOBODY)], Decision.WAIT, False, 0),
        ([(FINE, FEW), (FINE, NOBODY)], Decision.WAIT, False, 0),
        ([(FINE, NOBODY), (FINE, FINE)], Decision.PROMOTE, True, 0),
        ([(FINE, FEW), (FINE, FINE)], Decision.PROMOTE, True, 0),
        ([(FINE, FEW), (FINE, BAD)], Decision.WAIT, True, 1),
        ([(FINE, FINE), (FINE, BAD)], Decision.WAIT, True, 1),
        # However few the calls, so many errors tell.
        ([(FINE, FINE), (FINE, FEW_BAD)], Decision.WAIT, False, 1),
        # Nobody can say that nobody calls it.
        ([(None, None), (FINE, FINE)], Decision.WAIT, False, 0),
        ([(NOBODY, None), (FINE, FINE)], Decision.WAIT, False, 0),
        ([(FINE, None), (FINE, FINE), (FINE, FEW)], Decision.WAIT, False, 0),
        ([(FINE, None), (FINE, FEW)], Decision.WAIT, False, 0),
        ([(None, NOBODY), (FINE, FINE)], Decision.WAIT, False, 0),
    ],
)
def test_the_worst_of_all_names_counts(
    pairs: list[Pair], decision: Decision, failed: int, *, judged: bool
) -> None:
    found = judgement(*pairs)
    assert (found.decision, found.judged, found.failed_checks) == (decision, judged, failed)


def test_one_name_that_fails_to_the_end_takes_all_back() -> None:
    found = judgement((FINE, FINE), (FINE, BAD), (None, None), failed_checks=1)
    assert found.decision is Decision.ROLL_BACK
    assert found.reason.startswith("n1: 10 of 100 calls failed")
    assert "n0" not in found.reason


def test_a_failed_check_is_what_is_told_of_several_that_wait() -> None:
    found = judgement((FINE, FEW), (FINE, BAD))
    assert found.reason.startswith("n1: 10 of 100 calls failed")


def test_checks_that_failed_before_are_forgotten_once_all_pass() -> None:
    assert judgement((FINE, FINE), failed_checks=1).failed_checks == 0
    assert judgement((FINE, FEW), (FINE, NOBODY), failed_checks=1).failed_checks == 1
    assert judgement((FINE, FINE), (None, FINE), failed_checks=1).failed_checks == 1


@pytest.mark.parametrize("few", [FEW, NOBODY])
def test_a_name_with_few_calls_neither_holds_back_nor_widens_the_step_of_one_with_enough(
    few: Numbers,
) -> None:
    # As long as the longest: of itself, it would go on unjudged, to the whole at once.
    since = NOW - timedelta(hours=24)
    assert judgement((FINE, few), since=since).judged is False
    found = judgement((FINE, FINE), (FINE, few), since=since)
    assert (found.decision, found.judged) == (Decision.PROMOTE, True)
    assert "n1" not in found.reason


@pytest.mark.parametrize(
    ("elapsed", "decision"),
    [(timedelta(hours=23), Decision.WAIT), (timedelta(hours=24), Decision.PROMOTE)],
)
def test_what_nobody_calls_goes_on_unjudged_after_the_longest(
    elapsed: timedelta, decision: Decision
) -> None:
    found = judgement((NOBODY, NOBODY), since=NOW - elapsed)
    assert (found.decision, found.judged) == (decision, False)


@pytest.mark.parametrize(
    ("share", "elapsed", "unjudged", "decision"),
    [
        (1.0, 60, True, Decision.PROMOTE),
        (1.0, 59, True, Decision.WAIT),
        (1.0, 60, False, Decision.WAIT),
        (0.5, 60, True, Decision.WAIT),
    ],
)
def test_it_is_waited_for_calls_once_and_then_for_the_bake_alone(
    share: float, elapsed: int, decision: Decision, *, unjudged: bool
) -> None:
    found = judgement(
        (NOBODY, NOBODY), share=share, since=NOW - elapsed * MINUTE, unjudged=unjudged
    )
    assert found.decision is decision


def test_calls_that_fail_during_the_bake_take_back_what_went_on_unjudged() -> None:
    found = judgement(
        (FINE, BAD), share=1.0, since=NOW - 60 * MINUTE, unjudged=True, failed_checks=1
    )
    assert found.decision is Decision.ROLL_BACK


# What calls cost on arm64.


TIMED = Numbers(invocations=1000, timed=1000, duration_ms=100_000)
SLOWER = replace(TIMED, duration_ms=200_000)
ON_ARM64 = policy_of(Canary(), Stage.ARM64, 0.8)


def on_arm64(pairs: Mapping[str, Pair], shared: Mapping[str, Pair]) -> Judgement:
    told = state(stage=Stage.ARM64)
    return combined(ON_ARM64, list(pairs), list(pairs.values()), told, NOW, shared)


@pytest.mark.parametrize(
    ("other", "decision", "costs_more"),
    [
        ((TIMED, TIMED), Decision.ROLL_BACK, True),
        ((NOBODY, NOBODY), Decision.ROLL_BACK, True),
        # Whatever else fails, it has failed.
        ((TIMED, replace(TIMED, errors=100)), Decision.ROLL_BACK, False),
    ],
)
def test_only_what_costs_more_and_nothing_else_is_told_as_that(
    other: Pair, decision: Decision, *, costs_more: bool
) -> None:
    pairs = {"live": (TIMED, TIMED), "other": other}
    found = on_arm64(pairs, {"live": (TIMED, SLOWER), "other": other})
    assert (found.decision, found.costs_more) == (decision, costs_more)
    assert "live: calls took 200.0 ms on average" in found.reason


def test_each_name_is_told_by_its_own_numbers() -> None:
    pairs = {"live": (TIMED, TIMED), "other": (TIMED, TIMED)}
    found = on_arm64(pairs, {"other": (TIMED, SLOWER)})
    assert found.reason.startswith("other: ")
    assert on_arm64(pairs, {"other": (TIMED, TIMED)}).decision is Decision.PROMOTE


# What is compared with what.


def seen(*aliases: AliasNow, moved: bool = True) -> Observed:
    return Observed(
        deployment=NEW,
        revision="1",
        settled=True,
        aliases=aliases,
        kept=Published("1", OLD),
        serving=Published("2", NEW) if moved else None,
    )


def compared(*aliases: AliasNow, moved: bool = True) -> list[tuple[object, ...]]:
    return [
        (pair.qualifier, pair.old.version, pair.new.version, pair.old.end == BEGAN)
        for pair in comparisons(seen(*aliases, moved=moved), state(), NOW)
    ]


LATEST_ROW = ("$LATEST", None, None, True)


@pytest.mark.parametrize(
    ("alias", "row"),
    [
        # Both versions are called now.
        (AliasNow("live", "1", {"2": 0.1}), ("live", "1", "2", False)),
        # It has moved as a whole: what it was before is all there is.
        (AliasNow("live", "2"), ("live", None, None, True)),
        (AliasNow("live", "$LATEST"), ("live", None, None, True)),
        (AliasNow("live", "2", {"1": 0.5}, provisioned=True), ("live", None, None, True)),
    ],
)
def test_an_alias_is_compared_with_its_old_version_or_with_before(
    alias: AliasNow, row: tuple[object, ...]
) -> None:
    assert compared(alias) == [LATEST_ROW, row]


@pytest.mark.parametrize(
    "alias",
    [
        AliasNow("go1x-rollback", "1"),
        AliasNow("provided", "2"),
        AliasNow("old", "1"),
        AliasNow("another", "7", {"8": 0.5}),
        AliasNow("theirs", "1", {"7": 0.5}),
    ],
)
def test_an_alias_that_the_move_left_alone_is_not_judged(alias: AliasNow) -> None:
    assert compared(alias) == [LATEST_ROW]


def test_without_a_version_that_serves_only_latest_is_compared() -> None:
    assert compared(AliasNow("live", "1"), moved=False) == [LATEST_ROW]


def test_what_was_never_begun_is_compared_with_the_day_before_now() -> None:
    (pair,) = comparisons(seen(), state(baseline=None, since=None), NOW)
    assert (pair.old.end, pair.new.start) == (NOW, NOW)


@pytest.mark.parametrize(
    ("alias", "end"),
    [
        (AliasNow("live", "1", {"2": 0.1}), None),
        # Since then only one of them has been called.
        (AliasNow("live", "2"), SINCE),
    ],
)
def test_on_arm64_prices_are_compared_over_all_the_time_in_which_both_had_calls(
    alias: AliasNow, end: datetime | None
) -> None:
    latest, live = comparisons(seen(alias), state(stage=Stage.ARM64), NOW)
    assert latest.shared is None
    assert live.shared is not None
    assert [(each.qualifier, each.version, each.start, each.end) for each in live.shared] == [
        ("live", version, BEGAN, end) for version in "12"
    ]
    assert all(each.shared is None for each in comparisons(seen(alias), state(), NOW))


def test_old_numbers_are_of_the_day_before_the_first_move() -> None:
    (pair,) = comparisons(seen(), state(), NOW)
    assert (pair.old.start, pair.old.end) == (BEGAN - timedelta(days=1), BEGAN)
    assert (pair.new.start, pair.new.end) == (SINCE, None)


@pytest.mark.parametrize(("timeout", "late"), [(3, 2), (60, 2), (300, 6), (900, 16)])
def test_a_call_counts_once_one_that_hangs_would_have_been_counted(
    runner: Runner, timeout: int, late: int
) -> None:
    runner.function("orders", Timeout=timeout)
    begun = runner.now() + timedelta(minutes=1)
    runner.later(minutes=1)
    runner.calls("orders", "live", ago=0, invocations=100, errors=50)
    lane = runner.ground.aws.lane(MEMBER, HOME)
    ref = runner.mover.ref("orders")
    observer = Observer(runner.ground.aws, lane, ref, runner.ground.key, keep="live", serve="live")
    told = state(1.0, ref=ref, since=begun, baseline=begun)

    def check(minutes: int) -> Judgement:
        now = begun + timedelta(minutes=minutes)
        return judged(runner.ground, observer, POLICY, told, now)

    # The minute in which the calls were made has to be over as well.
    early = check(late)
    assert (early.decision, early.judged, early.failed_checks) == (Decision.WAIT, False, 0)
    assert "its first numbers are not in yet" in early.reason
    assert check(late + 1).failed_checks == 1


def test_checks_that_have_failed_are_not_forgotten_before_the_first_numbers(
    runner: Runner,
) -> None:
    runner.function("orders", Timeout=900)
    lane = runner.ground.aws.lane(MEMBER, HOME)
    ref = runner.mover.ref("orders")
    observer = Observer(runner.ground.aws, lane, ref, runner.ground.key, keep="live", serve="live")
    told = state(ref=ref, failed_checks=1, since=runner.now())
    found = judged(runner.ground, observer, POLICY, told, runner.now() + 10 * MINUTE)
    assert (found.decision, found.failed_checks) == (Decision.WAIT, 1)
