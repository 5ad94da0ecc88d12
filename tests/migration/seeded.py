"""The seeded organization with a migrator in it, and what its functions are at a moment."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.model import FunctionRef
from moto_fixtures.definition import Account
from moto_fixtures.function import Function
from moto_fixtures.load import load_organization
from moto_fixtures.seed import seed
from moto_fixtures.server import Emulator
from tests.migration.mover import Mover, moving
from tests.moto_fixtures.small_organization import Client, Clock, Organization

FILES = load_organization()
_VOLATILE = ("LastModified", "RevisionId", "ResponseMetadata")


@dataclass(frozen=True)
class Seeded:
    """One function of the files."""

    account: Account
    function: Function

    @property
    def ref(self) -> FunctionRef:
        return FunctionRef("aws", self.account.id, self.function.region, self.function.name)

    @property
    def newest_is_latest(self) -> bool:
        """Whether publishing $LATEST would answer the newest version instead of minting one."""
        if not self.function.versions:
            return False
        newest, latest = self.function.published[-1], self.function.latest
        return newest.model_copy(update={"modified": latest.modified}) == latest

    @property
    def moving(self) -> set[str]:
        """The aliases of its owners that may move with it."""
        newest = len(self.function.versions)
        return {
            name
            for name, alias in self.function.aliases.items()
            if self.newest_is_latest and alias.version == newest and not alias.weights
        }


@dataclass(frozen=True)
class Snapshot:
    """All of a function that a rollback has to restore."""

    configuration: Mapping[str, Any]
    code_sha256: str
    """Hexadecimal, of the bytes that were downloaded."""
    tags: Mapping[str, str]
    aliases: Mapping[str, tuple[str, Mapping[str, float]]]
    """Name → version and weights."""

    def without(self, *aliases: str) -> Snapshot:
        left = {name: each for name, each in self.aliases.items() if name not in aliases}
        return Snapshot(self.configuration, self.code_sha256, self.tags, left)


def snapshot(client: Client, name: str) -> Snapshot:
    found = client.get_function(FunctionName=name)
    with urllib.request.urlopen(found["Code"]["Location"]) as package:  # noqa: S310  # the emulator's
        digest = hashlib.sha256(package.read()).hexdigest()
    configuration = found["Configuration"]
    return Snapshot(
        {key: value for key, value in configuration.items() if key not in _VOLATILE},
        digest,
        found.get("Tags", {}),
        {
            each["Name"]: (
                each["FunctionVersion"],
                each.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
            )
            for each in client.list_aliases(FunctionName=name)["Aliases"]
        },
    )


def named(account: str, function: str) -> Seeded:
    """The first function of this name in the files; raises StopIteration where there is none."""
    return next(
        Seeded(each, one)
        for each in FILES.accounts
        for one in each.functions
        if (each.name, one.name) == (account, function)
    )


@contextmanager
def seeded_organization(directory: Path, **differently: Any) -> Iterator[Mover]:  # noqa: ANN401  # any field of Mover
    """Give somebody who migrates in the whole of it."""
    clock = Clock()
    with Emulator(FILES.rules(), clock=clock) as emulator:
        seed(emulator, FILES, now=datetime.fromtimestamp(clock(), UTC))
        with moving(Organization(emulator, clock), directory, **differently) as mover:
            yield mover
