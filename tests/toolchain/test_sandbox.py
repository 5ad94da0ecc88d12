"""What a package can reach and take while it is tried, by packages that try to."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.toolchain.sandbox.box import find_tools
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.problems import NoSandbox
from fleet.toolchain.sandbox.room import check_sandbox
from fleet.toolchain.sandbox.walls import ETC
from fleet.toolchain.trial.verdict import TrialOutcome
from moto_fixtures.packages import zipped
from tests.toolchain.trying import (
    EXECUTABLE,
    Try,
    eventually,
    handler,
    long_time,
    processes_with,
    script,
)

INCONCLUSIVE = TrialOutcome.INCONCLUSIVE


def seen_from_within(tried: Try, commands: str) -> str:
    """Give what shell commands print in the sandbox, both streams."""
    trial = tried(script(f"{commands}\nexit 1"))
    assert trial.outcome is INCONCLUSIVE
    return trial.log


def test_this_system_has_a_sandbox() -> None:
    check_sandbox()


def test_nothing_of_the_callers_environment_is_visible(
    tried: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim-4711")
    log = seen_from_within(tried, "env; cat /proc/*/environ | tr '\\0' '\\n'; cat /proc/*/cmdline")
    assert "LAMBDA_TASK_ROOT=/var/task" in log
    assert "geheim-4711" not in log


def test_no_home_directory_is_there(tried: Try) -> None:
    log = seen_from_within(tried, f"ls {Path.home()} /home /root; echo done")
    assert log.count("No such file or directory") == 3
    assert "done" in log


def test_only_a_few_files_of_etc_are_there(tried: Try) -> None:
    log = seen_from_within(tried, "find /etc -maxdepth 1; cat /etc/passwd /etc/shadow")
    found = {line for line in log.splitlines() if line.startswith("/etc/")}
    assert found <= {f"/etc/{name}" for name in (*ETC, "ld.so.cache", "ssl", "pki")}
    assert "root:" not in log


def test_it_has_a_user_of_its_own_without_privileges(tried: Try) -> None:
    log = seen_from_within(tried, "id -u; id -G; cat /proc/self/status")
    assert "\n65534\n65534\n" in log
    assert "CapEff:\t0000000000000000" in log
    assert "CapBnd:\t0000000000000000" in log
    assert "NoNewPrivs:\t1" in log


def test_it_is_root_of_nothing_outside(tried: Try) -> None:
    log = seen_from_within(tried, "cat /proc/self/uid_map")
    outside = os.geteuid() or 65534
    assert f"65534 {outside} 1" in " ".join(log.split())


def test_it_sees_no_process_but_its_own(tried: Try) -> None:
    log = seen_from_within(tried, "for each in /proc/[0-9]*; do echo process; done")
    assert 1 < log.count("process\n") < 8


def test_the_package_and_the_rest_are_read_only_but_tmp(tried: Try) -> None:
    places = ("/var/task", "/", "/usr", "/dev", "/etc", "/fleet")
    log = seen_from_within(
        tried, "".join(f"touch {place}/new\n" for place in places) + "touch /tmp/new && echo done"
    )
    assert log.count("Read-only file system") == len(places)
    assert "done" in log


def test_tmp_is_bounded(tried: Try) -> None:
    small = Limits(seconds=60, temporary=4 << 20)
    fill = "for each in 1 2 3; do head -c 3000000 /dev/full >/tmp/$each; done; exit 1"
    trial = tried(script(fill), limits=small)
    assert "No space left on device" in trial.log


def test_each_process_has_limits_of_its_own(tried: Try) -> None:
    limits = Limits(seconds=60, memory=256 << 20, processes=60, files=200, temporary=4 << 20)
    trial = tried(script("ulimit -d; ulimit -p; ulimit -n; ulimit -f; ulimit -c"), limits=limits)
    said = trial.log.split("Version: $LATEST\n")[1].split()
    assert said == [str(256 << 10), "60", "200", str((4 << 20) // 512), "0"]


def test_no_network_is_reachable_but_its_own_loopback(tried: Try) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        log = seen_from_within(
            tried,
            f"bash -c 'echo >/dev/tcp/127.0.0.1/{port}'\n"
            "bash -c 'echo >/dev/tcp/192.0.2.1/80'\n"
            "bash -c 'echo >/dev/tcp/127.0.0.1/49801 && echo its own'\n"
            "cut -d: -f1 /proc/net/dev | tail -n +3",
        )
        server.setblocking(False)  # noqa: FBT003 - the socket's own
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "Connection refused" in log
    assert "Network is unreachable" in log
    assert "its own" in log
    assert [line.strip() for line in log.splitlines()][-1] == "lo"


def test_a_fork_bomb_is_held_and_ended(tried: Try) -> None:
    sleep = long_time()
    bomb = f"while :; do sleep {sleep} & done"
    trial = tried(script(bomb), limits=Limits(seconds=2, processes=60))
    assert trial.outcome is INCONCLUSIVE
    assert "Resource temporarily unavailable" in trial.log or "Cannot fork" in trial.log
    assert processes_with(sleep) == []


def test_a_process_that_takes_too_much_memory_is_inconclusive(tried: Try) -> None:
    hog = "head -c 600000000 /dev/full | tail -c 600000000 >/dev/null || echo refused; exit 1"
    trial = tried(script(hog), limits=Limits(seconds=60, memory=256 << 20))
    assert trial.outcome is INCONCLUSIVE
    assert "more than 256 MB" in trial.reason or "refused" in trial.log


def test_many_processes_that_take_too_much_together_are_ended(tried: Try) -> None:
    sleep = long_time()
    hog = f"{{ head -c 90000000 /dev/full; sleep {sleep}; }} | tail -c 90000000 &\n"
    trial = tried(script(hog * 4 + "wait"), limits=Limits(seconds=60, memory=256 << 20))
    assert trial.outcome is INCONCLUSIVE
    assert "more than 256 MB" in trial.reason
    assert processes_with(sleep) == []


ASKS_THE_KERNEL = """
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long result) {
  printf("%s: %s\\n", what, result < 0 ? strerror(errno) : "allowed");
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  say("memfd_create", memfd_create("x", 0));
  say("memfd_secret", syscall(447, 0));
  say("shmget", shmget(IPC_PRIVATE, 4096, 0600));
  say("msgget", msgget(IPC_PRIVATE, 0600));
  say("semget", semget(IPC_PRIVATE, 1, 0600));
  say("clone3", syscall(435, NULL, 0));
  say("clone user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0));
  say("unshare user", unshare(CLONE_NEWUSER));
  say("shared memory", (long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  say("shared too", (long)mmap(NULL, 4096, PROT_WRITE, 3 | MAP_ANONYMOUS, -1, 0));
  say("private memory", (long)mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  say("unshare files", unshare(CLONE_FILES));
#ifdef __x86_64__
  say("x32", syscall(0x40000000 + 319, "x", 0));
  long result;
  /* memfd_create by the number it has for 32-bit programs. */
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(356), "b"(0), "c"(0) : "memory");
  errno = -result;
  say("32-bit", result);
#endif
  return 1;
}
"""


@pytest.fixture(scope="module")
def asks_the_kernel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A program that asks for all that the watch could not count."""
    place = tmp_path_factory.mktemp("asks")
    (place / "asks.c").write_text(ASKS_THE_KERNEL)
    subprocess.run(["gcc", "-static", "-o", place / "asks", place / "asks.c"], check=True)
    return (place / "asks").read_bytes()


def test_memory_that_nobody_could_count_is_refused(tried: Try, asks_the_kernel: bytes) -> None:
    log = tried({"bootstrap": (asks_the_kernel, EXECUTABLE)}).log
    said = dict(line.split(": ") for line in log.splitlines()[-14:])
    missing = ("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "clone3")
    assert {said[each] for each in missing} == {"Function not implemented"}
    forbidden = ("clone user", "unshare user", "shared memory", "shared too")
    assert {said[each] for each in forbidden} == {"Operation not permitted"}
    assert {said["private memory"], said["unshare files"]} == {"allowed"}
    others = {said[each] for each in ("x32", "32-bit") if each in said}
    assert others <= {"Function not implemented"}


def test_no_file_system_of_its_own_can_be_filled(tried: Try) -> None:
    log = seen_from_within(tried, "unshare -Urm mount -t tmpfs none /tmp && echo mounted")
    assert "Operation not permitted" in log
    assert "mounted" not in log


def test_a_machine_whose_system_calls_are_unknown_has_no_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fleet.toolchain.sandbox.box.host_architecture", lambda: "riscv64")
    with pytest.raises(NoSandbox, match="riscv64"):
        check_sandbox()


def test_nothing_is_left_of_what_it_started(tried: Try) -> None:
    sleep = long_time()
    deaf = f"sh -c 'trap \"\" TERM HUP INT; sleep {sleep}; sleep {sleep}'"
    leaves = f"setsid sleep {sleep} & setsid {deaf} & sleep {sleep}"
    trial = tried(script(leaves), limits=Limits(seconds=1))
    assert trial.outcome is INCONCLUSIVE
    assert processes_with(sleep) == []
    assert "ran for 1 s" in trial.reason


def test_nothing_is_left_in_the_temporary_directory(
    tried: Try, monkeypatch: pytest.MonkeyPatch, own_tmp: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(own_tmp))
    shut = {"bootstrap": (handler(), EXECUTABLE), "data/": (b"", 0o040000), "data/x": (b"x", 0)}
    assert tried(shut).outcome is TrialOutcome.STARTS
    assert list(own_tmp.iterdir()) == []


TRY_IT = """
import sys
from pathlib import Path
from fleet.toolchain.trial.emulator import Emulator
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.trial.trial import try_package
package, emulator, architecture, seconds = sys.argv[1:]
print(try_package(
    Path(package),
    handler="main",
    architecture="x86_64",
    emulator=Emulator(Path(emulator), architecture),
    limits=Limits(seconds=float(seconds)),
))
"""


def test_no_process_outlives_fleet_when_it_is_killed(tried: Try, own_tmp: Path) -> None:
    sleep = long_time()
    package = tried.directory / "package.zip"
    package.write_bytes(zipped(script(f"setsid sleep {sleep} & sleep {sleep}")))
    # Odd enough to be seen among the arguments of what calls the emulator.
    seconds = 100 + os.getpid() / (1 << 22)
    arguments = (str(package), str(tried.rie.path), tried.rie.architecture, str(seconds))
    with subprocess.Popen(
        [sys.executable, "-c", TRY_IT, *arguments], env={**os.environ, "TMPDIR": str(own_tmp)}
    ) as fleet:
        assert eventually(lambda: len(processes_with(sleep)) >= 2)
        assert processes_with(str(seconds + 60))
        fleet.send_signal(signal.SIGKILL)
    assert eventually(lambda: not processes_with(sleep), seconds=10)
    assert eventually(lambda: not processes_with(str(own_tmp)), seconds=10)
    assert eventually(lambda: not processes_with(str(seconds + 60)), seconds=10)


@pytest.fixture
def own_tmp() -> Iterator[Path]:
    """A temporary directory that the sandbox's user can reach, as pytest's own is not."""
    place = Path(tempfile.mkdtemp(prefix="fleet-test-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


def python_for_everyone() -> str | None:
    """Give a Python, new enough, that an ordinary user of this machine can run."""
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    for each in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        try:
            if each and not subprocess.run([each, "-c", code], user=1000, check=False).returncode:
                return each
        except OSError:
            continue
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user")
@pytest.mark.parametrize(("mode", "outcome"), [(0o755, "starts"), (0o744, "can't start")])
def test_an_ordinary_user_gets_the_same_verdicts(
    tried: Try, own_tmp: Path, mode: int, outcome: str
) -> None:
    python = python_for_everyone()
    if python is None:
        pytest.skip("no Python that an ordinary user can run")
    tried({"bootstrap": (handler(), mode)})
    own_tmp.chmod(0o777)
    place = own_tmp / "code"
    shutil.copytree(Path(__file__).parents[2] / "fleet", place / "fleet")
    package = Path(shutil.copy(tried.directory / "package.zip", own_tmp))
    emulator = Path(shutil.copy(tried.rie.path, own_tmp))
    for each in (package, emulator):
        each.chmod(0o755)
    code = f"import sys; sys.path.insert(0, {str(place)!r})\n{TRY_IT}"
    done = subprocess.run(
        [python, "-I", "-c", code, str(package), str(emulator), tried.rie.architecture, "60"],
        user=1000,
        group=1000,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "TMPDIR": str(own_tmp)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert outcome in done.stdout


def test_without_bubblewrap_nothing_runs_and_it_is_inconclusive(
    tried: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.toolchain.sandbox.box.shutil.which", lambda _: None)
    trial = tried({"bootstrap": (handler(), EXECUTABLE)})
    assert trial.outcome is INCONCLUSIVE
    assert trial.reason.startswith("no sandbox on this system: bwrap and prlimit and nsenter")


def test_walls_that_cannot_be_built_are_inconclusive(
    tried: Try, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refuses = tmp_path / "bwrap"
    refuses.write_text("#!/bin/sh\necho 'bwrap: No permissions to create namespace' >&2; exit 1")
    refuses.chmod(0o755)
    tools = find_tools()
    monkeypatch.setattr(
        "fleet.toolchain.trial.trial.find_tools", lambda: type(tools)(str(refuses), *("", ""))
    )
    monkeypatch.setattr("fleet.toolchain.sandbox.box._as_nobody", dict)
    trial = tried({"bootstrap": (handler(), EXECUTABLE)})
    assert trial.outcome is INCONCLUSIVE
    assert "no sandbox on this system: bwrap: No permissions to create namespace" in trial.reason


def test_another_system_than_linux_has_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.toolchain.sandbox.box.sys.platform", "darwin")
    with pytest.raises(NoSandbox, match="darwin"):
        find_tools()
