"""Runs real migrations over HTTP against an emulator, with its clock instead of waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.packages import Downloads
from fleet.aws.session import Aws
from fleet.deployment import Back
from fleet.ledger import Entry
from fleet.migration.acting import Journal
from fleet.migration.bringing import from_here
from fleet.migration.facts import Asked
from fleet.migration.ground import Ground
from fleet.migration.moving import move
from fleet.migration.plan import FunctionPlan, Outcome
from fleet.migration.prepared import Prepared
from fleet.migration.preparing import prepare
from fleet.migration.rearchitecting import prepare_architecture
from fleet.migration.returning import bring_back, prepare_back
from fleet.migration.travelling import Patience
from fleet.model import FunctionRef
from fleet.permissions import ARTIFACT, BUCKET, INVOKE, MOVE, PLAN
from fleet.store import Store
from tests.moto_fixtures.small_organization import HOME, MEMBER, ROLE, Organization

UPDATE_SECONDS = 1


@dataclass
class Mover:
    """Somebody who migrates in a small organization."""

    organization: Organization
    directory: Path
    asked: Asked = field(default_factory=Asked)
    differently: dict[str, Any] = field(default_factory=dict)
    """Of the ground: events, bucket, blocklist, attempt."""
    leave_off: threading.Event = field(default_factory=threading.Event)
    meanwhile: Callable[[], object] = lambda: None
    """Done in each wait before time passes."""

    @cached_property
    def store(self) -> Store:
        return Store.open(str(self.directory / "fleet.db"))

    def ref(self, name: str | FunctionRef = "orders") -> FunctionRef:
        """A function of the one account and region that most tests need, or any."""
        return FunctionRef("aws", MEMBER, HOME, name) if isinstance(name, str) else name

    @cached_property
    def ground(self) -> Ground:
        """What a command would have."""
        environment = self.organization.emulator.environment
        clients = Clients(environment, parallelism=4)
        aws = Aws(
            clients,
            (*PLAN, *MOVE, *INVOKE, *BUCKET, *ARTIFACT),
            role_name=ROLE,
            calls_per_second=1000,
            first_wait=0.001,
            # The emulator's sessions end by its clock.
            clock=lambda: datetime.fromtimestamp(self.organization.clock(), UTC),
        )
        downloads = Downloads(clients, at_once=4, stop=threading.Event(), first_wait=0.001)
        clock = self.organization.clock
        return Ground(
            aws=aws,
            downloads=downloads,
            store=self.store,
            journal=Journal(
                self.store, "run", aws.caller.arn, lambda: datetime.fromtimestamp(clock(), UTC)
            ),
            patience=Patience(self.pass_time, clock, self.leave_off),
            asked=self.asked,
            key=self.store.hash_key(),
            **self.differently,
        )

    def pass_time(self, seconds: float) -> None:
        """Let the emulator's time pass instead of waiting."""
        self.meanwhile()
        self.organization.clock.now += seconds

    def plan(self, name: str | FunctionRef = "orders") -> FunctionPlan:
        return prepare(self.ground, self.ref(name)).plan

    def migrate(self, name: str | FunctionRef = "orders") -> Outcome:
        return move(self.ground, prepare(self.ground, self.ref(name)))

    def plan_back(self, name: str | FunctionRef = "orders", to: Back = Back.GO1X) -> FunctionPlan:
        return prepare_back(self.ground, self.ref(name), to).plan

    def roll_back(self, name: str | FunctionRef = "orders", to: Back = Back.GO1X) -> Outcome:
        return bring_back(self.ground, prepare_back(self.ground, self.ref(name), to))

    def plan_for_arm64(
        self, artifact: Path, name: str = "orders", *, allow_different_source: bool = False
    ) -> FunctionPlan:
        return self._prepared_for_arm64(artifact, name, allow_different_source).plan

    def move_to_arm64(
        self, artifact: Path, name: str = "orders", *, allow_different_source: bool = False
    ) -> Outcome:
        return move(self.ground, self._prepared_for_arm64(artifact, name, allow_different_source))

    def _prepared_for_arm64(self, artifact: Path, name: str, allow: bool) -> Prepared:
        return prepare_architecture(
            self.ground, self.ref(name), from_here(artifact), allow_different_source=allow
        )

    def ledger(self, name: str | FunctionRef = "orders") -> list[Entry]:
        return self.store.steps(self.ref(name))

    def anew(self, **differently: Any) -> Mover:  # noqa: ANN401  # any field
        """Another process with the same state."""
        return replace(self, **differently)

    def close(self) -> None:
        self.ground.downloads.close()
        self.store.close()


@contextmanager
def moving(organization: Organization, directory: Path, **differently: Any) -> Iterator[Mover]:  # noqa: ANN401  # any field
    """Give a mover; updates take some seconds of the emulator's clock."""
    organization.emulator.take_for_updates(UPDATE_SECONDS)
    with pytest.MonkeyPatch.context() as environment:
        # boto3 reads the process's own environment.
        for name, value in organization.emulator.environment.items():
            environment.setenv(name, value)
        with closing(Mover(organization, directory, **differently)) as mover:
            yield mover
