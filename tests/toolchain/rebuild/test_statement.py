"""The provenance of a rebuilt package, held against the fields that in-toto and SLSA name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import Module
from fleet.recorded import Recorded
from fleet.sources import KnownBuild
from fleet.toolchain.rebuild.attestation import attest
from fleet.toolchain.rebuild.linking import Known
from fleet.toolchain.rebuild.order import Built, Checkout
from fleet.toolchain.rebuild.statement import Rebuild, Replaced, statement
from tests.toolchain.rebuild.programs import (
    COMMIT,
    LIBRARY,
    PLAIN,
    VALUE,
    VCS,
    allowed,
    built,
    ordered,
    program,
    told,
    without,
)

STARTED = datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=1)))
_URI = {"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:[^ ]+$"}
_DIGESTS = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "dirHash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "gitCommit": {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"},
    },
    "additionalProperties": False,
}
# https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
_RESOURCE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "uri": _URI,
        "digest": _DIGESTS,
        "mediaType": {"type": "string"},
        "annotations": {"type": "object"},
    },
    "anyOf": [{"required": ["uri"]}, {"required": ["digest"]}],
    "additionalProperties": False,
}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
# https://slsa.dev/spec/v1.0/provenance#schema
_PROVENANCE = {
    "type": "object",
    "required": ["buildDefinition", "runDetails"],
    "properties": {
        "buildDefinition": {
            "type": "object",
            "required": ["buildType", "externalParameters"],
            "properties": {
                "buildType": _URI,
                "externalParameters": {"type": "object"},
                "internalParameters": {"type": "object"},
                "resolvedDependencies": {
                    "type": "array",
                    "items": _RESOURCE,
                    "uniqueItems": True,
                },
            },
            "additionalProperties": False,
        },
        "runDetails": {
            "type": "object",
            "required": ["builder"],
            "properties": {
                "builder": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": _URI,
                        "version": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                        },
                    },
                    "additionalProperties": False,
                },
                "metadata": {
                    "type": "object",
                    "properties": {
                        "invocationId": {"type": "string"},
                        "startedOn": _TIME,
                        "finishedOn": _TIME,
                    },
                    "additionalProperties": False,
                },
                "byproducts": {"type": "array", "items": _RESOURCE},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
# https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
SCHEMA = {
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {
            "type": "array",
            "minItems": 1,
            "items": {**_RESOURCE, "required": ["digest"]},
        },
        "predicateType": {"const": "https://slsa.dev/provenance/v1"},
        "predicate": _PROVENANCE,
    },
    "additionalProperties": False,
}


def rebuilt(
    old: Recorded,
    known: KnownBuild | None = None,
    origin: str = "https://git.example.com/shop.git",
    **differently: object,
) -> dict[str, Any]:
    """Give the statement of a package with one program, read back from its text."""
    orders = ordered(old, known or KnownBuild())
    new = built(old, orders, VCS if orders.commit else {})
    what = replace(allowed(orders, known or KnownBuild()), **differently)  # type: ignore[arg-type]  # one of many
    main = told(old).main
    checkout = Checkout(
        root=Path("/work"),
        module_directory=Path("/work"),
        module="example.com/shop",
        commit=orders.commit,
        version="" if orders.commit or main is None else main.version,
        origin=origin,
    )
    comparison = attest(old, new, what)
    assert comparison.passed
    same = True if what.flags is Known.PROVEN else None
    made = Built(Path("/made/main"), "2" * 64, "go1.22.5", 3.5)
    found = statement(
        Rebuild(
            architecture="arm64",
            running="3" * 64,
            sha256="4" * 64,
            programs=(
                Replaced("main", old, new, made, checkout, what, comparison, identical=same),
            ),
            patch="",
            invocation="20261121T110000Z-0a1b",
            started=STARTED,
            finished=STARTED + timedelta(seconds=3.5),
            fleet="1.0",
        )
    )
    read: dict[str, Any] = json.loads(json.dumps(found))
    jsonschema.Draft202012Validator(SCHEMA).validate(read)
    return read


def sources(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the resolved dependencies."""
    resolved: list[dict[str, Any]] = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    return resolved


def test_package_and_programs_are_its_subjects() -> None:
    assert rebuilt(program())["subject"] == [
        {"name": "package.zip", "digest": {"sha256": "4" * 64}},
        {"name": "main", "digest": {"sha256": "2" * 64}},
    ]


def test_what_was_asked_for_can_be_read_from_it() -> None:
    definition = rebuilt(program())["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {
        "architecture": "arm64",
        "programs": [
            {
                "entry": "main",
                "module": "example.com/shop",
                "package": "example.com/shop/cmd/orders",
                "flags": ["-trimpath", "-tags=lambda.norpc", "-mod=readonly", "-pgo=off"],
                "environment": {"CGO_ENABLED": "0"},
                "linkerFlags": "",
                "linkerFlagsKnown": "recorded",
                "commitGivenByName": False,
                "accepted": [],
                "raised": {},
            }
        ],
    }
    assert definition["internalParameters"] == {
        "go": [{"entry": "main", "recorded": "go1.22.5", "used": "go1.22.5"}]
    }


def test_all_it_was_made_of_is_named_by_digest() -> None:
    assert sources(rebuilt(program())) == [
        {"name": "running package", "digest": {"sha256": "3" * 64}},
        {
            "uri": f"git+https://git.example.com/shop.git@{COMMIT}",
            "digest": {"gitCommit": COMMIT},
        },
        {"name": "go1.22.5", "uri": "pkg:generic/go@1.22.5"},
        {
            "name": "github.com/aws/aws-lambda-go@v1.41.0",
            "uri": "pkg:golang/github.com/aws/aws-lambda-go@v1.41.0",
            "digest": {"dirHash": "0" * 64},
        },
    ]


def test_a_sum_of_go_is_written_as_in_toto_writes_it() -> None:
    """The example of https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md."""
    hello = replace(LIBRARY, sum="h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=")
    found = sources(rebuilt(program(dependencies=(hello,))))[-1]
    written = "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f"
    assert found["digest"] == {"dirHash": written}
    for other in ("", "h1:x", "h2:AAAA", "h1:AAAA"):
        bare = sources(rebuilt(program(dependencies=(replace(LIBRARY, sum=other),))))[-1]
        assert "digest" not in bare


def test_a_published_module_is_its_own_source() -> None:
    main = Module("example.com/shop", "v1.2.3+incompatible", LIBRARY.sum)
    found = sources(rebuilt(program(without(PLAIN, *VCS), main=main)))
    assert found[1] == {
        "name": "example.com/shop@v1.2.3+incompatible",
        "uri": "pkg:golang/example.com/shop@v1.2.3%2Bincompatible",
        "digest": {"dirHash": "0" * 64},
    }


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://user:pa55@git.example.com/a/b.git", "git+https://git.example.com/a/b.git"),
        ("https://git.example.com/a?token=pa55#pa55", "git+https://git.example.com/a"),
        ("ssh://git:pa55@git.example.com:2222/a", "git+ssh://git.example.com:2222/a"),
        ("git@git.example.com:a/b.git", "git+ssh://git.example.com/a/b.git"),
        ("/srv/git/my shop", "git+file:///srv/git/my%20shop"),
        ("file:///srv/git/shop", "git+file:///srv/git/shop"),
    ],
)
def test_where_the_source_is_has_no_credentials(origin: str, shown: str) -> None:
    assert sources(rebuilt(program(), origin=origin))[1]["uri"] == f"{shown}@{COMMIT}"


def test_values_of_linker_flags_are_nowhere_in_it() -> None:
    recorded = rebuilt(program(flags=f"-s -X 'main.token={VALUE} {VALUE}'"))
    given_by_name = KnownBuild(ldflags=f"-X main.token={VALUE}")
    known = rebuilt(program({**PLAIN, "-trimpath": "true"}), given_by_name)
    for found in (recorded, known):
        assert VALUE not in json.dumps(found)
        asked = found["predicate"]["buildDefinition"]["externalParameters"]["programs"][0]
        assert "main.token=(hidden)" in asked["linkerFlags"]


def test_every_difference_and_the_control_build_are_in_its_byproducts() -> None:
    trimmed = program({**PLAIN, "-trimpath": "true"})
    (comparison,) = rebuilt(trimmed)["predicate"]["runDetails"]["byproducts"]
    annotations = comparison["annotations"]
    assert annotations["controlBuildByteIdentical"] is True
    assert {
        "line": "build GOARCH",
        "old": "amd64",
        "new": "arm64",
        "change": "architecture",
    } in annotations["differences"]
    (other,) = rebuilt(trimmed, flags=Known.ACCEPTED)["predicate"]["runDetails"]["byproducts"]
    assert other["annotations"]["controlBuildByteIdentical"] is None
    assert other["digest"] != comparison["digest"]


def test_times_are_told_in_utc() -> None:
    metadata = rebuilt(program())["predicate"]["runDetails"]["metadata"]
    assert metadata == {
        "invocationId": "20261121T110000Z-0a1b",
        "startedOn": "2026-11-21T11:00:00Z",
        "finishedOn": "2026-11-21T11:00:03.500000Z",
    }
    assert STARTED.astimezone(UTC).hour == 11


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_statement_of_any_module_keeps_to_the_schema(text: str) -> None:
    strange = Module(f"example.com/{text}", f"v1.0.0-{text}", text)
    rebuilt(program(dependencies=(strange,)))
