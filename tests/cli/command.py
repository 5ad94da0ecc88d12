"""The real command line, started as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


def start(
    *arguments: str, within: Path, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `fleet` in a directory, with nothing of AWS in its environment but what is given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "fleet", *arguments],
        cwd=within,
        env={**own, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fleet(*arguments: str, within: Path, environ: Mapping[str, str] | None = None) -> Ended:
    """Run `fleet` to its end."""
    process = start(*arguments, within=within, environ=environ)
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)
