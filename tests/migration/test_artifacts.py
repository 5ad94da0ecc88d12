from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from fleet.aws.session import Aws
from fleet.migration.artifacts import artifact_for
from fleet.model import FunctionRef

ORDERS = FunctionRef("aws", "012345678901", "eu-west-1", "orders")
NOBODY = cast("Aws", None)
"""A file is found without asking AWS."""


def found(directory: Path, ref: FunctionRef = ORDERS) -> Path:
    return artifact_for(ref, str(directory), directory, NOBODY)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "012345678901" / "eu-west-1" / "orders.zip"
    path.parent.mkdir(parents=True)
    return path


def test_an_artifact_of_its_own_account_and_region_goes_first(own: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.zip").write_bytes(b"anybody's")
    own.write_bytes(b"its own")
    assert found(tmp_path) == own


def test_without_one_the_artifact_of_its_name_is_taken(own: Path, tmp_path: Path) -> None:
    own.write_bytes(b"its own")
    for ref in (
        FunctionRef("aws", "012345678901", "us-east-1", "orders"),
        FunctionRef("aws", "999999999999", "eu-west-1", "orders"),
    ):
        assert found(tmp_path, ref) == tmp_path / "orders.zip"
    invoices = FunctionRef("aws", "012345678901", "eu-west-1", "invoices")
    assert found(tmp_path, invoices) == tmp_path / "invoices.zip"


def test_a_link_that_leads_nowhere_is_not_passed_over(own: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.zip").write_bytes(b"anybody's")
    own.symlink_to("elsewhere.zip")
    assert found(tmp_path) == own


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    assert found(tmp_path / "given.zip") == tmp_path / "given.zip"
