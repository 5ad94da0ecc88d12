"""That the files hold every kind of account and function later work has to handle."""

from __future__ import annotations

from collections import Counter

import pytest

from fleet.model import GO1X, CoverageStatus, Use
from moto_fixtures.definition import Account
from moto_fixtures.expected import Count, expected, expected_coverage, use_of
from moto_fixtures.function import Function
from moto_fixtures.load import load_organization

ORGANIZATION = load_organization()
FUNCTIONS = [function for account in ORGANIZATION.accounts for function in account.functions]


def account(name: str) -> Account:
    return next(one for one in ORGANIZATION.accounts if one.name == name)


def function(name: str) -> Function:
    return next(one for one in FUNCTIONS if one.name == name)


def test_three_hundred_functions_over_four_regions() -> None:
    assert len(FUNCTIONS) == 300
    regions = Counter(one.region for one in FUNCTIONS)
    assert set(regions) == set(ORGANIZATION.regions) == {*regions}
    assert len(regions) == 4
    assert min(regions.values()) >= 10


def test_a_dozen_active_accounts_besides_management_and_one_suspended() -> None:
    states = Counter(one.status for one in ORGANIZATION.accounts)
    assert states == {"ACTIVE": 13, "SUSPENDED": 1}
    assert any(one.id.startswith("0") for one in ORGANIZATION.accounts)
    assert max(one.count("/") for one in ORGANIZATION.units) == 2


def test_every_kind_of_trouble_has_its_account() -> None:
    coverage = expected_coverage(ORGANIZATION)
    assert coverage[account("partner-vault").id, "us-east-1"] is CoverageStatus.DENIED
    assert coverage[account("acquired-shop").id, "*"] is CoverageStatus.ROLE_MISSING
    assert coverage[account("old-mobile").id, "*"] is CoverageStatus.ACCOUNT_NOT_ACTIVE
    data = account("data-platform").id
    assert coverage[data, "us-west-2"] is CoverageStatus.BLOCKED_BY_POLICY
    assert coverage[data, "eu-south-2"] is CoverageStatus.REGION_NOT_ENABLED
    assert coverage[data, "us-east-1"] is CoverageStatus.OK
    assert coverage[account("logistics-prod").id, "eu-south-2"] is CoverageStatus.OK
    assert [one.name for one in ORGANIZATION.accounts if one.delegated_administrator] == [
        "security-audit"
    ]


def test_one_region_holds_more_than_a_page_of_functions() -> None:
    assert max(count.functions for count in expected(ORGANIZATION).values()) > 50


def test_every_go_package_is_the_code_of_a_go1x_function() -> None:
    used = {
        state.package
        for one in FUNCTIONS
        for state in (one.latest, *one.published)
        if state.runtime == GO1X
    }
    assert used == {
        name for name in ORGANIZATION.packages if name.startswith("go-") or name == "empty"
    } - {"go-bootstrap"}


def test_every_use_of_a_version_occurs() -> None:
    total = sum(expected(ORGANIZATION).values(), Count())
    assert min(total.latest, total.served, total.kept, total.rollback, total.images) >= 1
    assert total.findings == total.latest + total.served + total.kept
    assert total.versions == 300 + sum(len(one.versions) for one in FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "version", "use"),
    [
        ("catalog-feed", 1, Use.SERVED),
        ("catalog-search", 1, Use.SERVED),
        ("fraud-replay", 1, Use.SERVED),
        ("basket-janitor", 1, Use.KEPT),
        ("loyalty-points", 1, Use.ROLLBACK),
        ("loyalty-tiers", 1, Use.SERVED),
        ("basket-merger", 2, Use.KEPT),
    ],
)
def test_a_version_matters_for_what_points_at_it(name: str, version: int, use: Use) -> None:
    assert use_of(function(name), version) is use


def test_names_that_a_page_or_spreadsheet_could_act_upon_are_there() -> None:
    sandbox = account("<script>alert(1)</script> =1+1 sandbox")
    first = sandbox.functions[0]
    assert first.name.startswith("-")
    assert "<img/src=x/onerror=" in str(first.handler)
    assert {value[0] for value in first.tags.values()} >= set("=+-@")
    assert any("\u2028" in value for value in first.tags.values())


def test_environments_hold_secrets_that_can_be_looked_for() -> None:
    secrets = [value for one in FUNCTIONS for value in one.environment.values()]
    assert sum(value.startswith("do-not-leak-") for value in secrets) >= 5
