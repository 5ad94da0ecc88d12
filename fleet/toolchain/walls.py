"""What a process in the sandbox finds around itself: pure, as bubblewrap's arguments.

Namespaces of its own (user, mount, process, network with nothing but its loopback, IPC, host
name, cgroup), a user of its own without capabilities or new privileges, this machine's programs
and libraries read-only, the package at /var/task read-only, and /tmp. No home directory, no
/etc but its own and what the loader and TLS read, no device but the four below, and an
environment that holds what it is given. Everything in there dies with fleet, and with the
process that bwrap runs. What it may not ask of the kernel: fleet/toolchain/syscalls.py.

https://github.com/containers/bubblewrap; `--size` needs 0.7.0
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fleet.toolchain.limits import Limits

NOBODY = 65534
TASK = "/var/task"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html"""

EMULATOR = "/fleet/emulator"

# The emulator has a timeout of its own, and would end what is being watched.
_LATER_SECONDS = 60
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


def walls(
    tools: Tools,
    *,
    package: Path,
    emulator: Path,
    etc: Path,
    limits: Limits,
    root: Path = Path("/"),
) -> list[str]:
    """Give the arguments of bwrap that run what is appended to them behind the walls.

    `etc` is a directory with the files of ETC; `root` is where the links of this system's layout
    are read.
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
        *("--ro-bind", str(package), TASK),
        *("--ro-bind", str(emulator), EMULATOR),
        # Else the root, a tmpfs, could be filled: half of the machine's memory.
        *("--remount-ro", "/"),
        *("--chdir", TASK, "--"),
        *_limited(tools, limits),
    ]


def lambda_environment(handler: str, limits: Limits) -> Mapping[str, str]:
    """Give what a custom runtime finds in its environment, and nothing of the caller's.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return {
        "LAMBDA_TASK_ROOT": TASK,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": handler,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(math.ceil(limits.seconds) + _LATER_SECONDS),
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib"
        ":/opt/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }


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
