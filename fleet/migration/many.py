"""Many functions at once: each looked at, then each moved, and one that fails costs no other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Protocol

from fleet.aws.failures import Interrupted, NoCredentials
from fleet.errors import FleetError
from fleet.fan_out import Crew, fan_out
from fleet.migration.plan import Outcome
from fleet.migration.prepared import Prepared, not_moving
from fleet.migration.problems import Halted, OutOfCredentials
from fleet.model import FunctionRef
from fleet.results import Result

AT_ONCE = 8
"""Functions under way: each may fill two temporary files of 250 MB."""

_log = logging.getLogger(__name__)


class Progress(Protocol):
    """What somebody who waits wants to see; called from one thread."""

    def planned(self, functions: int, doing: str) -> None:
        """So many functions are to be looked at, or moved."""

    def function_done(self, ref: FunctionRef, result: Result) -> None:
        """One of them is done."""


def prepare_all(
    refs: Iterable[FunctionRef],
    prepare: Callable[[FunctionRef], Prepared],
    crew: Crew,
    progress: Progress,
) -> list[Prepared]:
    """Look at every function; raises KeyboardInterrupt and NoCredentials."""
    waiting = deque(refs)
    progress.planned(len(waiting), "looked at")
    prepared: list[Prepared] = []

    def settle(ref: FunctionRef, future: Future[Prepared]) -> None:
        error = future.exception()
        if error is None:
            found = future.result()
        else:
            result = error.result if isinstance(error, Halted) else Result.FAILED
            found = not_moving(ref, result, "could-not-be-read", _said(error))
        prepared.append(found)
        progress.function_done(ref, found.plan.result)

    fan_out(crew, waiting, prepare, settle, at_once=min(AT_ONCE, crew.parallelism))
    return prepared


def act_on_all(
    prepared: Iterable[Prepared],
    act: Callable[[Prepared], Outcome],
    crew: Crew,
    progress: Progress,
    *,
    wanted: Result,
    max_failures: int | None = None,
) -> tuple[list[Outcome], BaseException | None]:
    """Do it to every function; the outcomes, and what ended the work before its end.

    That is KeyboardInterrupt or NoCredentials: functions under way came to where invocations
    work, and the others were not begun. After `max_failures` that ended otherwise than `wanted`
    no further one is begun.
    """
    good = {wanted, Result.ALREADY_THERE}
    waiting = deque(prepared)
    left = dict.fromkeys(one.plan.ref for one in waiting)
    progress.planned(len(waiting), "done")
    begun: set[FunctionRef] = set()
    outcomes: list[Outcome] = []
    failures = 0

    def begin(one: Prepared) -> Outcome:
        begun.add(one.plan.ref)
        return act(one)

    def settle(one: Prepared, future: Future[Outcome]) -> None:
        nonlocal failures
        error = future.exception()
        if error is None:
            outcome = future.result()
        elif isinstance(error, OutOfCredentials):
            outcome = error.outcome
        else:
            outcome = Outcome(one.plan.ref, Result.FAILED, _said(error))
        del left[one.plan.ref]
        outcomes.append(outcome)
        progress.function_done(one.plan.ref, outcome.result)
        # A refusal that meets one function is likely to meet the next.
        failures += outcome.result not in good
        if max_failures is not None and failures >= max_failures:
            waiting.clear()
        if isinstance(error, OutOfCredentials):
            raise error.cause

    ended: BaseException | None = None
    try:
        fan_out(crew, waiting, begin, settle, at_once=min(AT_ONCE, crew.parallelism))
    except (KeyboardInterrupt, NoCredentials) as error:
        ended = error
    why = "not begun: so many have failed" if ended is None else "not begun"
    under_way = "stopped under way, perhaps halfway: the same command goes on from there"
    outcomes += [
        Outcome(ref, Result.INTERRUPTED, under_way if ref in begun else why) for ref in left
    ]
    return outcomes, ended


def _said(error: BaseException) -> str:
    if isinstance(error, (NoCredentials, Interrupted)) or not isinstance(error, Exception):
        raise error
    if isinstance(error, FleetError):
        return str(error)
    if isinstance(error, OSError):
        return f"no temporary file can be written ({error.strerror}): set TMPDIR"
    # A defect met in one function must not cost the others; nor pass for a result.
    _log.debug("unexpected", exc_info=error)
    return f"unexpected {type(error).__name__}; --debug tells more"
