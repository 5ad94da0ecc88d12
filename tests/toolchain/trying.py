"""Packages made of a few files, tried in the real sandbox under the real emulator."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.trial.emulator import Emulator
from fleet.toolchain.trial.trial import Trial, try_package
from moto_fixtures.build import build
from moto_fixtures.definition import Build
from moto_fixtures.packages import zipped

EXECUTABLE = 0o100755
SHIM = '#!/bin/sh\nexec "$LAMBDA_TASK_ROOT/$_HANDLER"\n'

_ASKING = (
    "#!/bin/bash\n"
    'exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}"\n'
    'printf "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" >&3\n'
    "cat <&3\n"
)
ASKS = {"bootstrap": (_ASKING.encode(), EXECUTABLE)}
"""Asks for an invocation and prints what it is given."""

PATIENT = Limits(seconds=60)
"""For what comes to an end by itself, however busy the machine is."""

Files = Mapping[str, tuple[bytes, int]]


def handler(library: str | None = None, **differently: object) -> bytes:
    """Build a real handler with a release of aws-lambda-go; the newest by default."""
    given = {"command": "orders", "library": library, **differently}
    return build(Build.model_validate(given)).read_bytes()


def script(text: str, mode: int = EXECUTABLE) -> Files:
    """Give a package whose bootstrap is a shell script."""
    return {"bootstrap": (f"#!/bin/sh\n{text}\n".encode(), mode)}


@dataclass(frozen=True)
class Try:
    """Tries packages made of files."""

    rie: Emulator
    directory: Path

    def __call__(
        self,
        files: Files,
        *,
        handler: str = "main",
        architecture: str = "x86_64",
        limits: Limits = PATIENT,
        event: bytes | None = None,
    ) -> Trial:
        package = self.directory / "package.zip"
        package.write_bytes(zipped(files))
        return try_package(
            package,
            handler=handler,
            architecture=architecture,
            emulator=self.rie,
            limits=limits,
            event=event,
        )


def long_time() -> str:
    """Give a time to sleep that no other process of this machine sleeps."""
    return f"86400.{uuid.uuid4().int >> 64}"


def processes_with(marker: str) -> list[int]:
    """Give the processes of this machine that have a word in their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if marker.encode() in command and int(place.name) != os.getpid():
            found.append(int(place.name))
    return found


def eventually(holds: Callable[[], bool], *, seconds: float = 60) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
