"""CloudWatch Logs Insights, as far as it counts the calls and cold starts of functions.

moto starts any query and answers it with log events that it leaves unaggregated.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from .answers import Refusal
from .log_store import GOING_ON, Query, Reports
from .request import ApiRequest
from .world import World

MOST_GROUPS = 50
_STATS = re.compile(r"(?P<function>count|sum)\((?P<of>\*|\w+)\) as (?P<name>\w+)")
_INIT = re.compile(r"fields coalesce\(@initDuration, record\.metrics\.initDurationMs\) as (\w+)")
_FILTER = 'filter @type = "REPORT" or type = "platform.report"'


def start_query(request: ApiRequest, world: World) -> Mapping[str, object]:
    """StartQuery for the one kind of query that is answered here; raises Refusal for others."""
    params = request.params
    groups = params.get("logGroupNames") or []
    if not 0 < len(groups) <= MOST_GROUPS:
        raise Refusal(
            "InvalidParameterException",
            f"1 validation error detected: Value at 'logGroupNames' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_GROUPS}",
        )
    start, end = (datetime.fromtimestamp(params[key], UTC) for key in ("startTime", "endTime"))
    if start > end:
        raise Refusal("InvalidParameterException", "Query's end time is before its start time.")
    asked = _asked(params["queryString"])
    places = [(request.account, request.region, name) for name in groups]
    for place in places:
        if not world.logs.has(place):
            # The words are those of public reports of this error.
            raise Refusal(
                "ResourceNotFoundException",
                f"Log group '{place[2]}' does not exist for account ID '{request.account}'",
            )
    rows = [
        _row(place[2], request.account, reports, asked)
        for place in places
        # A group in which the filter finds nothing gives no row.
        if (reports := world.logs.between(place, start, end)).calls
    ]
    identity = str(uuid4())
    world.queries[identity] = Query(request.account, request.region, rows)
    return {"queryId": identity}


def get_query_results(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetQueryResults: Running as often as a test wants it, then Complete."""
    query = _query(request, world)
    if query.status in GOING_ON:
        query.status = world.logs.endings.pop(0) if world.logs.endings else "Complete"
    done = query.status == "Complete"
    # What is still running gives what it has found so far: nothing, here.
    return {"status": query.status, "results": query.rows if done else []}


def stop_query(request: ApiRequest, world: World) -> Mapping[str, object]:
    """StopQuery, which is refused where the query has ended."""
    query = _query(request, world)
    if query.status not in GOING_ON:
        raise Refusal("InvalidParameterException", "The query is not in a running state.")
    query.status = "Cancelled"
    return {"success": True}


def _query(request: ApiRequest, world: World) -> Query:
    query = world.queries.get(request.params["queryId"])
    if query is None or (query.account, query.region) != (request.account, request.region):
        raise Refusal("ResourceNotFoundException", "The specified query does not exist.")
    return query


def _asked(text: str) -> Sequence[tuple[str, str]]:
    """Field of Reports and name in the answer, of each aggregate that is asked for."""
    first, chosen, stats = [*(part.strip() for part in text.split("|")), "", "", ""][:3]
    init = _INIT.fullmatch(first)
    grouped = stats.startswith("stats ") and stats.endswith(" by @log")
    if init is None or chosen != _FILTER or not grouped:
        raise Refusal(
            "MalformedQueryException", "This emulator counts REPORT lines by @log, nothing else."
        )
    fields = {("count", "*"): "calls", ("count", init[1]): "starts", ("sum", init[1]): "init_ms"}
    return [(fields[each["function"], each["of"]], each["name"]) for each in _STATS.finditer(stats)]


def _row(
    group: str, account: str, reports: Reports, asked: Sequence[tuple[str, str]]
) -> list[Mapping[str, str]]:
    return [
        {"field": "@log", "value": f"{account}:{group}"},
        *({"field": name, "value": value} for name, value in _values(reports, asked)),
    ]


def _values(reports: Reports, asked: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for field, name in asked:
        # There is no sum of nothing.
        if field != "init_ms" or reports.starts:
            yield name, str(getattr(reports, field))
