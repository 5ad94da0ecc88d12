"""Tags of functions: who sees them, and which there may be.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
moto takes any tags, also of versions and aliases. Only functions can be tagged here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

from .answers import Refusal
from .function_changes import state_of
from .function_state import new_revision
from .functions import constraint, invalid, missing, stored
from .permissions import denial
from .request import ApiRequest
from .untyped import MotoFunction
from .world import World

MOST = 50
"""Tags of one function; those that AWS sets itself don't count."""

_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_MARKS = frozenset("_.:/=+-@")


def list_tags(request: ApiRequest, world: World) -> Mapping[str, object]:  # noqa: ARG001 - one signature for all operations
    """ListTags of a function.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
    """
    return {"Tags": dict(_tagged(request).tags)}


def tag_resource(request: ApiRequest, world: World) -> Mapping[str, object]:
    """TagResource: a key that is there gets the new value; $LATEST gets another RevisionId.

    https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
    Raises Refusal: 404 for an unknown function, InvalidParameterValueException for a version or
    an alias, a key of AWS's own, and more than 50 tags. That the RevisionId changes is believed;
    updates in progress don't matter.
    """
    with world.lock:
        latest, more = _tagged(request), request.params.get("Tags") or {}
        if not more:
            raise invalid("An error occurred and the request cannot be processed.")
        check_tags(more, latest.tags, world)
        latest.tags.update(more)
        state_of(latest, world).revision = new_revision()
        return {}


def untag_resource(request: ApiRequest, world: World) -> Mapping[str, object]:
    """UntagResource: keys that are not there are no mistake; $LATEST gets another RevisionId.

    https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html
    """
    with world.lock:
        latest, keys = _tagged(request), request.params["TagKeys"]
        _check_not_awss_own(keys, world)
        for key in keys:
            latest.tags.pop(key, None)
        state_of(latest, world).revision = new_revision()
        return {}


def tags_in_answer(
    latest: MotoFunction, request: ApiRequest, world: World
) -> Mapping[str, Mapping[str, str]]:
    """What GetFunction says of tags: a TagsError to those who may not list them.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
    Its ErrorCode and words are believed, and that it is there if the function has no tags.
    """
    asked = replace(request, operation="ListTags", params={"Resource": latest.function_arn})
    refused = None if world.seeding else denial(asked, world.rules)
    if refused:
        return {"TagsError": {"ErrorCode": "AccessDeniedException", "Message": refused}}
    return {"Tags": dict(latest.tags)} if latest.tags else {}


def check_tags(more: Mapping[str, str], there: Mapping[str, str], world: World) -> None:
    """Raise Refusal for tags that a function with those that are there can't get besides."""
    for key, value in more.items():
        if not 1 <= len(key) <= _LONGEST_KEY or not _is_clean(key):
            raise constraint(key, "tags", _rule("keys", 1, _LONGEST_KEY))
        if len(value) > _LONGEST_VALUE or not _is_clean(value):
            raise constraint(value, "tags", _rule("value", 0, _LONGEST_VALUE))
    _check_not_awss_own(more, world)
    if sum(not _is_awss_own(key) for key in {**there, **more}) > MOST:
        raise invalid("Number of tags exceeds resource tag limit.")


def _check_not_awss_own(keys: Iterable[str], world: World) -> None:
    # CloudFormation's tags have to come from somewhere.
    if not world.seeding and any(_is_awss_own(key) for key in keys):
        raise invalid("Tag keys that begin with aws: are reserved for system use.")  # believed


def _is_awss_own(key: str) -> bool:
    return key.lower().startswith("aws:")


def _is_clean(text: str) -> bool:
    return all(one in _MARKS or unicodedata.category(one)[0] in "LNZ" for one in text)


def _rule(part: str, least: int, most: int) -> str:
    return (
        f"Map {part} must satisfy constraint: [Member must have length between {least} and {most}, "
        r"Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)]"
    )


def _tagged(request: ApiRequest) -> MotoFunction:
    arn = request.params.get("Resource", "")
    match = _ARN.fullmatch(arn)
    if match is None:
        raise constraint(arn, "resource", "Member must satisfy the pattern of function ARNs")
    if match["qualifier"]:
        raise invalid(
            "Tags on function aliases and versions are not supported. Please specify a function "
            "ARN."
        )
    if match["account"] != request.account:
        raise Refusal(
            "AccessDeniedException",
            f"User: {request.identity.arn} is not authorized to perform: {request.action} on "
            f"resource: {arn} because no resource-based policy allows the {request.action} action",
            403,
        )
    found = stored(request).get(match["name"]) if match["region"] == request.region else None
    if found is None or found["latest"] is None:
        raise missing(arn)
    return found["latest"]
