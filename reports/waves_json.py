"""Where a plan stands, as JSON; waves-status.schema.json describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TextIO

import orjson

from fleet.wave_status import MemberStatus, PlanRecord

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""


def write_status_json(record: PlanRecord, file: TextIO) -> None:
    """Write a plan's status, with every function of it at the end."""
    document = {"format": FORMAT, **plan_object(record)}
    file.write(orjson.dumps(document, option=orjson.OPT_UTC_Z).decode() + "\n")


def plan_object(record: PlanRecord) -> dict[str, object]:
    """Give the status and every function, ready for orjson with OPT_UTC_Z."""
    return {
        **asdict(record.status),
        "functions": [_function(each) for each in record.members],
    }


def _function(each: MemberStatus) -> dict[str, object]:
    return {
        "arn": each.ref.arn,
        "wave": each.wave,
        "planned_start": each.start,
        "result": each.word,
        "reason": each.reason,
        "moved": each.moved,
        "unjudged": each.unjudged,
        "began": each.began,
        "ended": each.ended,
    }
