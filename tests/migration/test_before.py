from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.deployment import OWN_ALIASES
from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.migration.before import before_images
from fleet.model import Alias, FunctionRef

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def move(
    source: str,
    target: str,
    state: EntryState = EntryState.DONE,
    verb: Verb = Verb.MIGRATE,
    *,
    name: str = "live",
) -> Entry:
    return Entry(
        run="r",
        verb=verb,
        ref=FunctionRef("aws", "000000000001", "eu-west-1", "orders"),
        action=Action.PUT_ALIAS,
        what="Move an alias.",
        caller="arn:aws:iam::000000000001:user/ada",
        began=NOW,
        ended=None if state is EntryState.INTENDED else NOW,
        state=state,
        alias_before=Alias(name, source),
        alias_after=Alias(name, target),
    )


def was(*entries: Entry) -> str | None:
    image = before_images(entries).get("live")
    return None if image is None else image.version


INTENDED, DONE, FAILED = EntryState.INTENDED, EntryState.DONE, EntryState.FAILED


def test_nothing_has_moved_in_an_empty_ledger() -> None:
    assert before_images([]) == {}


@pytest.mark.parametrize(("state", "image"), [(INTENDED, "1"), (DONE, "1"), (FAILED, None)])
def test_a_move_counts_if_it_may_have_happened(state: EntryState, image: str | None) -> None:
    assert was(move("1", "2", state)) == image


def test_the_image_is_all_that_the_alias_was() -> None:
    entry = replace(move("1", "2"), alias_before=Alias("live", "1", {"0": 0.1}))
    assert before_images([entry]) == {"live": Alias("live", "1", {"0": 0.1})}


def test_a_second_pass_keeps_what_was_before_the_first() -> None:
    assert was(move("1", "2"), move("2", "3")) == "1"


def test_a_canary_of_several_moves_keeps_what_was_before_the_first() -> None:
    first = replace(move("1", "1"), alias_after=Alias("live", "1", {"2": 0.1}))
    assert was(first, move("1", "2"), move("2", "3")) == "1"


def test_a_second_pass_that_is_made_again_keeps_what_was_before_the_first() -> None:
    assert was(move("1", "2"), move("2", "3", INTENDED), move("2", "3")) == "1"


def test_a_refused_move_between_two_is_passed_over() -> None:
    assert was(move("1", "2"), move("2", "3", FAILED), move("2", "4")) == "1"


def test_a_move_from_elsewhere_shows_that_somebody_has_deployed() -> None:
    assert was(move("1", "2"), move("5", "6")) == "5"


def test_a_move_from_where_a_finished_one_began_shows_that_somebody_put_it_back() -> None:
    back = replace(move("1", "2"), alias_before=Alias("live", "1", {"0": 0.1}))
    assert before_images([move("1", "2"), back]) == {"live": Alias("live", "1", {"0": 0.1})}


@pytest.mark.parametrize(("state", "image"), [(INTENDED, "1"), (DONE, None), (FAILED, "1")])
def test_an_alias_is_forgotten_once_it_is_back(state: EntryState, image: str | None) -> None:
    assert was(move("1", "2"), move("2", "1", state, Verb.ROLLBACK)) == image


def test_a_move_after_the_way_back_begins_anew() -> None:
    assert was(move("1", "2"), move("2", "1", verb=Verb.ROLLBACK), move("1", "4")) == "1"
    assert was(move("1", "2"), move("2", "1", verb=Verb.ROLLBACK), move("2", "4")) == "2"


def test_aliases_go_their_own_ways() -> None:
    moves = [move("1", "2"), move("7", "2", name="beta"), move("2", "3")]
    assert before_images(moves) == {"live": Alias("live", "1"), "beta": Alias("beta", "7")}


@pytest.mark.parametrize("name", sorted(OWN_ALIASES))
def test_aliases_of_fleets_own_are_left_out(name: str) -> None:
    assert before_images([move("1", "2", name=name)]) == {}


def test_an_alias_that_is_new_was_nothing_before() -> None:
    assert was(replace(move("1", "2"), alias_before=None)) is None


@dataclass
class World:
    """One alias, moved by migrations, ways back and others, with crashes; and its ledger."""

    version: int = 1
    newest: int = 1
    origin: int | None = None
    """Where the first move that may have happened began, since somebody else or a way back."""
    noted: bool = False
    """Whether the ledger says so: it does not know of a foreign move yet."""
    entries: list[Entry] = field(default_factory=list)

    def migrate(self, state: EntryState, *, happens: bool) -> None:
        self.newest += 1
        if state is not FAILED and not self.noted:
            self.origin, self.noted = self.version, True
        self.entries.append(move(str(self.version), str(self.newest), state))
        if state is DONE or (state is INTENDED and happens):
            self.version = self.newest

    def go_back(self, state: EntryState) -> None:
        """What has not happened is made again before anything else, so an intent stays one."""
        if self.origin is None or not self.noted or self.version == self.origin:
            return
        self.entries.append(move(str(self.version), str(self.origin), state, Verb.ROLLBACK))
        if state is DONE:
            self.version, self.origin, self.noted = self.origin, None, False

    def foreign_deploy(self) -> None:
        self.newest += 1
        self.version, self.noted = self.newest, False


actions = st.one_of(
    st.tuples(st.just("migrate"), st.sampled_from(EntryState), st.booleans()),
    st.tuples(st.just("back"), st.sampled_from(EntryState)),
    st.tuples(st.just("deploy")),
)


@given(story=st.lists(actions, max_size=12))
def test_no_alias_is_forgotten_whatever_crashes_or_who_deploys_in_between(
    story: Sequence[tuple[str, EntryState, bool] | tuple[str, EntryState] | tuple[str]],
) -> None:
    world = World()
    for step in story:
        match step:
            case (_, state, happens):
                world.migrate(state, happens=happens)
            case (_, state):
                world.go_back(state)
            case _:
                world.foreign_deploy()
        expected = None if world.origin is None else str(world.origin)
        assert was(*world.entries) == expected


@given(
    moves=st.lists(
        st.builds(
            move,
            st.sampled_from("123"),
            st.sampled_from("123"),
            st.sampled_from(EntryState),
            st.sampled_from(Verb),
            name=st.sampled_from(["live", "beta", *sorted(OWN_ALIASES)]),
        ),
        max_size=8,
    )
)
def test_an_image_is_always_one_that_a_migration_saw(moves: list[Entry]) -> None:
    for name, image in before_images(moves).items():
        assert name == image.name
        assert name not in OWN_ALIASES
        assert image in [
            each.alias_before
            for each in moves
            if each.verb is Verb.MIGRATE and each.state is not FAILED
        ]
