"""What builds take: git, Go, and the directories of the user's cache that are fleet's."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.cache import user_cache
from fleet.settings import Rebuild as Settings
from fleet.sources import KnownBuild, SourceRule
from fleet.toolchain.rebuild.building import LIMITS
from fleet.toolchain.rebuild.git import Git
from fleet.toolchain.rebuild.golang import Go, find_go
from fleet.toolchain.sandbox.limits import Limits
from fleet.toolchain.sandbox.room import check_sandbox

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """For one build; git and Go are looked for once and shared."""

    git: Git
    go: Go
    clones: Path
    """Bare clones of repositories, which all builds share."""
    rules: tuple[SourceRule, ...]
    limits: Limits
    stop: threading.Event
    say: Say


@dataclass(slots=True)
class Toolbox:
    """Gives every build its tools; threads share it."""

    rules: tuple[SourceRule, ...]
    settings: Settings
    say: Say
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _found: tuple[Git, Go] | None = None

    def tools(self, stop: threading.Event) -> Tools:
        """Give the tools of a build that `stop` ends; raises GitMissing and NoGo."""
        with self._lock:
            if self._found is None:
                self._found = (
                    Git.found(self.environ),
                    find_go(self.settings.go, environ=self.environ),
                )
            git, go = self._found
        return Tools(
            git=replace(git, stop=stop),
            go=go,
            clones=user_cache("sources", self.environ),
            rules=self.rules,
            limits=replace(LIMITS, seconds=self.settings.minutes * 60),
            stop=stop,
            say=self.say,
        )

    def check(self) -> None:
        """Raise what every build would meet: GitMissing, NoGo or NoSandbox."""
        self.tools(threading.Event())
        check_sandbox()

    def known(self, name: str, arn: str) -> KnownBuild:
        """What people know of a function's build; nothing, where they have said nothing."""
        fitting = (each for each in self.settings.functions if each.function in {name, arn})
        # One that is named by its ARN is named more closely.
        found = sorted(fitting, key=lambda each: each.function != arn)
        return found[0] if found else KnownBuild()
