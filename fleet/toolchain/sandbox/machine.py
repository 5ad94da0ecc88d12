"""Which processor this machine has, and which one a program was built for."""

from __future__ import annotations

import platform
import struct
from pathlib import Path

# Lambda's words for its Architectures on the right.
_OURS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_HEADER = struct.Struct("<4s2B12xH")
_ELF64_LITTLE_ENDIAN = (b"\x7fELF", 2, 1)
# e_machine, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {62: "x86_64", 183: "arm64"}


def host_architecture() -> str:
    """Give this machine's architecture in Lambda's words; the machine's own word if it has none."""
    own = platform.machine()
    return _OURS.get(own.lower(), own)


def built_for(program: Path) -> str | None:
    """Give the architecture in a program's ELF header, or None if it has no ELF header.

    Raises OSError where the file cannot be read.
    """
    with program.open("rb") as file:
        head = file.read(_HEADER.size)
    if not head.startswith(b"\x7fELF"):
        return None
    if len(head) < _HEADER.size:
        return "no machine"
    magic, bits, order, machine = _HEADER.unpack(head)
    if (magic, bits, order) != _ELF64_LITTLE_ENDIAN:
        return "another kind of machine"
    return _MACHINES.get(machine, f"machine {machine}")
