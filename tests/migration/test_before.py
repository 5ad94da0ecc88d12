from __future__ import annotations

from collections.abc import Callable, Sequence
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


def test_an_alias_that_went_back_from_the_architecture_alone_is_not_forgotten() -> None:
    there = move("1", "2"), move("2", "3")
    for state in (INTENDED, DONE):
        back = move("3", "2", state, Verb.ROLLBACK)
        assert was(*there, back) == "1"
        assert was(*there, back, move("2", "4")) == "1"
        assert was(*there, back, move("2", "1", verb=Verb.ROLLBACK)) is None


def test_of_one_way_counts_what_was_before_it_and_not_before_all() -> None:
    there = [move("1", "2"), move("2", "3")]
    assert before_images(there, kept="2") == {"live": Alias("live", "2")}
    back = move("3", "2", verb=Verb.ROLLBACK)
    assert before_images([*there, back], kept="2") == {}
    assert before_images(there[:1], kept="2") == {}


def test_a_way_back_of_what_never_moved_leaves_nothing() -> None:
    assert was(move("2", "1", verb=Verb.ROLLBACK)) is None


def test_aliases_go_their_own_ways() -> None:
    moves = [move("1", "2"), move("7", "2", name="beta"), move("2", "3")]
    assert before_images(moves) == {"live": Alias("live", "1"), "beta": Alias("beta", "7")}


@pytest.mark.parametrize("name", sorted(OWN_ALIASES))
def test_aliases_of_fleets_own_are_left_out(name: str) -> None:
    assert before_images([move("1", "2", name=name)]) == {}


def test_only_migrations_and_ways_back_move_aliases() -> None:
    assert was(move("1", "2", verb=Verb.CLEANUP)) is None
    assert was(move("1", "2"), move("2", "1", verb=Verb.CLEANUP)) == "1"


def test_an_alias_that_is_new_was_nothing_before() -> None:
    assert was(replace(move("1", "2"), alias_before=None)) is None


@dataclass
class World:
    """One alias, moved by migrations, ways back and others, with crashes; and its ledger."""

    version: int = 1
    newest: int = 1
    stations: list[int] = field(default_factory=list)
    """Where it began, since somebody else has put it there, and where moves may have led."""
    noted: bool = False
    """Whether the ledger says so: it does not know of a foreign deploy until the next move."""
    entries: list[Entry] = field(default_factory=list)

    def migrate(self, state: EntryState, *, happens: bool) -> None:
        self.newest += 1
        if state is not FAILED and not self.noted:
            self.stations, self.noted = [self.version], True
        self.move(self.newest, state, Verb.MIGRATE, happens=happens)

    def go_back(self, state: EntryState, *, happens: bool, far: bool) -> None:
        """All the way, or to the last version that it passed."""
        if not self.noted or self.version == self.stations[0]:
            return
        passed = [each for each in self.stations if each < self.version]
        target = passed[0 if far else -1]
        self.move(target, state, Verb.ROLLBACK, happens=happens)
        if state is DONE and target == self.stations[0]:
            self.stations, self.noted = [], False

    def foreign_deploy(self) -> None:
        self.newest += 1
        self.version, self.noted = self.newest, False

    def move(self, target: int, state: EntryState, verb: Verb, *, happens: bool) -> None:
        self.entries.append(move(str(self.version), str(target), state, verb))
        if state is DONE or (state is INTENDED and happens):
            self.version = target
            if verb is Verb.MIGRATE:
                self.stations.append(target)


states = st.sampled_from(EntryState)
actions = st.one_of(
    st.builds(
        lambda state, happens: lambda world: world.migrate(state, happens=happens),
        states,
        st.booleans(),
    ),
    st.builds(
        lambda state, happens, far: lambda world: world.go_back(state, happens=happens, far=far),
        states,
        st.booleans(),
        st.booleans(),
    ),
    st.just(World.foreign_deploy),
)


@given(story=st.lists(actions, max_size=12))
def test_no_alias_is_forgotten_whatever_crashes_or_who_deploys_in_between(
    story: Sequence[Callable[[World], None]],
) -> None:
    world = World()
    for act in story:
        act(world)
        assert was(*world.entries) == (str(world.stations[0]) if world.stations else None)


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
