"""A YAML file with the line of everything in it, so that an error can name its place.

Plain words mean what YAML 1.2's core schema says (https://yaml.org/spec/1.2.2/#103-core-schema),
as in editors that check a file against a JSON Schema: `no`, `on`, 12:30 and 2026-12-01 are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import yaml

from fleet.errors import FileProblem, SettingsProblem

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - a PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the same, slower

ADVICE = "mend the file, or name another one"
DEEPEST = 50
"""Levels of nesting; libyaml's composer overruns the stack on some ten thousand."""
MOST_REPEATED = 10_000
"""Values that aliases (*name) may repeat in all: a few lines could stand for billions."""

_TAG = "tag:yaml.org,2002:"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {word: word[0] in "tT" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)"
    r"|\.(?:nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value stands (lines from 1), and where what is in it does."""

    line: int
    size: int = 1
    """Values in it, itself among them."""
    inside: Mapping[str | int, _Spot] | None = None


_Read: TypeAlias = tuple[Any, _Spot]


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The values of a file that holds keys, and where each stands."""

    source: str
    """The file's path, or whatever else names where the text comes from."""
    text: str
    values: Mapping[str, Any]
    """Mappings are dicts, sequences tuples."""
    _spot: _Spot

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises FileProblem (not readable) or SettingsProblem (no YAML, or no keys)."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise FileProblem(str(path), error.strerror or str(error), ADVICE) from error
        except ValueError as error:
            raise FileProblem(str(path), "it is not UTF-8 text", ADVICE) from error
        return cls.of(str(path), text)

    @classmethod
    def of(cls, source: str, text: str) -> Self:
        """Read what is not in a file; `source` names it in errors. Raises SettingsProblem."""
        try:
            values, spot = _Reader(text).document()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f"line {mark.line + 1}" if mark else "line 1"
            raise SettingsProblem(source, line, error.problem or "it is not YAML") from error
        except yaml.YAMLError as error:
            # A character that YAML does not allow.
            raise SettingsProblem(source, "line 1", "it is not YAML") from error
        if not isinstance(values, dict):
            raise SettingsProblem(source, "line 1", "the file must hold keys and values")
        return cls(source, text, values, spot)

    def place(self, keys: Sequence[str | int]) -> str:
        """Line and key of the value that these keys lead to, as far as they lead."""
        return f"line {self.line(keys)}, {'.'.join(str(key) for key in keys)}"

    def line(self, keys: Sequence[str | int]) -> int:
        """Line (from 1) of the value that these keys lead to, as far as they lead."""
        spot = self._spot
        for key in keys:
            child = (spot.inside or {}).get(key)
            if child is None:
                break
            spot = child
        return spot.line


class _Reader:
    """Values out of the parser's events, one after the other: no depth costs any stack."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)
        self._anchors: dict[str, _Read | None] = {}
        self._repeated = 0

    def document(self) -> _Read:
        """The one document there is; {} where there is none."""
        event = self._next(yaml.StreamStartEvent, yaml.DocumentStartEvent)
        if isinstance(event, yaml.StreamEndEvent):
            return {}, _Spot(1)
        read = self._value(event, 0)
        event = self._next(yaml.DocumentEndEvent)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _problem(event, "a second document begins: one file is one document")
        return ({}, _Spot(1)) if read[0] is None else read

    def _next(self, *passed: type[yaml.Event]) -> yaml.Event:
        event = next(self._events)
        while isinstance(event, passed):
            event = next(self._events)
        return event

    def _value(self, event: yaml.Event, depth: int) -> _Read:
        if isinstance(event, yaml.AliasEvent):
            return self._repeat(event)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            # Not known before it ends: what holds itself has no end.
            self._anchors[anchor] = None
        if depth > DEEPEST:
            raise _problem(event, f"it is nested more than {DEEPEST} levels deep")
        read: _Read
        if isinstance(event, yaml.ScalarEvent):
            read = _scalar(event), _Spot(_line(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            read = self._sequence(event, depth)
        else:
            read = self._mapping(event, depth)
        if anchor is not None:
            self._anchors[anchor] = read
        return read

    def _repeat(self, event: yaml.AliasEvent) -> _Read:
        read = self._anchors.get(str(event.anchor))
        if read is None:
            raise _problem(event, f"*{event.anchor} stands for nothing that ended before it")
        self._repeated += read[1].size
        if self._repeated > MOST_REPEATED:
            raise _problem(event, f"aliases repeat more than {MOST_REPEATED} values")
        return read

    def _sequence(self, start: yaml.Event, depth: int) -> _Read:
        _check_tag(start, "seq")
        values: list[Any] = []
        spots: dict[str | int, _Spot] = {}
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value, spots[len(values)] = self._value(event, depth + 1)
            values.append(value)
        return tuple(values), _spot_of(start, spots)

    def _mapping(self, start: yaml.Event, depth: int) -> _Read:
        _check_tag(start, "map")
        values: dict[str, Any] = {}
        spots: dict[str | int, _Spot] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = _scalar(event) if isinstance(event, yaml.ScalarEvent) else None
            if not isinstance(key, str):
                raise _problem(event, "a key must be text")
            if key in values:
                first = spots[key].line
                raise _problem(event, f"the key {key!r} stands twice, first in line {first}")
            values[key], spot = self._value(next(self._events), depth + 1)
            # An alias repeats what stands elsewhere: errors name the line where it is used.
            spots[key] = _Spot(_line(event), spot.size, spot.inside)
        return values, _spot_of(start, spots)


def _spot_of(start: yaml.Event, inside: Mapping[Any, _Spot]) -> _Spot:
    return _Spot(_line(start), 1 + sum(spot.size for spot in inside.values()), inside)


def _line(event: Any) -> int:  # noqa: ANN401 - PyYAML's events have no common type
    return int(event.start_mark.line) + 1


def _check_tag(event: Any, kind: str) -> None:  # noqa: ANN401 - same
    if event.tag not in {None, "!", _TAG + kind}:
        raise _problem(event, f"there is no constructor for the tag {event.tag!r}")


def _scalar(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    if event.tag is not None or not event.implicit[0]:
        _check_tag(event, "str")
        return text
    if text in _NULL:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text):
        # 0o17 and 0x1f, which int() knows by their prefixes; leading zeros are decimal.
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _problem(event: Any, problem: str) -> yaml.MarkedYAMLError:  # noqa: ANN401 - same
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
