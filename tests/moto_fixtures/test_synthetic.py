from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import GO1X
from moto_fixtures.seed_synthetic import fill
from moto_fixtures.server import Emulator
from moto_fixtures.synthetic import Row, Synthetic, SyntheticFunction
from tests.moto_fixtures.small_organization import Clock, Organization

# What moto has no field for, or fills by itself.
NOT_IN_MOTO = {"LoggingConfig", "RevisionId", "RuntimeVersionConfig", "VpcConfig"}

SYNTHETICS = st.builds(
    Synthetic,
    accounts=st.integers(1, 20),
    functions=st.integers(0, 20),
    go1x=st.floats(0, 1),
    versions=st.integers(0, 4),
    aliased=st.floats(0, 1),
    seed=st.integers(),
)


def first(synthetic: Synthetic) -> list[SyntheticFunction]:
    return list(synthetic.functions_of(synthetic.account_ids[0], synthetic.regions[0]))


@given(SYNTHETICS)
def test_names_are_unique_and_aliases_point_at_versions_that_exist(synthetic: Synthetic) -> None:
    functions = first(synthetic)
    names = [function.latest["FunctionName"] for function in functions]
    assert len(set(names)) == len(names) == synthetic.functions
    for function in functions:
        numbers = [row["Version"] for row in function.published]
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        assert len(numbers) <= synthetic.versions
        assert set(function.aliases.values()) <= set(numbers)


@given(SYNTHETICS)
def test_both_lists_tell_of_the_same_functions(synthetic: Synthetic) -> None:
    lane = synthetic.account_ids[0], synthetic.regions[0]
    every = list(synthetic.list_functions(*lane))
    latest = list(synthetic.list_functions(*lane, all_versions=False))
    functions = first(synthetic)
    assert len(latest) == len(functions)
    assert len(every) == len(latest) + sum(len(function.published) for function in functions)
    assert {row["FunctionArn"].count(":") for row in every} <= {7}
    assert {row["FunctionArn"].count(":") for row in latest} <= {6}


def test_account_ids_are_twelve_digits_and_never_repeat() -> None:
    ids = Synthetic(accounts=20_000).account_ids
    assert len(set(ids)) == 20_000
    assert {len(identity) for identity in ids} == {12}
    assert any(identity.startswith("0") for identity in ids)


@pytest.mark.parametrize(("share", "runtimes"), [(0.0, False), (1.0, True)])
def test_the_share_of_go1x_is_kept(share: float, *, runtimes: bool) -> None:
    functions = first(Synthetic(go1x=share, functions=200))
    assert {function.latest["Runtime"] == GO1X for function in functions} == {runtimes}


def test_rows_are_what_botocore_knows_of_listfunctions() -> None:
    model = ServiceModel(create_loader().load_service_model("lambda", "service-2"))
    shape = model.shape_for("FunctionConfiguration")
    for row in Synthetic().list_functions("012345678901", "eu-west-1"):
        assert set(row) <= set(shape.members)
        assert not ParamValidator().validate(dict(row), shape).has_errors()


def test_the_same_seed_gives_the_same_rows_in_every_process() -> None:
    program = (
        "import json; from moto_fixtures.synthetic import Synthetic;"
        "print(json.dumps(list(Synthetic(seed=7).list_functions('012345678901', 'us-east-1'))))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = list(Synthetic(seed=7).list_functions("012345678901", "us-east-1"))
    assert json.loads(told.stdout) == here


def test_another_seed_gives_other_rows() -> None:
    assert first(Synthetic(seed=7)) != first(Synthetic(seed=8))


def test_a_filled_emulator_lists_the_very_rows() -> None:
    synthetic = Synthetic(accounts=3, functions=60, seed=3)
    account, region = synthetic.account_ids[1], synthetic.regions[1]
    with Emulator(synthetic.organization.rules()) as emulator:
        fill(emulator, synthetic)
        client = Organization(emulator, Clock()).client("lambda", account, region)
        pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
        rows = [row for page in pages for row in page["Functions"]]
        aliases = {
            function.latest["FunctionName"]: {
                row["Name"]: row["FunctionVersion"]
                for row in client.list_aliases(FunctionName=function.latest["FunctionName"])[
                    "Aliases"
                ]
            }
            for function in synthetic.functions_of(account, region)
        }

    def plain(row: Row) -> dict[str, Any]:
        return {key: row[key] for key in row.keys() - NOT_IN_MOTO}

    wanted = [plain(row) for row in synthetic.list_functions(account, region)]
    told = {row["FunctionArn"]: row for row in rows}
    assert len(rows) == len(wanted)
    assert [{key: told[row["FunctionArn"]][key] for key in row} for row in wanted] == wanted
    assert aliases == {
        function.latest["FunctionName"]: dict(function.aliases)
        for function in synthetic.functions_of(account, region)
    }
