"""What AWS still allows decides how far a function goes; small functions at each refusal."""

from __future__ import annotations

import pytest

from fleet.deployment import OWN_ALIASES, Route
from fleet.migration.facts import Asked
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.results import Result
from tests.migration.mover import Mover
from tests.migration.orders import Orders, add_orders, when
from tests.moto_fixtures.small_organization import Organization

AL2023 = "provided.al2023"


@pytest.fixture
def orders(organization: Organization) -> Orders:
    return add_orders(organization)


@pytest.mark.parametrize("route", [Route.BRIDGE, Route.DIRECT])
def test_while_updating_is_blocked_it_can_still_leave(
    mover: Mover, orders: Orders, route: Route
) -> None:
    orders.organization.emulator.block_runtimes(creating=[GO1X], updating=[GO1X])
    asked = Asked(route=Route.DIRECT if route is Route.DIRECT else Route.BRIDGE)
    assert mover.anew(asked=asked).migrate().result is Result.MIGRATED
    assert orders.look().aliases["live"] == ("2", {})


def test_dual_is_refused_beforehand_where_the_dates_tell(mover: Mover, orders: Orders) -> None:
    before = orders.look()
    mover = mover.anew(asked=Asked(route=Route.DUAL, updates_blocked=True))
    assert mover.migrate().result is Result.BLOCKED
    assert orders.look() == before


def test_dual_ends_blocked_where_aws_refuses_it_on_the_way_and_bridge_remains(
    mover: Mover, orders: Orders
) -> None:
    before = orders.look()
    orders.organization.emulator.block_runtimes(updating=[GO1X])
    outcome = mover.anew(asked=Asked(route=Route.DUAL)).migrate()
    assert outcome.result is Result.BLOCKED
    assert "--route bridge remains" in outcome.reason
    assert orders.look().without(ROLLBACK_ALIAS) == before
    assert mover.migrate().result is Result.MIGRATED


def test_where_publishing_is_blocked_what_has_its_version_moves_and_what_has_none_stays(
    mover: Mover, orders: Orders
) -> None:
    emulator = orders.organization.emulator
    emulator.block_runtimes(updating=[GO1X], publishing=[GO1X])
    before = orders.look()
    outcome = mover.migrate()
    assert (outcome.result, outcome.done) == (Result.BLOCKED, ())
    assert "what can't be published can't be come back to" in outcome.reason
    assert orders.look() == before
    orders.alias(ROLLBACK_ALIAS, "1")
    assert mover.migrate().result is Result.MIGRATED
    assert orders.look().aliases["live"] == ("2", {})


@pytest.mark.parametrize(
    ("operation", "nth"),
    [("UpdateFunctionConfiguration", 1), ("UpdateFunctionConfiguration", 2)],
)
def test_a_block_that_comes_halfway_back_leads_on_to_where_it_works_for_good(
    mover: Mover, orders: Orders, operation: str, nth: int
) -> None:
    assert mover.migrate().result is Result.MIGRATED
    there = orders.look()

    def block() -> None:
        orders.organization.emulator.block_runtimes(updating=[GO1X])

    with when(orders.organization, operation, block, nth=nth):
        outcome = mover.roll_back()
    assert outcome.result is Result.PARTLY_BACK
    assert "$LATEST can never go back" in outcome.reason
    after = orders.look()
    assert (after.configuration, after.code_sha256) == (there.configuration, there.code_sha256)
    assert after.aliases["live"] == ("1", {})


def test_after_the_block_the_plan_back_says_that_latest_stays(mover: Mover, orders: Orders) -> None:
    assert mover.migrate().result is Result.MIGRATED
    there = orders.look()
    orders.organization.emulator.block_runtimes(updating=[GO1X])
    mover = mover.anew(asked=Asked(updates_blocked=True))
    assert "updates-blocked" in {each.code for each in mover.plan_back().notes}
    outcome = mover.roll_back()
    assert (outcome.result, outcome.done) == (Result.PARTLY_BACK, ("alias live: 2 -> 1",))
    after = orders.look()
    assert after.configuration == there.configuration
    assert after.without(*OWN_ALIASES).aliases == {"live": ("1", {})}
