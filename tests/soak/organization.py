"""Small functions on go1.x in many accounts and regions, and what each has to be once it moved."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from moto.awslambda.utils import get_backend

from fleet.deployment import GO_VERSION, LANGUAGE, MIGRATED_FROM, SERVING_ALIAS
from fleet.inspection import Target
from fleet.ledger import Action
from fleet.model import GO1X, ROLLBACK_ALIAS, FunctionRef
from fleet.waves.fingerprint import fingerprint
from fleet.waves.plan import Budget, Member, Plan, Wave
from moto_fixtures.definition import Account, Organization, PackageDefinition
from moto_fixtures.function import AliasDefinition, Function, Version
from moto_fixtures.packages import Package
from moto_fixtures.seed import seed
from moto_fixtures.server import Emulator
from tests.migration.victims import RENAMED, package

MANAGEMENT = "000000000001"
ORGANIZATION = "o-soak0000001"
REGIONS = ("us-east-1", "eu-west-1")
_EXTRA = 16
"""One in so many functions is in the first account and region, whoever's turn it is."""
_DAY = date(2022, 5, 1)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_BEHIND, _LIVE, _KINDS = 1, 2, 3
"""One in three has an older release published, one $LATEST with an alias on it, one nothing."""


@cache
def packages() -> Mapping[str, Package]:
    """Under 2 KB each: a release that was published once, and the one that is deployed."""
    return {each: Package(package(*RENAMED, release=each)) for each in ("old", "new")}


@dataclass(frozen=True)
class Small:
    """An organization of `accounts` members, with so many functions in all."""

    accounts: int
    functions: int

    @property
    def lanes(self) -> list[tuple[str, str]]:
        """Accounts and regions with functions."""
        ids = (f"{number:012d}" for number in range(2, self.accounts + 2))
        return [(account, region) for account in ids for region in REGIONS]

    @property
    def refs(self) -> list[FunctionRef]:
        """Every function: lanes in turn, but the first has many more than the others."""
        lanes = self.lanes
        return [
            FunctionRef(
                "aws", *lanes[number % len(lanes) * bool(number % _EXTRA)], f"orders-{number:05d}"
            )
            for number in range(self.functions)
        ]

    def fill(self, emulator: Emulator) -> None:
        """Create all of it in an emulator that runs by `definition.rules()`."""
        seed(emulator, self.definition, packages=packages())

    @property
    def definition(self) -> Organization:
        """Its accounts and functions."""
        by_account: dict[str, list[Function]] = {account: [] for account, _ in self.lanes}
        for number, ref in enumerate(self.refs):
            by_account[ref.account].append(_function(number, ref))
        members = (
            Account(id=account, name=account, functions=tuple(functions))
            for account, functions in by_account.items()
        )
        return Organization(
            id=ORGANIZATION,
            management=MANAGEMENT,
            opt_in_regions=(),
            regions=REGIONS,
            units=(),
            accounts=(Account(id=MANAGEMENT, name="management", role=False), *members),
            builds={},
            packages={name: PackageDefinition(about=name, files={}) for name in packages()},
        )


def plan(
    name: str, *waves: Sequence[FunctionRef], parallelism: int = 24, per_account_region: int = 2
) -> Plan:
    """Waves of these functions, all of them due; with the first that fails nothing more begins."""
    was = fingerprint(GO1X, "main", "x86_64", (), packages()["new"].sha256)
    return Plan(
        format=1,
        name=name,
        organization=ORGANIZATION,
        scan="none",
        waves=tuple(
            Wave(
                name=f"wave-{number}",
                start=_START,
                parallelism=parallelism,
                per_account_region=per_account_region,
                budget=Budget(count=0),
                functions=tuple(
                    Member(function=ref.arn, fingerprint=was, verdict="ready") for ref in refs
                ),
            )
            for number, refs in enumerate(waves, 1)
        ),
    )


def _function(number: int, ref: FunctionRef) -> Function:
    versions: tuple[Version, ...] = ()
    aliases = {}
    if number % _KINDS == _BEHIND:
        versions, aliases = (Version(package="old"),), {"old": AliasDefinition(version=1)}
    elif number % _KINDS == _LIVE:
        versions, aliases = (Version(),), {"live": AliasDefinition(version=1)}
    return Function(
        name=ref.name,
        region=ref.region,
        runtime=GO1X,
        handler="main",
        package="new",
        environment={"TABLE": "orders"},
        tags={"team": "orders"},
        versions=versions,
        aliases=aliases,
        modified=_DAY,
    )


@dataclass(frozen=True)
class Shown:
    """What AWS has of a function, but times and revisions."""

    runtime: str
    handler: str
    layers: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...] = field(repr=False)
    """Of its package."""
    versions: Mapping[str, str]
    """Runtime of each."""
    aliases: Mapping[str, str]
    tags: Mapping[str, str]
    settings: Mapping[str, str]
    """Its environment."""


def shown(ref: FunctionRef) -> Shown:
    """Look into the emulator of this process: by calls, 5,000 functions would take minutes."""
    backend: Any = get_backend(ref.account, ref.region)
    found = backend._lambdas._functions[ref.name]
    latest = found["latest"]
    return Shown(
        runtime=latest.run_time,
        handler=latest.handler,
        layers=tuple(each["Arn"] for each in latest.layers),
        files=_files(latest.code_bytes),
        versions={str(each.version): each.run_time for each in found["versions"]},
        aliases={each.name: each.function_version for each in backend.list_aliases(ref.name)},
        tags=dict(latest.tags),
        settings=dict(latest.environment_vars),
    )


@cache
def _files(content: bytes) -> tuple[tuple[str, bytes], ...]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist())


def expected(number: int) -> Shown:
    """What the function of this number has to be at the end."""
    files = dict(_files(packages()["new"].content))
    files = {"bootstrap" if name == "main" else name: content for name, content in files.items()}
    kind = number % _KINDS
    versions = {"1": GO1X, "2": Target.AL2023.value}
    aliases = {ROLLBACK_ALIAS: "1", SERVING_ALIAS: "2"}
    if kind == _BEHIND:
        versions = {"1": GO1X, "2": GO1X, "3": Target.AL2023.value}
        aliases = {"old": "1", ROLLBACK_ALIAS: "2", SERVING_ALIAS: "3"}
    elif kind == _LIVE:
        aliases["live"] = "2"
    return Shown(
        runtime=Target.AL2023.value,
        handler="bootstrap",
        layers=(),
        files=tuple(files.items()),
        versions=versions,
        aliases=aliases,
        tags={
            "team": "orders",
            MIGRATED_FROM: GO1X,
            LANGUAGE: "go",
            GO_VERSION: "go1.20.14",
        },
        settings={"TABLE": "orders"},
    )


def writes(number: int) -> Counter[Action]:
    """What moving the function of this number takes, where nothing comes between."""
    return Counter(
        {
            Action.PUBLISH: 2,
            # Its own two, and the one that was on the version that is $LATEST.
            Action.PUT_ALIAS: 2 + (number % _KINDS == _LIVE),
            Action.UPDATE_CONFIGURATION: 2,
            Action.UPDATE_CODE: 1,
            Action.PUT_TAGS: 1,
        }
    )
