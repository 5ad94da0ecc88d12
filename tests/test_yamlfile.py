from __future__ import annotations

import math

import pytest

from fleet.errors import SettingsProblem
from fleet.yamlfile import DEEPEST, MOST_REPEATED, YamlFile


def read(text: str) -> YamlFile:
    return YamlFile.of("a.yaml", text)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("2026-12-01", "2026-12-01"),
        ("2026-12-01 09:00", "2026-12-01 09:00"),
        ("2026-12-01T09:00:00+01:00", "2026-12-01T09:00:00+01:00"),
        ("1_000", "1_000"),
        ("=", "="),
        ("<<", "<<"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("017", 17),
        ("0o17", 15),
        ("-0x1f", "-0x1f"),
        ("0x1f", 31),
        ("+5", 5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("'5'", "5"),
        ("!!str 5", "5"),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(word: str, value: object) -> None:
    found = read(f"key: {word}\n").values["key"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_file_holds_no_keys(text: str) -> None:
    assert read(text).values == {}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice, first in line 1"),
        ("a:\n- {b: 1, c: 2, b: 3}\n", 2, "stands twice"),
        ("a: &x [*x]\n", 1, "*x stands for nothing"),
        ("a: &x {b: [1, *x]}\n", 1, "*x stands for nothing"),
        ("a: *x\n", 1, "undefined alias|stands for nothing"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: " + "[" * 100_000, 1, "levels deep"),
        ("- " * 100_000, 1, "levels deep"),
        ("a:\n  !thing 5\n", 2, "constructor for the tag '!thing'"),
        ("a: !!python/name:os.system x\n", 1, "constructor"),
        ("? [a]\n: b\n", 1, "a key must be text"),
        ("1: b\n", 1, "a key must be text"),
        ("a: [1,\n  2\nb: 3\n", 3, ""),
    ],
)
def test_what_cannot_be_told_one_way_is_refused_with_its_line(
    text: str, line: int, problem: str
) -> None:
    with pytest.raises(SettingsProblem) as caught:
        read(text)
    assert caught.value.place == f"line {line}"
    assert any(each in caught.value.problem for each in problem.split("|"))


def test_a_few_lines_of_aliases_cannot_stand_for_millions_of_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(SettingsProblem, match=f"repeat more than {MOST_REPEATED} values"):
        read("\n".join(lines))


def test_an_alias_repeats_a_value_and_errors_name_the_line_where_it_is_used() -> None:
    file = read("one: &nights\n  hours: x\ntwo: *nights\n")
    assert file.values["two"] == {"hours": "x"}
    assert file.place(("two",)) == "line 3, two"


def test_the_line_of_every_value_is_known_however_it_is_written() -> None:
    file = read("waves:\n- name: a\n  functions:\n  - {f: 1, g: 2}\n  - {f: 3,\n     g: 4}\n")
    assert file.line(("waves", 0, "name")) == 2
    assert file.line(("waves", 0, "functions", 1)) == 5
    assert file.line(("waves", 0, "functions", 1, "g")) == 6
    assert file.line(("waves", 0, "functions", 1, "nothing")) == 5
    assert file.line(("waves", 7)) == 1


def test_nesting_as_deep_as_allowed_is_read() -> None:
    text = "a: " + "[" * DEEPEST + "]" * DEEPEST
    assert read(text).values["a"] is not None
