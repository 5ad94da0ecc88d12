from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fleet.deployment import (
    OWN_TAGS,
    REBUILT_FOR,
    SERVING_ALIAS,
    X86_64_ALIAS,
    AliasNow,
    Deployment,
    Done,
    Observed,
    Published,
    PutAlias,
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
from fleet.inspection import Strategy
from fleet.ledger import Entry, Verb
from fleet.migration.route import next_step_back
from fleet.model import GO1X, ROLLBACK_ALIAS, Alias
from tests.migration.shell import (
    REBUILT,
    TAGS,
    Fault,
    Killed,
    Run,
    moved,
    rebuilt,
    way,
    way_back,
    way_forward,
    way_on,
)
from tests.migration.world import START, TARGET, Hold, World, runs

END = moved(START, Strategy.RENAME)
WAY = way(Route.BRIDGE, START, END)
OWN = (AliasNow(ROLLBACK_ALIAS, "1"), AliasNow(SERVING_ALIAS, "2"))
SEEN = Observed(
    END,
    "r3",
    settled=True,
    aliases=OWN,
    kept=Published("1", START),
    serving=Published("2", END),
    tags={},
)
LIVE = AliasNow("live", "2", revision="a1")
WAS = {"live": Alias("live", "1")}


def step(
    seen: Observed,
    *aliases: AliasNow,
    its: Way = WAY,
    before: Mapping[str, Alias] = WAS,
    refused: bool = False,
) -> Step:
    seen = replace(seen, aliases=(*seen.aliases, *aliases))
    return next_step_back(seen, its, before, refused=refused)


def at(deployment: Deployment) -> Observed:
    return replace(SEEN, deployment=deployment)


def test_nothing_is_done_while_an_update_is_in_progress() -> None:
    assert isinstance(step(replace(SEEN, settled=False), LIVE), Wait)


def test_tags_go_before_the_first_move_for_they_say_that_all_is_done() -> None:
    tags = {**TAGS, **REBUILT, "team": "a"}
    assert step(replace(SEEN, tags=tags)) == RemoveTags(tuple(TAGS))
    both = replace(WAY, tags={**TAGS, **REBUILT})
    gone = [key for key in OWN_TAGS if key in tags]
    assert step(replace(SEEN, tags=tags), LIVE, its=both) == RemoveTags(tuple(gone))


def test_tags_go_from_a_function_that_is_back_already() -> None:
    assert step(replace(at(START), tags=TAGS)) == RemoveTags(tuple(TAGS))


def test_tags_stay_where_nothing_can_go_back() -> None:
    changed = at(replace(END, code_sha256="other"))
    assert isinstance(step(replace(changed, tags=TAGS)), Stale)
    assert step(replace(SEEN, tags=TAGS), refused=True) == Done()


def test_aliases_go_back_first_whatever_became_of_latest() -> None:
    back = PutAlias("live", "1", LIVE)
    assert step(SEEN, LIVE) == back
    assert step(at(replace(END, code_sha256="other")), LIVE) == back
    assert step(replace(SEEN, failure="EniLimitExceeded"), LIVE) == back


def test_an_alias_goes_back_to_the_weights_it_had() -> None:
    was = {"live": Alias("live", "1", {"0": 0.2})}
    assert step(SEEN, LIVE, before=was) == PutAlias("live", "1", LIVE, {"0": 0.2})


def test_an_alias_halfway_through_a_canary_goes_back() -> None:
    canary = AliasNow("live", "1", {"2": 0.1})
    assert step(SEEN, canary) == PutAlias("live", "1", canary)


@pytest.mark.parametrize(
    "alias",
    [
        AliasNow("live", "1"),
        AliasNow("live", "9"),
        AliasNow("live", "2", {"9": 0.1}),
        AliasNow("live", "9", {"2": 0.1}),
        AliasNow("other", "2"),
    ],
    ids=["back already", "moved on", "a canary of theirs", "another one", "never moved"],
)
def test_an_alias_that_is_not_where_it_was_put_stays(alias: AliasNow) -> None:
    assert step(at(START), alias) == Done()


def test_without_the_alias_provided_nobody_can_tell_where_an_alias_was_put() -> None:
    assert step(replace(at(START), serving=None, aliases=()), LIVE) == Done()


def test_provisioned_concurrency_on_its_way_back_is_waited_for_and_not_put_again() -> None:
    shifting = AliasNow("live", "1", {"2": 1.0}, provisioned=True)
    assert isinstance(step(SEEN, shifting), UpdateConfiguration)
    assert isinstance(step(at(START), shifting), Wait)


def test_provisioned_concurrency_that_never_arrived_goes_back_without_waiting() -> None:
    # It stays at the old version for good if the new one can't be initialized.
    stuck = AliasNow("live", "2", {"1": 1.0}, provisioned=True)
    assert step(SEEN, stuck) == PutAlias("live", "1", stuck)


def test_each_step_is_the_bridge_backwards_and_one_call() -> None:
    attached, uploaded = WAY.path[1:3]
    assert step(SEEN) == UpdateConfiguration("r3", END, uploaded)
    assert step(at(uploaded)) == UpdateCode("r3", uploaded, attached)
    last = step(at(attached))
    assert last == UpdateConfiguration("r3", attached, START)
    assert isinstance(last, UpdateConfiguration)
    assert (last.runtime, last.handler, last.layers) == (GO1X, None, ())
    assert step(at(START)) == Done()


def test_somebody_elses_deploy_ends_it() -> None:
    assert step(at(replace(END, rest="other"))) == Stale(
        "somebody else changed it: environment or other settings"
    )


def test_settings_that_cannot_be_read_are_never_taken_for_equal() -> None:
    unread = tuple(replace(each, rest="") for each in WAY.path)
    its = replace(WAY, path=unread)
    assert isinstance(step(at(unread[-1]), its=its), Stuck)
    assert step(at(unread[-1]), LIVE, its=its) == PutAlias("live", "1", LIVE)


def test_an_update_that_failed_on_the_way_is_gone_back_over_and_at_the_start_ends_it() -> None:
    assert isinstance(step(replace(at(WAY.path[1]), failure="why")), UpdateConfiguration)
    assert isinstance(step(replace(at(START), failure="why")), Stuck)


@pytest.mark.parametrize("route", [Route.BRIDGE, Route.DIRECT])
def test_once_aws_refuses_go1x_a_function_that_is_halfway_ends_where_it_runs(
    route: Route,
) -> None:
    its = way(route, START, END)
    for here, after in zip(its.path[1:-1], its.path[2:], strict=True):
        forth = step(at(here), its=its, refused=True)
        assert isinstance(forth, UpdateCode | UpdateConfiguration)
        assert forth.after == after
    assert step(SEEN, its=its, refused=True) == Done()


def test_once_aws_refuses_go1x_what_is_still_on_it_stays() -> None:
    end = moved(START, Strategy.SHIM)
    its = way(Route.DUAL, START, end)
    assert step(at(its.path[1]), its=its, refused=True) == Done()
    assert step(at(START), its=its, refused=True) == Done()


def test_once_aws_refuses_go1x_aliases_still_go_back() -> None:
    assert step(SEEN, LIVE, refused=True) == PutAlias("live", "1", LIVE)


def run(world: World, ledger: list[Entry], its: Way | None, verb: Verb = Verb.MIGRATE) -> Run:
    assert its is not None
    return Run(verb, its, world, ledger)


def migrated(route: Route = Route.BRIDGE) -> tuple[World, list[Entry]]:
    world, ledger = World(), list[Entry]()
    world.publish()
    world.aliases = {"live": Hold(1), "test": Hold(1)}
    forth = run(world, ledger, way_forward(world, route, Strategy.RENAME))
    assert forth.finish() == Done()
    return world, ledger


def versions(world: World) -> Mapping[str, int]:
    return {name: hold.version for name, hold in world.aliases.items()}


@pytest.mark.parametrize("route", [Route.BRIDGE, Route.DUAL, Route.DIRECT])
def test_killed_before_or_after_any_call_of_a_rollback_it_goes_on_to_the_same_end(
    route: Route,
) -> None:
    for calls in range(20):
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            world, ledger = migrated(route)
            back = run(world, ledger, way_back(world, route, Strategy.RENAME), Verb.ROLLBACK)
            for _ in range(calls):
                back.act(back.decide())
            try:
                back.act(back.decide(), fault)
            except Killed:
                its = way_back(world, route, Strategy.RENAME)
                assert run(world, ledger, its, Verb.ROLLBACK).finish() == Done()
            else:
                back.finish()
            assert world.latest == START
            assert versions(world) == {"live": 1, "test": 1, ROLLBACK_ALIAS: 1, SERVING_ALIAS: 2}
            assert world.tags == {}
            assert len(world.versions) == 2


def test_from_arm64_it_goes_back_to_go1x_in_one_way() -> None:
    world, ledger = migrated()
    assert run(world, ledger, way_on(world)).finish() == Done()
    its = way_back(world, Route.BRIDGE, Strategy.RENAME)
    assert its is not None
    assert its.end == rebuilt(END)
    assert all(map(runs, its.path))
    assert run(world, ledger, its, Verb.ROLLBACK).finish() == Done()
    assert world.latest == START
    assert (versions(world)["live"], versions(world)["test"]) == (1, 1)
    assert REBUILT_FOR not in world.tags


def test_an_alias_that_the_architecture_had_not_reached_yet_goes_back_as_well() -> None:
    world, ledger = migrated()
    on = run(world, ledger, way_on(world))
    while versions(world)["live"] != 3:
        on.act(on.decide())
    assert versions(world)["test"] == versions(world)[X86_64_ALIAS] == 2
    its = way_back(world, Route.BRIDGE, Strategy.RENAME)
    assert run(world, ledger, its, Verb.ROLLBACK).finish() == Done()
    assert (versions(world)["live"], versions(world)["test"]) == (1, 1)


def test_when_aws_refuses_halfway_back_the_function_ends_on_its_new_package() -> None:
    world, ledger = migrated()
    world.refuses_go1x = True
    back = run(world, ledger, way_back(world, Route.BRIDGE, Strategy.RENAME), Verb.ROLLBACK)
    assert back.finish() == Done()
    assert back.refused
    assert (world.latest, world.latest.runtime) == (END, TARGET)
    assert versions(world)["live"] == 1
