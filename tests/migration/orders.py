"""A function to be moved in a small organization, who else changes it, and what was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.aws.session import Aws
from moto_fixtures.server import Call, Moment
from tests.migration.seeded import Snapshot, snapshot
from tests.migration.victims import RENAMED, SHIMMED, package
from tests.moto_fixtures.small_organization import Client, Organization

SECRET = "do-not-leak-orders"  # noqa: S105  # of a function that is made up
READS = ("AssumeRole", "Get", "List")
TO_RENAME, TO_SHIM = (package(*texts, release="ours") for texts in (RENAMED, SHIMMED))
FOREIGN = package(*RENAMED, release="of somebody else")


@dataclass(frozen=True)
class Orders:
    """The function, with whoever owns it."""

    organization: Organization
    client: Client
    name: str = "orders"

    def look(self) -> Snapshot:
        with self.organization.emulator.seeding():
            return snapshot(self.client, self.name)

    def versions(self) -> list[str]:
        with self.organization.emulator.seeding():
            rows = self.client.list_versions_by_function(FunctionName=self.name)["Versions"]
        return [row["Version"] for row in rows if row["Version"] != "$LATEST"]

    def publish(self) -> str:
        with self.organization.emulator.seeding():
            return str(self.client.publish_version(FunctionName=self.name)["Version"])

    def alias(self, name: str, version: str, **weights: float) -> None:
        shares = {number.lstrip("v"): share for number, share in weights.items()}
        with self.organization.emulator.seeding():
            self.client.create_alias(
                FunctionName=self.name,
                Name=name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": shares},
            )

    def move_alias(self, name: str, version: str) -> None:
        with self.organization.emulator.seeding():
            self.client.update_alias(FunctionName=self.name, Name=name, FunctionVersion=version)

    def configure(self, **params: object) -> None:
        """Change it at once, as somebody else might."""
        with self.organization.emulator.seeding():
            self.client.update_function_configuration(FunctionName=self.name, **params)

    def deploy(self, code: bytes = FOREIGN) -> None:
        """The same with its code."""
        with self.organization.emulator.seeding():
            self.client.update_function_code(FunctionName=self.name, ZipFile=code)

    def written(self) -> list[str]:
        """The operations since calls were cleared that may have changed something."""
        calls = [each.operation for each in self.organization.emulator.calls]
        return [each for each in calls if not each.startswith(READS)]


def add_orders(organization: Organization, name: str = "orders", **params: Any) -> Orders:  # noqa: ANN401  # CreateFunction's
    """A function whose alias live is on what $LATEST is; it can't be invoked."""
    code = params.pop("Code", {"ZipFile": TO_RENAME})
    environment = {"Variables": {"API_KEY": SECRET}}
    given = {"Code": code, "Environment": environment, "Tags": {"team": "orders"}, **params}
    orders = Orders(organization, organization.add_function(name, **given), name)
    orders.alias("live", orders.publish())
    return orders


@contextmanager
def when(
    organization: Organization,
    operation: str,
    act: Callable[[], object],
    moment: Moment = Moment.BEFORE,
    *,
    nth: int = 1,
) -> Iterator[None]:
    """Act once, before or after the nth call of an operation; it must have come."""
    left = nth

    def hook(call: Call, now: Moment) -> None:
        nonlocal left
        if call.operation == operation and now is moment:
            left -= 1
            if left == 0:
                act()

    organization.emulator.on_call = hook
    yield
    organization.emulator.on_call = None
    assert left <= 0, f"{operation} was called too few times"


@contextmanager
def recorded() -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """Every operation that fleet writes with, and its parameters as they were sent."""
    sent: list[tuple[str, Mapping[str, Any]]] = []
    write = Aws.write

    def recording(
        self: Aws,
        lane: Any,  # noqa: ANN401  # passed on
        service: str,
        operation: str,
        **parameters: Any,  # noqa: ANN401  # as Aws.write has it
    ) -> dict[str, Any]:
        sent.append((operation, parameters))
        return write(self, lane, service, operation, **parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Aws, "write", recording)
        yield sent
