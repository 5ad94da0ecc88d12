"""Looks at one function, with as few calls as tell the truth."""

from __future__ import annotations

from fleet.aws.deployments import FunctionNow, read_aliases_now, read_now
from fleet.aws.session import Aws, Lane
from fleet.deployment import AliasNow, Deployment, Observed, Published
from fleet.model import NOTHING, FunctionRef


class Observer:
    """What a function is now. $LATEST is read at each look; aliases only if they may have changed.

    A write that goes by an alias that has changed since is refused by its RevisionId.
    """

    def __init__(
        self, aws: Aws, lane: Lane, ref: FunctionRef, key: bytes, *, keep: str, serve: str
    ) -> None:
        """`key` hashes settings; `keep` and `serve` are the names of the way's two aliases."""
        self._aws = aws
        self._lane = lane
        self._name = ref.name
        self._key = key
        self._keep = keep
        self._serve = serve
        self._aliases: tuple[AliasNow, ...] | None = None
        self.provisioned: frozenset[str] = frozenset()
        """Qualifiers with provisioned concurrency, as of the aliases that were read last."""
        self._versions: dict[str, Published] = {}
        self._minted: str | None = None
        self._proven: Deployment | None = None
        self._updated = False
        self.now: FunctionNow = read_now(aws, lane, self._name, key)

    def look(self) -> Observed:
        """See everything that decides what comes next; raises CallFailed."""
        self.now = read_now(self._aws, self._lane, self._name, self._key)
        return self.seen()

    def seen(self) -> Observed:
        """The same with $LATEST as it was read last; raises CallFailed."""
        aliases = self.aliases()
        return Observed(
            deployment=self.now.deployment,
            revision=self.now.revision,
            settled=self.now.settled,
            # Of an update before this run nothing follows: AWS takes the next one.
            failure=self.now.failure if self._updated else "",
            aliases=aliases,
            kept=self._held(self._keep, aliases),
            serving=self._held(self._serve, aliases),
            minted=None if self._minted is None else self.version(self._minted),
            tags=NOTHING if self.now.tags is None else self.now.tags,
            proven=self._proven == self.now.deployment,
        )

    def aliases(self) -> tuple[AliasNow, ...]:
        """Every alias; asked again while AWS shifts weights by itself."""
        shifting = self._aliases and any(
            each.provisioned and each.weights for each in self._aliases
        )
        if self._aliases is None or shifting:
            self._aliases, self.provisioned = read_aliases_now(self._aws, self._lane, self._name)
        return self._aliases

    def version(self, number: str) -> Published:
        """A published version; it never changes once it is active."""
        known = self._versions.get(number)
        if known is None or not known.active:
            known = read_now(self._aws, self._lane, self._name, self._key, number).published
            self._versions[number] = known
        return known

    def minted(self, version: Published) -> None:
        """Take the answer of a publish."""
        self._versions[version.version] = version
        self._minted = version.version

    def updated(self) -> None:
        """Take it that AWS has taken an update."""
        self._updated = True

    def put(self, alias: AliasNow) -> None:
        """Take the answer of an alias that was made or moved."""
        others = [each for each in self._aliases or () if each.name != alias.name]
        self._aliases = (*others, alias)

    def proved(self) -> None:
        """Take it that $LATEST, as it was read last, works."""
        self._proven = self.now.deployment

    def forget(self) -> None:
        """Read aliases anew at the next look: something was not as it was seen."""
        self._aliases = None

    def _held(self, name: str, aliases: tuple[AliasNow, ...]) -> Published | None:
        version = next((each.version for each in aliases if each.name == name), None)
        return None if version is None else self.version(version)
