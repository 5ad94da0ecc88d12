"""Accounts × regions → an inventory with its coverage, lane by lane into the store.

The coverage is written before the work: every account, then every region of it, stands there as
*not attempted* until its result replaces that row together with its functions, in one
transaction. So whatever ends a scan, what is saved tells what was not seen.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, RoleRefused
from fleet.aws.organization import Organization, enabled_regions, read_organization
from fleet.aws.session import Aws
from fleet.cluster import ClusterProblem
from fleet.errors import BadSelection, FleetError, NothingSelected
from fleet.fan_out import Crew, fan_out
from fleet.model import (
    EVERY_REGION,
    Account,
    Coverage,
    CoverageStatus,
    LaneResult,
    ScanHeader,
    ScanOptions,
    ScanState,
)
from fleet.scan.inspecting import InspectionProgress
from fleet.scan.lane import Look, look_at_lane
from fleet.scan.outcome import status_of_failure
from fleet.scan.selection import check_asked, check_regions, choose_accounts, choose_regions
from fleet.store import Store


class Progress(InspectionProgress, Protocol):
    """What somebody who waits wants to see; called from one thread."""

    def planned(self, accounts: int, lanes: int) -> None:
        """So many accounts are to be entered; of others the lanes left are known (--resume)."""

    def account_done(self, lanes: int) -> None:
        """The regions of one account are known, or it could not be entered (which counts 1)."""

    def lane_done(self, coverage: Coverage, findings: int) -> None:
        """One account and region is done, or one account could not be entered."""


@dataclass(frozen=True, slots=True)
class OneAccount:
    """To do: find the regions of an account."""

    account: str


@dataclass(frozen=True, slots=True)
class OneLane:
    """To do: look at one account and region."""

    account: str
    region: str


Task = OneAccount | OneLane
Found = LaneResult | tuple[str, ...]
"""Of a lane, or of an account that cannot be entered: its result. Of an account: its regions."""

_log = logging.getLogger(__name__)


def begin(
    aws: Aws,
    store: Store,
    options: ScanOptions,
    now: datetime,
    *,
    departed: Callable[[str], None] | None = None,
) -> ScanHeader:
    """Choose the accounts and save them as not attempted, under a new scan.

    Raises BadSelection where the selection names what does not exist, or leaves nothing. With
    `departed`, an excluded account that the organization no longer has is only told of.
    """
    check_asked(options)
    if options.regions or options.excluded_regions:
        check_regions(options, {*aws.known_regions, *_own_regions(aws)})
    if options.organization:
        organization = read_organization(aws)
    else:
        alone = (aws.caller.account,) if options.accounts is None else options.accounts
        organization = Organization("", tuple(Account(each) for each in alone), {})
    accounts = choose_accounts(
        options, organization.accounts, organization.units, departed=departed
    )
    if not accounts:
        raise NothingSelected
    header = ScanHeader(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        started=now,
        finished=None,
        state=ScanState.RUNNING,
        caller=aws.caller.account,
        organization=organization.id,
        partition=aws.caller.partition,
        options=options,
    )
    store.begin_scan(header, accounts)
    _name_inactive(store, header, accounts)
    return header


def _own_regions(aws: Aws) -> tuple[str, ...]:
    # A region newer than botocore's list may be enabled here.
    try:
        return enabled_regions(aws, aws.caller.account)
    except CallFailed:
        return ()


def resume(aws: Aws, store: Store, which: str | None) -> ScanHeader:
    """The saved scan to go on with: the one named, or the last.

    Raises BadSelection where other credentials ran it, which see other accounts, and where it
    ended before it knew its accounts: of such a scan nothing is missing, and nothing was seen.
    """
    header = store.scan(which)
    accounts = store.accounts(header.id)
    if not accounts:
        advice = "this scan ended before its accounts were known; start a new one"
        raise BadSelection("--resume", header.id, advice)
    if header.caller != aws.caller.account:
        raise BadSelection(
            "--resume",
            header.id,
            f"account {header.caller} ran this scan, these credentials are {aws.caller.account}'s",
        )
    _name_inactive(store, header, accounts)
    return header


def run(
    store: Store,
    header: ScanHeader,
    do: Callable[[Task], Found],
    *,
    crew: Crew,
    progress: Progress,
    clock: Callable[[], datetime],
    inspect: Callable[[], None] | None = None,
) -> ScanState:
    """Look at everything that the saved coverage does not show as seen, and save it.

    The same for a scan that begins and for one that is resumed. `do` is called by the crew:
    `look_at` in this process, or what gets there on another machine. With `inspect`, that is
    called once every lane is saved. A None put into the crew's inbox ends it with what was found
    kept, and so does KeyboardInterrupt, which may cost the lane it hits; NoCredentials and
    ClusterProblem likewise, and are raised once that is saved.
    """
    state = ScanState.INTERRUPTED
    try:
        _look_at_lanes(store, header, do, crew, progress)
        if inspect is not None:
            inspect()
        state = ScanState.FINISHED
    except KeyboardInterrupt:
        pass
    finally:
        crew.stop.set()
        store.finish_scan(header.id, state, clock())
    return state


def _look_at_lanes(
    store: Store,
    header: ScanHeader,
    do: Callable[[Task], Found],
    crew: Crew,
    progress: Progress,
) -> None:
    waiting = deque(_missing(store.coverage(header.id)))
    lanes_known = sum(isinstance(task, OneLane) for task in waiting)
    progress.planned(len(waiting) - lanes_known, lanes_known)

    def settle(task: Task, future: Future[Found]) -> None:
        answer = _answer(future, task)
        if isinstance(answer, LaneResult):
            answer = _saved(store, header, answer)
            if isinstance(task, OneAccount):
                progress.account_done(1)
            found = sum(each.use.is_finding for each in answer.records)
            progress.lane_done(answer.coverage, found)
        else:
            lanes = _plan_regions(store, header, task.account, answer)
            progress.account_done(len(lanes))
            waiting.extend(lanes)

    # A few more than can run, so that nobody waits for the store.
    fan_out(crew, waiting, do, settle, at_once=crew.parallelism * 2)


def _missing(coverage: Iterable[Coverage]) -> list[Task]:
    unseen = [each for each in coverage if not each.status.is_complete]
    return [
        OneAccount(each.account)
        if each.region == EVERY_REGION
        else OneLane(each.account, each.region)
        for each in unseen
    ]


def look_at(aws: Aws, look: Look, task: Task) -> Found:
    """One task, in a thread of the executor. Raises NoCredentials, Interrupted."""
    if isinstance(task, OneLane):
        return look_at_lane(aws, task.account, task.region, look)
    try:
        return enabled_regions(aws, task.account)
    except (CallFailed, RoleRefused) as error:
        return _whole_account(task.account, status_of_failure(error), error.why)


def _answer(future: Future[Found], task: Task) -> Found:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, (NoCredentials, Interrupted, ClusterProblem)):
        raise error
    if not isinstance(error, Exception):
        raise error
    # A defect met in one lane must not cost the others; and it must not pass for an empty lane.
    _log.debug("%s", task, exc_info=error)
    region = task.region if isinstance(task, OneLane) else EVERY_REGION
    known = isinstance(error, FleetError)
    reason = str(error) if known else f"unexpected {type(error).__name__}; --debug tells more"
    return LaneResult(Coverage(task.account, region, CoverageStatus.FAILED, reason))


def _saved(store: Store, header: ScanHeader, result: LaneResult) -> LaneResult:
    """Save a lane; one whose values cannot be saved becomes a failed one."""
    try:
        store.save_lane(header.id, result)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        _log.debug("%s", result.coverage, exc_info=error)
        reason = f"AWS's answer holds what cannot be saved ({type(error).__name__})"
        place = result.coverage.account, result.coverage.region
        result = LaneResult(Coverage(*place, CoverageStatus.FAILED, reason))
        store.save_lane(header.id, result)
    return result


def _plan_regions(
    store: Store, header: ScanHeader, account: str, enabled: tuple[str, ...]
) -> list[OneLane]:
    regions, not_enabled = choose_regions(header.options, enabled)
    if regions:
        store.plan_lanes(header.id, account, regions)
    elif not not_enabled:
        reason = "--region and --exclude-region leave no region that the account has enabled"
        store.save_lane(
            header.id, _whole_account(account, CoverageStatus.REGION_NOT_ENABLED, reason)
        )
    for region in not_enabled:
        status, reason = CoverageStatus.REGION_NOT_ENABLED, "the account has not enabled it"
        store.save_lane(header.id, LaneResult(Coverage(account, region, status, reason)))
    return [OneLane(account, region) for region in regions]


def _name_inactive(store: Store, header: ScanHeader, accounts: Iterable[Account]) -> None:
    for each in accounts:
        if not each.active:
            reason = "the organization lists this account as suspended or closing"
            status = CoverageStatus.ACCOUNT_NOT_ACTIVE
            store.save_lane(header.id, _whole_account(each.id, status, reason))


def _whole_account(account: str, status: CoverageStatus, reason: str = "") -> LaneResult:
    return LaneResult(Coverage(account, EVERY_REGION, status, reason))
