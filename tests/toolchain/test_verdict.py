from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.trial.emulator_log import Start, read
from fleet.toolchain.trial.verdict import Stop, TrialOutcome, Watched, judge

STAMP = "21 Nov 2026 13:30:17,620"
LISTENING = f"{STAMP} [DEBUG] (rapid) Runtime API Server listening on 127.0.0.1:9001"
ASKED = f"{STAMP} [DEBUG] (rapid) API request - GET /2018-06-01/runtime/invocation/next, Headers:x"
FATAL = f"{STAMP} [WARNING] (rapid) First fatal error stored in appctx: "
FAILED = f"{STAMP} [ERROR] (rapid) Init failed "


def seen(*lines: str, stop: Stop = Stop.KNOWN, said: str = "", problem: str = "") -> Watched:
    return Watched(reduce(read, lines, Start()), stop, "", said, None, problem)


def verdict(watched: Watched, *, script: bool = False) -> tuple[TrialOutcome, str]:
    return judge(watched, handler="main", script=script, limits=Limits())


def test_a_process_that_asked_starts_whatever_came_after() -> None:
    lines = (LISTENING, ASKED, f"{FATAL}Runtime.ExitError", f"{FAILED}error=exit status 1")
    assert verdict(seen(*lines))[0] is TrialOutcome.STARTS


def test_an_invalid_entrypoint_cannot_start_and_says_why() -> None:
    why = "fork/exec /var/task/bootstrap: permission denied"
    lines = (f"{FATAL}Runtime.InvalidEntrypoint", f"{FAILED}error={why} InvokeID=")
    assert verdict(seen(LISTENING, *lines)) == (
        TrialOutcome.CANNOT_START,
        f"Runtime.InvalidEntrypoint: {why}",
    )


@pytest.mark.parametrize(
    "why",
    [
        "fork/exec /var/task/bootstrap: no such file or directory",
        "fork/exec /var/task/bootstrap: exec format error",
        "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
    ],
)
def test_an_entrypoint_that_lambda_would_find_invalid_too_cannot_start(why: str) -> None:
    lines = (f"{FATAL}Runtime.InvalidEntrypoint", f"{FAILED}error={why} InvokeID=")
    assert verdict(seen(LISTENING, *lines))[0] is TrialOutcome.CANNOT_START


@pytest.mark.parametrize(
    "why",
    [
        "fork/exec /var/task/bootstrap: resource temporarily unavailable",
        "fork/exec /var/task/bootstrap: cannot allocate memory",
        "fork/exec /var/task/bootstrap: too many open files",
        "",
    ],
)
def test_an_entrypoint_that_this_machine_could_not_start_is_inconclusive(why: str) -> None:
    lines = (f"{FATAL}Runtime.InvalidEntrypoint", f"{FAILED}error={why} InvokeID=")
    outcome, reason = verdict(seen(LISTENING, *lines))
    assert outcome is TrialOutcome.INCONCLUSIVE
    assert why in reason


@pytest.mark.parametrize("order", ["error={} InvokeID=", "InvokeID= error={}"])
def test_the_fields_of_the_log_come_in_any_order(order: str) -> None:
    error = "Runtime exited with error: exit status 3"
    start = read(Start(), FAILED + order.format(error))
    assert start.error == error
    assert start.exit_status == 3


def test_the_first_failure_counts_not_that_of_the_second_try() -> None:
    first = (f"{FATAL}Runtime.ExitError", f"{FAILED}error=first InvokeID=")
    second = (f"{FATAL}Runtime.InvalidEntrypoint", f"{FAILED}error=second InvokeID=")
    start = seen(*first, *second).start
    assert (start.fatal, start.error) == ("Runtime.ExitError", "first")


@given(st.text())
def test_a_line_that_is_not_the_emulators_tells_nothing(line: str) -> None:
    assert read(Start(), line) == Start()
    assert read(Start(), f"x{ASKED}{line}") == Start()


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("status", [1, 2, 126, 127])
@pytest.mark.parametrize(
    "said",
    [
        "/var/task/bootstrap: 2: exec: /var/task/main: not found",
        "/var/task/bootstrap: line 2: /var/task/main: Permission denied",
        "/var/task/main: error while loading shared libraries: libpcap.so.1",
        "/var/task/bootstrap: 3: curl: not found",
    ],
)
def test_only_a_shell_that_could_not_run_the_handler_tells_of_a_broken_shim(
    said: str, status: int, *, script: bool
) -> None:
    error = f"{FAILED}error=Runtime exited with error: exit status {status} InvokeID="
    outcome, reason = verdict(
        seen(LISTENING, f"{FATAL}Runtime.ExitError", error, said=said), script=script
    )
    shells = said.startswith("/var/task/bootstrap: ") and "/var/task/main: " in said
    broken = script and status in {126, 127} and shells
    assert outcome is (TrialOutcome.CANNOT_START if broken else TrialOutcome.INCONCLUSIVE)
    assert said in reason


@given(
    st.builds(
        Start,
        listening=st.booleans(),
        fatal=st.sampled_from(["", "Runtime.ExitError", "Runtime.Unknown", "Sandbox.Failure"]),
        error=st.text(max_size=40),
    ),
    st.sampled_from(Stop),
    st.text(),
    st.text(max_size=50),
)
def test_what_is_not_known_is_neither_a_start_nor_a_failure(
    start: Start, stop: Stop, said: str, problem: str
) -> None:
    outcome, reason = verdict(Watched(start, stop, "", said, None, problem))
    assert outcome is TrialOutcome.INCONCLUSIVE
    assert reason


def test_an_emulator_that_did_not_come_up_is_told_with_its_last_words() -> None:
    outcome, reason = verdict(seen(problem="bwrap: Can't mount proc"))
    assert outcome is TrialOutcome.INCONCLUSIVE
    assert reason.endswith("did not come up: bwrap: Can't mount proc")
