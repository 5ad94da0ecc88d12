"""Where a rebuilt package comes from, as an in-toto Statement with SLSA provenance. Pure.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
https://slsa.dev/spec/v1.0/provenance

It is kept and passed on: no value of -X is in it, and no credential.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit, urlunsplit

from fleet.inspection import Module
from fleet.linker_flags import without_values
from fleet.recorded import Recorded
from fleet.toolchain.rebuild.commit import is_published
from fleet.toolchain.rebuild.differences import Allowed, Attestation
from fleet.toolchain.rebuild.order import Built, Checkout

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:x-fleet:rebuild:v1"
"""A package with its Go programs built again, as the parameters say, from the source they name."""
BUILDER = "urn:x-fleet:builder:v1"
"""fleet on a machine of its users': nobody else vouches for that."""

PACKAGE = "package.zip"
"""The new package, among the subjects; its programs bear their names in it."""

RUNNING = "running package"
PATCH = "source.patch"
"""Among the byproducts: what a raised library changes, for `git apply`."""

_SUM = "h1:"
_SHA256 = 32

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Replaced:
    """One program of the package, and what was built in its place."""

    entry: str
    """Its name in the package."""
    old: Recorded
    new: Recorded
    built: Built
    checkout: Checkout
    allowed: Allowed
    attestation: Attestation
    identical: bool | None = None
    """Whether a build for the old architecture came out byte for byte; None: none was made."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A package that was built again, whichever functions run it."""

    architecture: str
    """x86_64 or arm64."""
    running: str
    """SHA-256 of the package that runs, in hex."""
    sha256: str
    """Of the new package, in hex."""
    programs: tuple[Replaced, ...]
    patch: str
    """What a raised library changes in the source, or ''."""
    invocation: str
    """Names this run and no other."""
    started: datetime
    finished: datetime
    fleet: str
    """Version of fleet."""


def statement(rebuild: Rebuild) -> dict[str, object]:
    """Give the statement as JSON's own values; times have to know their zone."""
    subjects = {PACKAGE: rebuild.sha256}
    subjects |= {each.entry: each.built.sha256 for each in rebuild.programs}
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects.items()
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _external(rebuild),
                "internalParameters": _internal(rebuild),
                "resolvedDependencies": _unique(_dependencies(rebuild)),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"fleet": rebuild.fleet}},
                "metadata": {
                    "invocationId": rebuild.invocation,
                    "startedOn": _timestamp(rebuild.started),
                    "finishedOn": _timestamp(rebuild.finished),
                },
                "byproducts": [
                    *(_comparison(each) for each in rebuild.programs),
                    *_patch(rebuild.patch),
                ],
            },
        },
    }


def _external(rebuild: Rebuild) -> Json:
    return {
        "architecture": rebuild.architecture,
        "programs": [_asked(each) for each in rebuild.programs],
    }


def _asked(program: Replaced) -> Json:
    order, known = program.allowed.order, program.allowed.known
    linker = order.linker_flags.text if order.linker_flags else ""
    return {
        "entry": program.entry,
        "module": program.checkout.module,
        "package": order.package,
        "flags": list(order.flags),
        "environment": dict(order.environment),
        "linkerFlags": without_values(linker),
        "linkerFlagsKnown": program.allowed.flags.value,
        "commitGivenByName": program.allowed.named,
        "accepted": sorted(known.accept),
        "raised": dict(program.allowed.raised),
    }


def _internal(rebuild: Rebuild) -> Json:
    return {
        "go": [
            {
                "entry": each.entry,
                "recorded": each.old.build.go_version if each.old.build else "",
                "used": each.built.go_version,
            }
            for each in rebuild.programs
        ]
    }


def _dependencies(rebuild: Rebuild) -> Iterator[Json]:
    yield {"name": RUNNING, "digest": {"sha256": rebuild.running}}
    for program in rebuild.programs:
        yield _source(program)
        release = program.built.go_version.removeprefix("go")
        yield {"name": program.built.go_version, "uri": f"pkg:generic/go@{quote(release)}"}
        if program.new.build is not None:
            for each in program.new.build.dependencies:
                yield from _module(each.replacement or each)


def _source(program: Replaced) -> Json:
    checkout, build = program.checkout, program.old.build
    if checkout.version:
        main = build.main if build and is_published(build) else None
        return _purl(main or Module(checkout.module, checkout.version))
    where = f"git+{_without_credentials(checkout.origin)}@{checkout.commit}"
    return {"uri": where, "digest": {"gitCommit": checkout.commit}}


def _module(module: Module) -> Iterator[Json]:
    # A directory that stands in for a module is part of the source.
    if module.version.startswith("v"):
        yield _purl(module)


def _purl(module: Module) -> Json:
    """Name a module by a package URL; https://github.com/package-url/purl-spec."""
    uri = f"pkg:golang/{quote(module.path)}@{quote(module.version)}"
    digest = _directory_hash(module.sum)
    named = {"name": f"{module.path}@{module.version}", "uri": uri}
    return {**named, "digest": {"dirHash": digest}} if digest else named


def _directory_hash(checksum: str) -> str:
    """Give a sum as go.sum has it in the words of an in-toto DigestSet: hex; '' if it is none."""
    if not checksum.startswith(_SUM):
        return ""
    try:
        content = base64.b64decode(checksum.removeprefix(_SUM), validate=True)
    except binascii.Error:
        return ""
    return content.hex() if len(content) == _SHA256 else ""


def _without_credentials(origin: str) -> str:
    """Give where a repository is as a URI, without what a user may have put into it."""
    if "://" not in origin:
        host, colon, path = origin.partition(":")
        if origin.startswith("/") or not colon:
            return f"file://{quote(origin)}"
        return f"ssh://{host.rpartition('@')[2]}/{quote(path)}"
    parts = urlsplit(origin)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _comparison(program: Replaced) -> Json:
    """Tell what differs between the two programs, and by what their linker flags are known."""
    annotations: dict[str, object] = {
        "was": program.old.sha256,
        "differences": [asdict(each) for each in program.attestation.differences],
        "controlBuildByteIdentical": program.identical,
    }
    written = json.dumps(annotations, sort_keys=True, separators=(",", ":")).encode()
    return {
        "name": f"comparison of {program.entry}",
        "digest": {"sha256": hashlib.sha256(written).hexdigest()},
        "mediaType": "application/json",
        "annotations": annotations,
    }


def _patch(text: str) -> Iterator[Json]:
    if text:
        content = text.encode()
        yield {
            "name": PATCH,
            "digest": {"sha256": hashlib.sha256(content).hexdigest()},
            "mediaType": "text/x-diff",
            "content": base64.b64encode(content).decode(),
        }


def _unique(descriptors: Iterator[Json]) -> Sequence[Json]:
    return list({json.dumps(each, sort_keys=True): each for each in descriptors}.values())


def _timestamp(moment: datetime) -> str:
    """Write a time as RFC 3339 has it, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
