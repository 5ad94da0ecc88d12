"""qemu-user: one program of another architecture on this machine.

https://www.qemu.org/docs/master/user/main.html
"""

from __future__ import annotations

import shutil
from types import MappingProxyType

from fleet.toolchain.sandbox.problems import NoSandbox

_NAMES = MappingProxyType({"arm64": "qemu-aarch64", "x86_64": "qemu-x86_64"})


def qemu_for(architecture: str) -> str:
    """Give the path of the emulator for an architecture; raises NoSandbox where it is missing.

    The static build is asked for first: it needs nothing else.
    """
    name = _NAMES.get(architecture)
    if name is None:
        raise NoSandbox(f"Lambda knows no {architecture}", f"use {' or '.join(_NAMES)}")
    path = shutil.which(f"{name}-static") or shutil.which(name)
    if path is None:
        raise NoSandbox(
            f"{name}-static is missing, which {architecture} programs need here",
            "install the Debian package qemu-user-static",
        )
    return path
