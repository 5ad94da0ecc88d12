"""Functions that another release of fleet has left halfway, with a package of its own making."""

from __future__ import annotations

import pytest

from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.results import Result
from tests.migration.mover import Mover
from tests.migration.orders import TO_SHIM, Orders, add_orders
from tests.migration.seeded import Snapshot
from tests.migration.test_moving import Interrupter
from tests.moto_fixtures.small_organization import Organization

UPLOADED = 4
"""Writes on bridge until the new package is there: version, alias, layer and runtime, package."""
WHERE_IT_IS_READ = ("rewrite", "choice", "proof", "proof_of_records")


@pytest.fixture
def before(organization: Organization) -> Snapshot:
    return add_orders(organization, Code={"ZipFile": TO_SHIM}).look()


@pytest.fixture
def halfway(organization: Organization, mover: Mover, before: Snapshot) -> Orders:
    """A function that Ctrl-C has left behind the upload, under a release with another shim."""
    interrupter = Interrupter(UPLOADED)
    earlier = mover.anew(leave_off=interrupter.leave_off)
    with pytest.MonkeyPatch.context() as patch:
        for module in WHERE_IT_IS_READ:
            patch.setattr(f"fleet.package.rewriting.{module}.SHIM", b"#!/bin/sh\nexec $_HANDLER\n")
        prepared = prepare(earlier.ground, earlier.ref())
        organization.emulator.on_call = interrupter.hear
        assert move(earlier.ground, prepared).result is Result.INTERRUPTED
        organization.emulator.on_call = None
    orders = Orders(organization, organization.client("lambda", "111111111111"), "orders")
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
