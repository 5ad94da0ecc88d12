"""A plan against what its functions are now: which are no longer what was planned."""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fleet.aws.deployments import read_now
from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, Situation
from fleet.aws.session import Aws
from fleet.errors import FleetError
from fleet.fan_out import Crew, fan_out
from fleet.model import GO1X, FunctionConfig, FunctionRef
from fleet.scan.selection import CUSTOM_RUNTIMES
from fleet.waves.fingerprint import fingerprint_of_config
from fleet.waves.plan import Member, Plan

_log = logging.getLogger(__name__)


class Standing(StrEnum):
    """What has become of a member of a plan since it was made."""

    AS_PLANNED = "as planned"
    MOVED = "moved"
    """It is on a custom runtime by now, as the plan wants it."""
    STALE = "stale"
    """Somebody has changed it, and its verdict may be another one."""
    GONE = "gone"
    UNREAD = "not readable"
    """Nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One member as it was found."""

    wave: str
    member: Member
    standing: Standing
    reason: str = ""
    """One sentence; '' where it is as planned."""


class Progress(Protocol):
    """What somebody who waits wants to see; called from one thread."""

    def planned(self, functions: int, doing: str) -> None:
        """So many functions are to be looked at."""

    def function_done(self, ref: FunctionRef, result: Standing, /) -> None:
        """One of them is done."""


Read = Callable[[FunctionRef], FunctionConfig]


def reader(aws: Aws) -> Read:
    """Ask for a function's $LATEST by GetFunction; raises CallFailed or RoleRefused."""
    # Its settings are hashed on the way; the hash is kept nowhere, and no key has to be either.
    key = secrets.token_bytes(32)

    def read(ref: FunctionRef) -> FunctionConfig:
        return read_now(aws, aws.lane(ref.account, ref.region), ref.name, key).config

    return read


def organization_of(aws: Aws) -> str:
    """The organization's id, as plans name it; the caller's account where there is none.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
    Raises CallFailed.
    """
    try:
        answer = aws.call(aws.home(), "organizations", "DescribeOrganization", holds="Organization")
    except CallFailed as failure:
        if failure.situation is Situation.NOT_IN_ORGANIZATION:
            return aws.caller.account
        raise
    return str(answer["Organization"]["Id"])


def check_members(plan: Plan, read: Read, crew: Crew, progress: Progress) -> list[Checked]:
    """Look at every member, in the plan's order; raises KeyboardInterrupt and NoCredentials.

    One that cannot be read costs no other.
    """
    members = list(plan.members())
    progress.planned(len(members), "looked at")
    found: dict[FunctionRef, Checked] = {}

    def look(task: tuple[str, Member]) -> Checked:
        wave, member = task
        return _checked(wave, member, read)

    def settle(task: tuple[str, Member], future: Future[Checked]) -> None:
        ref = task[1].ref
        found[ref] = future.result()
        progress.function_done(ref, found[ref].standing)

    waiting = deque((wave.name, member) for wave, member in members)
    fan_out(crew, waiting, look, settle, at_once=crew.parallelism)
    return [found[member.ref] for _, member in members]


def standing_of(member: Member, now: FunctionConfig) -> tuple[Standing, str]:
    """What has become of a member, and why that is said. Pure."""
    if fingerprint_of_config(now) == member.fingerprint:
        return Standing.AS_PLANNED, ""
    if now.runtime in CUSTOM_RUNTIMES:
        return Standing.MOVED, f"it is on {now.runtime}"
    if now.runtime != GO1X:
        return Standing.STALE, f"it is on {now.runtime or 'no runtime of its own'} now"
    return (
        Standing.STALE,
        "its code, handler, layers or architecture changed: scan with --inspect and plan again",
    )


def _checked(wave: str, member: Member, read: Read) -> Checked:
    try:
        return Checked(wave, member, *standing_of(member, read(member.ref)))
    except (NoCredentials, Interrupted):
        raise
    except CallFailed as failure:
        if failure.situation is Situation.NOT_FOUND:
            return Checked(wave, member, Standing.GONE, "there is no such function any more")
        return Checked(wave, member, Standing.UNREAD, str(failure))
    except FleetError as error:
        return Checked(wave, member, Standing.UNREAD, str(error))
    except Exception as error:  # noqa: BLE001 - a defect met in one function must not cost the others
        _log.debug("unexpected", exc_info=error)
        why = f"unexpected {type(error).__name__}; --debug tells more"
        return Checked(wave, member, Standing.UNREAD, why)
