"""Whether another process still lives, as far as this machine can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fleet import process
from fleet.process import is_gone, this_process
from fleet.wave import Holder

CHILD = """
from fleet.process import this_process
holder = this_process("20261121T100000Z-0002")
print(holder.host, holder.machine, holder.process, holder.started, sep="\\n", flush=True)
input()
"""


@contextmanager
def child() -> Iterator[tuple[subprocess.Popen[str], Holder]]:
    """Another process, as it names itself; killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as popen:
        assert popen.stdout
        try:
            host, machine, number, started = (popen.stdout.readline().strip() for _ in range(4))
            named = Holder(
                run="r", host=host, machine=machine, process=int(number), started=started
            )
            yield popen, named
        finally:
            popen.kill()


def test_a_process_is_gone_once_it_was_killed_even_if_nobody_has_waited_for_it() -> None:
    with child() as (popen, named):
        assert named.process == popen.pid
        assert not is_gone(named)
        popen.kill()
        os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(named)  # a zombie
        popen.wait()
        assert is_gone(named)


def test_this_process_is_not_gone() -> None:
    me = this_process("r")
    assert me.machine
    assert (me.process, me.run) == (os.getpid(), "r")
    assert not is_gone(me)


def test_an_id_that_was_given_out_again_is_another_process() -> None:
    assert is_gone(replace(this_process("r"), started="1"))


@pytest.mark.parametrize(
    "other",
    [
        {"machine": "else"},
        {"machine": ""},
        {"host": "else"},
        {"started": ""},
        {"process": 0},
        {"process": -1},
    ],
    ids=str,
)
def test_of_what_this_machine_cannot_know_nobody_says_that_it_is_gone(
    other: dict[str, str | int],
) -> None:
    nobody = replace(this_process("r"), process=2**22 + 1)  # above what Linux gives out
    assert is_gone(nobody)
    assert not is_gone(replace(nobody, **other))  # type: ignore[arg-type]  # the values fit


@pytest.mark.parametrize("number", [2**31, 2**63 - 1])
def test_an_id_that_can_be_none_is_not_gone(number: int) -> None:
    assert not is_gone(replace(this_process("r"), process=number))


def test_a_process_that_is_hidden_from_this_user_is_not_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    me = replace(this_process("r"), process=1)
    monkeypatch.setattr(process, "_stat", lambda _: None)
    assert not is_gone(me)


def test_where_the_system_shows_other_processes_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 7)
    assert this_process("r").machine == ""


def test_where_the_system_tells_nothing_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    me = replace(this_process("r"), started="1")
    monkeypatch.setattr(process, "_PROC", tmp_path_factory.mktemp("proc"))
    assert not is_gone(me)
    here = this_process("r")
    assert (here.machine, here.started) == ("", "")
    assert not is_gone(here)
