"""From the rows of a saved scan: which functions can move, and why the others stay. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from fleet.inspection import Verdict
from fleet.model import (
    FUNCTION_COLUMNS,
    GO1X,
    LATEST,
    FunctionRef,
    Owner,
    OwnerKind,
    PackageType,
    Use,
)
from fleet.waves.fingerprint import fingerprint
from fleet.waves.plan import Staying

NOT_INSPECTED = "not inspected"
"""The verdict, in a plan, on a package that nobody has looked at."""

_AT = {name: place for place, name in enumerate(FUNCTION_COLUMNS)}
_ACCOUNT, _REGION, _NAME, _QUALIFIER = (
    _AT[name] for name in ("account", "region", "name", "qualifier")
)
_read_tags = msgspec.json.Decoder(dict[str, str]).decode
_read_layers = msgspec.json.Decoder(list[str]).decode
_read_remarks = msgspec.json.Decoder(list[dict[str, str]]).decode

_IMAGE = "a container image: its runtime is inside it, and its own build has to change that"
_NOT_INSPECTED = "its package was not read: run fleet scan --inspect"
_BLOCKLISTED = "its account is on the blocklist of the settings"
_HALFWAY = (
    "it is on a custom runtime with the bridge layer of a move or rollback that has not ended: "
    "`fleet migrate ARN` or the run that began it finishes it, `fleet rollback ARN` takes it back"
)
_UNTAGGED = "its tags could not be read, so nobody knows who deploys it: scan again"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function whose $LATEST is on go1.x and can leave it as it is, and what rules ask of it."""

    ref: FunctionRef
    fingerprint: str
    verdict: Verdict
    ou: str
    """Path of its account's organizational unit; '' at the root or without an organization."""
    tags: Mapping[str, str]
    owner: Owner
    invocations: int | None
    """Over 30 days; None where that was not counted or could not be read."""

    @property
    def is_managed(self) -> bool:
        """Whether a stack or another tool is known to deploy it."""
        return self.owner.kind is not OwnerKind.UNKNOWN


@dataclass(frozen=True, slots=True)
class Sorted:
    """Every function of a scan that is on go1.x or halfway off it, in one of two places."""

    candidates: tuple[Candidate, ...]
    staying: tuple[Staying, ...]
    """Both by account, region and name."""


def sort_out(
    rows: Iterable[Sequence[Any]],
    partition: str,
    units: Mapping[str, str],
    *,
    blocklist: Collection[str] = (),
) -> Sorted:
    """Sort the rows of a scan, in the order of FUNCTION_COLUMNS and sorted as the store gives them.

    `units`: account → path of its organizational unit. `blocklist`: accounts never written to.
    """
    candidates: list[Candidate] = []
    staying: list[Staying] = []
    for _, versions in groupby(rows, key=lambda row: (row[_ACCOUNT], row[_REGION], row[_NAME])):
        found = _judged(tuple(versions), partition, units, blocklist)
        if isinstance(found, Candidate):
            candidates.append(found)
        elif found is not None:
            staying.append(found)
    return Sorted(tuple(candidates), tuple(staying))


def _judged(
    rows: Sequence[Sequence[Any]],
    partition: str,
    units: Mapping[str, str],
    blocklist: Collection[str],
) -> Candidate | Staying | None:
    first = rows[0]
    ref = FunctionRef(partition, first[_ACCOUNT], first[_REGION], first[_NAME])
    latest = next((row for row in rows if row[_QUALIFIER] == LATEST), None)
    if latest is None:
        return _only_published(ref, [*_on_go1x(rows)])
    if Use(latest[_AT["use"]]) is Use.HALFWAY:
        return Staying(function=ref.arn, verdict=Use.HALFWAY.value, reason=_HALFWAY)
    is_image = latest[_AT["package_type"]] == PackageType.IMAGE
    if latest[_AT["runtime"]] != GO1X and not is_image:
        return _only_published(ref, [*_on_go1x(rows)])
    why = _why_staying(latest, on_blocklist=ref.account in blocklist)
    verdict = Verdict.IMAGE if is_image else latest[_AT["verdict"]] or NOT_INSPECTED
    if why:
        return Staying(function=ref.arn, verdict=verdict, reason=why)
    return Candidate(
        ref=ref,
        fingerprint=fingerprint(
            latest[_AT["runtime"]],
            latest[_AT["handler"]],
            latest[_AT["architecture"]],
            _read_layers(latest[_AT["layers"]]),
            latest[_AT["code_sha256"]],
        ),
        verdict=Verdict(verdict),
        ou=units.get(ref.account, ""),
        tags=_read_tags(latest[_AT["tags"]]),
        owner=Owner(OwnerKind(latest[_AT["owner_kind"]]), latest[_AT["owner_name"]]),
        invocations=latest[_AT["invocations"]],
    )


def _why_staying(latest: Sequence[Any], *, on_blocklist: bool) -> str:
    """Why a function whose $LATEST is on go1.x, or an image, can't move; '' if it can."""
    if latest[_AT["package_type"]] == PackageType.IMAGE:
        return _IMAGE
    if latest[_AT["verdict"]] is None:
        return _NOT_INSPECTED
    if not Verdict(latest[_AT["verdict"]]).is_ready:
        said = _read_remarks(latest[_AT["reasons"]] or "[]")
        return said[0]["text"] if said else "no reason is known"
    if on_blocklist:
        return _BLOCKLISTED
    return _UNTAGGED if latest[_AT["tags"]] is None else ""


def _on_go1x(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    return (row for row in rows if row[_AT["runtime"]] == GO1X and Use(row[_AT["use"]]).is_finding)


def _only_published(ref: FunctionRef, rows: Sequence[Sequence[Any]]) -> Staying | None:
    """Say what is left on go1.x of a function whose $LATEST is not; None where nothing is."""
    if not rows:
        return None
    versions = ", ".join(str(row[_QUALIFIER]) for row in rows)
    now = rows[0][_AT["latest_runtime"]] or "an unknown runtime"
    return Staying(
        function=ref.arn,
        verdict=str(rows[0][_AT["verdict"]] or NOT_INSPECTED),
        reason=f"its $LATEST is on {now} already; published on go1.x is {versions}: "
        "point aliases and triggers at a newer version",
    )
