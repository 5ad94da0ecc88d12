"""What a process in the sandbox finds around itself: pure, as bubblewrap's arguments.

Namespaces of its own (user, mount, process, network with nothing but its loopback, IPC, host
name, cgroup), a user of its own without capabilities or new privileges, this machine's programs
and libraries read-only, what it is given besides, and /tmp. No home directory, no /etc but its
own and what the loader and TLS read, no device but the four below, and an environment that holds
what it is given. Everything in there dies with fleet, and with the
process that bwrap runs. What it may not ask of the kernel: fleet/toolchain/sandbox/syscalls.py.

https://github.com/containers/bubblewrap; `--size` needs 0.7.0
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fleet.toolchain.sandbox.limits import Limits

NOBODY = 65534
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC: Mapping[str, str] = MappingProxyType(
    {
        # An aws-lambda-go that speaks RPC listens on localhost, by that name.
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "passwd": f"sandbox:x:{NOBODY}:{NOBODY}::/tmp:/sbin/nologin\n",
        "group": f"sandbox:x:{NOBODY}:\n",
        "resolv.conf": "",
    }
)
"""Files of the sandbox's own /etc, by name."""

_ETC = ("/etc/ld.so.cache", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted")
# Not /dev/zero: mapped, it is shared memory without a file. /dev/full gives zeros as well.
_DEVICES = ("null", "full", "random", "urandom")


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that build the walls, by their paths here."""

    bwrap: str
    prlimit: str
    nsenter: str


@dataclass(frozen=True, slots=True)
class Given:
    """A file or directory of this machine that is seen in the sandbox."""

    source: Path
    place: str
    """Its path in there."""
    writable: bool = False


def walls(
    tools: Tools,
    given: Iterable[Given],
    *,
    etc: Path,
    begin_in: str,
    limits: Limits,
    root: Path = Path("/"),
) -> list[str]:
    """Give the arguments of bwrap that run what is appended to them behind the walls.

    `etc` is a directory with the files of ETC, `begin_in` the working directory in there; `root`
    is where the links of this system's layout are read.
    """
    return [
        *("--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)),
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--hostname", "sandbox"),
        *("--new-session", "--die-with-parent"),
        *("--ro-bind", "/usr", "/usr"),
        *_layout(root),
        *(word for each in _ETC for word in ("--ro-bind-try", each, each)),
        *(word for each in ETC for word in ("--ro-bind", str(etc / each), f"/etc/{each}")),
        *("--proc", "/proc"),
        *(word for each in _DEVICES for word in ("--dev-bind", f"/dev/{each}", f"/dev/{each}")),
        *("--size", str(limits.temporary), "--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
        *(word for each in given for word in _seen(each)),
        # Else the root, a tmpfs, could be filled: half of the machine's memory.
        *("--remount-ro", "/"),
        *("--chdir", begin_in, "--"),
        *_limited(tools, limits),
    ]


def _seen(given: Given) -> tuple[str, str, str]:
    return "--bind" if given.writable else "--ro-bind", str(given.source), given.place


def _limited(tools: Tools, limits: Limits) -> Sequence[str]:
    # Not the address space: Go and qemu reserve far more of it than they use.
    return (
        tools.prlimit,
        f"--data={limits.memory}",
        f"--nproc={limits.processes}",
        f"--nofile={limits.files}",
        f"--fsize={limits.temporary}",
        "--core=0",
        "--",
    )


def _layout(root: Path) -> Iterator[str]:
    """Lay /bin, /lib and the rest out as here: links into /usr, or directories of their own."""
    for name in _SYSTEM:
        place = root / name[1:]
        if place.is_symlink():
            yield from ("--symlink", os.fspath(place.readlink()), name)
        elif place.is_dir():
            yield from ("--ro-bind", name, name)
