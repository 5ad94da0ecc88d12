from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.linker_flags import HIDDEN, arguments, without_values
from fleet.package.binary.facts import read_binary
from moto_fixtures.build import build
from tests.package.builds import AS_GO_DOES, orders
from tests.package.elf_files import Bytes

VALUE = "tok3n"
# Quotes are told apart by where they stand, so the value itself may hold anything but its own.
_values = st.text(st.characters(codec="utf-8", exclude_characters="'\""), max_size=12)
_names = st.from_regex(r"[a-z][a-z0-9./_-]{0,8}\.[a-zA-Z]{1,5}", fullmatch=True)
_others = st.sampled_from(
    ["-s", "-w", "-extldflags '-static -lz'", '"-buildid="', "-compressdwarf"]
)


@st.composite
def settings(draw: st.DrawFn) -> tuple[str, str]:
    """Give flags as Go takes them, and the same without values."""
    written, shown = [], []
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            written.append(draw(_others))
            shown.append(written[-1])
            continue
        flag, name, value = draw(st.sampled_from(["-X", "--X"])), draw(_names), draw(_values)
        form = draw(
            st.sampled_from(
                [
                    "{0} '{1}={2}'",
                    '{0} "{1}={2}"',
                    "'{0}={1}={2}'",
                    '"{0}={1}={2}"',
                    "'{0}' '{1}={2}'",
                ]
                if value.split() != [value]
                else ["{0} {1}={2}", "{0}={1}={2}", "{0}\t'{1}={2}'", '"{0}={1}={2}"']
            )
        )
        written.append(form.format(flag, name, value))
        shown.append(form.format(flag, name, HIDDEN))
    pattern = draw(st.sampled_from(["", "all=", "./cmd/...="]))
    between = draw(st.sampled_from([" ", "  ", "\n"]))
    quoted = any(each[:1] in {"'", '"'} for each in written[:1])
    start = "" if quoted and not pattern else pattern
    return start + between.join(written), start + between.join(shown)


@given(settings())
def test_every_value_is_hidden_and_nothing_else(flags: tuple[str, str]) -> None:
    written, shown = flags
    assert without_values(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", ""),
        ("-s -w", "-s -w"),
        (f"-s -X main.token={VALUE} -w", "-s -X main.token=(hidden) -w"),
        (f"-X=main.token={VALUE}=a=", "-X=main.token=(hidden)"),
        (f"all=-X main.token={VALUE}", "all=-X main.token=(hidden)"),
        (f" all=-X main.token={VALUE}", " all=-X main.token=(hidden)"),
        (f"-X main.a=-X -X main.b={VALUE}", "-X main.a=(hidden) -X main.b=(hidden)"),
        # What no Go would build, and somebody may have written all the same.
        (f"-X 'main.token={VALUE} {VALUE}", "-X 'main.token=(hidden)'"),
        (f"-X main.token='a {VALUE}' -w", "-X main.token=(hidden) -w"),
        (f"-X main.token=a\\ {VALUE} '-w'", "-X main.token=(hidden) '-w'"),
        (f"-X {VALUE}", "-X (hidden)"),
        ("-X", "-X"),
    ],
)
def test_values_are_hidden_however_they_are_written(written: str, shown: str) -> None:
    assert without_values(written) == shown


def test_facts_of_a_real_build_hold_the_names_and_never_the_values() -> None:
    linked = {"main.build": "2023-11-07"}
    program = build(orders("1.41.0", linked=linked, **AS_GO_DOES)).read_bytes()
    assert linked["main.build"].encode() in program
    facts = read_binary(Bytes(program), "main")
    assert facts.build is not None
    assert "-X main.build=(hidden)" in facts.build.settings["-ldflags"].replace("'", "")
    assert linked["main.build"] not in repr(facts)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ()),
        ("-s -w", ("-s", "-w")),
        ("all=-s\t-w", ("-s", "-w")),
        (" all=-X main.token=a=b", ("-X", "main.token=a=b")),
        ("-X 'main.a=b c' \"-w\"", ("-X", "main.a=b c", "-w")),
        ("-X main.a='b c'", ("-X", "main.a='b", "c'")),
        ("''", ("",)),
        ("'a'b", ("a", "b")),
        ("-X 'main.a=b", None),
        ("'", None),
    ],
)
def test_arguments_are_parted_as_go_does(written: str, expected: tuple[str, ...] | None) -> None:
    assert arguments(written) == expected
