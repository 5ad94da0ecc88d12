"""What a process in the sandbox may not ask of the kernel: a seccomp filter, pure.

The watch adds up what processes have mapped, and /tmp has a size of its own. Refused is what
would hold memory that neither of them shows: files without a name (memfd_create), System V IPC,
shared memory without a file (which a process may keep and not have mapped), and a user namespace
of its own, in which it could mount file systems.

What the kernel keeps for pipes and sockets stays uncounted: some 200 KB for each end of a
socket, within the limits on open files and processes.

https://docs.kernel.org/userspace-api/seccomp_filter.html, include/uapi/linux/seccomp.h and
bpf_common.h of the kernel
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fleet.toolchain.sandbox.problems import NoSandbox

# struct sock_filter: code, jump if true, jump if false, operand.
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
# struct seccomp_data; of arguments the lower half, on little-endian machines.
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_ALLOWED = 0x7FFF0000
_REFUSED = 0x00050000
# x86_64 numbers its calls a second time, for x32, from here on.
_SECOND_NUMBERS = 0x40000000

_NEW_USER = 0x10000000
"""CLONE_NEWUSER, include/uapi/linux/sched.h."""
_SHARED_WITHOUT_FILE = 0x21
"""MAP_SHARED | MAP_ANONYMOUS; MAP_SHARED_VALIDATE has the bit of MAP_SHARED as well."""


@dataclass(frozen=True, slots=True)
class _Calls:
    """The numbers of one architecture."""

    machine: int
    """AUDIT_ARCH_…, include/uapi/linux/audit.h."""
    refused: tuple[int, ...]
    """clone3 (its flags lie where no filter can read them; C libraries then use clone),
    memfd_create, memfd_secret, shmget, msgget, semget."""
    clone: int
    unshare: int
    mmap: int


# arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h
_CALLS: Mapping[str, _Calls] = MappingProxyType(
    {
        "x86_64": _Calls(0xC000003E, (435, 319, 447, 29, 68, 64), clone=56, unshare=272, mmap=9),
        "arm64": _Calls(
            0xC00000B7, (435, 279, 447, 194, 186, 190), clone=220, unshare=97, mmap=222
        ),
    }
)


def refusing(architecture: str) -> bytes:
    """Give the filter for a machine, as bwrap's --seccomp takes it.

    Calls by another architecture's numbers are refused as well: Lambda runs no 32-bit programs.
    Raises NoSandbox for a machine whose numbers are not known here.
    """
    calls = _CALLS.get(architecture)
    if calls is None:
        raise NoSandbox(f"no system calls are known of {architecture}", "use x86_64 or arm64")
    missing, forbidden = _REFUSED | errno.ENOSYS, _REFUSED | errno.EPERM
    program = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, calls.machine),
        (_RETURN, 0, 0, missing),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _SECOND_NUMBERS),
        (_RETURN, 0, 0, missing),
    ]
    for number in calls.refused:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, missing)]
    for number in (calls.clone, calls.unshare):
        program += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _argument(0)),
            (_ANY_BIT, 0, 1, _NEW_USER),
            (_RETURN, 0, 0, forbidden),
            (_RETURN, 0, 0, _ALLOWED),
        ]
    program += [
        (_EQUAL, 0, 4, calls.mmap),
        (_LOAD, 0, 0, _argument(3)),
        (_AND, 0, 0, _SHARED_WITHOUT_FILE),
        (_EQUAL, 0, 1, _SHARED_WITHOUT_FILE),
        (_RETURN, 0, 0, forbidden),
        (_RETURN, 0, 0, _ALLOWED),
    ]
    return b"".join(_INSTRUCTION.pack(*each) for each in program)


def _argument(index: int) -> int:
    return _ARGUMENTS + 8 * index
