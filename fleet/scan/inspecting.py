"""What is inside the packages of the functions a scan found: downloaded, read, judged, saved.

Each package is read once, whichever functions run it and whichever scan asked first: what was
read is kept by CodeSha256 and, for layers, by the layer version's ARN, neither of which ever
stands for other bytes.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, RoleRefused, Situation
from fleet.aws.packages import (
    Downloads,
    Location,
    RangedPackage,
    function_package,
    layer_package,
    read_function,
)
from fleet.aws.session import Aws, Lane
from fleet.deployment import is_own_bridge
from fleet.errors import FleetError
from fleet.fan_out import Crew, check_going_on, fan_out
from fleet.inspection import (
    Assessment,
    Deployed,
    Inspection,
    InspectionDepth,
    Layer,
    PackageFacts,
    Verdict,
)
from fleet.model import FunctionConfig, FunctionRef, PackageType, ScanHeader
from fleet.package.archive.reader import Archive
from fleet.package.inspect import inspect_index
from fleet.package.problems import BadPackage
from fleet.package.verdict import remarks
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.origin import inspection
from fleet.package.verdict.remarks import Rule
from fleet.reading import read_package
from fleet.scan.uses import is_halfway
from fleet.store import Store

AT_ONCE = 8
"""Packages under way: each may fill a temporary file of 250 MB."""

_log = logging.getLogger(__name__)


class InspectionProgress(Protocol):
    """What somebody who waits wants to see of it; called from one thread."""

    def packages_planned(self, packages: int) -> None:
        """So many packages and layers are to be read."""

    def package_done(self, *, read: bool) -> None:
        """One of them was read, or could not be."""


@dataclass(frozen=True, slots=True)
class _Content:
    """To do: read one package, which any of these places gives."""

    key: str
    """CodeSha256, or a layer version's ARN."""
    places: tuple[FunctionConfig, ...]


@dataclass(frozen=True, slots=True)
class _Missed:
    """Why a package was not read, and what to say of its functions."""

    why: str
    rule: Rule = remarks.COULD_NOT_BE_READ


@dataclass(frozen=True, slots=True)
class Inspector:
    """Reads packages to a depth."""

    aws: Aws
    downloads: Downloads
    depth: InspectionDepth

    def inspect(
        self, store: Store, header: ScanHeader, crew: Crew, progress: InspectionProgress
    ) -> None:
        """Judge every function version of a saved scan that has no verdict, and save it.

        A package that cannot be read costs its functions their verdict, never the others'.
        Raises KeyboardInterrupt and NoCredentials, with what was read saved.
        """
        found = store.to_inspect(header.id)
        zipped = [each for each in found if each.package_type is not PackageType.IMAGE]
        images = [each for each in found if each.package_type is PackageType.IMAGE]
        store.save_inspections(header.id, [(each, judged(each, None, {})) for each in images])
        used = _layers(zipped)
        packages = _packages(zipped)
        progress.packages_planned(len(used) + len(packages))
        layers: dict[str, Layer] = {}

        def keep_layer(content: _Content, facts: PackageFacts | _Missed) -> None:
            if isinstance(facts, PackageFacts):
                layers[content.key] = Layer(content.key, facts)
            else:
                layers[content.key] = Layer(content.key, None, facts.why)

        def save_verdicts(content: _Content, facts: PackageFacts | _Missed) -> None:
            store.save_inspections(
                header.id, [(each, judged(each, facts, layers)) for each in content.places]
            )

        # Layers first: a verdict needs what a function's layers bring.
        self._read_all(store, crew, progress, used, self._layer, keep_layer)
        self._read_all(store, crew, progress, packages, self._package, save_verdicts)

    def look_at(self, ref: FunctionRef) -> tuple[Deployed, PackageFacts | None]:
        """Read one function and its package; None for an image.

        Raises CallFailed, RoleRefused, FleetError for a package that cannot be believed, OSError
        where no temporary file can be written. An unreadable layer is told, not raised.
        """
        config = read_function(self.aws, self.aws.lane(ref.account, ref.region), ref)
        layers = {content.key: self._layer_or_why(content) for content in _layers([config])}
        if config.package_type is PackageType.IMAGE:
            return deployed(config, layers), None
        [content] = _packages([config])
        return deployed(config, layers), self._package(content, config)

    def _layer_or_why(self, content: _Content) -> Layer:
        try:
            return Layer(content.key, _first(content, self._layer))
        except FleetError as error:
            why = error.why if isinstance(error, (CallFailed, RoleRefused)) else str(error)
            return Layer(content.key, None, why)

    def _read_all(
        self,
        store: Store,
        crew: Crew,
        progress: InspectionProgress,
        contents: Iterable[_Content],
        read: Callable[[_Content, FunctionConfig], PackageFacts],
        settle: Callable[[_Content, PackageFacts | _Missed], None],
    ) -> None:
        def settled(content: _Content, facts: PackageFacts | _Missed) -> None:
            settle(content, facts)
            progress.package_done(read=isinstance(facts, PackageFacts))

        def arrived(content: _Content, future: Future[PackageFacts]) -> None:
            facts = _answer(future, content)
            if isinstance(facts, PackageFacts) and facts.whole:
                store.save_facts(content.key, facts)
            settled(content, facts)

        unread: deque[_Content] = deque()
        for content in contents:
            check_going_on(crew)
            known = store.facts(content.key)
            if known is None:
                unread.append(content)
            else:
                settled(content, known)
        fan_out(
            crew,
            unread,
            lambda content: _first(content, read),
            arrived,
            at_once=min(AT_ONCE, crew.parallelism),
        )

    def _package(self, content: _Content, config: FunctionConfig) -> PackageFacts:
        lane = self.aws.lane(config.ref.account, config.ref.region)

        def locate() -> Location:
            location = function_package(self.aws, lane, config.ref)
            if location.code_sha256 != content.key:
                raise _Changed
            return location

        return self._read(lane, locate)

    def _layer(self, content: _Content, config: FunctionConfig) -> PackageFacts:
        # Asked by an account that uses it: a layer of somebody else's may be shared with that one.
        lane = self.aws.lane(config.ref.account, config.ref.region)
        return self._read(lane, lambda: layer_package(self.aws, lane, content.key))

    def _read(self, lane: Lane, locate: Callable[[], Location]) -> PackageFacts:
        if self.depth is InspectionDepth.INDEX:
            ranged = RangedPackage(self.downloads, lane, locate)
            with Archive.of(ranged, _ITS_PACKAGE) as archive:
                return inspect_index(archive, checksum=ranged.location.code_sha256)
        return read_package(self.downloads, lane, locate, _ITS_PACKAGE)


_ITS_PACKAGE = "its package"


class _Changed(FleetError):
    def __str__(self) -> str:
        return "its code was changed while the scan ran"


def judged(
    config: FunctionConfig, facts: PackageFacts | _Missed | None, layers: Mapping[str, Layer]
) -> Inspection:
    """Give the verdict on one function version, and what its binary tells of its origin. Pure."""
    if isinstance(facts, _Missed):
        return Inspection(Assessment(Verdict.UNKNOWN, (facts.rule.said(why=facts.why),)))
    function = deployed(config, layers)
    return inspection(function, facts, assess(function, facts))


def deployed(config: FunctionConfig, layers: Mapping[str, Layer]) -> Deployed:
    """Take what counts of a function when its package is judged. Pure."""
    return Deployed(
        handler=config.handler,
        runtime=config.runtime,
        architecture=config.architecture,
        is_image=config.package_type is PackageType.IMAGE,
        layers=tuple(
            layers.get(arn) or Layer(arn, None, "it was not looked at")
            for arn in _lasting_layers(config)
        ),
        code_signing=config.signing_profile is not None,
    )


def _lasting_layers(config: FunctionConfig) -> Iterable[str]:
    # Halfway the bridge is on for a while: what it starts is no reason to leave things as they are.
    if not is_halfway(config):
        return config.layers
    return (arn for arn in config.layers if not is_own_bridge(arn, config.ref.account))


def _packages(configs: Iterable[FunctionConfig]) -> list[_Content]:
    ordered = sorted(configs, key=lambda each: each.code_sha256)
    return [
        _Content(key, tuple(places))
        for key, places in groupby(ordered, key=lambda each: each.code_sha256)
    ]


def _layers(configs: Iterable[FunctionConfig]) -> list[_Content]:
    places: dict[str, dict[tuple[str, str], FunctionConfig]] = {}
    for config in configs:
        for arn in _lasting_layers(config):
            # Once for each account that may have been let in.
            here = places.setdefault(arn, {})
            here.setdefault((config.ref.account, config.ref.region), config)
    return [_Content(arn, tuple(here.values())) for arn, here in places.items()]


def _first(
    content: _Content, read: Callable[[_Content, FunctionConfig], PackageFacts]
) -> PackageFacts:
    """Read from the first place that gives it; where none does, raise what the first one said."""
    refusals: list[CallFailed | RoleRefused | _Changed] = []
    refusing: set[tuple[str, str]] = set()
    for place in content.places:
        # A hundred functions of one account that denies tell no more than the first.
        if (place.ref.account, place.ref.region) in refusing:
            continue
        try:
            return read(content, place)
        except (CallFailed, RoleRefused) as refusal:
            refusing.add((place.ref.account, place.ref.region))
            refusals.append(refusal)
        except _Changed as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _answer(future: Future[PackageFacts], content: _Content) -> PackageFacts | _Missed:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, (NoCredentials, Interrupted)) or not isinstance(error, Exception):
        raise error
    return _missed(error, content)


def _missed(error: Exception, content: _Content) -> _Missed:
    match error:
        case CallFailed(situation=Situation.NOT_FOUND) | _Changed():
            return _Missed(str(error), remarks.CHANGED_MEANWHILE)
        case BadPackage():
            return _Missed(error.problem, remarks.REFUSED_PACKAGE)
        case CallFailed() | RoleRefused():
            return _Missed(_advice(error) + error.why)
        case FleetError():
            return _Missed(str(error))
        case OSError():
            return _Missed(f"no temporary file can be written ({error.strerror})")
        case _:
            # A defect met in one package must not cost the others; nor pass for a verdict.
            _log.debug("%s", content.key, exc_info=error)
            return _Missed(f"unexpected {type(error).__name__}; --debug tells more")


def _advice(error: CallFailed | RoleRefused) -> str:
    denied = isinstance(error, CallFailed) and error.situation is Situation.DENIED
    return "`fleet policy scan --inspect` prints what to allow, for " if denied else ""
