"""Functions that another release of fleet has left halfway, with a package of its own making."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fleet.deployment import OWN_ALIASES
from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.model import GO1X
from fleet.results import Result
from tests.migration.mover import Mover
from tests.migration.orders import TO_SHIM, Orders, add_orders, when
from tests.migration.seeded import Snapshot
from tests.migration.test_moving import Interrupter
from tests.moto_fixtures.small_organization import MEMBER, Organization

UPLOADED = 4
"""Writes on bridge until the new package is there: version, alias, layer and runtime, package."""
WHERE_IT_IS_READ = ("rewrite", "choice", "proof", "proof_of_records")


@pytest.fixture
def before(organization: Organization) -> Snapshot:
    return add_orders(organization, Code={"ZipFile": TO_SHIM}).look()


@contextmanager
def another_release() -> Iterator[None]:
    """One with another shim, whose packages this one can't make."""
    with pytest.MonkeyPatch.context() as patch:
        for module in WHERE_IT_IS_READ:
            patch.setattr(f"fleet.package.rewriting.{module}.SHIM", b"#!/bin/sh\nexec $_HANDLER\n")
        yield


@pytest.fixture
def halfway(mover: Mover, before: Snapshot) -> Orders:
    """A function that Ctrl-C has left behind the upload, under another release."""
    with another_release():
        return left_behind_the_upload(mover, before)


def left_behind_the_upload(mover: Mover, before: Snapshot) -> Orders:
    organization = mover.organization
    interrupter = Interrupter(UPLOADED)
    earlier = mover.anew(leave_off=interrupter.leave_off)
    prepared = prepare(earlier.ground, earlier.ref())
    organization.emulator.on_call = interrupter.hear
    assert move(earlier.ground, prepared).result is Result.INTERRUPTED
    organization.emulator.on_call = None
    orders = Orders(organization, organization.client("lambda", MEMBER))
    now = orders.look()
    assert len(now.configuration["Layers"]) == 1
    assert now.code_sha256 != before.code_sha256
    return orders


def test_what_another_release_uploaded_is_moved_to_its_end(mover: Mover, halfway: Orders) -> None:
    there = halfway.look()
    assert mover.anew().migrate().result is Result.MIGRATED
    after = halfway.look()
    assert after.configuration.get("Layers", []) == []
    assert after.code_sha256 == there.code_sha256
    assert halfway.versions() == ["1", "2"]


def test_what_another_release_uploaded_comes_back(
    mover: Mover, halfway: Orders, before: Snapshot
) -> None:
    assert mover.anew().roll_back().result is Result.ROLLED_BACK
    after = halfway.look()
    assert (after.configuration, after.code_sha256) == (before.configuration, before.code_sha256)


def refused_at_the_last(mover: Mover, orders: Orders, *, nth: int) -> Snapshot:
    """What it is after a way back whose last update, that to go1.x, AWS refuses."""

    def block() -> None:
        orders.organization.emulator.block_runtimes(updating=[GO1X])

    with when(orders.organization, "UpdateFunctionConfiguration", block, nth=nth):
        outcome = mover.roll_back()
    assert outcome.result is Result.PARTLY_BACK
    assert "$LATEST can never go back" in outcome.reason
    after = orders.look()
    assert after.configuration["Runtime"] == "provided.al2023"
    return after


def test_refused_on_the_way_back_from_halfway_it_goes_to_the_end_with_the_package_it_had(
    mover: Mover, halfway: Orders
) -> None:
    there = halfway.look()
    after = refused_at_the_last(mover.anew(), halfway, nth=1)
    # No version holds that package, and this release makes another one.
    assert after.code_sha256 == there.code_sha256
    assert after.configuration.get("Layers", []) == []


def test_refused_on_the_way_back_from_the_end_it_goes_there_again(
    mover: Mover, before: Snapshot
) -> None:
    with another_release():
        assert mover.migrate().result is Result.MIGRATED
    organization = mover.organization
    orders = Orders(organization, organization.client("lambda", MEMBER))
    there = orders.look()
    after = refused_at_the_last(mover.anew(), orders, nth=2)
    assert (after.configuration, after.code_sha256) == (there.configuration, there.code_sha256)
    assert after.tags == there.tags
    assert after.without(*OWN_ALIASES).aliases == before.aliases
