"""Where a package that was built anew came from: written, and read again as far as it is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from fleet import __version__
from fleet.inspection import LAMBDA_LIBRARY
from fleet.rebuilding.package import Packed
from fleet.rebuilding.rebuilt import Wanted, in_hex
from fleet.toolchain.rebuild.statement import Rebuild, Replaced, statement


def statement_of(
    wanted: Wanted, packed: Packed, *, invocation: str, began: datetime, ended: datetime
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
            )
            for entry, made in packed.programs.items()
        ),
        invocation=invocation,
        started=began,
        finished=ended,
        fleet=__version__,
    )
    return json.dumps(statement(said), indent=2)


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
