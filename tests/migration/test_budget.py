"""Lambda allows 15 control-plane calls a second: a function takes few of them."""

from __future__ import annotations

from collections import Counter

import pytest

from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.results import Result
from tests.migration.mover import Mover
from tests.migration.orders import TO_RENAME, TO_SHIM
from tests.moto_fixtures.small_organization import Organization

MOST = 12
"""Calls of one function, those left out that have budgets of their own."""
APART = ("GetFunction", "Invoke", "AssumeRole", "GetCallerIdentity")


@pytest.mark.parametrize("code", [TO_RENAME, TO_SHIM], ids=["rename", "shim"])
def test_a_function_without_aliases_takes_at_most_twelve_calls_on_bridge(
    organization: Organization, mover: Mover, code: bytes
) -> None:
    for name in ("first", "orders"):
        organization.add_function(name, Code={"ZipFile": code})
    # What holds for the whole account and region is asked for the first of its functions.
    assert mover.migrate("first").result is Result.MIGRATED
    organization.emulator.calls.clear()
    prepared = prepare(mover.ground, mover.ref())
    assert move(mover.ground, prepared).result is Result.MIGRATED
    calls = Counter(each.operation for each in organization.emulator.calls)
    counted = {operation: count for operation, count in calls.items() if operation not in APART}
    assert sum(counted.values()) <= MOST, counted
    # Of 100 a second: 30, mostly looks while updates and versions settle, one each second.
    assert calls["GetFunction"] <= 35
