from __future__ import annotations

from pathlib import Path

import pytest

from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.trial.emulator import Emulator
from fleet.toolchain.trial.problems import PackageUnusable
from fleet.toolchain.trial.trial import try_package
from fleet.toolchain.trial.verdict import TrialOutcome
from tests.toolchain.trying import ASKS, EXECUTABLE, SHIM, Try, handler, script

STARTS, CANNOT_START, INCONCLUSIVE = TrialOutcome


def renamed(mode: int = EXECUTABLE, library: str | None = None) -> dict[str, tuple[bytes, int]]:
    return {"bootstrap": (handler(library), mode)}


def shimmed(**files: tuple[bytes, int]) -> dict[str, tuple[bytes, int]]:
    return {"bootstrap": (SHIM.encode(), EXECUTABLE), **files}


@pytest.mark.parametrize("library", ["1.18.0", "1.41.0", None])
def test_a_library_that_knows_the_runtime_api_starts(tried: Try, library: str | None) -> None:
    trial = tried(renamed(library=library))
    assert trial.outcome is STARTS, trial
    assert 0 < trial.seconds < 60


@pytest.mark.parametrize("library", ["1.13.3", "1.17.0"])
def test_a_library_that_never_asks_is_inconclusive(tried: Try, library: str) -> None:
    trial = tried(renamed(library=library), limits=Limits(seconds=2))
    assert trial.outcome is INCONCLUSIVE
    assert "ran for 2 s without asking for an invocation" in trial.reason


def test_no_event_reaches_the_function_unless_one_is_given(tried: Try) -> None:
    silent = tried(ASKS)
    assert silent.outcome is STARTS
    assert "Internal agent fleet-hold" in silent.log
    assert "Lambda-Runtime-Aws-Request-Id" not in silent.log
    told = tried(ASKS, event=b'{"order": 7}', limits=Limits(seconds=2))
    assert told.outcome is STARTS
    assert '{"order": 7}' in told.log


def test_an_event_that_is_given_is_answered(tried: Try) -> None:
    trial = tried(renamed(), event=b"{}")
    assert trial.outcome is STARTS
    assert trial.answer is not None
    assert '"cents":0' in trial.answer


def test_without_an_event_there_is_no_answer(tried: Try) -> None:
    assert tried(renamed()).answer is None


@pytest.mark.parametrize("mode", [0o100700, 0o100744, 0o100754, 0o100644])
def test_a_bootstrap_that_not_everyone_may_run_cannot_start(tried: Try, mode: int) -> None:
    trial = tried(renamed(mode))
    assert trial.outcome is CANNOT_START
    assert "Runtime.InvalidEntrypoint" in trial.reason
    assert "permission denied" in trial.reason


def test_a_bootstrap_that_everyone_may_run_and_nobody_read_starts(tried: Try) -> None:
    assert tried(renamed(0o100711)).outcome is STARTS


def test_a_missing_bootstrap_cannot_start(tried: Try) -> None:
    trial = tried({"main": (handler(), EXECUTABLE)})
    assert trial.outcome is CANNOT_START
    assert "no such file or directory" in trial.reason


def test_a_program_for_another_machine_cannot_start(tried: Try) -> None:
    arm64 = handler(architecture="arm64")
    trial = tried({"bootstrap": (arm64, EXECUTABLE)})
    assert trial.outcome is CANNOT_START
    assert "built for arm64 and the function is x86_64: exec format error" in trial.reason
    behind_a_shim = tried(shimmed(main=(arm64, EXECUTABLE)))
    assert behind_a_shim.outcome is CANNOT_START
    assert "/var/task/main is built for arm64" in behind_a_shim.reason


def test_text_without_an_interpreter_cannot_start(tried: Try) -> None:
    trial = tried({"bootstrap": (b"exec main\n", EXECUTABLE)})
    assert trial.outcome is CANNOT_START
    assert "exec format error" in trial.reason


@pytest.mark.parametrize("first", ["#!/bin/sh\r", "#!/opt/none/interpreter"])
def test_an_interpreter_that_is_nowhere_cannot_start(tried: Try, first: str) -> None:
    trial = tried({"bootstrap": (f"{first}\nexit 0\n".encode(), EXECUTABLE)})
    assert trial.outcome is CANNOT_START
    assert "no such file or directory" in trial.reason


def test_a_loader_that_is_nowhere_cannot_start(tried: Try) -> None:
    dynamic = handler(cgo=True)
    strange = dynamic.replace(b"/lib64/ld-linux-x86-64.so.2", b"/lib64/ld-linux-x86-64.so.9")
    assert strange != dynamic
    trial = tried({"bootstrap": (strange, EXECUTABLE)})
    assert trial.outcome is CANNOT_START
    assert "no such file or directory" in trial.reason


def test_a_shim_starts_the_handler_where_it_lies(tried: Try) -> None:
    files = shimmed(**{"bin/main": (handler(), EXECUTABLE)})
    assert tried(files, handler="bin/main").outcome is STARTS


def test_a_shim_without_its_target_cannot_start(tried: Try) -> None:
    trial = tried(shimmed())
    assert trial.outcome is CANNOT_START
    assert "/var/task/main" in trial.reason


def test_a_shim_whose_target_not_everyone_may_run_cannot_start(tried: Try) -> None:
    trial = tried(shimmed(main=(handler(), 0o100744)))
    assert trial.outcome is CANNOT_START
    assert "/var/task/main" in trial.reason


def test_a_target_that_misses_a_library_here_is_no_failure_of_the_shim(tried: Try) -> None:
    misses = handler(cgo=True).replace(b"libc.so.6\0", b"libq.so.6\0")
    trial = tried(shimmed(main=(misses, EXECUTABLE)))
    assert trial.outcome is INCONCLUSIVE
    assert "libq.so.6" in trial.reason


@pytest.mark.parametrize("status", [0, 1, 126, 127])
def test_a_process_that_ends_by_itself_is_inconclusive(tried: Try, status: int) -> None:
    trial = tried(script(f"echo no DATABASE_URL >&2; exit {status}"))
    assert trial.outcome is INCONCLUSIVE
    assert trial.reason.endswith(": no DATABASE_URL")


def test_control_characters_do_not_get_into_the_log(tried: Try) -> None:
    trial = tried(script(r"printf 'red \033[31m and \a bell\n'; exit 1"))
    assert "red [31m and  bell" in trial.log


def test_a_flood_of_output_is_cut(tried: Try) -> None:
    trial = tried(script("head -c 5000000 /dev/full | tr '\\0' y; echo; echo the end; exit 1"))
    assert len(trial.log) < 100_000
    assert trial.reason.endswith(": the end")


def test_an_architecture_without_a_sandbox_here_is_inconclusive(
    tried: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.toolchain.trial.qemu.shutil.which", lambda _: None)
    trial = tried({"bootstrap": (handler(architecture="arm64"), EXECUTABLE)}, architecture="arm64")
    assert trial.outcome is INCONCLUSIVE
    assert "qemu-user-static" in trial.reason


def test_arm64_starts_through_qemu(tried: Try) -> None:
    arm64 = {"bootstrap": (handler(architecture="arm64"), EXECUTABLE)}
    assert tried(arm64, architecture="arm64").outcome is STARTS
    answered = tried(arm64, architecture="arm64", event=b"{}")
    assert answered.answer is not None
    assert '"cents":0' in answered.answer


def test_an_arm64_bootstrap_that_not_everyone_may_run_cannot_start(tried: Try) -> None:
    shut = {"bootstrap": (handler(architecture="arm64"), 0o100744)}
    trial = tried(shut, architecture="arm64")
    assert trial.outcome is CANNOT_START
    assert "permission denied" in trial.reason


def test_a_zip_that_is_none_is_an_error(rie: Emulator, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(PackageUnusable, match="not a whole zip"):
        try_package(broken, handler="main", architecture="x86_64", emulator=rie)
