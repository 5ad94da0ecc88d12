"""Starts packages here before they are moved, one at a time and each content once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from fleet.errors import FleetError
from fleet.migration.ground import Try
from fleet.toolchain.trial.emulator import Emulator, emulator
from fleet.toolchain.trial.trial import try_package
from fleet.toolchain.trial.verdict import TrialOutcome


def trials(say: Callable[[str], None]) -> Try:
    """A local trial of a package, once for each content; `say` tells of what takes long."""
    lock = threading.Lock()
    found: list[Emulator] = []
    tried: dict[tuple[bytes, str, str], tuple[str, str]] = {}

    def attempt(package: Path, handler: str, architecture: str) -> tuple[str, str]:
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        # One at a time: each starts programs, and is over in a second or two.
        with lock:
            if (digest, handler, architecture) in tried:
                return tried[digest, handler, architecture]
            try:
                if not found:
                    found.append(emulator(progress=say))
                trial = try_package(
                    package, handler=handler, architecture=architecture, emulator=found[0]
                )
                answer = trial.outcome.value, trial.reason
            except FleetError as error:
                answer = TrialOutcome.INCONCLUSIVE.value, str(error)
            # The same package is often the code of many functions.
            tried[digest, handler, architecture] = answer
        return answer

    return attempt
