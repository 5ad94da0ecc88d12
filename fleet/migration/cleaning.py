"""Takes the bridge layer away where no function has it any more."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.aws.failures import CallFailed, RoleRefused
from fleet.aws.layers import bridge_arns, delete_bridge, layers_in_use
from fleet.aws.session import Aws
from fleet.ledger import Action, Verb
from fleet.migration.acting import Journal
from fleet.model import FunctionRef
from fleet.package.bridge import bridge_sha256


@dataclass(frozen=True, slots=True)
class Leftover:
    """The bridge layer of one account and region."""

    partition: str
    account: str
    region: str
    unused: tuple[str, ...] = ()
    """ARNs of its versions that no function has, published versions included."""
    used: tuple[str, ...] = ()
    problem: str = ""
    """Why it could not be looked at, or not all of it be deleted; or ''."""


def look_for_leftovers(aws: Aws, partition: str, account: str, region: str) -> Leftover:
    """See which versions of the bridge layer are in use there; what is refused is its problem."""
    lane = aws.lane(account, region)
    try:
        versions = list(bridge_arns(aws, lane, bridge_sha256()))
        in_use = layers_in_use(aws, lane) if versions else frozenset()
    except (CallFailed, RoleRefused) as failure:
        return Leftover(partition, account, region, problem=failure.why)
    return Leftover(
        partition,
        account,
        region,
        unused=tuple(arn for arn in versions if arn not in in_use),
        used=tuple(arn for arn in versions if arn in in_use),
    )


def delete_leftovers(aws: Aws, journal: Journal, seen: Leftover) -> Leftover:
    """Delete what is still unused there; gives what was deleted as `unused`.

    It is looked at anew: a function that has begun to move since then needs its bridge. One that
    begins in this very moment runs on with it, since Lambda keeps a layer for those that have it.
    """
    now = look_for_leftovers(aws, seen.partition, seen.account, seen.region)
    lane = aws.lane(seen.account, seen.region)
    where = FunctionRef(seen.partition, seen.account, seen.region, "")
    deleted: list[str] = []
    problem = now.problem
    for arn in now.unused:
        if arn not in seen.unused:
            continue
        try:
            journal.noted(
                Verb.CLEANUP,
                where,
                Action.DELETE_LAYER,
                f"delete {arn}",
                lambda arn=arn: (arn, delete_bridge(aws, lane, arn)),  # type: ignore[misc]  # the loop's own
            )
            deleted.append(arn)
        except CallFailed as failure:
            problem = failure.why
    return Leftover(
        seen.partition, seen.account, seen.region, tuple(deleted), now.used, problem=problem
    )
