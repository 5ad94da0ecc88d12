"""Organizations of any size, made up from a seed: for scale tests and benchmarks.

The same numbers give the same organization in every process. As pure data it answers what
ListFunctions would; seed_synthetic.fill() puts the same into an emulator. The packages are tiny and
of no meaning. A page of fifty rows has some 63 KB, AWS's about 68.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from fleet.model import GO1X, LATEST
from moto_fixtures.definition import Account, Organization
from moto_fixtures.packages import Package, zipped

Row = Mapping[str, Any]
"""One FunctionConfiguration, as in an answer of ListFunctions."""

_OTHER_RUNTIMES = ("python3.12", "nodejs22.x", "java21", "provided.al2023", "dotnet8")
_HANDLERS = {
    GO1X: "main",
    "java21": "example.Handler::handleRequest",
    "provided.al2023": "bootstrap",
    "dotnet8": "Example::Example.Function::Handle",
}
_WORDS = ("order", "invoice", "parcel", "catalog", "session", "report", "image", "payment")
_PACKAGES = 16
_MODE = 0o100755
_YEARS = range(2019, 2024)
_MONTHS = range(1, 13)
_DAYS = range(1, 29)


@cache
def tiny_packages() -> tuple[Package, ...]:
    """Give the packages that all synthetic functions share."""
    contents = (f"synthetic {number}\n".encode() for number in range(_PACKAGES))
    return tuple(Package(zipped({"main": (content, _MODE)})) for content in contents)


@dataclass(frozen=True, slots=True)
class SyntheticFunction:
    """A function with its published versions and aliases."""

    latest: Row
    published: tuple[Row, ...]
    """Oldest first: the first is version 1."""
    aliases: Mapping[str, str]
    """Name → version number."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """An organization of `accounts` × `regions` × `functions`."""

    accounts: int = 10
    """At most ten billion; the first is the management account."""
    regions: tuple[str, ...] = ("us-east-1", "eu-west-1")
    functions: int = 50
    """In each account and region."""
    go1x: float = 0.3
    """Share of functions whose $LATEST has go1.x, 0–1; half of the others have it in version 1."""
    versions: int = 2
    """At most so many published versions a function."""
    aliased: float = 0.5
    """Share of functions with versions that have an alias `live`."""
    seed: int = 0
    environment: Mapping[str, str] = field(
        default_factory=lambda: {
            "DB_HOST": "synthetic.internal:5432",
            "DB_PASSWORD": "do-not-leak-synthetic",
            "STAGE": "prod",
            "TABLE_NAME": "synthetic-table-of-functions",
        }
    )

    @property
    def account_ids(self) -> tuple[str, ...]:
        """The accounts' ids, as many with leading zeros as chance wants."""
        # A multiplication by what shares no factor with 10^12 visits every number once.
        return tuple(f"{(number * 387_420_489_001 + 7) % 10**12:012d}" for number in self._numbers)

    @property
    def _numbers(self) -> range:
        return range(1, self.accounts + 1)

    @property
    def organization(self) -> Organization:
        """Accounts and organizational units, without the functions."""
        units = ("Workloads", "Workloads/Prod", "Workloads/NonProd")
        ids = self.account_ids
        return Organization(
            id="o-synthetic01",
            management=ids[0],
            regions=self.regions,
            opt_in_regions=(),
            units=units,
            accounts=tuple(
                Account(
                    id=identity,
                    name=f"synthetic-{number}",
                    ou=units[number % len(units)] if number else "",
                    role=number > 0,
                )
                for number, identity in enumerate(ids)
            ),
            builds={},
            packages={},
        )

    def functions_of(self, account: str, region: str) -> Iterator[SyntheticFunction]:
        """Make up the functions of one account and region, in the order of their names."""
        random = Random(f"{self.seed}/{account}/{region}")  # noqa: S311 - nothing secret, and it has to repeat
        for number in range(self.functions):
            yield self._function(random, account, region, number)

    def list_functions(
        self, account: str, region: str, *, all_versions: bool = True
    ) -> Iterator[Row]:
        """Give the rows of ListFunctions: $LATEST, then with `all_versions` the published ones.

        With all versions the ARN of $LATEST is qualified, as AWS has it.
        https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
        """
        for function in self.functions_of(account, region):
            latest = function.latest
            if not all_versions:
                yield latest
                continue
            yield {**latest, "FunctionArn": f"{latest['FunctionArn']}:{LATEST}"}
            yield from function.published

    def _function(
        self, random: Random, account: str, region: str, number: int
    ) -> SyntheticFunction:
        name = f"{random.choice(_WORDS)}-{random.choice(_WORDS)}-{number:05d}"
        is_go1x = random.random() < self.go1x
        runtime = GO1X if is_go1x else random.choice(_OTHER_RUNTIMES)
        was_go1x = is_go1x or random.random() < 1 / 2
        count = random.randint(0, self.versions)
        runtimes = [GO1X if was_go1x and not at else runtime for at in range(count)]
        latest = self._row(random, account, region, name, runtime)
        published = tuple(
            {
                **self._row(random, account, region, name, old),
                "FunctionArn": f"{latest['FunctionArn']}:{version}",
                "Version": str(version),
            }
            for version, old in enumerate(runtimes, 1)
        )
        aliased = bool(count) and random.random() < self.aliased
        aliases = {"live": str(random.randint(1, count))} if aliased else {}
        return SyntheticFunction(latest, published, aliases)

    def _row(self, random: Random, account: str, region: str, name: str, runtime: str) -> Row:
        day = f"{random.choice(_YEARS)}-{random.choice(_MONTHS):02d}-{random.choice(_DAYS):02d}"
        package = random.choice(tiny_packages())
        return {
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:{region}:{account}:function:{name}",
            "Runtime": runtime,
            "Role": f"arn:aws:iam::{account}:role/functions",
            "Handler": _HANDLERS.get(runtime, "index.handler"),
            "CodeSize": package.size,
            "Description": f"Made up for scale: {name} in {region}",
            "Timeout": random.choice((3, 30, 900)),
            "MemorySize": random.choice((128, 512, 1024)),
            "LastModified": f"{day}T09:30:00.000+0000",
            "CodeSha256": package.sha256,
            "Version": LATEST,
            "VpcConfig": {
                "SubnetIds": [f"subnet-{random.getrandbits(64):016x}" for _ in range(2)],
                "SecurityGroupIds": [f"sg-{random.getrandbits(64):016x}"],
                "VpcId": f"vpc-{random.getrandbits(64):016x}",
                "Ipv6AllowedForDualStack": False,
            },
            "Environment": {"Variables": dict(self.environment)},
            "TracingConfig": {"Mode": "PassThrough"},
            "RevisionId": _uuid(random),
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "RuntimeVersionConfig": {
                "RuntimeVersionArn": f"arn:aws:lambda:{region}::runtime:{_runtime_id(runtime)}"
            },
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        }


@cache
def _runtime_id(runtime: str) -> str:
    return hashlib.sha256(runtime.encode()).hexdigest()


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
