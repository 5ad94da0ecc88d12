"""Events to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave_status import Counts, WaveState
from fleet.waves.telling import FunctionFailed, WaveBegan, WaveEnded, WaveStopped

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
COUNTS = Counts(
    functions=12,
    done=7,
    running=1,
    baking=2,
    waiting=1,
    failed={"rolled back": 1},
    not_moved={},
    budget_left=0,
)
REF = FunctionRef("aws", "001234567890", "eu-west-1", "invoice-audit")

BEGAN = WaveBegan(
    plan="move",
    organization="o-abc123",
    wave="canary",
    at=AT,
    counts=Counts(functions=1, waiting=1, failed={}, not_moved={}),
)
ENDED = WaveEnded(
    plan="move",
    organization="o-abc123",
    wave="canary",
    at=AT,
    counts=replace(COUNTS, done=11, running=0, baking=0, waiting=0),
    state=WaveState.DONE_WITH_FAILURES,
)
STOPPED = WaveStopped(
    plan="move",
    organization="o-abc123",
    wave="canary",
    at=AT,
    counts=COUNTS,
    reason="the failure budget of wave canary is spent: 1 of 12 functions failed",
)
FAILED = FunctionFailed(
    plan="move",
    organization="o-abc123",
    wave="canary",
    at=AT,
    counts=COUNTS,
    ref=REF,
    result=Result.ROLLED_BACK,
    reason="its error rate rose from 0.1 % to 12 %",
)
ALL = (BEGAN, ENDED, STOPPED, FAILED)
