"""The JSON Schemas of plans and of their rules, made of the classes that read them. Pure."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from fleet.waves.plan import Plan
from fleet.waves.rules import Rules

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def plan_schema() -> dict[str, Any]:
    """Of a plan, as waves.yaml."""
    return _schema(Plan, "A plan: waves of functions that leave go1.x")


def rules_schema() -> dict[str, Any]:
    """Of the rules that `fleet plan --rules` reads."""
    return _schema(Rules, "Rules by which functions are grouped into waves")


def schema_text(schema: dict[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=2) + "\n"


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": _DRAFT, **model.model_json_schema(), "title": title}
