from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import OWN_ALIASES, AliasNow
from fleet.migration.facts import GateFacts
from fleet.migration.plan import Promise
from fleet.migration.promises import promises
from fleet.model import GO1X, LATEST, Caller, CallerKind, FunctionRef, PackageType
from tests.strategies import callers, names, qualifiers

REF = FunctionRef("aws", "012345678901", "eu-west-1", "orders")
NEWEST = frozenset({"7"})
QUEUE = "arn:aws:sqs:eu-west-1:012345678901:orders"


def called(*qualifiers: str) -> tuple[Caller, ...]:
    return tuple(Caller(CallerKind.EVENT_SOURCE, QUEUE, each) for each in qualifiers)


def facts(*aliases: AliasNow, calls: tuple[Caller, ...] | None = ()) -> GateFacts:
    return GateFacts(REF, PackageType.ZIP, GO1X, None, aliases=aliases, callers=calls)


def promised(seen: GateFacts, *, updates_blocked: bool = False) -> dict[str, Promise]:
    made = promises(seen, same_as_latest=NEWEST, updates_blocked=updates_blocked)
    by_name = {each.qualifier: each for each in made}
    assert len(by_name) == len(made)
    return by_name


def test_latest_goes_back_until_aws_refuses_updates_and_never_after() -> None:
    before = promised(facts())[LATEST].text
    assert before.startswith("it moves, and goes back until AWS refuses")
    after = promised(facts(), updates_blocked=True)[LATEST].text
    assert after.startswith("it moves and can never go back")


def test_an_alias_on_what_latest_is_moves_and_goes_back_at_any_time() -> None:
    alias = AliasNow("live", "7")
    for blocked in (False, True):
        text = promised(facts(alias), updates_blocked=blocked)["live"].text
        assert text.startswith("it moves from version 7")
        assert text.endswith("goes back at any time")


def test_an_alias_behind_latest_stays_and_says_why() -> None:
    text = promised(facts(AliasNow("live", "6")))["live"].text
    assert text.startswith("it stays on version 6")
    assert "could release what its owners have not released" in text


def test_an_alias_with_weights_stays_whichever_version_it_is_on() -> None:
    for version in ("6", "7"):
        text = promised(facts(AliasNow("live", version, {"5": 0.1})))["live"].text
        assert text.startswith("it stays as it is")
        assert f"between version {version} and version 5" in text


def test_weights_of_provisioned_concurrency_may_be_awss_own() -> None:
    alias = AliasNow("live", "7", {"6": 0.5}, provisioned=True)
    assert "as AWS does by itself" in promised(facts(alias))["live"].text
    assert "as AWS does" not in promised(facts(replace(alias, provisioned=False)))["live"].text


def test_an_alias_on_latest_goes_where_latest_goes() -> None:
    text = promised(facts(AliasNow("dev", LATEST)))["dev"].text
    assert "moves with it and goes back only with it" in text


def test_a_version_that_is_called_never_moves() -> None:
    seen = promised(facts(calls=called("6", "7")))
    assert [seen[each].text.startswith("it never moves") for each in ("6", "7")] == [True, True]
    assert seen["6"].callers == called("6")


def test_a_version_that_nothing_calls_is_not_listed() -> None:
    assert list(promised(facts(AliasNow("live", "7")))) == [LATEST, "live"]


def test_a_caller_of_what_is_not_there_is_not_dropped() -> None:
    seen = promised(facts(calls=called("gone")))
    assert seen["gone"].callers == called("gone")
    assert "neither an alias nor a version" in seen["gone"].text


def test_each_name_comes_with_what_was_seen_to_call_it() -> None:
    seen = promised(facts(AliasNow("live", "7"), calls=called(LATEST, "live", "live", "3")))
    assert {name: len(each.callers) for name, each in seen.items()} == {
        LATEST: 1,
        "live": 2,
        "3": 1,
    }


def test_callers_that_could_not_be_read_are_not_told_as_none() -> None:
    unread = promised(facts(AliasNow("live", "7"), calls=None))
    assert all(each.text.endswith("what calls it could not be read") for each in unread.values())
    read = promised(facts(AliasNow("live", "7")))
    assert not any("could not be read" in each.text for each in read.values())


@pytest.mark.parametrize("name", sorted(OWN_ALIASES))
def test_our_own_aliases_are_not_listed(name: str) -> None:
    assert list(promised(facts(AliasNow(name, "7"), calls=called(name)))) == [LATEST]


def test_latest_comes_first_then_aliases_by_name_then_versions_by_number() -> None:
    aliases = (AliasNow("prod", "7"), AliasNow("beta", "7"))
    seen = promised(facts(*aliases, calls=called("10", "9", "gone", "prod")))
    assert list(seen) == [LATEST, "beta", "prod", "9", "10", "gone"]


_aliases = st.builds(
    AliasNow, name=names, version=qualifiers, weights=st.dictionaries(qualifiers, st.floats(0, 1))
)


@given(
    st.lists(_aliases, max_size=4, unique_by=lambda alias: alias.name).map(tuple),
    st.lists(callers, max_size=4).map(tuple),
    st.frozensets(qualifiers, max_size=2),
    st.booleans(),
)
def test_nobody_who_calls_is_left_without_a_promise(
    aliases: tuple[AliasNow, ...],
    calls: tuple[Caller, ...],
    newest: frozenset[str],
    blocked: bool,
) -> None:
    made = promises(facts(*aliases, calls=calls), same_as_latest=newest, updates_blocked=blocked)
    for caller in calls:
        if caller.qualifier not in OWN_ALIASES:
            (promise,) = (each for each in made if each.qualifier == caller.qualifier)
            assert caller in promise.callers
    for alias in aliases:
        (promise,) = (each for each in made if each.qualifier == alias.name)
        may_move = alias.version in newest and alias.version != LATEST and not alias.weights
        assert promise.text.startswith("it moves from") == may_move
        assert promise.text.isprintable()
