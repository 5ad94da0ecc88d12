from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import BRIDGE_LAYER
from fleet.inspection import Target
from fleet.model import (
    GO1X,
    LATEST,
    ROLLBACK_ALIAS,
    Alias,
    Caller,
    CallerKind,
    FunctionConfig,
    FunctionRef,
    PackageType,
    Use,
)
from fleet.scan.uses import reaching_callers, serving_aliases, use_of

VERSIONS = ["1", "2", "3", "11"]
NAMES = ["live", "canary", ROLLBACK_ALIAS]

aliases = st.lists(
    st.builds(
        Alias,
        name=st.sampled_from(NAMES),
        version=st.sampled_from([*VERSIONS, LATEST]),
        weights=st.dictionaries(st.sampled_from(VERSIONS), st.floats(0, 1), max_size=1),
    ),
    max_size=3,
    unique_by=lambda each: each.name,
).map(tuple)
callers = st.lists(
    st.builds(
        Caller,
        kind=st.sampled_from(CallerKind),
        source=st.just("s"),
        qualifier=st.sampled_from([*VERSIONS, *NAMES, LATEST]),
    ),
    max_size=3,
).map(tuple)
versions = st.sampled_from(VERSIONS)


def config(qualifier: str, package_type: PackageType = PackageType.ZIP) -> FunctionConfig:
    ref = FunctionRef("aws", "1", "eu-west-1", "f", qualifier)
    return FunctionConfig(ref, package_type, GO1X, "main", "x86_64", 1, "", None)


def points_at(alias: Alias, version: str) -> bool:
    return version in {alias.version, *alias.weights}


@given(versions, aliases, callers)
def test_a_published_version_is_served_exactly_if_a_call_can_reach_it(
    version: str, aliases: tuple[Alias, ...], callers: tuple[Caller, ...]
) -> None:
    holding = [each for each in aliases if points_at(each, version)]
    called = {each.qualifier for each in callers}
    served = (
        any(each.name != ROLLBACK_ALIAS for each in holding)
        or version in called
        or any(each.name in called for each in holding)
    )
    held = Use.ROLLBACK if holding else Use.KEPT
    assert use_of(config(version), aliases, callers) is (Use.SERVED if served else held)


@given(versions, st.none() | aliases, st.none() | callers)
def test_what_could_not_be_read_never_makes_a_version_harmless(
    version: str, aliases: tuple[Alias, ...] | None, callers: tuple[Caller, ...] | None
) -> None:
    use = use_of(config(version), aliases, callers)
    if aliases is None:
        assert use is Use.UNKNOWN
    elif callers is None:
        assert use in {Use.SERVED, Use.UNKNOWN}
    if aliases is None or callers is None:
        assert use.is_finding


@given(st.none() | aliases, st.none() | callers)
def test_latest_is_latest_and_an_image_an_image_whatever_points_there(
    aliases: tuple[Alias, ...] | None, callers: tuple[Caller, ...] | None
) -> None:
    assert use_of(config(LATEST), aliases, callers) is Use.LATEST
    assert use_of(config(LATEST, PackageType.IMAGE), aliases, callers) is Use.IMAGE


@given(
    st.sampled_from([GO1X, *Target, "provided", "python3.12", None]),
    st.lists(st.sampled_from(["mine", "theirs", "other"]), max_size=3),
    st.sampled_from([LATEST, "1"]),
    st.none() | aliases,
)
def test_latest_is_halfway_exactly_if_it_is_on_a_target_with_the_bridge_of_its_account(
    runtime: str | None, layers: list[str], qualifier: str, pointing: tuple[Alias, ...] | None
) -> None:
    named = {"mine": ("1", BRIDGE_LAYER), "theirs": ("2", BRIDGE_LAYER), "other": ("1", "certs")}
    arns = ["arn:aws:lambda:eu-west-1:{}:layer:{}:4".format(*named[each]) for each in layers]
    there = replace(config(qualifier), runtime=runtime, layers=tuple(arns))
    halfway = qualifier == LATEST and runtime in set(Target) and "mine" in layers
    assert (use_of(there, pointing, ()) is Use.HALFWAY) == halfway
    assert Use.HALFWAY.is_finding


def test_the_safety_net_of_a_migration_is_no_finding_until_something_calls_it() -> None:
    net = (Alias(ROLLBACK_ALIAS, "1"),)
    assert use_of(config("1"), net, ()) is Use.ROLLBACK
    assert not Use.ROLLBACK.is_finding
    called = (Caller(CallerKind.EVENT_SOURCE, "queue", ROLLBACK_ALIAS),)
    assert use_of(config("1"), net, called) is Use.SERVED
    shared = (*net, Alias("live", "2", {"1": 0.1}))
    assert use_of(config("1"), shared, ()) is Use.SERVED


@given(versions, aliases, callers)
def test_callers_of_a_version_come_to_it_or_through_an_alias_that_serves_it(
    version: str, aliases: tuple[Alias, ...], callers: tuple[Caller, ...]
) -> None:
    serving = serving_aliases(version, aliases)
    assert serving == tuple(each for each in aliases if points_at(each, version))
    reached = reaching_callers(version, aliases, callers)
    ways = {version, *(each.name for each in serving)}
    assert reached == tuple(each for each in callers if each.qualifier in ways)


def test_version_one_is_not_served_because_version_eleven_is() -> None:
    assert use_of(config("1"), (Alias("live", "11"),), ()) is Use.KEPT
