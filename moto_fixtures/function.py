"""A function of the files in organization/accounts/: code, configuration, versions, callers.

Sizes are as AWS counts them (memory in MB, timeout in seconds), dates are UTC days. Version
numbers are integers, because PublishVersion counts from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleet.model import LATEST

FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
AliasName = Annotated[str, Field(pattern=r"^[0-9]*[A-Za-z_-][A-Za-z0-9_-]*$", max_length=128)]
Handler = Annotated[str, Field(pattern=r"^[^\s]{1,128}$")]
TagKey = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(max_length=256)]
EnvironmentKey = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]+$")]
LayerVersion = Annotated[str, Field(pattern=r"^([0-9]{12}:)?[A-Za-z0-9_-]+:[0-9]+$")]
"""`name:version` of a layer in the same account and region, or `account:name:version`."""

MAX_LAYERS = 5
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class Value(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class State(Value):
    """Code and configuration of a function, as one deploy left it."""

    runtime: str | None = None
    """None for container images."""
    handler: Handler | None = None
    package: str | None = None
    """Name in packages.yaml; None for container images."""
    image: str | None = None
    """Repository and tag in the account's own ECR, `name:tag`."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    memory: int = Field(default=128, ge=128, le=10240)
    timeout: int = Field(default=3, ge=1, le=900)
    layers: tuple[LayerVersion, ...] = ()
    environment: Mapping[EnvironmentKey, str] = Field(default_factory=dict)
    modified: date

    @model_validator(mode="after")
    def _zip_or_image(self) -> Self:
        zipped = (self.runtime, self.handler, self.package)
        if self.image is None and None in zipped:
            raise ValueError("needs runtime, handler and package, or an image")
        if self.image is not None and zipped != (None, None, None):
            raise ValueError("an image has no runtime, handler or package")
        if len(self.layers) > MAX_LAYERS:
            raise ValueError(f"more than {MAX_LAYERS} layers")
        return self


class Version(Value):
    """What a published version had that $LATEST has not; fields left out are $LATEST's."""

    runtime: str | None = None
    handler: Handler | None = None
    package: str | None = None
    memory: int | None = None
    timeout: int | None = None
    layers: tuple[LayerVersion, ...] | None = None
    environment: Mapping[EnvironmentKey, str] | None = None
    modified: date | None = None


class AliasDefinition(Value):
    """An alias: its version and, while weighted, the other version's share (0–1)."""

    version: int | Literal["$LATEST"]
    weights: Mapping[int, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)


class EventSource(Value):
    """An event source mapping: a queue or a stream of the same account and region."""

    queue: str | None = None
    stream: str | None = None
    qualifier: str = LATEST

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.queue is None) == (self.stream is None):
            raise ValueError("needs either queue or stream")
        return self


class FunctionUrl(Value):
    """A function URL, on $LATEST or on an alias."""

    auth: Literal["AWS_IAM", "NONE"] = "AWS_IAM"
    qualifier: str = LATEST


class Permission(Value):
    """One statement of a function's resource policy."""

    principal: str
    """A service (`events.amazonaws.com`) or an account id."""
    source: str | None = None
    """ARN; `{region}` and `{account}` are filled in."""
    qualifier: str = LATEST


class Function(State):
    """A function in one region: the fields of State are $LATEST's."""

    name: FunctionName
    region: str
    description: str = ""
    tags: Mapping[TagKey, TagValue] = Field(default_factory=dict)
    versions: tuple[Version, ...] = ()
    """Published versions, oldest first: the first is version 1."""
    aliases: Mapping[AliasName, AliasDefinition] = Field(default_factory=dict)
    event_sources: tuple[EventSource, ...] = ()
    urls: tuple[FunctionUrl, ...] = ()
    permissions: tuple[Permission, ...] = ()
    invocations: int = Field(default=0, ge=0)
    """Over the last 30 days, spread evenly."""
    average_ms: int = Field(default=45, ge=1, le=900_000)
    """Milliseconds of an invocation, without init."""
    cold: int = Field(default=200, ge=1)
    """One of so many invocations is a cold start."""
    init_ms: int = Field(default=110, ge=1, le=10_000)
    """Milliseconds of each cold start."""
    logged_days: int = Field(default=30, ge=0, le=30)
    """How long its log is kept; with 0 it has no log group."""

    @property
    def latest(self) -> State:
        """Code and configuration of $LATEST."""
        return State(**{name: getattr(self, name) for name in State.model_fields})

    @property
    def published(self) -> tuple[State, ...]:
        """Code and configuration of every published version, oldest first."""
        base = self.latest.model_dump()
        return tuple(
            State(**base | version.model_dump(exclude_none=True)) for version in self.versions
        )

    @property
    def all_layers(self) -> frozenset[str]:
        """The layers of $LATEST and of every published version."""
        versions = (version.layers or () for version in self.versions)
        return frozenset(self.layers).union(*versions)

    @property
    def all_packages(self) -> frozenset[str]:
        """The packages of $LATEST and of every published version."""
        packages = {self.package, *(version.package for version in self.versions)}
        return frozenset(package for package in packages if package is not None)

    @model_validator(mode="after")
    def _points_at_what_exists(self) -> Self:
        numbers = range(1, len(self.versions) + 1)
        for name, alias in self.aliases.items():
            for version in (alias.version, *alias.weights):
                if version != LATEST and version not in numbers:
                    raise ValueError(f"alias {name} points at version {version}, which is missing")
            if alias.weights and alias.version == LATEST:
                raise ValueError(f"alias {name} is weighted and points at $LATEST")
        # A function URL can't stand on a version; event sources and permissions can.
        called = {source.qualifier for source in self.event_sources}
        called |= {permission.qualifier for permission in self.permissions}
        called -= {str(number) for number in numbers}
        called |= {url.qualifier for url in self.urls}
        if strange := called - {LATEST} - set(self.aliases):
            raise ValueError(f"a caller names {min(strange)}, which is no qualifier here")
        if self.image is not None and self.versions:
            raise ValueError("versions of images are not described")
        return self


def layer_of(layer: str, account: str) -> tuple[str, str, int]:
    """Give the owner, name and version of a layer that a function of `account` names."""
    *foreign, name, version = layer.split(":")
    return (foreign[0] if foreign else account), name, int(version)
