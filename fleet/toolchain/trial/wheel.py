"""The wheel that carries AWS's emulator: fetched by pip, or given as a file; one file taken out."""

from __future__ import annotations

import importlib.util
import lzma
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from fleet.toolchain.trial.problems import EmulatorMissing

Fetch = Callable[[Path], Path]
"""Puts a wheel into the directory it is given, or knows one; gives its path."""

PROJECT = "aws-sam-cli"
VERSION = "1.170.0"
WHEEL_SHA256 = "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf"

BY_HAND = (
    f"fetch it where there is a way (pip download --no-deps {PROJECT}=={VERSION}) "
    "and give it with `fleet trial setup --wheel FILE`"
)
"""What to do where pip finds no way."""


def by_pip(directory: Path) -> Path:
    """Download the wheel with this Python's pip, so that the user's own settings of pip hold.

    Its dependencies stay away: they are pinned to versions that clash with fleet's. Raises
    EmulatorMissing without pip, without a way to an index, or for a wheel of another hash.
    """
    if importlib.util.find_spec("pip") is None:
        raise EmulatorMissing("this Python has no pip to download it with", BY_HAND)
    wanted = directory / "wanted.txt"
    wanted.write_text(f"{PROJECT}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own Python and nothing that is given
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--no-deps", "--only-binary=:all:"),
            *("--require-hashes", "--requirement", str(wanted), "--dest", str(directory)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    found = sorted(directory.glob("*.whl"))
    if done.returncode or not found:
        raise EmulatorMissing(f"pip could not download it ({_last_words(done.stderr)})", BY_HAND)
    return found[0]


def given(place: Path) -> Fetch:
    """Give a Fetch that takes a wheel from this machine: the file, or the one in a directory."""

    def fetch(_: Path) -> Path:
        if not place.is_dir():
            return place
        found = sorted(place.glob(f"{PROJECT.replace('-', '_')}-*.whl"))
        if not found:
            raise EmulatorMissing(f"{place} holds no wheel of {PROJECT}", BY_HAND)
        return found[-1]

    return fetch


def take_out(wheel: Path, member: str, target: Path) -> None:
    """Write one file of a wheel to `target`; raises EmulatorMissing if that cannot be done."""
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as source,
            target.open("wb") as out,
        ):
            shutil.copyfileobj(source, out)
    except KeyError:
        raise EmulatorMissing(f"{wheel} does not hold {member}", BY_HAND) from None
    except (
        *(OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
        # zipfile's words for a compression method that is none, and for encryption.
        *(NotImplementedError, RuntimeError, ValueError),
    ) as error:
        problem = str(error) or "it ends too early"
        raise EmulatorMissing(f"{wheel} cannot be read ({problem})", BY_HAND) from None


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it gave no reason"])[-1].removeprefix("ERROR:").strip()
