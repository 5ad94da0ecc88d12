"""Where a package that was built anew came from: written, and read again as far as it is needed."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime

from fleet import __version__
from fleet.inspection import LAMBDA_LIBRARY
from fleet.rebuilding.package import Packed
from fleet.rebuilding.rebuilt import Wanted, in_hex
from fleet.toolchain.rebuild.statement import PATCH, RUNNING, Rebuild, Replaced, statement


def statement_of(
    wanted: Wanted,
    packed: Packed,
    *,
    patch: str,
    invocation: str,
    began: datetime,
    ended: datetime,
) -> str:
    """Write an in-toto statement with SLSA provenance, as JSON; times have to know their zone."""
    said = Rebuild(
        architecture=wanted.architecture,
        running=in_hex(wanted.facts.code_sha256),
        sha256=in_hex(packed.replaced.code_sha256),
        programs=tuple(
            Replaced(
                entry=entry,
                old=made.old,
                new=made.new,
                built=made.built,
                checkout=made.checkout,
                allowed=made.allowed,
                attestation=made.attestation,
                identical=made.identical,
            )
            for entry, made in packed.programs.items()
        ),
        patch=patch,
        invocation=invocation,
        started=began,
        finished=ended,
        fleet=__version__,
    )
    return json.dumps(statement(said), indent=2)


def patch_in(text: str) -> str:
    """Give what a raised library changed in the source, of a statement of ours; '' without one."""
    try:
        made = json.loads(text)["predicate"]["runDetails"]["byproducts"]
        [content] = [each["content"] for each in made if each["name"] == PATCH]
        return b64decode(content, validate=True).decode()
    except (ValueError, KeyError, TypeError):
        return ""


def is_of(text: str, code_sha256: str) -> bool:
    """Whether a statement of ours says that its package was built in the place of this one."""
    try:
        given = json.loads(text)["predicate"]["buildDefinition"]["resolvedDependencies"]
        [running] = [each["digest"]["sha256"] for each in given if each.get("name") == RUNNING]
        return bool(running == in_hex(code_sha256))
    except (ValueError, KeyError, TypeError):
        return False


def raised_in(text: str) -> Mapping[str, str]:
    """Entry → the version its aws-lambda-go was raised to, of a statement of ours.

    Nothing where it is none of ours: then what it speaks of is taken as it is.
    """
    return dict(_raised(text))


def _raised(text: str) -> Iterator[tuple[str, str]]:
    try:
        given = json.loads(text)["predicate"]["buildDefinition"]["externalParameters"]
        for program in given["programs"]:
            version = program["raised"].get(LAMBDA_LIBRARY)
            if isinstance(version, str) and version:
                yield str(program["entry"]), version
    except (ValueError, KeyError, TypeError, AttributeError):
        return
