from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.deployment import (
    SERVING_ALIAS,
    X86_64_ALIAS,
    AliasNow,
    Baking,
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
from fleet.inspection import Strategy
from fleet.ledger import Verb
from fleet.migration.route import moving, next_step, update
from fleet.model import GO1X, ROLLBACK_ALIAS
from tests.migration.shell import REBUILT, TAGS, Run, moved, rebuilt, way, way_forward, way_on
from tests.migration.world import BRIDGE, START, TARGET, Hold, World

END = moved(START, Strategy.RENAME)
WAY = way(Route.BRIDGE, START, END)
KEPT = Published("1", START)
SERVING = Published("2", END)
OWN = (AliasNow(ROLLBACK_ALIAS, "1"), AliasNow(SERVING_ALIAS, "2"))
AT_START = Observed(START, "r1", settled=True)
HALFWAY = Observed(WAY.path[1], "r2", settled=True, kept=KEPT, aliases=OWN[:1])
AT_END = Observed(END, "r3", settled=True, kept=KEPT, aliases=OWN[:1])
SERVED = replace(AT_END, serving=SERVING, proven=True, aliases=OWN)
"""Proven, published, and held by the alias provided."""


def step(seen: Observed, its: Way = WAY) -> Step:
    return next_step(seen, its)


@pytest.mark.parametrize("seen", [AT_START, HALFWAY, AT_END, SERVED])
def test_nothing_is_done_while_an_update_is_in_progress(seen: Observed) -> None:
    assert isinstance(step(replace(seen, settled=False)), Wait)


def test_an_update_that_aws_could_not_finish_ends_it_with_its_reason() -> None:
    end = step(replace(HALFWAY, failure="EniLimitExceeded"))
    assert isinstance(end, Stuck)
    assert "EniLimitExceeded" in end.reason


def test_settings_that_cannot_be_read_are_never_taken_for_equal() -> None:
    unread = tuple(replace(each, rest="") for each in WAY.path)
    seen = replace(AT_START, deployment=unread[0], kept=Published("1", unread[0]))
    assert isinstance(step(seen, replace(WAY, path=unread)), Stuck)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"runtime": "provided.al2"}, "runtime"),
        ({"handler": "other"}, "handler"),
        ({"layers": ("a:b:c:d:e:layer:x:1",)}, "layers"),
        ({"code_sha256": "b"}, "code"),
        ({"architecture": "arm64"}, "architecture"),
        ({"rest": "other"}, "environment or other settings"),
        ({"rest": "other", "code_sha256": "b"}, "code, environment or other settings"),
    ],
)
def test_somebody_elses_deploy_ends_it_and_what_differs_is_told(
    change: dict[str, str], words: str
) -> None:
    seen = replace(AT_END, deployment=replace(END, **change))  # type: ignore[arg-type] # field by field
    assert step(seen) == Stale(f"somebody else changed it: {words}")


def test_the_version_to_come_back_to_is_published_before_anything_changes() -> None:
    assert step(AT_START) == Publish("r1", START.code_sha256, ROLLBACK_ALIAS)


def test_the_published_version_is_waited_for_before_an_alias_holds_it() -> None:
    assert isinstance(step(replace(AT_START, minted=replace(KEPT, active=False))), Wait)


def test_the_published_version_gets_the_rollback_alias() -> None:
    assert step(replace(AT_START, minted=KEPT)) == PutAlias(ROLLBACK_ALIAS, "1", None)


def test_the_rollback_alias_of_an_earlier_migration_moves_on_to_what_runs_now() -> None:
    held = AliasNow(ROLLBACK_ALIAS, "7", revision="a1")
    older = Published("7", replace(START, code_sha256="older"))
    seen = replace(AT_START, kept=older, aliases=(held,))
    assert step(seen) == Publish("r1", START.code_sha256, ROLLBACK_ALIAS)
    assert step(replace(seen, minted=Published("9", START))) == (
        PutAlias(ROLLBACK_ALIAS, "9", held)
    )


def test_a_version_kept_by_an_earlier_migration_is_used_again_and_none_minted() -> None:
    assert isinstance(step(replace(AT_START, kept=KEPT, aliases=OWN[:1])), UpdateConfiguration)


def test_a_kept_version_that_is_not_ready_is_no_way_back_yet() -> None:
    seen = replace(AT_START, kept=replace(KEPT, active=False), aliases=OWN[:1])
    assert isinstance(step(seen), Wait)


def test_a_version_that_shows_other_settings_ends_it_instead_of_being_published_for_ever() -> None:
    shown = Published("1", replace(START, rest="other"))
    assert isinstance(step(replace(AT_START, minted=shown)), Stuck)


def test_tags_of_an_earlier_migration_go_first_for_they_say_that_all_is_done() -> None:
    tags = {**TAGS, **REBUILT, "team": "a"}
    seen = replace(AT_START, tags=tags, kept=KEPT)
    assert step(seen) == RemoveTags(tuple(TAGS))


@pytest.mark.parametrize("kept", [None, Published("7", replace(START, code_sha256="other"))])
@pytest.mark.parametrize("deployment", WAY.path[1:])
def test_without_the_version_to_come_back_to_nothing_more_changes(
    deployment: object, kept: Published | None
) -> None:
    seen = replace(HALFWAY, deployment=deployment, kept=kept, proven=True, serving=SERVING)  # type: ignore[arg-type] # parametrized
    assert isinstance(step(seen), Stale)


def test_each_step_of_the_bridge_is_one_update_under_the_revision_just_read() -> None:
    attached, uploaded = WAY.path[1:3]
    first = step(replace(AT_START, kept=KEPT))
    assert first == UpdateConfiguration("r1", START, attached)
    assert isinstance(first, UpdateConfiguration)
    assert (first.runtime, first.handler, first.layers) == (TARGET, None, (BRIDGE,))
    assert step(HALFWAY) == UpdateCode("r2", attached, uploaded)
    last = step(replace(HALFWAY, deployment=uploaded))
    assert last == UpdateConfiguration("r2", uploaded, END)
    assert isinstance(last, UpdateConfiguration)
    assert (last.runtime, last.handler, last.layers) == (None, "bootstrap", ())


def test_it_is_proven_before_anybody_is_sent_there() -> None:
    assert step(AT_END) == Prove()
    assert step(replace(AT_END, minted=SERVING)) == Prove()
    assert step(replace(AT_END, serving=SERVING)) == Prove()


def test_what_was_proven_is_published_for_the_alias_provided() -> None:
    seen = replace(AT_END, proven=True, minted=KEPT)
    assert step(seen) == Publish("r3", END.code_sha256, SERVING_ALIAS)
    assert isinstance(step(replace(seen, minted=replace(SERVING, active=False))), Wait)
    assert step(replace(seen, minted=SERVING)) == PutAlias(SERVING_ALIAS, "2", None)


def test_an_alias_moves_that_runs_the_very_version_that_was_kept() -> None:
    live = AliasNow("live", "1", revision="a1")
    seen = replace(SERVED, aliases=(*OWN, live))
    assert moving(seen, WAY) == (live,)
    assert step(seen) == PutAlias("live", "2", live)


@pytest.mark.parametrize(
    "alias",
    [
        AliasNow("live", "0"),
        AliasNow("live", "1", {"0": 0.1}),
        AliasNow("live", "0", {"1": 0.9}),
        AliasNow("live", "$LATEST"),
    ],
    ids=["behind", "weighted", "weighted towards it", "$LATEST"],
)
def test_an_alias_that_runs_anything_else_stays(alias: AliasNow) -> None:
    seen = replace(SERVED, aliases=(*OWN, alias))
    assert moving(seen, WAY) == ()
    assert step(seen) == PutTags(TAGS)


def test_fleets_own_aliases_are_never_moved_like_a_teams() -> None:
    kept = AliasNow(X86_64_ALIAS, "1")
    assert moving(replace(SERVED, aliases=(*OWN, kept)), WAY) == ()


def test_no_alias_moves_while_nothing_is_kept() -> None:
    assert moving(replace(SERVED, kept=None, aliases=(AliasNow("live", "1"),)), WAY) == ()


def test_a_canary_sends_its_share_and_waits_before_the_tags_say_that_all_is_done() -> None:
    live = AliasNow("live", "1")
    tenth = replace(WAY, share=0.1)
    seen = replace(SERVED, aliases=(*OWN, live))
    assert step(seen, tenth) == PutAlias("live", "1", live, {"2": 0.1})
    shifted = replace(seen, proven=False, aliases=(*OWN, AliasNow("live", "1", {"2": 0.1})))
    assert step(shifted, tenth) == Baking()


def test_a_canarys_next_share_goes_out_without_another_proof() -> None:
    live = AliasNow("live", "1", {"2": 0.1})
    seen = replace(SERVED, proven=False, aliases=(*OWN, live))
    assert step(seen, replace(WAY, share=0.2)) == PutAlias("live", "1", live, {"2": 0.2})
    assert step(seen, replace(WAY, share=1.0)) == PutAlias("live", "2", live)


def test_a_weight_that_aws_gives_back_as_another_float_is_not_sent_again() -> None:
    seen = replace(SERVED, aliases=(*OWN, AliasNow("live", "1", {"2": 0.30000000000000004})))
    assert step(seen, replace(WAY, share=0.3)) == Baking()


def test_a_canary_gives_no_weights_to_an_alias_with_provisioned_concurrency() -> None:
    live = AliasNow("live", "1", provisioned=True)
    seen = replace(SERVED, aliases=(*OWN, live))
    assert step(seen, replace(WAY, share=0.1)) == PutAlias("live", "2", live)


def test_a_canary_leaves_weights_that_are_its_owners_alone() -> None:
    seen = replace(SERVED, aliases=(*OWN, AliasNow("live", "1", {"0": 0.1})))
    assert step(seen, replace(WAY, share=0.2)) == PutTags(TAGS)


def test_a_canary_whose_function_got_other_settings_is_told_and_not_gone_on_with() -> None:
    other = replace(END, rest="other")
    live = AliasNow("live", "1", {"2": 0.1})
    seen = replace(SERVED, deployment=other, aliases=(*OWN, live))
    way_now = replace(WAY, share=0.2, path=tuple(replace(each, rest="other") for each in WAY.path))
    assert isinstance(step(seen, way_now), Stale)


@pytest.mark.parametrize(("version", "left"), [("2", "1"), ("1", "0"), ("1", "2")])
def test_provisioned_concurrency_is_waited_for_while_aws_shifts_it(version: str, left: str) -> None:
    shifting = AliasNow("live", version, {left: 1.0}, provisioned=True)
    assert isinstance(step(replace(SERVED, aliases=(*OWN, shifting))), Wait)
    elsewhere = replace(shifting, version="9")
    assert step(replace(SERVED, aliases=(*OWN, elsewhere))) == PutTags(TAGS)
    canary = replace(shifting, provisioned=False)
    assert step(replace(SERVED, aliases=(*OWN, canary))) == PutTags(TAGS)


def test_tags_come_last_and_end_it() -> None:
    assert step(SERVED) == PutTags(TAGS)
    assert step(replace(SERVED, tags={**TAGS, "team": "a"})) == Done()
    missing = dict(list(TAGS.items())[1:])
    assert step(replace(SERVED, tags=missing)) == PutTags(TAGS)


def test_once_done_an_alias_that_somebody_moved_back_by_hand_stays_there() -> None:
    aliases = (*OWN, AliasNow("live", "1"))
    assert step(replace(SERVED, tags=TAGS, proven=False, aliases=aliases)) == Done()


def test_once_done_the_alias_provided_is_still_put_back_in_its_place() -> None:
    seen = replace(SERVED, tags=TAGS, proven=False, serving=None, aliases=OWN[:1])
    assert step(seen) == Publish("r3", END.code_sha256, SERVING_ALIAS)


@pytest.mark.parametrize(
    ("before", "after"),
    [(START, START), (START, END), (START, replace(START, handler="x", rest="other"))],
    ids=["nothing", "code and configuration", "settings that no update of ours changes"],
)
def test_a_path_that_takes_more_than_an_update_at_once_is_refused(
    before: object, after: object
) -> None:
    with pytest.raises(ValueError, match="one update"):
        update(before, after, "r")  # type: ignore[arg-type] # parametrized


def test_an_update_names_only_what_it_changes() -> None:
    handler = update(START, replace(START, handler="other"), "r")
    assert isinstance(handler, UpdateConfiguration)
    assert (handler.runtime, handler.handler, handler.layers) == (None, "other", None)


def run(world: World, its: Way | None) -> Run:
    assert its is not None
    return Run(Verb.MIGRATE, its, world, [])


def migrated(*names: str) -> World:
    world = World()
    world.publish()
    world.aliases = {name: Hold(1) for name in names}
    assert run(world, way_forward(world, Route.BRIDGE, Strategy.RENAME)).finish() == Done()
    return world


def test_a_second_migration_after_an_old_template_came_back_mints_no_third_version() -> None:
    world = migrated("live")
    world.deploy(START)
    assert run(world, way_forward(world, Route.BRIDGE, Strategy.RENAME)).finish() == Done()
    assert world.versions == [START, END]


def test_a_deploy_after_the_migration_is_not_overwritten_by_running_it_again() -> None:
    world = migrated("live")
    its = way_forward(world, Route.BRIDGE, Strategy.RENAME)
    world.deploy(replace(END, rest="changed by hand"))
    again = run(world, its)
    assert isinstance(again.finish(), Stale)
    assert again.done == []


def test_the_architecture_follows_the_runtime_and_keeps_a_version_of_its_own() -> None:
    world = migrated("live")
    assert run(world, way_on(world)).finish() == Done()
    assert world.versions == [START, END, rebuilt(END)]
    assert {name: hold.version for name, hold in world.aliases.items()} == {
        ROLLBACK_ALIAS: 1,
        X86_64_ALIAS: 2,
        SERVING_ALIAS: 3,
        "live": 3,
    }
    assert world.tags == {**TAGS, **REBUILT}


def test_after_updates_are_blocked_a_function_still_moves_if_its_version_is_published() -> None:
    world = World(aliases={ROLLBACK_ALIAS: Hold(1)}, versions=[START], refuses_go1x=True)
    assert run(world, way_forward(world, Route.BRIDGE, Strategy.RENAME)).finish() == Done()
    assert world.latest == END
    assert world.versions[0].runtime == GO1X


def test_after_updates_are_blocked_nothing_changes_if_no_version_can_be_published() -> None:
    world = World(refuses_go1x=True)
    its = run(world, way_forward(world, Route.BRIDGE, Strategy.RENAME))
    assert isinstance(its.finish(), Stuck)
    assert its.done == []
