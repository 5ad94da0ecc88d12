"""Does a program's aws-lambda-go speak to custom runtimes?

lambda.Start speaks the Runtime API from v1.18.0 on
(https://github.com/aws/aws-lambda-go/releases/tag/v1.18.0); before, it waits for RPC calls that
only go1.x makes.
"""

from __future__ import annotations

from collections.abc import Iterator

from semver import Version

from fleet.inspection import LAMBDA_LIBRARY, BinaryFacts, BuildInfo, Module, Remark
from fleet.package.verdict import remarks
from fleet.package.verdict.versions import is_release, parse
from fleet.provenance import Origin, origin_of

SPEAKS_SINCE = Version(1, 18, 0)
KEEPS_REQUEST_ID_SINCE = Version(1, 19, 1)
NAME = "aws-lambda-go"


def version_of(binary: BinaryFacts) -> Version | None:
    """Give aws-lambda-go's version where it tells what the code does: no fork, no directory."""
    return parse(binary.lambda_library or "")


def replacement_of(binary: BinaryFacts) -> Module | None:
    """Give what go.mod put in aws-lambda-go's place: another module, or a directory."""
    module = binary.build.dependency(LAMBDA_LIBRARY) if binary.build else None
    if module is None or module.replacement is None:
        return None
    # The same module at another version is as good as asking for that version.
    return None if binary.lambda_library else module.replacement


def speaking(binary: BinaryFacts) -> Iterator[Remark]:
    """Say whether it speaks: one remark, with the verdict that follows from this alone.

    The client seen in the binary decides, and a released version has to agree with it. A
    pre-release or pseudo-version stands for a state between two releases: either is possible.
    """
    version = version_of(binary)
    before = version is not None and version < SPEAKS_SINCE
    released = version is not None and is_release(version)
    if before and released and binary.runtime_api is not True:
        yield remarks.LIBRARY_TOO_OLD.said(
            entry=binary.entry, version=f"v{version}", source=_where(binary.build)
        )
    elif before and released:
        yield _contradicts(binary, version, "cannot have a Runtime API client", "one is there")
    elif binary.runtime_api is True:
        yield remarks.SPEAKS.said(entry=binary.entry, library=_library(binary))
    elif binary.runtime_api is None:
        yield remarks.LIBRARY_UNKNOWN.said(entry=binary.entry, source=_where(binary.build))
    elif version is not None and not before:
        yield _contradicts(binary, version, "has a Runtime API client", "none is there")
    elif _has_library(binary):
        yield remarks.CLIENT_MISSING.said(
            entry=binary.entry, library=_library(binary), source=_where(binary.build)
        )
    else:
        yield remarks.NO_LAMBDA_LIBRARY.said(entry=binary.entry)


def _has_library(binary: BinaryFacts) -> bool:
    # Its RPC server is proof as well: nothing else listens on _LAMBDA_SERVER_PORT.
    listed = binary.build is not None and binary.build.dependency(LAMBDA_LIBRARY) is not None
    return listed or bool(binary.lambda_library) or binary.norpc is False


def _library(binary: BinaryFacts) -> str:
    version = binary.lambda_library
    replacement = replacement_of(binary)
    if replacement:
        return f"{NAME} replaced by {replacement.path} {replacement.version}".rstrip()
    return f"{NAME} {version}" if version else f"an {NAME} of unknown version"


def _contradicts(binary: BinaryFacts, version: Version | None, expected: str, found: str) -> Remark:
    return remarks.LIBRARY_CONTRADICTS.said(
        entry=binary.entry,
        version=f"v{version}",
        expected=expected,
        found=found,
        source=_where(binary.build),
    )


def _where(build: BuildInfo | None) -> str:
    """Say where its source is, as the beginning of what to do there."""
    origin = origin_of(build)
    if not origin.module:
        path = build.path if build else ""
        if path and path != "command-line-arguments":
            return f"in the source of {path}"
        return "in its source, which the build does not name"
    return f"in module {origin.module}{_repository(origin)}"


def _repository(origin: Origin) -> str:
    words = []
    if origin.repository and origin.repository != origin.module:
        words.append(f"repository {origin.repository}")
    if origin.commit:
        words.append(f"commit {origin.commit}{' and uncommitted changes' * origin.modified}")
    return f" ({', '.join(words)})" if words else ""
