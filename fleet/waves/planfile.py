"""A plan read from its file, with every mistake named by its line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ValidationError

from fleet.errors import SettingsProblem
from fleet.waves.plan import FORMAT, Plan
from fleet.waves.soundness import flaws
from fleet.yamlfile import YamlFile

_Model = TypeVar("_Model", bound=BaseModel)

_WORDS: Mapping[str, str] = {
    "extra_forbidden": "there is no such key",
    "missing": "this key is required",
    "string_type": "must be text: put it in quotes",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must hold keys and values",
}
"""Better words than the validator's, by kind of error."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan, and the very file it was read of."""

    plan: Plan
    file: YamlFile

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises FileProblem (not readable) or SettingsProblem (file, line, key, what is wrong)."""
        return cls._of(YamlFile.read(path))

    @classmethod
    def of(cls, source: str, text: str) -> Self:
        """Read a plan that is in no file; `source` names it in errors. Raises SettingsProblem."""
        return cls._of(YamlFile.of(source, text))

    @classmethod
    def _of(cls, file: YamlFile) -> Self:
        _check_format(file)
        plan = validated(Plan, file)
        flaw = next(flaws(plan), None)
        if flaw is not None:
            problem = flaw.problem
            if flaw.other:
                problem = problem.replace("{line}", str(file.line(flaw.other)))
            raise SettingsProblem(file.source, file.place(flaw.keys), problem)
        return cls(plan, file)

    @property
    def source(self) -> str:
        """The file's path, or whatever else names where the text comes from."""
        return self.file.source

    @property
    def text(self) -> str:
        """The file, whole."""
        return self.file.text

    @property
    def digest(self) -> str:
        """SHA-256 of the text in UTF-8, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def place(self, keys: Sequence[str | int]) -> str:
        """Line and key of what these keys lead to."""
        return self.file.place(keys)


def validated(model: type[_Model], file: YamlFile) -> _Model:
    """The file's values as a model; raises SettingsProblem with the place of the first mistake."""
    for keys in _without_value(file.values, ()):
        # `canary:` alone reads as a canary to people, and as none to YAML.
        problem = "has no value: `{}` stands for the defaults, or leave it out"
        raise SettingsProblem(file.source, file.place(keys), problem)
    try:
        return model.model_validate(file.values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # A key spelt wrong is missing as well: where it is spelt is what has to be mended.
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        problem = _WORDS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        raise SettingsProblem(file.source, file.place(first["loc"]), problem) from error


def _without_value(value: object, keys: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """The places of keys with nothing after them."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _without_value(each, (*keys, key))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _without_value(each, (*keys, index))
    elif value is None:
        yield keys


def _check_format(file: YamlFile) -> None:
    # First of all: of a newer format every other key may mean something else.
    found: Any = file.values.get("format")
    if found is None:
        problem = f"a plan begins with `format: {FORMAT}`"
        raise SettingsProblem(file.source, file.place(()).rstrip(", "), problem)
    if type(found) is int and found > FORMAT:
        problem = f"is the format of a newer fleet; this one reads {FORMAT}: update fleet"
        raise SettingsProblem(file.source, file.place(("format",)), problem)
    if type(found) is not int or found != FORMAT:
        problem = f"must be {FORMAT}"
        raise SettingsProblem(file.source, file.place(("format",)), problem)
