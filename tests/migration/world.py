"""One function in a small, honest Lambda: what AWS documents of updates, versions and aliases.

Time passes whenever somebody looks. A code's name says what its package holds: `a` is a go1.x
package of commit a, `a+bootstrap` the same renamed, `a+shim` with a shim, `+arm64` built anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleet.deployment import (
    BRIDGE_LAYER,
    UNWEIGHTED,
    AliasNow,
    Deployment,
    Observed,
    Published,
    PutAlias,
    UpdateCode,
    UpdateConfiguration,
    is_bridge,
)
from fleet.model import GO1X

TARGET = "provided.al2023"
BRIDGE = f"arn:aws:lambda:eu-west-1:111111111111:layer:{BRIDGE_LAYER}:3"
START = Deployment(GO1X, "main", (), "a", "x86_64", "settings")

UPDATE_TAKES = 2
"""Looks until an update is Successful; a new version is Pending, and provisioned concurrency
shifts, for as long."""


class Refused(Exception):
    """AWS said no: nothing has changed."""


class Conflict(Refused):
    """409, 412 or 429: look again."""


def runs(deployment: Deployment) -> bool:
    """Whether an invocation finds something that it can run.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html: the package's bootstrap
    goes before a layer's.
    """
    commit, *parts = deployment.code_sha256.split("+")
    fits = ("arm64" in parts) == (deployment.architecture == "arm64")
    has_handler = bool(commit) and "bootstrap" not in parts and deployment.handler == "main"
    if deployment.runtime == GO1X:
        return fits and has_handler and deployment.architecture == "x86_64"
    if "bootstrap" in parts:
        return fits
    return fits and has_handler and ("shim" in parts or any(map(is_bridge, deployment.layers)))


@dataclass
class Hold:
    """An alias, as AWS keeps it."""

    version: int
    weights: Mapping[str, float] = field(default_factory=dict)
    provisioned: bool = False
    revision: int = 0
    left: int = 0
    """The version that its provisioned concurrency moves away from."""
    shifts: int = 0
    """Looks until that has ended."""


@dataclass
class World:
    """The function, and everybody's calls."""

    latest: Deployment = START
    serving: Deployment = START
    """What an invocation finds: the old deployment while an update is in progress."""
    busy: int = 0
    """Looks until the update is Successful."""
    versions: list[Deployment] = field(default_factory=list)
    pending: dict[int, int] = field(default_factory=dict)
    aliases: dict[str, Hold] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    refuses_go1x: bool = False
    _revision: int = 0

    def look(self, keep: str, serve: str, minted: str | None, *, proven: bool) -> Observed:
        """What GetFunction, ListAliases and so on show now."""
        self._pass_time()
        return Observed(
            deployment=self.latest,
            revision=str(self._revision),
            settled=not self.busy,
            aliases=tuple(self.alias(name) for name in sorted(self.aliases)),
            kept=self._held(keep),
            serving=self._held(serve),
            minted=None if minted is None else self.version(int(minted)),
            tags=dict(self.tags),
            proven=proven,
        )

    def alias(self, name: str) -> AliasNow:
        """It as AWS shows it; weights of AWS's own while provisioned concurrency shifts."""
        hold = self.aliases[name]
        weights = {str(hold.left): 1.0} if hold.shifts else dict(hold.weights)
        return AliasNow(name, str(hold.version), weights, str(hold.revision), hold.provisioned)

    def version(self, number: int) -> Published:
        """A published version."""
        return Published(str(number), self.versions[number - 1], number not in self.pending)

    @property
    def newest(self) -> Published | None:
        """The version that was published last."""
        return self.version(len(self.versions)) if self.versions else None

    def publish(self, revision: str | None = None, code: str | None = None) -> str:
        """PublishVersion; mints nothing if nothing has changed since the last version."""
        self._guard(revision)
        if code not in {None, self.latest.code_sha256}:
            raise Refused("CodeSha256 (400)")
        if self.refuses_go1x and self.latest.runtime == GO1X:
            raise Refused("go1.x is no longer supported (believed)")
        if not self.versions or self.versions[-1] != self.latest:
            self.versions.append(self.latest)
            self.pending[len(self.versions)] = UPDATE_TAKES
        return str(len(self.versions))

    def update(self, step: UpdateConfiguration | UpdateCode) -> None:
        """UpdateFunctionConfiguration or UpdateFunctionCode, which send only what they name."""
        now = self.latest
        if isinstance(step, UpdateCode):
            refused = now.runtime == GO1X
            then = replace(
                now, code_sha256=step.after.code_sha256, architecture=step.after.architecture
            )
        else:
            refused = step.runtime == GO1X
            then = replace(
                now,
                runtime=now.runtime if step.runtime is None else step.runtime,
                handler=now.handler if step.handler is None else step.handler,
                layers=now.layers if step.layers is None else step.layers,
            )
        self._guard(step.revision)
        if refused and self.refuses_go1x:
            raise Refused("go1.x is no longer supported")
        self.latest, self.busy = then, UPDATE_TAKES
        self._revision += 1

    def deploy(self, then: Deployment) -> None:
        """Somebody else's deploy, all at once."""
        self._guard(None)
        self.latest = self.serving = then
        self._revision += 1

    def put_alias(self, step: PutAlias) -> None:
        """CreateAlias or UpdateAlias."""
        hold = self.aliases.get(step.name)
        if (hold is None) != (step.before is None):
            raise Conflict("no such alias (404), or there is one already (409)")
        if hold is None or step.before is None:
            self.aliases[step.name] = Hold(int(step.version), dict(step.weights))
            return
        if step.before.revision != str(hold.revision):
            raise Conflict("RevisionId (412)")
        self.point(step.name, int(step.version), step.weights)

    def point(self, name: str, version: int, weights: Mapping[str, float] = UNWEIGHTED) -> None:
        """Move an alias; provisioned concurrency follows little by little."""
        hold = self.aliases[name]
        if hold.provisioned and version != hold.version:
            hold.left, hold.shifts = hold.version, UPDATE_TAKES
        hold.version, hold.weights = version, dict(weights)
        hold.revision += 1

    def _guard(self, revision: str | None) -> None:
        if self.busy:
            raise Conflict("an update is in progress (409)")
        if revision not in {None, str(self._revision)}:
            raise Conflict("RevisionId (412)")

    def _held(self, name: str) -> Published | None:
        hold = self.aliases.get(name)
        return None if hold is None else self.version(hold.version)

    def _pass_time(self) -> None:
        if self.busy:
            self.busy -= 1
            if not self.busy:
                # It changes once more when the update becomes Successful.
                self.serving, self._revision = self.latest, self._revision + 1
        self.pending = {number: left - 1 for number, left in self.pending.items() if left > 1}
        for hold in self.aliases.values():
            hold.shifts = max(0, hold.shifts - 1)
