"""What became of packages that were to be built anew, as JSON; rebuild.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from fleet.rebuilding.rebuilt import Outcome, Program, Rebuilt
from reports.migration import place

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""

_Object = dict[str, object]


def write_rebuild_json(outcomes: Iterable[Outcome], file: TextIO) -> None:
    """Write them in the order of account, region and name."""
    ordered = sorted(outcomes, key=lambda outcome: place(outcome.ref))
    # Not by orjson: names from outside need not be Unicode.
    json.dump({"format": FORMAT, "functions": [_outcome(each) for each in ordered]}, file)
    file.write("\n")


def _outcome(outcome: Outcome) -> _Object:
    ref = outcome.ref
    trial = None
    if outcome.trial is not None:
        trial = {"outcome": outcome.trial[0], "reason": outcome.trial[1]}
    return {
        "arn": ref.arn,
        "account": ref.account,
        "region": ref.region,
        "name": ref.name,
        "architecture": outcome.architecture,
        "package": None if outcome.file is None else str(outcome.file),
        "rebuilt": None if outcome.rebuilt is None else _rebuilt(outcome.rebuilt),
        "trial": trial,
        "code": outcome.code,
        "problem": outcome.problem,
        "words": outcome.words,
        "failed": outcome.failed,
    }


def _rebuilt(rebuilt: Rebuilt) -> _Object:
    return {
        "code_sha256": rebuilt.code_sha256,
        "programs": [_program(each) for each in rebuilt.programs],
        "patch": rebuilt.patch,
        "notes": rebuilt.notes,
        "provenance": json.loads(rebuilt.statement),
    }


def _program(program: Program) -> _Object:
    return {
        "entry": program.entry,
        "module": program.module,
        "origin": program.origin,
        "commit": program.commit,
        "recorded_go": program.recorded_go,
        "used_go": program.used_go,
        "library": program.library,
        "differences": program.differences,
        "identical": program.identical,
    }
