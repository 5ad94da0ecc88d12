"""One account and region: list its functions, read beside each what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from fleet.aws import functions
from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.aws.metrics import read_invocations
from fleet.aws.session import Aws
from fleet.model import (
    LATEST,
    Alias,
    Caller,
    Coverage,
    CoverageStatus,
    FunctionConfig,
    FunctionRecord,
    LaneResult,
    Owner,
    ScanOptions,
)
from fleet.scan.outcome import status_of_failure, status_of_gap
from fleet.scan.selection import tags_match
from fleet.scan.uses import reaching_callers, serving_aliases, use_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """What every lane of a scan is asked."""

    options: ScanOptions
    owner_of: Callable[[Mapping[str, str] | None], Owner]
    until: datetime
    """End of the 30 days that --traffic counts."""


def look_at_lane(aws: Aws, account: str, region: str, look: Look) -> LaneResult:
    """Everything one account and region holds of the runtimes asked for.

    A list that fails gives a coverage row and no records; a detail that fails leaves its fields
    None, and the coverage row says what could not be read. Raises NoCredentials, Interrupted.
    """
    return _LaneLook(aws, account, region, look).result()


class _VanishedError(Exception):
    """The function was deleted between the list and the look at it."""


class _LaneLook:
    def __init__(self, aws: Aws, account: str, region: str, look: Look) -> None:
        self._aws = aws
        self._lane = aws.lane(account, region)
        self._look = look
        self._options = look.options
        self._problem: CallFailed | None = None
        self._refused: set[str] = set()

    def result(self) -> LaneResult:
        options = self._options
        try:
            listing = functions.list_functions(
                self._aws, self._lane, options.runtimes, latest_only=options.latest_only
            )
        except (CallFailed, RoleRefused) as error:
            return LaneResult(self._coverage(status_of_failure(error), error.why))
        records = tuple(self._with_traffic(self._records(listing)))
        status, reason = CoverageStatus.OK, ""
        if self._problem is not None:
            status = status_of_gap(self._problem)
            reason = f"listed, but not everything about the functions: {self._problem.why}"
        return LaneResult(self._coverage(status, reason, listing), records)

    def _coverage(
        self, status: CoverageStatus, reason: str, listing: functions.Listing | None = None
    ) -> Coverage:
        return Coverage(
            account=self._lane.account,
            region=self._lane.region,
            status=status,
            reason=reason,
            functions=listing.functions if listing else 0,
            versions=listing.versions if listing else 0,
            calls=self._lane.calls,
            throttles=self._lane.throttles,
        )

    def _beside(self, action: str, ask: Callable[[], T]) -> T | None:
        """Read something beside the list; None, and a gap in the coverage, where it fails.

        What is denied once is not asked again in this lane: thousands of refusals tell no more.
        """
        if action in self._refused:
            return None
        try:
            return ask()
        except CallFailed as failure:
            self._problem = self._problem or failure
            if failure.situation in {Situation.DENIED, Situation.BLOCKED_BY_POLICY}:
                self._refused.add(action)
            return None

    def _of_one(self, action: str, ask: Callable[[], T]) -> T | None:
        """The same about one function; _VanishedError if it was deleted since the list."""

        def ask_unless_gone() -> T:
            try:
                return ask()
            except CallFailed as failure:
                if failure.situation is Situation.NOT_FOUND:
                    raise _VanishedError from failure
                raise

        return self._beside(action, ask_unless_gone)

    def _records(self, listing: functions.Listing) -> list[FunctionRecord]:
        mapped: Mapping[str, tuple[Caller, ...]] | None = {}
        published = any(each.ref.qualifier != LATEST for each in listing.found)
        if listing.found and (self._options.callers or published):
            mapped = self._beside(
                "lambda:ListEventSourceMappings",
                lambda: functions.read_event_sources(self._aws, self._lane),
            )
        found = sorted(listing.found, key=lambda each: each.ref.name)
        records: list[FunctionRecord] = []
        for name, group in groupby(found, key=lambda each: each.ref.name):
            try:
                records += self._of_function(
                    tuple(group),
                    listing.latest.get(name),
                    None if mapped is None else mapped.get(name, ()),
                )
            except _VanishedError:
                continue
        return records

    def _of_function(
        self,
        configs: tuple[FunctionConfig, ...],
        latest_runtime: str | None,
        mapped: tuple[Caller, ...] | None,
    ) -> list[FunctionRecord]:
        ref = configs[0].ref
        tags = self._of_one(
            "lambda:ListTags", lambda: functions.read_tags(self._aws, self._lane, ref)
        )
        if not tags_match(self._options, tags):
            return []
        aliases = self._of_one(
            "lambda:ListAliases",
            lambda: functions.read_aliases(self._aws, self._lane, ref.name),
        )
        callers = mapped
        if self._options.callers:
            qualifiers = [each.ref.qualifier for each in configs]
            callers = self._callers(ref.name, qualifiers, aliases, mapped)
        return [
            FunctionRecord(
                config=config,
                use=use_of(config, aliases, callers),
                latest_runtime=latest_runtime,
                aliases=None if aliases is None else serving_aliases(config.ref.qualifier, aliases),
                callers=(
                    None
                    if callers is None or aliases is None or not self._options.callers
                    else reaching_callers(config.ref.qualifier, aliases, callers)
                ),
                tags=tags,
                owner=self._look.owner_of(tags),
            )
            for config in configs
        ]

    def _callers(
        self,
        name: str,
        qualifiers: Iterable[str],
        aliases: tuple[Alias, ...] | None,
        mapped: tuple[Caller, ...] | None,
    ) -> tuple[Caller, ...] | None:
        """All that calls the function, or None where a part of the answer is missing."""
        urls = self._of_one(
            "lambda:ListFunctionUrlConfigs",
            lambda: functions.read_function_urls(self._aws, self._lane, name),
        )
        policed = (*qualifiers, *(alias.name for alias in aliases or ()))
        answers = [mapped, urls, *(self._permissions(name, each) for each in policed)]
        if any(each is None for each in answers):
            return None
        return tuple(caller for each in answers for caller in each or ())

    def _permissions(self, name: str, qualifier: str) -> tuple[Caller, ...] | None:
        return self._of_one(
            "lambda:GetPolicy",
            lambda: functions.read_permissions(self._aws, self._lane, name, qualifier),
        )

    def _with_traffic(self, records: list[FunctionRecord]) -> Iterable[FunctionRecord]:
        if not (self._options.traffic and records):
            return records
        names = sorted({each.config.ref.name for each in records})
        sums = self._beside(
            "cloudwatch:GetMetricData",
            lambda: read_invocations(self._aws, self._lane, names, self._look.until),
        )
        return [
            replace(each, invocations=(sums or {}).get(each.config.ref.name)) for each in records
        ]
