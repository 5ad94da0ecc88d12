"""Reads the organization from the files in organization/, or says what is wrong in which."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import orjson
import yaml
from pydantic import BaseModel, ValidationError

from fleet.errors import FileProblem
from moto_fixtures.definition import Account, Organization

Described = TypeVar("Described", bound=BaseModel)

ORGANIZATION = Path(__file__).parent / "organization"
_ADVICE = "correct the file; moto_fixtures/definition.py says what may stand there"


def load_organization(directory: Path = ORGANIZATION) -> Organization:
    """Give the organization that organization.yaml, packages.yaml and accounts/*.yaml describe.

    Accounts come in the order of their files' names. Raises FileProblem naming the first file
    that is missing, no YAML, or does not describe what it should.
    """
    accounts = [
        _validated(Account, path, _read(path))
        for path in sorted((directory / "accounts").glob("*.yaml"))
    ]
    whole = directory / "organization.yaml"
    described = _read(whole) | _read(directory / "packages.yaml")
    described["accounts"] = [account.model_dump() for account in accounts]
    return _validated(Organization, whole, described)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise FileProblem(str(path), problem.strerror or "unreadable", "put it back") from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        summary = " ".join(str(problem).split())
        raise FileProblem(str(path), f"is no YAML ({summary})", _ADVICE) from problem
    if not isinstance(content, dict):
        raise FileProblem(str(path), "holds no mapping at its top", _ADVICE)
    return content


def _validated(kind: type[Described], path: Path, content: dict[str, Any]) -> Described:
    # By way of JSON, because pydantic's strict mode takes lists for tuples only there.
    try:
        text = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)
        return kind.model_validate_json(text)
    except orjson.JSONEncodeError as problem:
        raise FileProblem(str(path), f"holds what JSON cannot ({problem})", _ADVICE) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the whole"
        more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        raise FileProblem(str(path), f"{place}: {first['msg']}{more}", _ADVICE) from problem
