from __future__ import annotations

from dataclasses import replace
from functools import partial

from fleet.deployment import (
    SERVING_ALIAS,
    AliasNow,
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
)
from fleet.inspection import Strategy
from fleet.migration.foresight import after, foresee
from fleet.migration.route import next_step, next_step_back
from fleet.model import ROLLBACK_ALIAS, Alias
from tests.migration.shell import REBUILT, TAGS, moved, way
from tests.migration.world import START

END = moved(START, Strategy.RENAME)
WAY = way(Route.BRIDGE, START, END)
SEEN = Observed(START, "r", settled=True)
KEPT, SERVING = Published("1", START), Published("2", END)


def forward(seen: Observed, newest: Published | None = None) -> tuple[Step, ...]:
    return foresee(seen, WAY, partial(next_step, way=WAY), newest=newest)


def puts(steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in steps if isinstance(each, PutAlias)]


def test_every_step_to_the_end_is_foreseen_in_its_order() -> None:
    assert [type(each) for each in forward(SEEN)] == [
        Publish,
        PutAlias,
        UpdateConfiguration,
        UpdateCode,
        UpdateConfiguration,
        Prove,
        Publish,
        PutAlias,
        PutTags,
        Done,
    ]


def test_a_version_that_publishing_would_mint_is_named_after_its_alias() -> None:
    assert puts(forward(SEEN)) == [
        (ROLLBACK_ALIAS, "(new: go1x-rollback)"),
        (SERVING_ALIAS, "(new: provided)"),
    ]


def test_the_newest_version_is_foreseen_where_publishing_would_mint_none_and_its_alias_moves() -> (
    None
):
    seen = replace(SEEN, aliases=(AliasNow("live", "5"),))
    newest = Published("5", START, active=False)
    assert puts(forward(seen, newest)) == [
        (ROLLBACK_ALIAS, "5"),
        (SERVING_ALIAS, "(new: provided)"),
        ("live", "(new: provided)"),
    ]


def test_an_alias_on_a_newest_version_that_is_not_latest_stays() -> None:
    seen = replace(SEEN, aliases=(AliasNow("live", "5"),))
    steps = forward(seen, Published("5", replace(START, code_sha256="older")))
    assert puts(steps) == [
        (ROLLBACK_ALIAS, "(new: go1x-rollback)"),
        (SERVING_ALIAS, "(new: provided)"),
    ]


def test_a_version_that_will_be_newest_only_once_is_not_foreseen_twice() -> None:
    """After go1.x is published again, the older version of the end is no longer the newest."""
    assert puts(forward(SEEN, SERVING))[1] == (SERVING_ALIAS, "(new: provided)")


def test_what_is_under_way_will_have_ended_by_then() -> None:
    seen = replace(SEEN, settled=False, kept=replace(KEPT, active=False))
    steps = forward(seen)
    assert isinstance(steps[0], UpdateConfiguration)
    assert steps[-1] == Done()


def test_versions_and_provisioned_concurrency_that_are_not_ready_are_waited_for_unseen() -> None:
    shifting = AliasNow("live", "2", {"1": 1.0}, provisioned=True)
    seen = Observed(
        END,
        "r",
        settled=True,
        kept=KEPT,
        serving=replace(SERVING, active=False),
        aliases=(shifting,),
    )
    assert forward(seen) == (Prove(), PutTags(TAGS), Done())
    minted = replace(seen, serving=None, minted=replace(SERVING, active=False))
    assert puts(forward(minted)) == [(SERVING_ALIAS, "2")]


def test_weights_of_a_teams_own_stay_while_others_are_waited_for() -> None:
    seen = replace(
        SEEN,
        kept=replace(KEPT, active=False),
        aliases=(AliasNow("live", "1", {"0": 0.5}),),
    )
    assert puts(forward(seen)) == [(SERVING_ALIAS, "(new: provided)")]


def test_a_failure_ends_it_unless_an_update_comes_first() -> None:
    assert isinstance(forward(replace(SEEN, failure="why"))[0], Stuck)
    decide = partial(next_step_back, way=WAY, before={})
    back = foresee(replace(SEEN, deployment=END, failure="why"), WAY, decide)
    assert back[-1] == Done()


def test_a_deploy_of_somebody_elses_is_told_at_once() -> None:
    seen = replace(SEEN, deployment=replace(START, runtime="provided.al2"))
    assert [type(each) for each in forward(seen)] == [Stale]


def test_it_is_proven_anew_after_each_change() -> None:
    assert Prove() in forward(replace(SEEN, proven=True))


def test_old_tags_are_taken_off_and_others_stay() -> None:
    seen = replace(SEEN, tags={**TAGS, **REBUILT, "team": "a"}, kept=KEPT)
    steps = forward(seen)
    assert steps[0] == RemoveTags(tuple(TAGS))
    assert steps[-2:] == (PutTags(TAGS), Done())


def test_the_way_back_is_foreseen_by_the_same_rules() -> None:
    live = AliasNow("live", "2", provisioned=True)
    seen = Observed(END, "r", settled=True, aliases=(live,), kept=KEPT, serving=SERVING, tags=TAGS)
    decide = partial(next_step_back, way=WAY, before={"live": Alias("live", "1")})
    assert [type(each) for each in foresee(seen, WAY, decide)] == [
        RemoveTags,
        PutAlias,
        UpdateConfiguration,
        UpdateCode,
        UpdateConfiguration,
        Done,
    ]


def test_what_a_step_leaves_alone_is_as_it_was() -> None:
    live = AliasNow("live", "1", provisioned=True)
    seen = replace(SEEN, tags={"team": "a", **TAGS}, aliases=(live, AliasNow("test", "1")))
    assert after(seen, WAY, RemoveTags(tuple(TAGS))).tags == {"team": "a"}
    assert after(seen, WAY, PutTags(REBUILT)).tags == {"team": "a", **TAGS, **REBUILT}
    assert after(seen, WAY, PutAlias("live", "2", live)).aliases == (
        AliasNow("test", "1"),
        AliasNow("live", "2", provisioned=True),
    )
