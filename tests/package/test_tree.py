from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import Entry, EntryKind
from fleet.package.archive.tree import Nothing, Tree
from tests.package.hand_made import directory, entry, link

TREE = Tree(
    [
        entry("main"),
        entry("./other"),
        entry("bin/app"),
        directory("empty/"),
        link("latest"),
        entry("twice"),
        entry("./twice"),
        entry("both"),
        entry("both/inside"),
    ]
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("main", "main"),
        ("./main", "main"),
        ("/main", "main"),
        ("other", "./other"),
        ("bin/app", "bin/app"),
        ("bin//./app", "bin/app"),
        ("latest", "latest"),
    ],
)
def test_a_path_leads_where_the_system_would_go(path: str, name: str) -> None:
    found = TREE.find(path)
    assert isinstance(found, Entry)
    assert found.name == name


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("Main", Nothing.MISSING),
        ("main/", Nothing.MISSING),
        ("bin/other", Nothing.MISSING),
        ("bi", Nothing.MISSING),
        ("bin", Nothing.DIRECTORY),
        ("bin/", Nothing.DIRECTORY),
        ("empty", Nothing.DIRECTORY),
        ("", Nothing.DIRECTORY),
        (".", Nothing.DIRECTORY),
        ("../main", Nothing.OUTSIDE),
        ("bin/../main", Nothing.OUTSIDE),
        ("twice", Nothing.SEVERAL),
        ("both", Nothing.SEVERAL),
    ],
)
def test_a_path_that_leads_to_no_one_file_says_why(path: str, why: Nothing) -> None:
    assert TREE.find(path) is why


def test_entries_of_one_name_are_counted() -> None:
    assert [TREE.times(path) for path in ("twice", "main", "gone")] == [2, 1, 0]


names = st.text(st.sampled_from("ab./"), max_size=6)


@given(
    st.lists(st.tuples(names, st.sampled_from(EntryKind)), max_size=6),
    names,
    names,
)
def test_what_is_left_out_decides_nothing(
    named: list[tuple[str, EntryKind]], path: str, other: str
) -> None:
    entries = [entry(name, kind=kind) for name, kind in named]
    whole, around = Tree(entries), Tree.around(entries, path, other)
    for each in (path, other):
        assert around.find(each) is whole.find(each)


def test_a_name_of_many_directories_takes_no_more_than_its_length() -> None:
    deep = entry("a/" * 32_000 + "main")
    tracemalloc.start()
    try:
        assert Tree([deep]).find("main") is Nothing.MISSING
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
