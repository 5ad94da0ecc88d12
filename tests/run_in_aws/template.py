"""docs/aws/template.yaml, read as CloudFormation reads it, as far as tests look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

AWS = Path(__file__).parents[2] / "docs" / "aws"
TEMPLATE = AWS / "template.yaml"
ACCOUNT = "000000000001"
GIVEN = {
    "AWS::StackName": "fleet",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": ACCOUNT,
    "Bucket": "fleet-bucket",
    "Database.Endpoint.Address": "fleet.abc.us-east-1.rds.amazonaws.com",
    "Database.Endpoint.Port": "5432",
    "Alerts": f"arn:aws:sns:us-east-1:{ACCOUNT}:fleet-alerts",
}
"""What the stack's resources are called."""


class _Loader(yaml.SafeLoader):
    """With the short forms of the intrinsic functions, `!Ref X` as {"Ref": "X"}."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise yaml.constructor.ConstructorError(None, None, "a mapping", node.start_mark)


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    """The whole of it."""
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a safe loader
    return loaded


def properties(name: str) -> dict[str, Any]:
    """Of a resource."""
    found: dict[str, Any] = template()["Resources"][name]["Properties"]
    return found


def resolved(value: object) -> str:
    """A text with the names of GIVEN, and parameters with their defaults, filled in.

    What else a stack would fill in stays as ${Name}.
    """
    match value:
        case str():
            return value
        case {"Ref": str(name)} | {"Fn::GetAtt": str(name)}:
            return _named(name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^!}]+)\}", lambda each: _named(each[1]), text)
    raise AssertionError(value)


def _named(name: str) -> str:
    if name in GIVEN:
        return GIVEN[name]
    parameter = template()["Parameters"].get(name, {})
    return str(parameter.get("Default", f"${{{name}}}"))


@dataclass(frozen=True)
class Task:
    """A task's one container, as ECS starts it."""

    command: list[str]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    container: Mapping[str, Any]
    role: str
    """Logical name of the role that it has."""


def task(name: str) -> Task:
    """A task definition of the template."""
    found = properties(name)
    (container,) = found["ContainerDefinitions"]
    return Task(
        command=[resolved(each) for each in container["Command"]],
        environment={each["Name"]: resolved(each["Value"]) for each in container["Environment"]},
        secrets={each["Name"]: resolved(each["ValueFrom"]) for each in container["Secrets"]},
        container=container,
        role=found["TaskRoleArn"]["Fn::GetAtt"].removesuffix(".Arn"),
    )


def statements(role: str) -> dict[str, dict[str, Any]]:
    """What a role may do, by Sid."""
    (policy,) = properties(role)["Policies"]
    found = policy["PolicyDocument"]["Statement"]
    by_sid = {each["Sid"]: each for each in found}
    assert len(by_sid) == len(found)
    return by_sid


def listed(value: object) -> list[Any]:
    """One, or several, as several."""
    return value if isinstance(value, list) else [value]
