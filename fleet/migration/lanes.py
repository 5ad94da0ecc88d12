"""What is asked once for an account and region, whichever of its functions needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from fleet.aws import limits
from fleet.aws.failures import CallFailed, Situation
from fleet.aws.functions import read_event_sources
from fleet.aws.layers import bridge_arns
from fleet.aws.packages import Downloads, Location, layer_package
from fleet.aws.session import Aws, Lane
from fleet.errors import FleetError
from fleet.inspection import Layer
from fleet.migration.facts import CodeStorage
from fleet.model import Caller
from fleet.package.bridge import bridge_package, bridge_sha256
from fleet.reading import read_package
from fleet.store import Store

T = TypeVar("T")

_REFUSED = frozenset({Situation.DENIED, Situation.BLOCKED_BY_POLICY, Situation.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class LayerRead:
    """A layer version: what was read of it, and whether it can be put on a function again."""

    layer: Layer
    refused: str
    """Why AWS would not let it be set, or ''."""


class LaneKnowledge:
    """Answers that hold for every function of one account and region; threads share it."""

    def __init__(self, aws: Aws, downloads: Downloads, store: Store, lane: Lane) -> None:
        self._aws = aws
        self._downloads = downloads
        self._store = store
        self._lane = lane
        self._lock = threading.RLock()
        self._known: dict[object, object] = {}
        self._reserved = 0

    def bridge(self) -> str | None:
        """ARN of the bridge layer's version with the right content; None where there is none.

        Raises CallFailed.
        """
        return self._once("bridge", self._find_bridge)

    def make_bridge(self, publish: Callable[[bytes], str]) -> str:
        """The same, published by `publish` where there is none yet."""
        with self._lock:
            found = self.bridge()
            if found is None:
                # If no answer comes it may be there: whoever needs it next has to look again.
                self._known.pop("bridge", None)
                found = publish(bridge_package())
                self._known["bridge"] = found
            return found

    def signing_policy(self, name: str) -> str | None:
        """Enforce or Warn, '' without a code signing config; None where that can't be read."""
        try:
            policies = self._once("signing", lambda: limits.signing_policies(self._aws, self._lane))
        except CallFailed:
            return None
        return policies.get(name, "")

    def storage(self) -> CodeStorage | None:
        """Code storage, with what is reserved for this run; None where it can't be read."""
        try:
            limit, used = self._once("storage", lambda: limits.code_storage(self._aws, self._lane))
        except CallFailed:
            return None
        return CodeStorage(limit, used + self._reserved)

    def reserve(self, size: int) -> None:
        """Count so many bytes of code storage as used by this run."""
        with self._lock:
            self._reserved += size

    def event_sources(self, name: str) -> tuple[Caller, ...] | None:
        """Event source mappings of a function; None where they can't be read."""
        try:
            found: Mapping[str, tuple[Caller, ...]] = self._once(
                "sources", lambda: read_event_sources(self._aws, self._lane)
            )
        except CallFailed:
            return None
        return found.get(name, ())

    def layer(self, arn: str) -> LayerRead:
        """A layer version of a function; never raises CallFailed."""
        return self._once(arn, lambda: self._read_layer(arn))

    def _once(self, key: object, ask: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._known:
                self._known[key] = ask()
            return self._known[key]  # type: ignore[return-value]  # what this key's ask gave

    def _find_bridge(self) -> str | None:
        return next(bridge_arns(self._aws, self._lane, bridge_sha256()), None)

    def _read_layer(self, arn: str) -> LayerRead:
        located: list[Location] = []

        def locate() -> Location:
            location = layer_package(self._aws, self._lane, arn)
            located.append(location)
            return location

        try:
            # Asked even where the content is known: setting it again needs this very permission.
            known = self._store.facts(arn)
            if known is not None:
                locate()
                return LayerRead(Layer(arn, known), "")
            facts = read_package(self._downloads, self._lane, locate, arn)
            self._store.save_facts(arn, facts)
            return LayerRead(Layer(arn, facts), "")
        except CallFailed as failure:
            why = f"{failure.code}: {failure.detail}"
            # Found but not downloaded: it can be set all the same.
            refused = "" if located or failure.situation not in _REFUSED else why
            return LayerRead(Layer(arn, None, why), refused)
        except FleetError as error:
            return LayerRead(Layer(arn, None, str(error)), "")
