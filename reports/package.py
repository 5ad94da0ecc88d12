"""One inspected package as a JSON document; inspection.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, TextIO

from fleet.inspection import Assessment, BinaryFacts, Deployed, Entry, PackageFacts
from fleet.provenance import origin_of

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""


@dataclass(frozen=True, slots=True)
class PackageReport:
    """What there is to show of one function's package."""

    name: str
    """The file's, or the function's ARN."""
    deployed: Deployed
    facts: PackageFacts | None
    """None for a container image: Lambda gives no package of it."""
    assessment: Assessment


def write_package_json(report: PackageReport, file: TextIO) -> None:
    """Write the document, with every entry and every ELF file of the package."""
    deployed, facts, assessment = report.deployed, report.facts, report.assessment
    document = {
        "format": FORMAT,
        "package": report.name,
        "handler": deployed.handler,
        "runtime": deployed.runtime,
        "architecture": deployed.architecture,
        "target": deployed.target,
        "verdict": assessment.verdict,
        "ready": assessment.verdict.is_ready,
        "strategy": assessment.strategy,
        "reasons": assessment.reasons,
        "warnings": assessment.warnings,
        **(_NO_FACTS if facts is None else _facts(facts)),
    }
    # Not by orjson: names from a hostile archive or a shell need not be Unicode.
    json.dump(document, file, default=_plain)
    file.write("\n")


_FACTS = ("code_sha256", "size", "unzipped_size", "signed", "whole", "scripts")
_NO_FACTS = dict.fromkeys((*_FACTS, "entries", "binaries"))


def _facts(facts: PackageFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in _FACTS} | {
        "entries": [_entry(entry) for entry in facts.entries],
        "binaries": [_binary(binary) for binary in facts.binaries],
    }


def _plain(value: object) -> Mapping[str, Any]:
    """Give what json does not know as what it knows: the values of fleet, and their mappings."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def _entry(entry: Entry) -> dict[str, object]:
    mode = None if entry.mode is None else f"{entry.mode:04o}"
    return asdict(entry) | {"mode": mode, "crc": f"{entry.crc:08x}"}


def _binary(binary: BinaryFacts) -> dict[str, object]:
    return {**_plain(binary), "origin": origin_of(binary.build)}
