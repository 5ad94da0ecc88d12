"""What a function goes through: Pending, Active, Inactive; updates that take their time.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
moto's functions are always Active, and an update is done before it is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

from .untyped import MotoFunction


def new_revision() -> str:
    """A RevisionId that nothing had before."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an update failed, as LastUpdateStatusReason and LastUpdateStatusReasonCode."""

    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class Update:
    """An update under way: what it changes, and when it will be Successful."""

    before: MotoFunction
    """A copy of the function as it serves until then."""
    until: float
    """Seconds since the epoch."""
    kept: FunctionState
    """A copy of what moto does not keep, from before the update."""
    failure: Failure | None = None
    """How it will fail."""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Provisioned concurrency of a version or alias."""

    executions: int
    ready_at: float | None
    """Seconds since the epoch; None: it is ready."""
    modified: str
    before: int = 0
    """Executions that there were until it is ready."""


@dataclass(slots=True)
class FunctionState:
    """What moto does not keep of $LATEST or of a version."""

    revision: str = field(default_factory=new_revision)
    pending_until: float | None = None
    """Seconds since the epoch; None: it is not Pending."""
    idle: bool = False
    """Whether Lambda took its network interfaces away: State is Inactive."""
    update: Update | None = None
    failure: Failure | None = None
    """How the last update failed; None where it did not."""
    dead_letter: str = ""
    """ARN of the queue or topic for events that failed."""
    source_key: str | None = None
    """ARN of the KMS key that encrypts the package."""
    referenced: dict[str, str] | None = None
    """The S3 object that the function runs from, where Lambda keeps no copy of it."""
    description: str | None = None
    """Of a version: the Description that $LATEST had when it was published."""
    runtime_update: str = "Auto"
    """Auto, FunctionUpdate or Manual."""
    runtime_version: str | None = None
    """ARN of the runtime's own version, in mode Manual."""
    provisioned: dict[str, Provisioned] = field(default_factory=dict)
    """Of $LATEST only: version or alias → its provisioned concurrency."""

    def settle(self, now: float) -> Update | None:
        """End what is over by now, in seconds since the epoch; give back an update that failed.

        The RevisionId changes once more as it ends: https://github.com/aws/aws-sdk/issues/377.
        """
        if self.pending_until is not None and now >= self.pending_until:
            self.pending_until = None
            self.revision = new_revision()
        update = self.update
        if update is None or now < update.until:
            return None
        self.update, self.failure, self.revision = None, update.failure, new_revision()
        if update.failure is None:
            return None
        for name in ("dead_letter", "source_key", "referenced"):
            setattr(self, name, getattr(update.kept, name))
        return update

    def published(self, description: str, until: float | None) -> FunctionState:
        """The state of a version made from this one, Pending until then."""
        return FunctionState(
            pending_until=until,
            dead_letter=self.dead_letter,
            source_key=self.source_key,
            referenced=self.referenced,
            description=description,
            runtime_update=self.runtime_update,
            runtime_version=self.runtime_version,
        )
