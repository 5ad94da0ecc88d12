"""Session policies: what an assumed role may do at most, given when it is assumed.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .answers import Refusal

MAXIMUM_LENGTH = 2048
"""Characters of the Policy parameter."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; resources and conditions are not looked at."""

    allows: bool
    patterns: tuple[str, ...]
    inverted: bool
    """Whether the statement said NotAction."""

    def matches(self, action: str) -> bool:
        """Whether the statement speaks about this action; IAM ignores case."""
        named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.patterns)
        return named != self.inverted


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """What a session may do at most."""

    statements: tuple[Statement, ...]

    def refusal_of(self, action: str) -> str | None:
        """The end of AWS's message if the policy stops this action, else None.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        speaking = [statement for statement in self.statements if statement.matches(action)]
        if any(not statement.allows for statement in speaking):
            return "with an explicit deny in a session policy"
        if not speaking:
            return f"because no session policy allows the {action} action"
        return None


def parse(text: str) -> SessionPolicy:
    """The policy of the Policy parameter.

    Raises Refusal, ValidationError beyond 2048 characters and MalformedPolicyDocument for what
    is no policy.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{text}' at 'policy' failed to satisfy "
            f"constraint: Member must have length less than or equal to {MAXIMUM_LENGTH}",
        )
    try:
        statements = json.loads(text)["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        return SessionPolicy(tuple(_statement(statement) for statement in listed))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal("MalformedPolicyDocument", "Syntax errors in policy.") from None


def _statement(source: dict[str, Any]) -> Statement:
    inverted = "NotAction" in source
    actions = source["NotAction" if inverted else "Action"]
    patterns = (actions,) if isinstance(actions, str) else tuple(actions)
    if source["Effect"] not in {"Allow", "Deny"} or not all(":" in p or p == "*" for p in patterns):
        raise ValueError
    return Statement(source["Effect"] == "Allow", patterns, inverted)
