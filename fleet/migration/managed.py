"""What else has to change so that a deploy by the function's owner does not undo the move. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fleet.inspection import Assessment, Strategy, Target, Verdict
from fleet.migration import gate_rules as rules
from fleet.migration.facts import Finding, GateFacts
from fleet.model import OwnerKind
from fleet.ownership import owner_of

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
_LOGICAL_ID = "aws:cloudformation:logical-id"

_STACKS: Mapping[OwnerKind, rules.Rule] = {
    OwnerKind.CLOUDFORMATION: rules.MANAGED_CLOUDFORMATION,
    OwnerKind.SAM: rules.MANAGED_SAM,
    OwnerKind.SERVERLESS: rules.MANAGED_SERVERLESS,
}


def managed(facts: GateFacts, target: Target, strategy: Strategy | None) -> Finding | None:
    """Say what deploys a function, and which lines there have to change; None if nothing is known.

    `strategy` is how its package changes; a package that its owner builds changes alike.
    """
    # A rule of fleet.yaml may name the team; the lines to change are in the stack's template.
    stack = owner_of(facts.tags, ())
    owner = facts.owner if stack.kind is OwnerKind.UNKNOWN else stack
    if owner.kind is OwnerKind.UNKNOWN:
        return None
    if owner.kind is OwnerKind.MAPPED:
        package = _package(strategy, "`handler = bootstrap`", facts.assessment)
        return rules.MANAGED_BY_RULE.said(owner=owner.name, runtime=target, package=package)
    logical_id = (facts.tags or {}).get(_LOGICAL_ID)
    small = owner.kind is OwnerKind.SERVERLESS
    return _STACKS[owner.kind].said(
        stack=owner.name,
        resource=logical_id or "a resource that no tag names",
        runtime=target,
        constant=target.name.replace("AL", "PROVIDED_AL"),
        package=_package(
            strategy,
            "`handler: bootstrap`" if small else "`Handler: bootstrap`",
            facts.assessment,
        ),
    )


def _package(strategy: Strategy | None, handler: str, judged: Assessment | None) -> str:
    match strategy:
        case Strategy.RENAME:
            return f"{handler}, with a package that holds the program under that name"
        case Strategy.SHIM:
            return "a package with a bootstrap beside the program, Handler as it is"
        case None if judged is not None and judged.verdict is Verdict.ALREADY_CUSTOM:
            return "the package it has, which brings its bootstrap, Handler as it is"
        case None:
            return f"{handler}, with a new build that is called bootstrap"
