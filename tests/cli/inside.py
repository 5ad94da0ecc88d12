"""The command line in this very process, where starting another is not the point.

It is the whole of it, from the arguments to the exit status, over HTTP; only the budget of calls a
second is not waited for.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from fleet.aws.pace import Pace
from fleet.cli import app
from fleet.model import FunctionRef
from fleet.store import Store
from moto_fixtures.server import Call
from tests.cli.command import Ended
from tests.migration.victims import RENAMED, package
from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization, running

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "reports" / "migration.schema.json").read_text(encoding="utf-8")
)
SECRET = "do-not-leak"  # noqa: S105  # what a test looks for in vain
READS = ("Get", "List", "AssumeRole")
NO_TRIAL = "--no-trial"
UNBLOCKED = """\
[runtimes."go1.x"]
deprecated = 2024-01-08
create_blocked = 2024-02-08
update_blocked = 2099-01-01
source = "none"
looked_up = 2026-11-21
"""
"""Dates by which AWS takes updates of go1.x, on whatever day the tests run."""


def is_write(call: Call) -> bool:
    """Whether it changes something, or may."""
    return not call.operation.startswith(READS)


@dataclass(frozen=True)
class Keyboard:
    """A terminal at which somebody answers, and may do something first."""

    readline: Callable[[], str]

    def isatty(self) -> bool:
        return True


@dataclass
class Desk:
    """Somebody who types commands, in a directory of their own."""

    organization: Organization
    directory: Path
    differently: Mapping[str, str] = field(default_factory=dict)
    """Of the environment."""

    @property
    def environment(self) -> dict[str, str]:
        """What both kinds of process are started with."""
        dates = self.directory / "dates.toml"
        if not dates.exists():
            dates.write_text(UNBLOCKED, encoding="utf-8")
        return {
            **self.organization.emulator.environment,
            "FLEET_LIFECYCLE": str(dates),
            **self.differently,
        }

    def fleet(self, *arguments: str, typing: Callable[[], str] | None = None) -> Ended:
        """Run a command to its end; without `typing`, which answers prompts, with no terminal."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.directory)
            patch.setattr(Pace, "wait", lambda _: None)
            patch.setattr(sys, "argv", ["fleet", *arguments])
            patch.setattr(sys, "stdin", io.StringIO() if typing is None else Keyboard(typing))
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with redirect_stdout(out), redirect_stderr(err):
                status = app._status()
        return Ended(status, out.getvalue(), err.getvalue())

    def recorded(self, *arguments: str) -> tuple[Ended, list[Call]]:
        """The same, and every call that it made."""
        calls = self.organization.emulator.calls
        calls.clear()
        return self.fleet(*arguments), list(calls)

    def told(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Status and document of a command with --format json, once the schema has held."""
        ended = self.fleet(*arguments, "--format", "json")
        document: dict[str, Any] = json.loads(ended.out)
        jsonschema.validate(document, SCHEMA)
        return ended.status, document

    def function(self, name: str, **params: Any) -> str:  # noqa: ANN401  # of CreateFunction
        """Add a function of the account and region that most tests need; its ARN."""
        add(self.organization, name, **params)
        return arn_of(name)

    @property
    def client(self) -> Client:
        return self.organization.client("lambda", MEMBER)

    def runtime(self, name: str) -> str:
        with self.organization.emulator.seeding():
            return str(self.client.get_function(FunctionName=name)["Configuration"]["Runtime"])

    def versions(self, name: str) -> list[str]:
        """Numbers of its published versions."""
        with self.organization.emulator.seeding():
            found = self.client.list_versions_by_function(FunctionName=name)["Versions"]
        return [each["Version"] for each in found[1:]]

    @property
    def state(self) -> Path:
        return self.directory / "fleet.db"

    @contextmanager
    def store(self) -> Iterator[Store]:
        with Store.open(str(self.state)) as store:
            yield store

    def again(self, directory: Path, **differently: str) -> Desk:
        """Somebody else's desk."""
        return Desk(self.organization, directory, {**self.differently, **differently})


def add(
    organization: Organization,
    name: str,
    account: str = MEMBER,
    region: str = HOME,
    **params: object,
) -> None:
    """Create a function on go1.x that is ready to move, with a secret in it."""
    given: dict[str, Any] = {
        "Code": {"ZipFile": package(*RENAMED, release="2")},
        "Environment": {"Variables": {"PASSWORD": SECRET}},
        "Tags": {"team": "orders"},
        **params,
    }
    organization.add_function(name, account, region, **given)


def arn_of(name: str, account: str = MEMBER, region: str = HOME) -> str:
    return FunctionRef("aws", account, region, name).arn


@contextmanager
def small_organization() -> Iterator[Organization]:
    """An emulator whose sessions end by the clock that commands go by."""
    with running() as organization:
        organization.clock.now = time.time()
        organization.emulator.take_for_updates(0)
        yield organization
