"""Tags → who deploys a function. Pure.

A function deployed by a template goes back to go1.x at the next deploy unless the template
changes too, so the owner decides where a change has to be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict

from fleet.model import UNKNOWN_OWNER, Owner, OwnerKind

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
STACK = "aws:cloudformation:stack-name"
CREATED_BY = "lambda:createdBy"
STAGE = "STAGE"


class OwnerRule(BaseModel):
    """One entry under `owners:` in fleet.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str
    """Tag key, with wildcards."""
    value: str = "*"
    """Tag value, with wildcards."""
    owner: str = "{value}"
    """Name of the owner; {value} stands for the tag's value."""


def owner_of(tags: Mapping[str, str] | None, rules: Iterable[OwnerRule]) -> Owner:
    """The first rule that fits; else the CloudFormation stack; else unknown.

    SAM and the Serverless Framework deploy through CloudFormation, so their marks only count
    beside a stack: people copy `lambda:createdBy` along with other tags.
    """
    if not tags:
        return UNKNOWN_OWNER
    for rule in rules:
        for key, value in sorted(tags.items()):
            if fnmatchcase(key, rule.tag) and fnmatchcase(value, rule.value):
                return Owner(OwnerKind.MAPPED, rule.owner.replace("{value}", value))
    stack = tags.get(STACK)
    if stack is None:
        return UNKNOWN_OWNER
    if tags.get(CREATED_BY) == "SAM":
        return Owner(OwnerKind.SAM, stack)
    return Owner(OwnerKind.SERVERLESS if STAGE in tags else OwnerKind.CLOUDFORMATION, stack)
