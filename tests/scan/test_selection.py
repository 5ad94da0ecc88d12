from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import BadSelection, NothingSelected
from fleet.model import Account, ScanOptions
from fleet.scan.selection import (
    check_account_ids,
    check_asked,
    check_regions,
    choose_accounts,
    choose_regions,
    split_values,
    tags_match,
)

UNITS = {
    "ou-1-root0001": "Workloads",
    "ou-1-prod0001": "Workloads/Prod",
    "ou-1-prod0002": "Workloads/Production",
    "ou-1-sand0001": "Sandbox",
}
LISTED = (
    Account("000000000001", "management"),
    Account("012345678901", "payments", "Workloads/Prod"),
    Account("111111111111", "retail", "Workloads/Prod"),
    Account("222222222222", "shared", "Workloads"),
    Account("333333333333", "tests", "Workloads/Production"),
    Account("444444444444", "closed", "Sandbox", active=False),
)
IDS = [each.id for each in LISTED]
ORG = ScanOptions(organization=True)
REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-south-2", "ap-east-1")

some_ids = st.lists(st.sampled_from(IDS), max_size=4).map(tuple)
some_units = st.lists(st.sampled_from([*UNITS, *UNITS.values()]), max_size=3).map(tuple)
patterns = st.lists(
    st.sampled_from([*REGIONS, "us-*", "eu-*", "*", "us-????-2", "[ae]*", "mars-1"]), max_size=4
).map(tuple)
org_options = st.builds(
    ScanOptions,
    organization=st.just(True),  # noqa: FBT003  # a strategy, no flag
    accounts=st.none() | some_ids,
    excluded_accounts=some_ids,
    ous=st.none() | some_units,
)


def chosen(options: ScanOptions) -> list[str]:
    return [each.id for each in choose_accounts(options, LISTED, UNITS)]


# Values of an option


def test_an_option_not_given_is_none_and_an_empty_one_selects_nothing() -> None:
    assert split_values(None) is None
    assert split_values([]) == ()
    assert split_values([""]) == ()
    assert split_values([" , ,"]) == ()


def test_values_are_repeatable_and_comma_separated() -> None:
    assert split_values(["a, b", "c", "a"]) == ("a", "b", "c", "a")


@given(st.lists(st.text(st.characters(exclude_characters=",", exclude_categories=["Z", "Cc"]))))
def test_no_value_is_lost_by_joining_with_commas(values: list[str]) -> None:
    given_values = tuple(each for each in values if each)
    assert split_values([",".join(values)]) == given_values
    assert split_values(values) == given_values


# Accounts


@given(st.integers(0, 10**12 - 1).map(lambda number: f"{number:012d}"))
def test_twelve_digits_are_an_account_id_with_its_zeros(account: str) -> None:
    check_account_ids("--account", [account])
    short = account.lstrip("0")
    if len(short) < 12 and short:
        with pytest.raises(BadSelection, match=account):
            check_account_ids("--account", [short])


@pytest.mark.parametrize("value", ["1234567890123", "prod", "12345678901a", "\uff11" * 12, "-1"])
def test_what_cannot_be_an_account_id_is_refused(value: str) -> None:
    with pytest.raises(BadSelection, match="an account id has 12 digits"):
        choose_accounts(replace(ORG, accounts=(value,)), LISTED, UNITS)


def test_an_id_without_its_leading_zeros_is_told_how_it_should_read() -> None:
    with pytest.raises(BadSelection) as caught:
        choose_accounts(replace(ORG, accounts=("12345678901",)), LISTED, UNITS)
    assert str(caught.value) == (
        "--account '12345678901': an account id has 12 digits; with its leading zeros this one "
        "would be 012345678901"
    )


@pytest.mark.parametrize(
    "options",
    [
        replace(ORG, accounts=("999999999999",)),
        replace(ORG, excluded_accounts=("999999999999",)),
    ],
)
def test_an_account_the_organization_does_not_have_is_refused(options: ScanOptions) -> None:
    with pytest.raises(BadSelection, match="no such account in this organization"):
        choose_accounts(options, LISTED, UNITS)


def test_an_exclusion_kept_in_settings_outlives_its_account_and_is_told() -> None:
    told: list[str] = []
    options = replace(ORG, excluded_accounts=("999999999999", IDS[0]))
    found = choose_accounts(options, LISTED, UNITS, departed=told.append)
    assert [each.id for each in found] == IDS[1:]
    assert told == ["999999999999"]


def test_an_account_asked_for_must_be_there_whatever_is_kept_in_settings() -> None:
    told: list[str] = []
    with pytest.raises(BadSelection, match="--account '999999999999': no such account"):
        choose_accounts(
            replace(ORG, accounts=("999999999999",)), LISTED, UNITS, departed=told.append
        )
    with pytest.raises(BadSelection, match="12 digits"):
        choose_accounts(replace(ORG, excluded_accounts=("1",)), LISTED, UNITS, departed=told.append)
    assert told == []


def test_without_a_filter_every_account_is_chosen_inactive_ones_too() -> None:
    assert chosen(ORG) == IDS


def test_empty_accounts_and_empty_units_select_nothing() -> None:
    assert chosen(replace(ORG, accounts=())) == []
    assert chosen(replace(ORG, ous=())) == []


@given(org_options)
def test_every_filter_only_ever_takes_away_and_exclusion_wins(options: ScanOptions) -> None:
    found = chosen(options)
    assert found == [each for each in IDS if each in found], "the order of the list is kept"
    assert not set(found) & set(options.excluded_accounts)
    if options.accounts is not None:
        assert set(found) <= set(options.accounts)
    if options.ous is not None:
        paths = {UNITS.get(each, each) for each in options.ous}
        places = {each.ou for each in LISTED if each.id in found}
        assert all(f"{place}/".startswith(tuple(f"{path}/" for path in paths)) for place in places)
    without_filters = replace(options, accounts=None, ous=None)
    assert set(found) <= set(chosen(without_filters))


@pytest.mark.parametrize("asked", ["Workloads", "/Workloads/", "ou-1-root0001"])
def test_a_unit_is_chosen_with_all_below_it_by_id_or_path(asked: str) -> None:
    expected = ["012345678901", "111111111111", "222222222222", "333333333333"]
    assert chosen(replace(ORG, ous=(asked,))) == expected


def test_a_unit_is_not_chosen_for_a_name_that_begins_alike() -> None:
    assert chosen(replace(ORG, ous=("Workloads/Prod",))) == ["012345678901", "111111111111"]


@pytest.mark.parametrize("asked", ["Prod", "workloads", "ou-1-nobody01", "/", "Workloads/*"])
def test_a_unit_that_does_not_exist_is_refused(asked: str) -> None:
    with pytest.raises(BadSelection, match="no such organizational unit"):
        chosen(replace(ORG, ous=(asked,)))


# Regions


@given(st.none() | patterns, patterns, st.sets(st.sampled_from(REGIONS)))
def test_only_enabled_regions_are_looked_at_and_exclusion_wins(
    asked: tuple[str, ...] | None, excluded: tuple[str, ...], enabled: set[str]
) -> None:
    options = ScanOptions(regions=asked, excluded_regions=excluded)
    wanted, not_enabled = choose_regions(options, enabled)
    assert wanted == sorted(set(wanted))
    assert set(wanted) <= enabled
    assert not set(not_enabled) & enabled
    assert set(not_enabled) <= set(asked or ())
    if "*" in excluded:
        assert (wanted, not_enabled) == ([], [])
    for name in REGIONS:
        is_excluded = any(fnmatchcase(name, each) for each in excluded)
        if is_excluded:
            assert name not in {*wanted, *not_enabled}
        elif name in (asked or ()):
            # Named outright, a region is looked at or said to be off.
            assert (name in wanted, name in not_enabled) == (name in enabled, name not in enabled)


@given(st.sets(st.sampled_from(REGIONS)))
def test_without_a_region_asked_for_every_enabled_one_is(enabled: set[str]) -> None:
    assert choose_regions(ScanOptions(), enabled) == (sorted(enabled), [])


def test_an_empty_region_selects_no_region() -> None:
    assert choose_regions(ScanOptions(regions=()), REGIONS) == ([], [])


def test_wildcards_say_nothing_of_regions_that_are_off() -> None:
    options = ScanOptions(regions=("eu-*", "ap-east-1"))
    assert choose_regions(options, {"eu-west-1", "us-east-1"}) == (["eu-west-1"], ["ap-east-1"])


@pytest.mark.parametrize("name", ["mars-1", "EU-WEST-1", "moon-*", ""])
def test_a_region_that_matches_none_there_is_is_refused(name: str) -> None:
    with pytest.raises(BadSelection, match=r"--region .*no such region"):
        check_regions(ScanOptions(regions=(name,)), REGIONS)
    with pytest.raises(BadSelection, match=r"--exclude-region .*no such region"):
        check_regions(ScanOptions(excluded_regions=(name,)), REGIONS)


def test_regions_and_wildcards_that_match_are_accepted() -> None:
    check_regions(ScanOptions(regions=("eu-*", "us-east-1"), excluded_regions=("*-2",)), REGIONS)


# Tags


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        (None, True),
        ((), False),
        (("team",), True),
        (("team=pay",), False),
        (("team=pay*",), True),
        (("team=payments",), True),
        (("TEAM",), False),
        (("t*=*",), True),
        (("stage=prod", "team=payments"), True),
        (("stage",), False),
        (("note=",), True),
        (("team=",), False),
        (("note=a=b",), False),
        (("formula=a=b",), True),
    ],
)
def test_a_function_is_asked_for_by_any_of_its_tags(
    asked: tuple[str, ...] | None, matches: bool
) -> None:
    tags = {"team": "payments", "note": "", "formula": "a=b"}
    assert tags_match(ScanOptions(tags=asked), tags) is matches


def test_a_function_whose_tags_cannot_be_read_is_never_left_out() -> None:
    assert tags_match(ScanOptions(tags=("team=payments",)), None)


def test_a_function_without_tags_is_not_asked_for_by_one() -> None:
    assert not tags_match(ScanOptions(tags=("team",)), {})


# Checked before AWS is asked


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (ScanOptions(regions=()), "--region"),
        (ScanOptions(tags=()), "--tag"),
        (ScanOptions(runtimes=()), "--runtime"),
    ],
)
def test_an_empty_option_that_would_find_nothing_anywhere_is_refused(
    options: ScanOptions, option: str
) -> None:
    with pytest.raises(BadSelection, match=f"{option} '': selects nothing"):
        check_asked(options)


@pytest.mark.parametrize("options", [ScanOptions(accounts=()), replace(ORG, ous=())])
def test_an_empty_account_or_unit_is_refused(options: ScanOptions) -> None:
    with pytest.raises(NothingSelected):
        check_asked(options)


@pytest.mark.parametrize(
    "options", [ScanOptions(accounts=("1",)), ScanOptions(excluded_accounts=("1",))]
)
def test_what_is_no_account_id_is_refused_before_aws_is_asked(options: ScanOptions) -> None:
    with pytest.raises(BadSelection, match="12 digits"):
        check_asked(options)


def test_what_cannot_be_read_as_text_is_refused() -> None:
    with pytest.raises(BadSelection, match=r"--tag .*holds what cannot be read"):
        check_asked(ScanOptions(tags=("team=\udcff",)))


def test_what_can_be_asked_is() -> None:
    check_asked(ScanOptions())
    check_asked(replace(ORG, accounts=("000000000001",), ous=("Workloads",), tags=("a=b",)))
