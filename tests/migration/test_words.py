from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import (
    AliasNow,
    Deployment,
    Done,
    Observed,
    Prove,
    Publish,
    Published,
    PutAlias,
    PutTags,
    RemoveTags,
    Route,
    Stale,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Wait,
    Way,
)
from fleet.ledger import Action
from fleet.migration.foresight import foresee
from fleet.migration.paths import path
from fleet.migration.route import next_step, next_step_back
from fleet.migration.words import action, is_foreseen, opens_gap, words
from fleet.model import Alias

LAYER = "arn:aws:lambda:eu-west-1:111111111111:layer:tools:4"
BRIDGE = "arn:aws:lambda:eu-west-1:111111111111:layer:fleet-go1x-bridge:3"
START = Deployment(
    "go1.x", "main", (LAYER,), "q83vEjRWeJCrze8SNFZ4kA==", "x86_64", "secret-hash-of-settings"
)
END = replace(START, runtime="provided.al2023", handler="bootstrap", code_sha256="3q2+796tvu8=xyz")
TAGS = {"fleet:migrated-from": "go1.x", "fleet:language": "go"}
PUBLISH = Publish("r", START.code_sha256, "go1x-rollback")


def way(route: Route, start: Deployment = START, end: Deployment = END) -> Way:
    stations = path(route, start, end, bridge=BRIDGE if route is Route.BRIDGE else None)
    return Way(route, stations, "go1x-rollback", "provided", TAGS)


def forward(its: Way, *aliases: AliasNow, at: Deployment | None = None) -> list[str]:
    seen = Observed(at or its.start, "r", settled=True, aliases=aliases)
    return [words(each, its) for each in foresee(seen, its, partial(next_step, way=its))]


def back(its: Way, before: Mapping[str, Alias]) -> list[str]:
    seen = Observed(its.end, "r", settled=True, tags=TAGS)
    decide = partial(next_step_back, way=its, before=before)
    return [words(each, its) for each in foresee(seen, its, decide)]


def test_the_bridge_is_told_step_by_step() -> None:
    assert forward(way(Route.BRIDGE)) == [
        "publish $LATEST as a version",
        "alias go1x-rollback -> that version",
        "runtime go1.x -> provided.al2023, layers + fleet-go1x-bridge:3 (one call)",
        "upload code with bootstrap: CodeSha256 q83vEjRW… -> 3q2+796t…",
        "Handler main -> bootstrap, layers - fleet-go1x-bridge:3 (one call)",
        "prove: $LATEST works as it is now (it is invoked only with a test event)",
        "publish $LATEST as a version",
        "alias provided -> that version",
        "tags fleet:language=go, fleet:migrated-from=go1.x",
        "nothing is left to do",
    ]


def test_the_way_back_is_told_as_what_it_brings_back() -> None:
    assert back(way(Route.BRIDGE), {}) == [
        "tags off: fleet:migrated-from, fleet:language",
        "Handler bootstrap -> main, layers + fleet-go1x-bridge:3 (one call)",
        "upload the code it had before: CodeSha256 3q2+796t… -> q83vEjRW…",
        "runtime provided.al2023 -> go1.x, layers - fleet-go1x-bridge:3 (one call)",
        "nothing is left to do",
    ]


def test_the_gap_of_the_direct_route_is_marked_where_it_begins_and_ends() -> None:
    its = way(Route.DIRECT)
    gap = " [GAP: invocations fail from here until the next update is through]"
    assert forward(its)[2:4] == [
        f"runtime go1.x -> provided.al2023, Handler main -> bootstrap (one call){gap}",
        "upload code with bootstrap: CodeSha256 q83vEjRW… -> 3q2+796t… [ends the gap]",
    ]
    assert back(its, {})[1:3] == [
        f"upload the code it had before: CodeSha256 3q2+796t… -> q83vEjRW…{gap}",
        "runtime provided.al2023 -> go1.x, Handler bootstrap -> main (one call) [ends the gap]",
    ]


def test_one_update_alone_has_no_gap() -> None:
    its = way(Route.DIRECT, end=replace(START, runtime="provided.al2023"))
    told = forward(its)
    assert told[2] == "runtime go1.x -> provided.al2023"
    assert not any("gap" in each.lower() for each in told)


@pytest.mark.parametrize("route", [Route.BRIDGE, Route.DUAL])
def test_no_other_route_speaks_of_a_gap(route: Route) -> None:
    its = way(route, end=replace(END, handler=START.handler))
    assert not any("gap" in each.lower() for each in [*forward(its), *back(its, {})])


def test_an_architecture_is_told_with_the_code_that_brings_it() -> None:
    its = way(Route.ARCHITECTURE, START, replace(START, code_sha256="arm", architecture="arm64"))
    assert forward(its)[2] == (
        "upload the code built for arm64: "
        "CodeSha256 q83vEjRW… -> arm, architecture x86_64 -> arm64 (one call)"
    )
    assert "upload the code it had before" in back(its, {})[1]


def test_an_alias_is_told_from_what_to_what() -> None:
    its = way(Route.BRIDGE)
    live = AliasNow("live", "7", {"8": 0.125}, "r")
    assert words(PutAlias("live", "12", live), its) == "alias live: 7 and 0.125 to 8 -> 12"
    assert words(PutAlias("live", "7", AliasNow("live", "12"), {"8": 0.1}), its) == (
        "alias live: 12 -> 7 and 0.1 to 8"
    )
    provisioned = AliasNow("live", "7", provisioned=True)
    assert words(PutAlias("live", "12", provisioned), its) == (
        "alias live: 7 -> 12, its provisioned concurrency follows"
    )


def test_a_version_that_is_yet_to_be_numbered_is_told_by_the_alias_it_is_for() -> None:
    its = way(Route.BRIDGE)
    aliases = (AliasNow(its.keep, "7"), AliasNow("live", "7"))
    kept = Published("7", its.start)
    seen = Observed(its.end, "r", settled=True, aliases=aliases, kept=kept, proven=True)
    steps = foresee(seen, its, partial(next_step, way=its))
    assert [words(each, its) for each in steps[1:3]] == [
        "alias provided -> that version",
        "alias live: 7 -> the version of alias provided",
    ]
    moved = steps[2]
    assert isinstance(moved, PutAlias)
    assert is_foreseen(moved.version)
    assert not is_foreseen("7")


def test_layers_that_change_places_are_told_as_whole_lists() -> None:
    before = replace(START, layers=(LAYER, BRIDGE))
    after = replace(START, layers=(BRIDGE, LAYER))
    assert words(UpdateConfiguration("r", before, after), way(Route.BRIDGE)) == (
        "layers [tools:4, fleet-go1x-bridge:3] -> [fleet-go1x-bridge:3, tools:4]"
    )


def test_a_layer_of_another_account_is_told_apart_from_ones_own() -> None:
    foreign = LAYER.replace("111111111111", "222222222222")
    step = UpdateConfiguration("r", START, replace(START, layers=(foreign,)))
    assert words(step, way(Route.BRIDGE)) == f"layers - {LAYER}, + {foreign}"


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (Wait("an update is in progress"), "wait: an update is in progress"),
        (Stale("somebody else changed it: code"), "stop here: somebody else changed it: code"),
        (Stuck("AWS could not"), "stop here: AWS could not"),
        (Done(), "nothing is left to do"),
        (RemoveTags(("a", "b")), "tags off: a, b"),
    ],
)
def test_the_other_steps_are_told_by_their_reasons(step: Step, told: str) -> None:
    assert words(step, way(Route.BRIDGE)) == told


def test_every_write_has_the_ledgers_word() -> None:
    update = (("r", START, END),)
    assert [
        action(PUBLISH),
        action(PutAlias("a", "1", None)),
        *(action(UpdateConfiguration(*each)) for each in update),
        *(action(UpdateCode(*each)) for each in update),
        action(PutTags(TAGS)),
        action(RemoveTags(("a",))),
    ] == [
        Action.PUBLISH,
        Action.PUT_ALIAS,
        Action.UPDATE_CONFIGURATION,
        Action.UPDATE_CODE,
        Action.PUT_TAGS,
        Action.REMOVE_TAGS,
    ]


_layers = st.lists(st.sampled_from(["a:1", "b:1", "c:2", LAYER, BRIDGE]), unique=True, max_size=4)
_text = st.text(min_size=1, max_size=8)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    return Deployment(
        draw(st.sampled_from(["go1.x", "provided.al2", None])),
        draw(st.one_of(st.none(), _text)),
        tuple(draw(_layers)),
        draw(_text),
        draw(st.sampled_from(["x86_64", "arm64"])),
        "secret-hash-of-settings",
    )


@given(before=deployments(), after=deployments(), route=st.sampled_from(Route))
def test_every_update_has_words_and_none_tells_the_hash_of_the_settings(
    before: Deployment, after: Deployment, route: Route
) -> None:
    its = Way(route, (before, after), "go1x-rollback", "provided", TAGS)
    for step in (UpdateConfiguration("r", before, after), UpdateCode("r", before, after)):
        told = words(step, its)
        assert "secret" not in told
        assert not opens_gap(step, its)
        if before.runtime != after.runtime:
            assert f"runtime {before.runtime or '(none)'} -> {after.runtime or '(none)'}" in told
        if before.layers != after.layers:
            assert "layers " in told


def test_what_does_not_change_a_function_opens_no_gap() -> None:
    assert not opens_gap(Prove(), way(Route.DIRECT))
