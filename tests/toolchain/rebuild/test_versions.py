from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.toolchain.rebuild.versions import GoVersion, nearest, parse, read_recorded

NAMES = st.builds(
    "go1.{}{}".format,
    st.integers(13, 30),
    st.one_of(
        st.just(""),
        st.builds(".{}".format, st.integers(0, 20)),
        st.builds("{}{}".format, st.sampled_from(["rc", "beta"]), st.integers(1, 3)),
    ),
)


def version(name: str) -> GoVersion:
    found = parse(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("go1.22.5", "go1.22.5"),
        ("go1.20", "go1.20"),
        ("go1.21rc2", "go1.21rc2"),
        ("go1.22.5 X:rangefunc", "go1.22.5"),
        ("go1.22.5-vendor", ""),
        ("go1.18.3b7", ""),
        ("devel go1.22-4f3c5d2a1b Mon Jan 1 00:00:00 2024 +0000", ""),
    ],
)
def test_a_recorded_go_names_a_release_only_where_gos_own_is_meant(text: str, name: str) -> None:
    found = read_recorded(text)
    assert found is not None
    assert found.name == name
    assert found.version.minor in {18, 20, 21, 22}


@pytest.mark.parametrize(
    "text", ["", "devel +4f3c5d2a1b", "go1", "go1.22.5.7", "go1.22.99999", "1.22.5", "-go1.22.5"]
)
def test_what_names_no_version_is_none(text: str) -> None:
    assert read_recorded(text) is None


@pytest.mark.parametrize(
    "text", ["go1.22.5 ", "go1.22.5\n", "go1.22.5+path", "local", "go1.\uff12"]
)
def test_only_the_name_of_a_release_is_one(text: str) -> None:
    assert parse(text) is None


def test_releases_are_ordered_as_they_came_out() -> None:
    names = ["go1.20.14", "go1.21beta1", "go1.21rc1", "go1.21rc10", "go1.21.0", "go1.21.13"]
    assert sorted(names, key=version) == names
    assert version("go1.20") == version("go1.20.0")


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (["go1.22.4", "go1.22.5", "go1.22.6"], "go1.22.5"),
        (["go1.22.4", "go1.22.7", "go1.22.6"], "go1.22.6"),
        (["go1.22.1", "go1.22.4", "go1.23.1"], "go1.22.4"),
        (["go1.22rc1", "go1.23.0", "go1.23.9", "go1.24.1"], "go1.23.9"),
        (["go1.21.13", "go1.26.8"], "go1.26.8"),
        (["go1.19.13", "go1.21.2", "go1.21.13"], "go1.21.13"),
        (["go1.22rc1", "go1.22rc2"], "go1.22rc2"),
        (["nonsense", ""], None),
        ([], None),
    ],
)
def test_the_nearest_to_1_22_5_stands_in(available: list[str], chosen: str | None) -> None:
    assert nearest(version("go1.22.5"), available) == chosen


@given(NAMES, st.lists(NAMES, min_size=1))
def test_the_very_version_is_taken_wherever_it_is(wanted: str, others: list[str]) -> None:
    chosen = nearest(version(wanted), [*others, wanted])
    assert chosen is not None
    assert version(chosen) == version(wanted)


@given(NAMES, st.lists(NAMES, min_size=1))
def test_a_release_of_the_same_line_goes_before_all_others(wanted: str, others: list[str]) -> None:
    chosen = nearest(version(wanted), others)
    assert chosen in others
    same = [
        each
        for each in others
        if version(each).line == version(wanted).line and not {"r", "b"} & set(each)
    ]
    if same:
        assert version(chosen).line == version(wanted).line


@given(NAMES, st.lists(NAMES, min_size=1))
def test_the_order_of_what_is_available_does_not_count(wanted: str, others: list[str]) -> None:
    assert nearest(version(wanted), others) == nearest(version(wanted), sorted(others))
