from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import Deployment
from fleet.waves.fingerprint import (
    fingerprint,
    fingerprint_of_config,
    fingerprint_of_deployment,
)
from tests.waves.scans import Function

CONFIG = replace(Function("orders").config, layers=("arn:layer:1", "arn:layer:2"))
DEPLOYMENT = Deployment(
    CONFIG.runtime, CONFIG.handler, CONFIG.layers, CONFIG.code_sha256, CONFIG.architecture, "rest"
)
_parts = st.tuples(
    st.none() | st.text(),
    st.none() | st.text(),
    st.text(),
    st.lists(st.text(), max_size=3).map(tuple),
    st.text(),
)


def test_it_is_the_same_for_ever() -> None:
    # Plans written by one release are checked by another.
    found = fingerprint("go1.x", "main", "x86_64", ("arn:one",), "q80=")
    assert found == "a7bd88dc51a620a4"


def test_a_listed_function_and_the_same_one_as_a_migration_sees_it_have_one_fingerprint() -> None:
    assert fingerprint_of_config(CONFIG) == fingerprint_of_deployment(DEPLOYMENT)


@pytest.mark.parametrize(
    "change",
    [
        {"runtime": "provided.al2023"},
        {"handler": "bootstrap"},
        {"architecture": "arm64"},
        {"layers": ("arn:layer:2", "arn:layer:1")},
        {"code_sha256": "other"},
    ],
)
def test_any_change_of_what_is_planned_for_changes_it(change: dict[str, Any]) -> None:
    assert fingerprint_of_deployment(replace(DEPLOYMENT, **change)) != fingerprint_of_deployment(
        DEPLOYMENT
    )


def test_other_settings_do_not_change_it_since_they_survive_the_move() -> None:
    other = replace(DEPLOYMENT, rest="another environment")
    assert fingerprint_of_deployment(other) == fingerprint_of_deployment(DEPLOYMENT)


@given(_parts, _parts)
def test_no_two_functions_can_be_written_so_that_they_look_alike(
    one: tuple[str, str, str, tuple[str, ...], str],
    other: tuple[str, str, str, tuple[str, ...], str],
) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)
