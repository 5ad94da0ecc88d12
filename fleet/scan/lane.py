"""One account and region: list its functions, read beside each what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from fleet.aws import functions
from fleet.aws.cold_starts import ColdStarts, read_cold_starts
from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.aws.metrics import Traffic, read_traffic
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
    ScanOptions,
    Use,
)
from fleet.ownership import OwnerRule, owner_of
from fleet.scan.outcome import status_of_failure
from fleet.scan.selection import is_beside, language_matches, runtimes_to_list, tags_match
from fleet.scan.uses import held_for_rollback, reaching_callers, serving_aliases, use_of

T = TypeVar("T")

_DENIED = frozenset({Situation.DENIED, Situation.BLOCKED_BY_POLICY})
_WITNESSES = 2
"""Calls that have to agree that a function was deleted since the list."""


@dataclass(frozen=True, slots=True)
class Look:
    """What every lane of a scan is asked. A value: it may be asked on another machine."""

    options: ScanOptions
    owners: tuple[OwnerRule, ...]
    """Whose a function is, by its tags, before a stack is asked."""
    until: datetime
    """End of the 30 days that --traffic and --cold-starts count."""


def look_at_lane(aws: Aws, account: str, region: str, look: Look) -> LaneResult:
    """Everything one account and region holds of the runtimes and the language asked for.

    A list that fails gives a coverage row and no records; a detail that fails leaves its fields
    None, and the coverage row says what could not be read. Raises NoCredentials, Interrupted.
    """
    return _LaneLook(aws, account, region, look).result()


class _LaneLook:
    def __init__(self, aws: Aws, account: str, region: str, look: Look) -> None:
        self._aws = aws
        self._lane = aws.lane(account, region)
        self._look = look
        self._options = look.options
        self._problem: CallFailed | RoleRefused | None = None
        self._refused: set[str] = set()

    def result(self) -> LaneResult:
        options = self._options
        try:
            listing = functions.list_functions(
                self._aws,
                self._lane,
                runtimes_to_list(options),
                latest_only=options.latest_only,
            )
        except (CallFailed, RoleRefused) as error:
            return LaneResult(self._coverage(status_of_failure(error), error.why))
        records = tuple(self._with_traffic(self._records(listing), listing))
        status, reason = CoverageStatus.OK, ""
        if self._problem is not None:
            status = status_of_failure(self._problem)
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
            listed=listing is not None,
        )

    def _beside(self, action: str, ask: Callable[[], T]) -> T | None:
        """Read something beside the list; None, and a gap in the coverage, where it fails.

        What is denied once is not asked again in this lane: thousands of refusals tell no more.
        """
        if action in self._refused:
            return None
        try:
            return ask()
        except (CallFailed, RoleRefused) as failure:
            self._problem = self._problem or failure
            if isinstance(failure, CallFailed) and failure.situation in _DENIED:
                self._refused.add(action)
            return None

    def _unless_gone(self, action: str, ask: Callable[[], T], gone: list[CallFailed]) -> T | None:
        """The same about one function; AWS's word that there is none goes to `gone`."""

        def ask_or_note() -> T | None:
            try:
                return ask()
            except CallFailed as failure:
                if failure.situation is not Situation.NOT_FOUND:
                    raise
                gone.append(failure)
                return None

        return self._beside(action, ask_or_note)

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
            records += self._of_function(
                tuple(group),
                listing.latest.get(name),
                None if mapped is None else mapped.get(name, ()),
            )
        return records

    def _of_function(
        self,
        configs: tuple[FunctionConfig, ...],
        latest_runtime: str | None,
        mapped: tuple[Caller, ...] | None,
    ) -> list[FunctionRecord]:
        ref = configs[0].ref
        gone: list[CallFailed] = []

        def read_tags() -> Mapping[str, str]:
            return functions.read_tags(self._aws, self._lane, ref)

        tags = self._unless_gone("lambda:ListTags", read_tags, gone)
        configs = tuple(each for each in configs if language_matches(self._options, each, tags))
        if not (configs and tags_match(self._options, tags)):
            return []
        aliases = self._unless_gone(
            "lambda:ListAliases",
            lambda: functions.read_aliases(self._aws, self._lane, ref.name),
            gone,
        )
        if [each.action for each in gone] == ["lambda:ListAliases"]:
            # Deleted between the two calls? Then the first one now says so as well.
            self._unless_gone("lambda:ListTags", read_tags, gone)
        if len(gone) == _WITNESSES:
            return []
        # One call alone that knows no such function may be wrong: keep it, and say so.
        self._problem = self._problem or next(iter(gone), None)
        known = self._callers(configs, aliases, mapped)
        callers = known if self._options.callers else None
        return [
            FunctionRecord(
                config=config,
                use=Use.CUSTOM
                if is_beside(self._options, config)
                else use_of(config, aliases, known),
                latest_runtime=latest_runtime,
                aliases=None if aliases is None else serving_aliases(config.ref.qualifier, aliases),
                callers=(
                    None
                    if callers is None or aliases is None
                    else reaching_callers(config.ref.qualifier, aliases, callers)
                ),
                tags=tags,
                owner=owner_of(tags, self._look.owners),
            )
            for config in configs
        ]

    def _callers(
        self,
        configs: Sequence[FunctionConfig],
        aliases: tuple[Alias, ...] | None,
        mapped: tuple[Caller, ...] | None,
    ) -> tuple[Caller, ...] | None:
        """What calls the function, as far as was asked for; None where a part is missing.

        Without --callers that is event sources, and for versions that only the rollback alias
        holds everything else too: nobody may be told that they are no finding unseen.
        """
        versions = [each.ref.qualifier for each in configs]
        policed = [*versions, *(alias.name for alias in aliases or ())]
        if not self._options.callers:
            policed = held_for_rollback(versions, aliases or ())
        if not policed:
            return mapped
        name = configs[0].ref.name
        urls = self._beside(
            "lambda:ListFunctionUrlConfigs",
            lambda: functions.read_function_urls(self._aws, self._lane, name),
        )
        answers = [mapped, urls, *(self._permissions(name, each) for each in policed)]
        if any(each is None for each in answers):
            return None
        return tuple(caller for each in answers for caller in each or ())

    def _permissions(self, name: str, qualifier: str) -> tuple[Caller, ...] | None:
        return self._beside(
            "lambda:GetPolicy",
            lambda: functions.read_permissions(self._aws, self._lane, name, qualifier),
        )

    def _with_traffic(
        self, records: list[FunctionRecord], listing: functions.Listing
    ) -> Iterable[FunctionRecord]:
        if not (self._options.traffic and records):
            return records
        names = sorted({each.config.ref.name for each in records})
        traffic = self._beside(
            "cloudwatch:GetMetricData",
            lambda: read_traffic(self._aws, self._lane, names, self._look.until),
        )
        if traffic is None:
            return records
        starts: Mapping[str, ColdStarts] | None = {}
        if self._options.cold_starts:
            groups = {name: listing.log_groups[name] for name in names}
            starts = self._beside(
                "logs:StartQuery",
                lambda: read_cold_starts(self._aws, self._lane, groups, traffic, self._look.until),
            )
        return [_used(each, traffic, starts or {}) for each in records]


def _used(
    record: FunctionRecord, traffic: Mapping[str, Traffic], starts: Mapping[str, ColdStarts]
) -> FunctionRecord:
    name = record.config.ref.name
    calls, cold = traffic[name], starts.get(name)
    return replace(
        record,
        invocations=calls.invocations,
        duration_ms=calls.duration_ms,
        cold_starts=None if cold is None else cold.count,
        init_ms=None if cold is None else cold.init_ms,
    )
