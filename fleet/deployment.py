"""One function as a migration sees it, and what can be done to it: the values. Frozen; no I/O.

Versions are numbers as AWS writes them, weights are shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fleet.inspection import Target
from fleet.model import NOTHING, ROLLBACK_ALIAS

SERVING_ALIAS = "provided"
"""The alias a migration leaves on the newest version that was proven on the custom runtime."""
X86_64_ALIAS = "x86_64-rollback"
"""The alias a change of architecture leaves on the last version built for x86_64."""
OWN_ALIASES = frozenset({ROLLBACK_ALIAS, SERVING_ALIAS, X86_64_ALIAS})

MIGRATED_FROM = "fleet:migrated-from"
LANGUAGE = "fleet:language"
GO_VERSION = "fleet:go-version"
REBUILT_FOR = "fleet:rebuilt-for"
OWN_TAGS = (MIGRATED_FROM, LANGUAGE, GO_VERSION, REBUILT_FOR)
"""Tags of a function that has moved: the runtime's name no longer says that it is Go."""

UNWEIGHTED: Mapping[str, float] = MappingProxyType({})

_TARGETS = frozenset(target.value for target in Target)

BRIDGE_LAYER = "fleet-go1x-bridge"
"""The layer that starts a go1.x package on a custom runtime; one an account and region."""


def is_bridge(arn: str) -> bool:
    """Whether a layer version's ARN names a bridge layer, of whatever account."""
    return arn.split(":")[5:7] == ["layer", BRIDGE_LAYER]


def is_own_bridge(arn: str, account: str) -> bool:
    """Whether a layer version's ARN names the bridge layer of an account."""
    return is_bridge(arn) and arn.split(":")[4] == account


def stands_halfway(runtime: str | None, layers: Iterable[str], account: str) -> bool:
    """Whether a $LATEST is where only the bridge route passes: on a target, with the layer on."""
    return runtime in _TARGETS and any(is_own_bridge(arn, account) for arn in layers)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What an invocation finds: all that an update can change and a published version keeps.

    Two are equal if nobody who calls the function could tell them apart.
    """

    runtime: str | None
    handler: str | None
    layers: tuple[str, ...]
    """Layer version ARNs in the order they are merged."""
    code_sha256: str
    """Base64, as AWS gives it."""
    architecture: str
    rest: str
    """Keyed hash of every other setting, the environment among them; '' where a setting could
    not be read, and then nothing may be concluded from equality."""


@dataclass(frozen=True, slots=True)
class Published:
    """A published version."""

    version: str
    deployment: Deployment
    active: bool = True
    """False while AWS still makes it ready: an invocation would be refused."""


@dataclass(frozen=True, slots=True)
class AliasNow:
    """An alias as it is now."""

    name: str
    version: str
    weights: Mapping[str, float] = field(default_factory=lambda: UNWEIGHTED)
    """Version → share that it sends there besides its own version."""
    revision: str = ""
    """RevisionId, which guards the next write."""
    provisioned: bool = False
    """Whether it has provisioned concurrency: AWS then shifts weights by itself as it moves."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything of a function that decides what comes next."""

    deployment: Deployment
    """Of $LATEST."""
    revision: str
    """RevisionId of $LATEST."""
    settled: bool
    """Whether no update and no creation is under way."""
    failure: str = ""
    """Why the last update failed, in AWS's words; '' if it did not."""
    aliases: tuple[AliasNow, ...] = ()
    kept: Published | None = None
    """What the alias of the way's `keep` points at; None where there is no such alias."""
    serving: Published | None = None
    """What the alias of the way's `serve` points at; None where there is no such alias."""
    minted: Published | None = None
    """What the last publish of this very run answered."""
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    proven: bool = False
    """Whether this very run has shown that $LATEST, as it is, works."""


class Route(StrEnum):
    """How a function gets from one deployment to another."""

    BRIDGE = "bridge"
    """Through a layer that starts the old package on the new runtime: no gap."""
    DIRECT = "direct"
    """Runtime, then code: between the two, for seconds, invocations fail."""
    DUAL = "dual"
    """A package that runs on both runtimes, then the runtime: no gap."""
    ARCHITECTURE = "architecture"
    """Code and architecture in one call: no gap."""

    @property
    def has_gap(self) -> bool:
        """Whether invocations of $LATEST fail for a moment on the way."""
        return self is Route.DIRECT


class Back(StrEnum):
    """How far back."""

    GO1X = "go1.x"
    X86_64 = "x86_64"
    """From arm64 only; the runtime stays."""


@dataclass(frozen=True, slots=True)
class Way:
    """From one deployment to another, and what is left around it."""

    route: Route
    path: tuple[Deployment, ...]
    """Two neighbours differ by what one update changes: code, or configuration."""
    keep: str
    """Alias that holds the first deployment of the path."""
    serve: str
    """Alias that gets the last one."""
    tags: Mapping[str, str]
    """What the function carries once everything is done; never empty, since it says just that."""
    share: float | None = None
    """Of a canary: the share of their calls that aliases of its owners are to send to the last
    deployment. Below 1 the way comes to its end later, with a greater one. None: they move at
    once, and weights are their owners' own."""

    @property
    def start(self) -> Deployment:
        """Where it comes from."""
        return self.path[0]

    @property
    def end(self) -> Deployment:
        """Where it leads."""
        return self.path[-1]

    @property
    def has_gap(self) -> bool:
        """Whether invocations of $LATEST fail between the first deployment and the last."""
        return self.route.has_gap and len(self.path) > 2  # noqa: PLR2004 - start and end


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again a little later."""

    why: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Mint a version of $LATEST, or learn the number of the one that is the same."""

    revision: str
    code_sha256: str
    alias: str
    """The alias that is to point at it."""


@dataclass(frozen=True, slots=True)
class PutAlias:
    """Make an alias point at a version."""

    name: str
    version: str
    before: AliasNow | None
    """None: there is no such alias yet."""
    weights: Mapping[str, float] = field(default_factory=lambda: UNWEIGHTED)


@dataclass(frozen=True, slots=True)
class UpdateConfiguration:
    """Change what differs of runtime, handler and layers, in one call."""

    revision: str
    before: Deployment
    after: Deployment

    @property
    def runtime(self) -> str | None:
        """The runtime to send; None leaves it as it is."""
        return self.after.runtime if self.after.runtime != self.before.runtime else None

    @property
    def handler(self) -> str | None:
        """The handler to send; None leaves it as it is."""
        return self.after.handler if self.after.handler != self.before.handler else None

    @property
    def layers(self) -> tuple[str, ...] | None:
        """The whole list of layers to send; None leaves it as it is."""
        return self.after.layers if self.after.layers != self.before.layers else None


@dataclass(frozen=True, slots=True)
class UpdateCode:
    """Upload a package; the architecture goes with it, since AWS would make it x86_64 else."""

    revision: str
    before: Deployment
    after: Deployment


@dataclass(frozen=True, slots=True)
class PutTags:
    """Add tags, or change their values."""

    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemoveTags:
    """Take tags off."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prove:
    """Show that $LATEST, as it is now, works."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Baking:
    """Aliases send the way's share to what was proven; the rest of the way waits for a larger."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else changed the function: nothing is overwritten."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """AWS could not do what it was asked."""

    reason: str


Write = Publish | PutAlias | UpdateConfiguration | UpdateCode | PutTags | RemoveTags
"""What changes something in AWS."""
End = Done | Baking | Stale | Stuck
Step = Wait | Write | Prove | End
