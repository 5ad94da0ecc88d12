"""The ledger: every write to AWS, noted before it is made and again once it was answered. Frozen.

It never decides what comes next, since the state that counts is AWS's. It knows what AWS forgets:
where an alias pointed, who changed what, and under which request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.deployment import Deployment
from fleet.model import Alias, FunctionRef


class Verb(StrEnum):
    """The command that a step was made for."""

    MIGRATE = "migrate"
    ROLLBACK = "rollback"
    """Also where a migration goes back by itself, since its proof has failed."""
    CLEANUP = "cleanup"


class Action(StrEnum):
    """What a step does; one call that changes something, or may."""

    PUBLISH = "publish"
    PUT_ALIAS = "put alias"
    UPDATE_CONFIGURATION = "update configuration"
    UPDATE_CODE = "update code"
    PUT_TAGS = "put tags"
    REMOVE_TAGS = "remove tags"
    INVOKE = "invoke"
    """With the user's own test event: what the function does then is its owners' business."""
    PUBLISH_LAYER = "publish layer"
    DELETE_LAYER = "delete layer"


class EntryState(StrEnum):
    """What is known of a step."""

    INTENDED = "intended"
    """It may or may not have happened: no answer was noted, and perhaps none came."""
    DONE = "done"
    FAILED = "failed"
    """AWS refused it: nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step of one run. Once it has ended it stays as it is."""

    number: int | None = None
    """Given by the store, in the order in which steps began; None before that."""
    run: str
    """Id of the run of a command, the same for all of its steps."""
    verb: Verb
    ref: FunctionRef
    """The function, unqualified. A layer belongs to no function but to an account and region:
    the name is '' for its steps, and `what` names the layer."""
    action: Action
    what: str
    """One sentence for a person."""
    caller: str
    """ARN of the identity that signed the call."""
    began: datetime
    """Before the call went out."""
    ended: datetime | None = None
    """When its answer was noted; None while it is INTENDED."""
    state: EntryState = EntryState.INTENDED
    request_id: str = ""
    """AWS's id of the request, as in CloudTrail; '' where there was no answer."""
    result: str = ""
    """What the answer gave besides, as the number of the version that was published."""
    problem: str = ""
    """Why it failed."""
    alias_before: Alias | None = None
    """What the alias was; None for a step on something else, or for a new alias."""
    alias_after: Alias | None = None
    """What the alias becomes."""
    deployment_before: Deployment | None = None
    """What $LATEST was; None for a step that does not change it."""
    deployment_after: Deployment | None = None
    """What $LATEST becomes."""
