from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import (
    BRIDGE_LAYER,
    Deployment,
    Route,
    UpdateCode,
    UpdateConfiguration,
    is_bridge,
)
from fleet.inspection import Strategy
from fleet.migration.paths import path
from fleet.migration.route import update
from tests.migration.shell import moved, rebuilt
from tests.migration.world import BRIDGE, START, runs

OWN_LAYER = "arn:aws:lambda:eu-west-1:111111111111:layer:tools:4"
RENAMED = moved(START, Strategy.RENAME)
SHIMMED = moved(START, Strategy.SHIM)

starts = st.builds(
    Deployment,
    runtime=st.just("go1.x"),
    handler=st.just("main"),
    layers=st.sampled_from([(), (OWN_LAYER,)]),
    code_sha256=st.sampled_from(["a", "b"]),
    architecture=st.just("x86_64"),
    rest=st.sampled_from(["settings", "others"]),
)


@given(starts, st.sampled_from(Strategy), st.booleans())
def test_on_the_bridge_every_station_runs_and_is_one_update_from_the_next(
    start: Deployment, strategy: Strategy, arm64: bool
) -> None:
    end = moved(start, strategy)
    end = rebuilt(end) if arm64 else end
    stations = path(Route.BRIDGE, start, end, bridge=BRIDGE)
    assert (stations[0], stations[-1]) == (start, end)
    assert all(map(runs, stations))
    assert [type(update(*both, "r")) for both in pairwise(stations)] == [
        UpdateConfiguration,
        UpdateCode,
        UpdateConfiguration,
    ]


@given(starts)
def test_on_dual_every_station_runs_and_is_one_update_from_the_next(start: Deployment) -> None:
    stations = path(Route.DUAL, start, moved(start, Strategy.SHIM))
    assert all(map(runs, stations))
    assert [type(update(*both, "r")) for both in pairwise(stations)] == [
        UpdateCode,
        UpdateConfiguration,
    ]


def test_on_direct_the_runtime_goes_first_and_does_not_run_until_the_code_follows() -> None:
    stations = path(Route.DIRECT, START, RENAMED)
    assert [runs(each) for each in stations] == [True, False, True]
    assert stations[1] == replace(RENAMED, code_sha256=START.code_sha256)
    assert Route.DIRECT.has_gap
    assert not any(each.has_gap for each in Route if each is not Route.DIRECT)


def test_the_architecture_is_one_update_of_code() -> None:
    stations = path(Route.ARCHITECTURE, RENAMED, rebuilt(RENAMED))
    assert stations == (RENAMED, rebuilt(RENAMED))
    assert isinstance(update(*stations, "r"), UpdateCode)


def test_the_bridge_layer_goes_last_so_that_its_bootstrap_counts() -> None:
    start = replace(START, layers=(OWN_LAYER,))
    stations = path(Route.BRIDGE, start, moved(start, Strategy.RENAME), bridge=BRIDGE)
    assert [each.layers for each in stations] == [
        (OWN_LAYER,),
        (OWN_LAYER, BRIDGE),
        (OWN_LAYER, BRIDGE),
        (OWN_LAYER,),
    ]


def test_a_package_that_stays_as_it_is_is_not_uploaded() -> None:
    end = replace(START, runtime="provided.al2023")
    for route in (Route.BRIDGE, Route.DIRECT, Route.DUAL):
        stations = path(route, START, end, bridge=BRIDGE)
        assert {each.code_sha256 for each in stations} == {START.code_sha256}
        assert len(set(stations)) == len(stations)


@pytest.mark.parametrize(
    ("route", "end", "bridge"),
    [
        (Route.BRIDGE, RENAMED, None),
        (Route.DUAL, RENAMED, None),
        (Route.DUAL, replace(SHIMMED, layers=(OWN_LAYER,)), None),
        (Route.DUAL, rebuilt(SHIMMED), None),
        (Route.ARCHITECTURE, RENAMED, None),
        *((route, replace(SHIMMED, rest="other"), BRIDGE) for route in Route),
    ],
)
def test_a_route_that_does_not_lead_there_is_refused(
    route: Route, end: Deployment, bridge: str | None
) -> None:
    with pytest.raises(ValueError, match=r"route|architecture"):
        path(route, START, end, bridge=bridge)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (BRIDGE, True),
        (BRIDGE.replace("arn:aws:", "arn:aws-cn:"), True),
        (OWN_LAYER, False),
        (f"{OWN_LAYER}{BRIDGE_LAYER}", False),
        (BRIDGE.replace(":layer:", ":function:"), False),
        (BRIDGE.replace(BRIDGE_LAYER, f"{BRIDGE_LAYER}-2"), False),
        ("", False),
    ],
)
def test_the_bridge_layer_is_known_by_its_whole_name(arn: str, expected: bool) -> None:
    assert is_bridge(arn) is expected
