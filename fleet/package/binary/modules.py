"""The text in which Go lists the modules and settings of a build.

One line each, columns parted by tabs: path, mod, dep, `=>` for a replacement, build; as
https://pkg.go.dev/runtime/debug#ParseBuildInfo reads it. Lines of other kinds are left alone.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fleet.inspection import BuildInfo, Module
from fleet.linker_flags import without_values
from fleet.package.binary.elf import Malformed

MOST_MODULES = 5_000
"""Large programs have some hundreds."""
MOST_SETTINGS = 1_000

_LINKER_FLAGS = "-ldflags"
_QUOTED = re.compile(r'`[^`]*`|"(?:[^"\\]|\\.)*"')
_NEEDS_QUOTES = re.compile(r'[= \t\r\n"`]')
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_PLAIN = dict(zip("abfnrtv\\\"'", "\a\b\f\n\r\t\v\\\"'", strict=True))


def parse_modules(go_version: str, text: str) -> BuildInfo:
    """Read the text, '' where a build had none; raises Malformed where Go's reader would too."""
    path = ""
    main: list[Module] = []
    dependencies: list[Module] = []
    settings: dict[str, str] = {}
    replaceable: list[Module] | None = None
    for line in _lines(text):
        kind, _, rest = line.partition("\t")
        if kind == "path":
            path = rest
        elif kind in {"mod", "dep"}:
            replaceable = main if kind == "mod" else dependencies
            replaceable.append(_module(rest))
        elif kind == "=>":
            if not replaceable:
                raise Malformed("a replacement without a module before it")
            replaceable[-1] = replace(replaceable[-1], replacement=_module(rest))
            replaceable = None
        elif kind == "build":
            key, value = _setting(rest)
            settings[key] = without_values(value) if key == _LINKER_FLAGS else value
        if len(main) + len(dependencies) > MOST_MODULES or len(settings) > MOST_SETTINGS:
            raise Malformed(f"more than {MOST_MODULES} modules or {MOST_SETTINGS} settings")
    return BuildInfo(
        go_version=go_version,
        path=path,
        main=main[-1] if main else None,
        dependencies=tuple(dependencies),
        settings=settings,
        # With GO111MODULE=off, Go from 1.18 on still writes the path and the settings.
        has_modules=bool(main or dependencies),
    )


def linker_flags(text: str) -> str | None:
    """Give -ldflags as the text has them, values of -X and all, which may be secrets.

    None where it has none; raises Malformed as parse_modules does.
    """
    rows = (line.partition("\t") for line in _lines(text))
    settings = dict(_setting(rest) for kind, _, rest in rows if kind == "build")
    return settings.get(_LINKER_FLAGS)


def _lines(text: str) -> list[str]:
    # Not splitlines: it would part lines at characters that Go leaves in them.
    *whole, _ = text.split("\n")
    return whole


def _module(columns: str) -> Module:
    match columns.split("\t"):
        case [path, version] | [path, version, ""]:
            return Module(path, version)
        case [path, version, checksum]:
            return Module(path, version, checksum)
    raise Malformed("a module that has neither two nor three columns")


def _setting(text: str) -> tuple[str, str]:
    if found := _QUOTED.match(text):
        key, rest = _unquoted(found[0]), text[found.end() :]
        if not rest.startswith("="):
            raise Malformed("a build setting without a value")
        return key, _value(rest[1:])
    key, equals, value = text.partition("=")
    if not (key and equals) or _NEEDS_QUOTES.search(key):
        raise Malformed("a build setting without a name or without a value")
    return key, _value(value)


def _value(text: str) -> str:
    if text[:1] not in {"`", '"'}:
        return text
    if not _QUOTED.fullmatch(text):
        raise Malformed("a build setting whose quotes do not close")
    return _unquoted(text)


def _unquoted(text: str) -> str:
    inside = text[1:-1]
    return inside if text[0] == "`" else _ESCAPE.sub(_escaped, inside)


def _escaped(found: re.Match[str]) -> str:
    byte, octal, short, long, plain = found.groups()
    if plain is not None:
        if plain not in _PLAIN:
            raise Malformed("a build setting with an escape that Go does not write")
        return _PLAIN[plain]
    number = int(octal, 8) if octal else int(byte or short or long, 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:  # noqa: PLR2004  # what is no character
        raise Malformed("a build setting with an escape that is no character")
    return chr(number)
