"""A plan as the text of its file: for people, for small diffs, the same for the same plan. Pure.

One line a function, ASCII only: a name or reason from outside can neither break out of its line
nor turn the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from fleet.waves.plan import Manner, Member, Plan, Staying, Wave

try:
    from yaml import CSafeDumper as _Base
except ImportError:  # pragma: no cover - a PyYAML built without libyaml
    from yaml import SafeDumper as _Base  # type: ignore[assignment]  # the same, slower

SCHEMA_FILE = "waves.schema.json"
_HEADER = """\
# yaml-language-server: $schema={schema}
#
# The plan of a move off go1.x in waves: read it, edit it, review it, then
#   fleet plan check FILE    is everything still as it was planned?
#   fleet plan show FILE     when does what happen?
#   fleet waves run FILE     moves what is due
# `fleet plan schema > {schema}` lets editors check it as you type; docs/plan.md explains the keys.
"""
_FREE_TEXT = frozenset({"function", "fingerprint", "reason", "why", "scan", "organization"})
"""Keys whose values are quoted whatever they are: lines then differ in what they say alone."""
_AT_HEAD = ("window", "budget", "bucket")
_TAG = "tag:yaml.org,2002:"
_WIDE = 1 << 30


class _Dumper(_Base):
    """Quotes what YAML 1.1 or 1.2 would take for anything but text."""


# Numbers without a dot and with an exponent, and octal ones: 1.2 knows them, PyYAML's 1.1 does not.
_Dumper.add_implicit_resolver(
    f"{_TAG}float", re.compile(r"^[-+]?[0-9.]+[eE][-+]?[0-9]+$|^0o[0-7]+$"), list("-+.0123456789")
)


def plan_text(plan: Plan, remarks: Iterable[str] = ()) -> str:
    """The whole file; `remarks` go into the comment at its head, a line each."""
    head = _HEADER.format(schema=SCHEMA_FILE)
    said = "".join(f"# {_ascii(line)}\n" for line in remarks)
    top = {
        "format": plan.format,
        "name": plan.name,
        "organization": plan.organization,
        "scan": plan.scan,
        "target": plan.target,
        **_set(plan, [name for name in _AT_HEAD if not _is_empty(getattr(plan, name))]),
    }
    return "".join(
        (
            head,
            f"#\n{said}" if said else "",
            _block(top),
            "waves:\n",
            *(_wave(wave) for wave in plan.waves),
            _staying(plan.staying),
        )
    )


def _is_empty(value: object) -> bool:
    # Not by equality: a window that names UTC says more than one that names no zone.
    return isinstance(value, BaseModel) and not value.model_fields_set


def _wave(wave: Wave) -> str:
    keys = {
        "name": wave.name,
        "start": wave.start.isoformat(sep=" ", timespec="minutes")
        if wave.start.tzinfo is None and not wave.start.second
        else wave.start.isoformat(),
        **_set(wave, Manner.model_fields),
    }
    return (
        f"- {_block(keys).replace(chr(10), chr(10) + '  ').rstrip(' ')}"
        f"  functions:\n{_lines(wave.functions, '  ')}"
    )


def _staying(staying: Iterable[Staying]) -> str:
    lines = _lines(staying, "")
    return f"staying:\n{lines}" if lines else "staying: []\n"


def _lines(entries: Iterable[Member | Staying], indent: str) -> str:
    # Many documents' worth of entries in one go: starting the emitter costs more than one line.
    items = [_node(dict(entry), flow=True) for entry in entries]
    if not items:
        return ""
    text = _emitted(yaml.SequenceNode(f"{_TAG}seq", items, flow_style=False))
    return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))


def _block(keys: Mapping[str, Any]) -> str:
    return _emitted(_node(keys, flow=False))


def _set(model: BaseModel, names: Iterable[str]) -> dict[str, Any]:
    """What was said of these keys, in their order; what was left to its default stays out."""
    said = {name: getattr(model, name) for name in names if name in model.model_fields_set}
    return {name: _plain(value) for name, value in said.items() if value is not None}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a plan
    if isinstance(value, BaseModel):
        return _set(value, type(value).model_fields)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _node(value: Any, *, flow: bool, key: str = "") -> yaml.Node:  # noqa: ANN401 - same
    if isinstance(value, Mapping):
        pairs = [
            (yaml.ScalarNode(f"{_TAG}str", name), _node(each, flow=True, key=name))
            for name, each in value.items()
        ]
        return yaml.MappingNode(f"{_TAG}map", pairs, flow_style=flow)
    if isinstance(value, list):
        items = [_node(each, flow=True) for each in value]
        return yaml.SequenceNode(f"{_TAG}seq", items, flow_style=True)
    if isinstance(value, bool):
        return yaml.ScalarNode(f"{_TAG}bool", str(value).lower())
    if isinstance(value, int):
        return yaml.ScalarNode(f"{_TAG}int", str(value))
    if isinstance(value, float):
        return _number(value)
    return _text(str(value), quoted=key in _FREE_TEXT)


def _number(value: float) -> yaml.ScalarNode:
    if value.is_integer():
        return yaml.ScalarNode(f"{_TAG}int", str(int(value)))
    return yaml.ScalarNode(f"{_TAG}float", repr(value))


def _text(value: str, *, quoted: bool) -> yaml.ScalarNode:
    quoted = quoted or not (value.isascii() and value.isprintable())
    return yaml.ScalarNode(f"{_TAG}str", value, style='"' if quoted else None)


def _emitted(node: yaml.Node) -> str:
    return str(yaml.serialize(node, Dumper=_Dumper, width=_WIDE, allow_unicode=False))


def _ascii(line: str) -> str:
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in line)
