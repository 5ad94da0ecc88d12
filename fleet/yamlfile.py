"""A YAML file with the line of everything in it, so that an error can name its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from fleet.errors import FileProblem, SettingsProblem

ADVICE = "mend the file, or name another one"


class _Loader(yaml.SafeLoader):
    """Safe; refuses a key that stands twice, and gives sequences as tuples."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys: set[object] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name!r} must be text", key.start_mark
            )
        if name in keys:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name!r} stands twice", key.start_mark
            )
        keys.add(name)
    return loader.construct_mapping(node, deep=True)


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The values of a file that holds keys, and where each stands."""

    path: Path
    values: Mapping[str, Any]
    root: yaml.Node | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises FileProblem (not readable) or SettingsProblem (no YAML, or no keys)."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise FileProblem(str(path), error.strerror or str(error), ADVICE) from error
        except ValueError as error:
            raise FileProblem(str(path), "it is not UTF-8 text", ADVICE) from error
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            values = loader.construct_document(root) if root is not None else {}
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f"line {mark.line + 1}" if mark else "line 1"
            raise SettingsProblem(str(path), line, error.problem or "it is not YAML") from error
        except (yaml.YAMLError, AttributeError, RecursionError, ValueError) as error:
            # The parser's own slips on hostile files: wrong tags, a nesting without end.
            raise SettingsProblem(str(path), "line 1", "it is not YAML") from error
        if not isinstance(values, dict):
            raise SettingsProblem(str(path), "line 1", "the file must hold keys and values")
        return cls(path, values, root)

    def place(self, keys: Sequence[str | int]) -> str:
        """Line and key of the value that these keys lead to, as far as they lead."""
        node, line = self.root, 1
        for key in keys:
            child = _child(node, key)
            if child is None:
                break
            node, line = child
        return f"line {line}, {'.'.join(str(key) for key in keys)}"


def _child(node: yaml.Node | None, key: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key].start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value, name.start_mark.line + 1
    return None
