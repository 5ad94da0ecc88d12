"""Real git repositories, made of a few files; the same files give the same commits everywhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAIN = "package main\n\nfunc main() { println(1) }\n"
"""A program that imports nothing."""

Files = Mapping[str, str | bytes | Path | None]
"""By path: text or bytes, a Path for a symbolic link to it, None for a file that goes away."""

_DATE = "2024-01-02T03:04:05+00:00"
_NAME = {"NAME": "Somebody", "EMAIL": "somebody@example.com", "DATE": _DATE}


def go_mod(module: str, go: str = "1.21") -> str:
    """Give a go.mod of a module that needs no other."""
    return f"module {module}\n\ngo {go}\n"


def _nobodys() -> dict[str, str]:
    """Nobody's own configuration of git, and no repository that a hook's environment names."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": v for role in ("AUTHOR", "COMMITTER") for what, v in _NAME.items()}
    return own | who | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True)
class Repository:
    """A repository with a work tree, whose branch is `main`."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=_nobodys, repr=False)

    @classmethod
    def at(cls, path: Path, files: Files | None = None) -> Repository:
        """Make one; with `files`, they are its first commit."""
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", "--template=", "--initial-branch=main")
        if files is not None:
            made.commit(files)
        return made

    def git(self, *words: str, given: str = "") -> str:
        """Run git in it; gives what it printed, without the last line's end."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    def write(self, files: Files) -> None:
        """Change files of the work tree."""
        for name, content in files.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            if isinstance(content, Path):
                place.symlink_to(content)
            elif content is not None:
                place.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files | None = None, *, tag: str = "") -> str:
        """Commit changes of files, none too; gives the commit in full."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=A change")
        if tag:
            self.tag(tag)
        return self.head

    def tag(self, name: str) -> None:
        """Tag the newest commit; a tag of that name moves there."""
        self.git("tag", "--force", name)

    @property
    def head(self) -> str:
        """The commit that is checked out, in full."""
        return self.git("rev-parse", "HEAD")

    @property
    def url(self) -> str:
        """Give the address that git clones it from."""
        return self.path.as_uri()

    def forget(self, commit: str) -> None:
        """Force main back to before `commit`, and drop every object that nothing reaches."""
        self.git("reset", "--quiet", "--hard", f"{commit}^")
        self.git("reflog", "expire", "--expire=now", "--all")
        self.git("gc", "--quiet", "--prune=now")
