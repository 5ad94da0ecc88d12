"""Does it work? What a test event's answer shows, and what it leaves open. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.aws.failures import CallFailed
from fleet.aws.updates import Invoked

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,80}")
"""A name of a type of errors, as Go or Lambda write it."""
_CANNOT_RUN = frozenset({"InvalidRuntimeException", "InvalidZipFileException"})
"""What AWS says where it finds nothing in the function that it could run."""


@dataclass(frozen=True, slots=True)
class TestEvent:
    """An event to invoke a function with, and what it is to answer."""

    event: bytes
    """JSON."""
    expected: bytes | None = None
    """JSON; None: any answer that is no error."""


@dataclass(frozen=True, slots=True)
class TestEvents:
    """Which function is invoked with what; no event, no invocation."""

    for_all: TestEvent | None = None
    by_name: Mapping[str, TestEvent] = field(default_factory=dict)
    from_directory: bool = False
    """Whether events by name were asked for, though there may be none."""

    @property
    def any(self) -> bool:
        """Whether any function will be invoked."""
        return self.for_all is not None or bool(self.by_name)

    def of(self, name: str) -> TestEvent | None:
        """The event of a function, its own before the one for all."""
        return self.by_name.get(name, self.for_all)


class ProofOutcome(StrEnum):
    """What was shown."""

    WORKS = "works"
    FAILS = "fails"
    """The one outcome that rolls back by itself."""
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown, in a sentence."""

    outcome: ProofOutcome
    reason: str


def judge(answer: Invoked | CallFailed, expected: bytes | None) -> Proof:
    """Say what an invocation shows.

    A throttle, a function that wakes up, a fault of the moment, a missing permission show nothing
    of the function: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
    """
    if isinstance(answer, CallFailed):
        if answer.code in _CANNOT_RUN:
            return Proof(ProofOutcome.FAILS, f"AWS can't run it: {answer.why}")
        said = f"the test event got no answer, which shows nothing of the function: {answer.why}"
        return Proof(ProofOutcome.INCONCLUSIVE, said)
    if answer.error:
        # Not what it answered: that is its owners' data, and this goes into logs.
        kind = _error_type(answer.payload)
        said = f"it fails with the test event ({answer.error}{kind}): invoke it to see more"
        return Proof(ProofOutcome.FAILS, said)
    if expected is None:
        return Proof(ProofOutcome.WORKS, "it answers the test event without an error")
    difference = differing(answer.payload, expected)
    if difference:
        said = f"it answers the test event otherwise than expected: {difference}"
        return Proof(ProofOutcome.FAILS, said)
    return Proof(ProofOutcome.WORKS, "it answers the test event as expected")


def differing(payload: bytes, expected: bytes) -> str:
    """Say where two JSON documents first differ, without their values; '' where they do not.

    The order of an object's members and white space don't count.
    """
    try:
        given, wanted = json.loads(payload), json.loads(expected)
    except (ValueError, RecursionError):
        return "" if payload == expected else "it is no JSON"
    return _difference(given, wanted, "$")


def _difference(given: object, wanted: object, place: str) -> str:
    if isinstance(given, dict) and isinstance(wanted, dict):
        for name in sorted(given.keys() | wanted.keys()):
            if name not in given or name not in wanted:
                return f"{place}.{name} is {'missing' if name in wanted else 'not expected'}"
            if inside := _difference(given[name], wanted[name], f"{place}.{name}"):
                return inside
        return ""
    if isinstance(given, list) and isinstance(wanted, list):
        if len(given) != len(wanted):
            return f"{place} has {len(given)} elements, not {len(wanted)}"
        pairs = enumerate(zip(given, wanted, strict=True))
        found = (_difference(*pair, f"{place}[{index}]") for index, pair in pairs)
        return next((each for each in found if each), "")
    # To Python True is 1; to JSON it is not.
    same = given == wanted and isinstance(given, bool) is isinstance(wanted, bool)
    return "" if same else f"{place} differs"


def _error_type(payload: bytes) -> str:
    """Name the kind of error; https://docs.aws.amazon.com/lambda/latest/dg/golang-exceptions.html."""
    try:
        kind = json.loads(payload)["errorType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f", {kind}" if isinstance(kind, str) and _KIND.fullmatch(kind) else ""
