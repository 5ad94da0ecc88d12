from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.inspection import Verdict
from fleet.model import UNKNOWN_OWNER, FunctionRef, Owner, OwnerKind
from fleet.waves.candidates import Candidate
from fleet.waves.grouping import NOT_TAKEN, Grouped, group
from fleet.waves.rules import Rules, default_rules
from tests.waves.scans import DEV, HERE, PROD, THERE

STACK = Owner(OwnerKind.CLOUDFORMATION, "shop")


def function(name: str, **more: Any) -> Candidate:  # noqa: ANN401 - of a candidate
    account, region = more.pop("account", PROD), more.pop("region", HERE)
    given: dict[str, Any] = {
        "fingerprint": "0" * 16,
        "verdict": Verdict.READY,
        "ou": "Workloads/Prod" if account == PROD else "Workloads/Dev",
        "tags": {},
        "owner": UNKNOWN_OWNER,
        "invocations": None,
        **more,
    }
    return Candidate(ref=FunctionRef("aws", account, region, name), **given)


def rules(*waves: dict[str, Any]) -> Rules:
    return Rules.model_validate(
        {"waves": tuple({"name": f"w{index}", **wave} for index, wave in enumerate(waves))}
    )


def names(grouped: Grouped) -> list[list[str]]:
    return [[each.ref.name for each in wave] for wave in grouped.waves]


def choosing(**choose: Any) -> dict[str, Any]:  # noqa: ANN401 - of a Choice
    return {"choose": choose}


_names = st.sampled_from([f"{stem}-{number}" for stem in ("pay", "find") for number in range(9)])
_candidates = st.lists(
    st.builds(
        function,
        _names,
        account=st.sampled_from([PROD, DEV]),
        region=st.sampled_from([HERE, THERE]),
        tags=st.sampled_from([{}, {"team": "pay"}, {"team": "find", "tier": "1"}]),
        owner=st.sampled_from([UNKNOWN_OWNER, STACK]),
        verdict=st.sampled_from([Verdict.READY, Verdict.READY_WITH_SHIM]),
        invocations=st.none() | st.integers(0, 5),
    ),
    unique_by=lambda each: each.ref,
    max_size=40,
)
_choices = st.fixed_dictionaries(
    {},
    optional={
        "ou": st.sampled_from(["Workloads", "Workloads/Dev", "*/Prod", "Nowhere"]),
        "tag": st.sampled_from(["team", "team=pay", "t*=1", "none"]),
        "account": st.sampled_from([PROD, DEV]),
        "region": st.sampled_from(["eu-*", THERE]),
        "function": st.sampled_from(["pay-*", "find-1", "x"]),
        "traffic": st.sampled_from(["low", "high"]),
        "percent": st.floats(0.1, 100),
        "count": st.integers(1, 9),
        "per_account_region": st.integers(1, 3),
    },
)
_rules = st.lists(
    st.fixed_dictionaries({"choose": _choices, "allow_managed": st.booleans()}),
    min_size=1,
    max_size=4,
).map(lambda waves: rules(*waves))


@given(_candidates, _rules | st.sampled_from([default_rules(traffic=True)]))
def test_whatever_the_rules_every_function_is_in_exactly_one_place(
    candidates: list[Candidate], asked: Rules
) -> None:
    grouped = group(candidates, asked)
    places = [each.ref.arn for wave in grouped.waves for each in wave]
    places += [each.function for each in grouped.staying]
    assert Counter(places) == Counter(each.ref.arn for each in candidates)
    for rule, wave in zip(asked.waves, grouped.waves, strict=True):
        assert rule.allow_managed or not any(each.is_managed for each in wave)
        lanes = Counter((each.ref.account, each.ref.region) for each in wave)
        most = rule.choose.per_account_region
        assert most is None or max(lanes.values(), default=0) <= most
        assert rule.choose.count is None or len(wave) <= rule.choose.count


@settings(max_examples=50)
@given(_candidates, _rules, st.randoms(use_true_random=False))
def test_the_order_in_which_functions_are_found_changes_nothing_that_is_taken(
    candidates: list[Candidate], asked: Rules, chance: Random
) -> None:
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert group(candidates, asked).waves == group(shuffled, asked).waves


def test_a_function_goes_to_the_first_wave_that_takes_it() -> None:
    both = [function("a", tags={"team": "pay"}), function("b")]
    grouped = group(both, rules(choosing(tag="team=pay"), choosing()))
    assert names(grouped) == [["a"], ["b"]]


def test_what_no_wave_takes_stays_and_says_so() -> None:
    grouped = group([function("a"), function("b")], rules(choosing(function="a")))
    assert [(each.function[-1], each.reason) for each in grouped.staying] == [("b", NOT_TAKEN)]


@pytest.mark.parametrize(
    ("choose", "taken"),
    [
        ({"ou": "Workloads"}, "abcd"),
        ({"ou": "Workloads/Prod/"}, "ab"),
        ({"ou": "Work"}, ""),
        ({"ou": "*/Dev"}, "cd"),
        ({"ou": ["*/Dev", "*/Prod"]}, "abcd"),
        ({"account": PROD}, "ab"),
        ({"region": "us-*"}, "bd"),
        ({"tag": "team"}, "ac"),
        ({"tag": "team=p*"}, "a"),
        ({"tag": ["team=pay", "tier"]}, "ac"),
        ({"tag": "team", "region": "us-*"}, ""),
        ({"function": "[ab]"}, "ab"),
        ({"account": DEV, "region": THERE}, "d"),
    ],
)
def test_a_filter_takes_what_fits_every_key_and_any_entry_of_a_list(
    choose: dict[str, Any], taken: str
) -> None:
    fleet = [
        function("a", tags={"team": "pay"}),
        function("b", region=THERE),
        function("c", account=DEV, tags={"team": "find", "tier": "1"}),
        function("d", account=DEV, region=THERE),
    ]
    choose = {key: tuple(v) if isinstance(v, list) else v for key, v in choose.items()}
    grouped = group(fleet, rules(choosing(**choose)))
    assert sorted("".join(names(grouped)[0])) == list(taken)


def test_percent_is_of_all_that_fit_and_rounds_up() -> None:
    fleet = [function(f"f{n:02}") for n in range(25)]
    waves = (choosing(count=3), choosing(percent=10), choosing(percent=40), choosing())
    assert [len(wave) for wave in group(fleet, rules(*waves)).waves] == [3, 3, 10, 9]


def test_percent_is_reckoned_as_it_is_written() -> None:
    # In floating point 2.2 percent of 1,500 are a little more than 33, and would be 34.
    fleet = [function(f"f{n:04}") for n in range(1500)]
    assert len(group(fleet, rules(choosing(percent=2.2))).waves[0]) == 33


def test_traffic_goes_by_invocations_and_what_is_unknown_comes_last() -> None:
    fleet = [function("x"), *(function(f"n{n}", invocations=n) for n in (5, 0, 9))]
    assert names(group(fleet, rules(choosing(traffic="low")))) == [["n0", "n5", "n9", "x"]]
    assert names(group(fleet, rules(choosing(traffic="high")))) == [["n9", "n5", "n0", "x"]]
    assert names(group(fleet, rules(choosing(traffic="low", count=1)))) == [["n0"]]


def test_without_an_order_those_that_move_as_they_are_go_first_and_lines_keep_their_places() -> (
    None
):
    shims = [function(f"a{n}", verdict=Verdict.READY_WITH_SHIM) for n in range(5)]
    plain = [function(f"z{n}") for n in range(5)]
    (taken,) = names(group([*shims, *plain], rules(choosing(count=5))))
    assert taken == ["z0", "z1", "z2", "z3", "z4"]


def test_a_new_function_moves_no_other_to_another_wave() -> None:
    fleet = [function(f"f{n:02}") for n in range(20)]
    asked = rules(choosing(count=5), choosing())
    first = set(names(group(fleet, asked))[0])
    again = set(names(group([*fleet, function("g")], asked))[0])
    assert len(first & again) >= 4


def test_what_a_stack_deploys_waits_for_a_wave_that_allows_it() -> None:
    fleet = [function("mine"), function("theirs", owner=STACK)]
    assert names(group(fleet, rules(choosing(), {"allow_managed": True}))) == [
        ["mine"],
        ["theirs"],
    ]
    (staying,) = group(fleet, rules(choosing())).staying
    assert "cloudformation shop deploys it" in staying.reason


def test_a_filter_that_matches_nothing_and_a_wave_without_anybody_are_told() -> None:
    grouped = group([function("a")], rules(choosing(ou="Prod", tag=("team",)), choosing()))
    assert grouped.notes == (
        "wave w0: ou Prod matches no function that can move",
        "wave w0: tag team matches no function that can move",
        "wave w0 takes no function, and is left out",
    )


def test_the_default_canary_is_small_and_spread_over_accounts_and_regions() -> None:
    fleet = [
        function(f"f{n}", account=account, region=region)
        for n in range(30)
        for account in (PROD, DEV)
        for region in (HERE, THERE)
    ]
    canary, tenth, most, rest = group(fleet, default_rules(traffic=False)).waves
    assert len({(each.ref.account, each.ref.region) for each in canary}) == len(canary) == 4
    assert (len(tenth), len(most), len(rest)) == (12, 48, 56)
