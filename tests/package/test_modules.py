from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import Module
from fleet.package.binary.elf import Malformed
from fleet.package.binary.modules import MOST_MODULES, MOST_SETTINGS, parse_modules

WORDS = st.text(st.characters(exclude_characters="\t\n", codec="utf-8"), min_size=1)
MODULES = st.builds(
    Module,
    WORDS,
    WORDS,
    WORDS,
    st.none() | st.builds(Module, WORDS, WORDS, WORDS),
)
KEYS = st.text(st.characters(exclude_characters='= \t\r\n"`', codec="utf-8"), min_size=1)


def line(kind: str, module: Module) -> str:
    """As Go writes it: a module that is replaced has no checksum of its own."""
    if module.replacement is None:
        return f"{kind}\t{module.path}\t{module.version}\t{module.sum}\n"
    return f"{kind}\t{module.path}\t{module.version}\n{line('=>', module.replacement)}"


@given(st.lists(MODULES, max_size=5), st.none() | MODULES)
def test_modules_come_back_as_go_wrote_them(
    dependencies: list[Module], main: Module | None
) -> None:
    text = (line("mod", main) if main else "") + "".join(line("dep", each) for each in dependencies)
    found = parse_modules("go1.20.14", f"path\tx\n{text}")

    def read(each: Module) -> Module:
        return each if each.replacement is None else Module(*_named(each), "", each.replacement)

    assert found.path == "x"
    assert found.main == (read(main) if main else None)
    assert found.dependencies == tuple(map(read, dependencies))
    assert found.has_modules == bool(dependencies or main)


def _named(module: Module) -> tuple[str, str]:
    return module.path, module.version


@given(st.dictionaries(KEYS, st.text(st.characters(codec="ascii"))))
def test_settings_come_back_whatever_is_in_them(settings: dict[str, str]) -> None:
    """JSON's quotes are Go's for the characters of ASCII."""
    text = "".join(f"build\t{key}={json.dumps(value)}\n" for key, value in settings.items())
    assert parse_modules("go1.20.14", text).settings == settings


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("-tags=lambda.norpc,netgo", ("-tags", "lambda.norpc,netgo")),
        ("-ldflags=", ("-ldflags", "")),
        ('-ldflags="-s -w -X \\"main.a=b c\\""', ("-ldflags", '-s -w -X "main.a=(hidden)"')),
        ('-gcflags="-N \\"b c\\""', ("-gcflags", '-N "b c"')),
        ("-ldflags=`-X main.a=\\n`", ("-ldflags", "-X main.a=(hidden)")),
        ("-asmflags=`-D a=\\n`", ("-asmflags", "-D a=\\n")),
        ('"a key"=b', ("a key", "b")),
        ('k="\\u00e9\\x41\\101\\U0001F600\\a\\v"', ("k", "éAA😀\a\v")),
        ("k=a=b", ("k", "a=b")),
    ],
)
def test_settings_are_unquoted_as_go_quotes_them(written: str, expected: tuple[str, str]) -> None:
    assert tuple(parse_modules("go1.20.14", f"build\t{written}\n").settings.items()) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "dep\tone\n",
        "dep\ta\tb\tc\td\n",
        "=>\ta\tb\tc\n",
        "mod\ta\tb\n=>\tc\td\te\n=>\tf\tg\th\n",
        "build\t\n",
        "build\t=x\n",
        "build\tno value\n",
        "build\ta b=c\n",
        'build\t"a"b\n',
        'build\ta="b\n',
        'build\ta="b"c\n',
        'build\ta="\\q"\n',
        'build\ta="\\ud800"\n',
        'build\ta="\\UFFFFFFFF"\n',
    ],
)
def test_lines_that_go_refuses_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_modules("go1.20.14", text)


def test_other_lines_and_one_without_an_end_are_left_alone() -> None:
    found = parse_modules("go1.30", "path\tx\nnovel\ty\n\ndep\ta\tv1\t\nbuild\tGOARCH=am")
    assert found.dependencies == (Module("a", "v1"),)
    assert found.settings == {}


def test_a_replacement_stands_for_the_module_before_it() -> None:
    found = parse_modules("go1.20", "dep\ta\tv1\n=>\t./fork\t(devel)\t\ndep\tb\tv2\th1:b=\n")
    assert found.dependencies == (
        Module("a", "v1", replacement=Module("./fork", "(devel)")),
        Module("b", "v2", "h1:b="),
    )


def test_more_modules_or_settings_than_any_program_has_are_refused() -> None:
    parse_modules("go1.20", "dep\ta\tb\n" * MOST_MODULES)
    with pytest.raises(Malformed, match="more than"):
        parse_modules("go1.20", "dep\ta\tb\n" * (MOST_MODULES + 1))
    with pytest.raises(Malformed, match="more than"):
        parse_modules("go1.20", "".join(f"build\t{i}=\n" for i in range(MOST_SETTINGS + 1)))


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for kind in ("", "path\t", "mod\ta\tb\n=>\t", "build\t", 'build\ta="'):
        try:
            parse_modules("go1.20", f"{kind}{text}\n")
        except Malformed:
            continue
