"""Cold starts, which no metric tells: only the line that Lambda logs about each call.

Asked of CloudWatch Logs Insights, for which AWS bills each GB of log that is read.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleet.aws.failures import CallFailed, Situation, readable
from fleet.aws.metrics import DAYS, Traffic
from fleet.aws.session import Aws, Lane

_ACTION = "logs:GetQueryResults"
_GROUPS_A_QUERY = 50
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html"""
_QUERY = """\
fields coalesce(@initDuration, record.metrics.initDurationMs) as init
| filter @type = "REPORT" or type = "platform.report"
| stats count(*) as reports, count(init) as starts, sum(init) as init_ms by @log"""
"""Lambda's lines about calls, as text and, believed, as JSON where a function logs in that."""
_GOING_ON = frozenset({"Scheduled", "Running"})
_COMPLETE = "Complete"
_SLACK = 20
"""A twentieth of the calls, or one call, may have no line or be of the minutes around the span."""


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """Those of one function, over 30 days."""

    count: int
    init_ms: int
    """Milliseconds that init took, all of them together."""


@dataclass(frozen=True, slots=True)
class _Reports:
    """What Lambda wrote into one log group."""

    calls: int
    starts: int
    init_ms: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How a query is waited for."""

    seconds: float = 2.0
    """Between two looks at it. GetQueryResults is answered five times a second."""
    longest: float = 900.0
    """Seconds in all, of the hour that AWS lets it run."""
    clock: Callable[[], float] = time.monotonic
    """Seconds."""


PATIENCE = Patience()


def read_cold_starts(
    aws: Aws,
    lane: Lane,
    groups: Mapping[str, Iterable[str]],
    traffic: Mapping[str, Traffic],
    until: datetime,
    *,
    patience: Patience = PATIENCE,
) -> Mapping[str, ColdStarts]:
    """Those of each function in the 30 days before `until`, by name; no entry: not known.

    `groups` has the log groups of each function. Only functions that were called cost a query. A
    log that was kept for less than 30 days, does not exist, leaves Lambda's own lines out or is
    shared with other functions holds another number of calls than the metrics: then nothing is
    known. One query after the other. Raises CallFailed.
    """
    called = {name: traffic[name].invocations for name in groups if name in traffic}
    wanted = sorted({group for name in groups if called.get(name) for group in groups[name]})
    reports: dict[str, _Reports] = {}
    for start in range(0, len(wanted), _GROUPS_A_QUERY):
        asking = _Asking(aws, lane, until, patience)
        reports |= dict(asking.reports(wanted[start : start + _GROUPS_A_QUERY]))
    found: dict[str, ColdStarts] = {}
    for name, calls in called.items():
        here = [reports[group] for group in groups[name] if group in reports]
        if calls is None or not _holds_all(sum(each.calls for each in here), calls):
            continue
        init = sum(each.init_ms for each in here)
        found[name] = ColdStarts(sum(each.starts for each in here), round(init))
    return found


def _holds_all(reported: int, calls: int) -> bool:
    # Whose calls are none has no cold start, whatever others write into the same log.
    return calls == 0 or (reported > 0 and abs(reported - calls) <= max(calls // _SLACK, 1))


@dataclass(frozen=True, slots=True)
class _Asking:
    aws: Aws
    lane: Lane
    until: datetime
    patience: Patience

    def reports(self, groups: Sequence[str]) -> Iterator[tuple[str, _Reports]]:
        """What is in each of these log groups that there is. Raises CallFailed."""
        try:
            rows = self._rows(groups)
        except CallFailed as failure:
            if failure.situation is not Situation.NOT_FOUND:
                raise
            # One that is not there costs the whole query, and only AWS's prose names it.
            half = len(groups) // 2
            for part in (groups[:half], groups[half:]) if half else ():
                yield from self.reports(part)
            return
        with readable(_ACTION, self.lane.account, self.lane.region):
            yield from [_read(row) for row in rows]

    def _rows(self, groups: Sequence[str]) -> Sequence[Sequence[Mapping[str, Any]]]:
        """Start a query and wait for its end. Raises CallFailed for any end but a good one."""
        started = self.aws.call(
            self.lane,
            "logs",
            "StartQuery",
            holds="queryId",
            logGroupNames=list(groups),
            queryString=_QUERY,
            startTime=int((self.until - timedelta(days=DAYS)).timestamp()),
            endTime=int(self.until.timestamp()),
        )
        query = {"queryId": started["queryId"]}
        latest = self.patience.clock() + self.patience.longest
        while True:
            answer = self.aws.call(self.lane, "logs", "GetQueryResults", holds="status", **query)
            status = answer["status"]
            if status == _COMPLETE:
                rows: Sequence[Sequence[Mapping[str, Any]]] = answer.get("results", ())
                return rows
            if status not in _GOING_ON:
                raise self._failed(f"the query ended as {status}")
            if self.patience.clock() >= latest:
                self.aws.call(self.lane, "logs", "StopQuery", holds="success", **query)
                raise self._failed(f"the query took more than {self.patience.longest:.0f} s")
            self.aws.rest(self.patience.seconds)

    def _failed(self, detail: str) -> CallFailed:
        place = self.lane.account, self.lane.region
        return CallFailed(_ACTION, *place, Situation.OTHER, "Query", detail)


def _read(row: Iterable[Mapping[str, Any]]) -> tuple[str, _Reports]:
    told = {each["field"]: each["value"] for each in row}
    starts = _count(told["starts"])
    # Without a cold start there is nothing to add up, and no sum.
    init = float(told["init_ms"]) if starts else 0.0
    if not 0 <= init < math.inf:
        raise ValueError(f"{init} can't be counted")
    # An account id, a colon and the name.
    return told["@log"].partition(":")[2], _Reports(_count(told["reports"]), starts, init)


def _count(text: str) -> int:
    number = float(text)
    if number < 0 or not number.is_integer():
        raise ValueError(f"{text} can't be counted")
    return int(number)
