"""Functions to be migrated by processes that get killed, and what became of them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.utils import get_backend

from fleet.deployment import BRIDGE_LAYER
from fleet.model import GO1X, ROLLBACK_ALIAS
from fleet.package.shim import SHIM
from moto_fixtures.corrections.serving import Serving, serving
from moto_fixtures.packages import zipped
from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization
from tests.package.elf_files import Made, framed, inline

_numbers = count(1)
_EXECUTABLE, _READABLE = 0o100755, 0o100644
_MODULES = (
    "path\texample.com/orders\n"
    "mod\texample.com/orders\t(devel)\t\n"
    "dep\tgithub.com/aws/aws-lambda-go\tv1.41.0\th1:abc=\n"
    "build\tGOARCH=amd64\n"
)
_NAMES = (
    b"runtime.main",
    b"github.com/aws/aws-lambda-go/lambda.startRuntimeAPILoop",
    b"github.com/aws/aws-lambda-go/lambda.(*Function).Ping",
)
_OF_THE_MOMENT = frozenset({"RevisionId", "LastModified", "CreatedDate", "Location"})


def program(*texts: bytes) -> bytes:
    """A Go handler as far as a verdict looks: small, so that many can be moved."""
    info = inline("go1.20.14", framed(_MODULES))
    info = info.ljust(-(-len(info) // 16) * 16, b"\0")
    content = info + b"".join(text + b"\0" for text in (*_NAMES, *texts))
    return Made(content=content, sections=((".go.buildinfo", 2, 0, len(info)),)).file


RENAMED = (b"of no consequence",)
SHIMMED = (b"_HANDLER",)
"""It reads _HANDLER, so a bootstrap is put beside it."""


def package(*texts: bytes, release: str) -> bytes:
    """A deployment package; each release has other bytes."""
    files = {"main": (program(*texts), _EXECUTABLE), "release": (release.encode(), _READABLE)}
    return zipped(files)


@dataclass(frozen=True)
class Kind:
    """What is moved, and how."""

    route: str
    releases: tuple[bytes, ...] = field(repr=False)
    """Packages that were deployed, each but the third published as well: the last is $LATEST."""
    layered: bool = False
    """Whether it has a layer of its own."""

    @property
    def code(self) -> bytes:
        """What it is before fleet comes."""
        return self.releases[-1]


def kind(route: str, *texts: bytes, unreleased: bool = False, layered: bool = False) -> Kind:
    """A function whose aliases are everything an alias may be, on what $LATEST is or was."""
    releases = tuple(package(*texts, release=each) for each in ("123" if unreleased else "12"))
    return Kind(route, releases, layered)


@dataclass(frozen=True)
class Victim:
    """A function that is moved and put back, and interrupted while it is."""

    organization: Organization
    client: Client
    """Of Lambda in its account; making one takes longer than what it is for."""
    kind: Kind
    name: str
    """Another for each, since a name's versions are never numbered anew."""

    def create(self) -> None:
        kind, client = self.kind, self.client
        layers = [self._layer()] if kind.layered else []
        with self.organization.emulator.seeding():
            client.create_function(
                FunctionName=self.name,
                Role=f"arn:aws:iam::{MEMBER}:role/run",
                Runtime=GO1X,
                Handler="main",
                Code={"ZipFile": kind.releases[0]},
                Environment={"Variables": {"TABLE": "orders"}},
                Tags={"team": "orders"},
                Layers=layers,
            )
            client.publish_version(FunctionName=self.name)
            client.update_function_code(FunctionName=self.name, ZipFile=kind.releases[1])
            client.publish_version(FunctionName=self.name)
            self._alias("behind", "1")
            self._alias("plain", "2")
            self._alias("steady", "2")
            weights = {"AdditionalVersionWeights": {"1": 0.25}}
            self._alias("weighted", "2", RoutingConfig=weights)
            client.put_provisioned_concurrency_config(
                FunctionName=self.name, Qualifier="steady", ProvisionedConcurrentExecutions=2
            )
            for unreleased in kind.releases[2:]:
                client.update_function_code(FunctionName=self.name, ZipFile=unreleased)

    def _alias(self, name: str, version: str, **params: object) -> None:
        self.client.create_alias(
            FunctionName=self.name, Name=name, FunctionVersion=version, Description=name, **params
        )

    def _layer(self) -> str:
        content = zipped({"settings": (b"tables: 2", _READABLE)})
        with self.organization.emulator.seeding():
            made = self.client.publish_layer_version(
                LayerName=self.name, Content={"ZipFile": content}
            )
        return str(made["LayerVersionArn"])

    def bridges(self) -> list[str]:
        """ARNs of every version of the bridge layer, of this account and region."""
        with self.organization.emulator.seeding():
            try:
                found = self.client.list_layer_versions(LayerName=BRIDGE_LAYER)
            except ClientError:
                return []
        return [str(each["LayerVersionArn"]) for each in found["LayerVersions"]]

    def remove(self) -> None:
        """Leave nothing behind for the next."""
        with self.organization.emulator.seeding():
            self.client.delete_function(FunctionName=self.name)
            for arn in self.bridges():
                self.client.delete_layer_version(
                    LayerName=BRIDGE_LAYER, VersionNumber=int(arn.rpartition(":")[2])
                )

    def settle(self) -> None:
        """Let everything end that is under way."""
        self.organization.clock.now += 60

    def settled(self) -> dict[str, Any]:
        """All that AWS shows of it once everything has ended."""
        self.settle()
        return self.look()

    def look(self) -> dict[str, Any]:
        """All that AWS shows of it, but revisions and times, under whatever name."""
        client, name = self.client, self.name
        with self.organization.emulator.seeding():
            seen = {
                "function": client.get_function(FunctionName=name),
                "aliases": client.list_aliases(FunctionName=name)["Aliases"],
                "versions": client.list_versions_by_function(FunctionName=name)["Versions"],
                "provisioned": client.list_provisioned_concurrency_configs(FunctionName=name)[
                    "ProvisionedConcurrencyConfigs"
                ],
            }
        found: dict[str, Any] = json.loads(json.dumps(timeless(seen)).replace(name, "NAME"))
        return found

    def aliases(self) -> dict[str, tuple[str, Mapping[str, float]]]:
        """Version and weights of each alias, by name."""
        with self.organization.emulator.seeding():
            found = self.client.list_aliases(FunctionName=self.name)["Aliases"]
        return {
            each["Name"]: (
                each["FunctionVersion"],
                (each.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {}),
            )
            for each in found
        }

    def serves(self, version: str = "$LATEST") -> Serving:
        """What an invocation finds at this moment."""
        latest = get_backend(MEMBER, HOME)._lambdas._functions[self.name]["latest"]
        return serving(latest, version, self.organization.emulator._world)

    def answers(self, event: object) -> object:
        """What it answers to a caller of $LATEST."""
        with self.organization.emulator.seeding():
            answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def check_going_back_is_possible(self) -> None:
        """The rollback alias holds what the function was, before anything else is."""
        untouched = self.serves().code_sha256, self.serves().runtime
        held = self.aliases().get(ROLLBACK_ALIAS)
        if held is None:
            assert untouched == (sha256(self.kind.code), GO1X)
            return
        kept = self.serves(held[0])
        assert (kept.runtime, kept.code) == (GO1X, self.kind.code)


def lambda_client(organization: Organization) -> Client:
    """A client in the account of the victims, which have a role there."""
    with organization.emulator.seeding():
        iam = organization.client("iam", MEMBER)
        iam.create_role(RoleName="run", AssumeRolePolicyDocument="{}")
    return organization.client("lambda", MEMBER)


def created(organization: Organization, client: Client, kind: Kind) -> Victim:
    """A new victim, of a name that none had before."""
    victim = Victim(organization, client, kind, f"orders-{next(_numbers)}")
    victim.create()
    return victim


def sha256(content: bytes) -> str:
    """CodeSha256 of a package."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def timeless(value: Any) -> Any:  # noqa: ANN401  # JSON
    """It without what differs from moment to moment."""
    if isinstance(value, dict):
        return {
            key: timeless(each)
            for key, each in value.items()
            if key not in {*_OF_THE_MOMENT, "ResponseMetadata"}
        }
    return [timeless(each) for each in value] if isinstance(value, list) else value


def runs(found: Serving) -> bool:
    """Whether Lambda finds something to start, told from what it consists of.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
    """
    entries = _entries(found.code)
    has_handler = (found.handler or "") in entries
    if found.runtime == GO1X:
        return has_handler
    start = entries.get("bootstrap")
    if start is None:
        start = next((_entries(each).get("bootstrap") for each in reversed(found.layers)), None)
    return start is not None and (start != SHIM or has_handler)


def _entries(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
