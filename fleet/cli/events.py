"""Test events that the user gives: one for all functions, or a directory of them by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from fleet.cli.packages import say
from fleet.errors import BadSelection, FileProblem
from fleet.migration.proving import TestEvent, TestEvents
from fleet.model import FunctionRef

_EXPECTED = ".expected.json"
_LARGEST = 6 << 20
"""Bytes of an event: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def test_events(event: Path | None, expect: Path | None, events: Path | None) -> TestEvents:
    """Read what was given; raises BadSelection, and FileProblem for what is not JSON."""
    if expect is not None and event is None:
        raise BadSelection("--expect", str(expect), "says what the answer to --event has to be")
    for_all = None
    if event is not None:
        for_all = TestEvent(_json(event), None if expect is None else _json(expect))
    by_name = {} if events is None else _by_name(events)
    return TestEvents(for_all, by_name, from_directory=events is not None)


def tell_strays(tests: TestEvents, refs: Sequence[FunctionRef]) -> None:
    """Say on stderr how many functions have an event of their own, and which events have none."""
    names = {ref.name for ref in refs}
    if tests.by_name or tests.from_directory:
        met = sum(ref.name in tests.by_name for ref in refs)
        said = f"{met:,} of {len(refs):,} functions have an event of their own in --events"
        typer.echo(f"fleet: {said}", err=True)
    for stray in sorted(tests.by_name.keys() - names):
        say(f"fleet: --events: {stray}.json belongs to none of these functions", err=True)


def _by_name(directory: Path) -> dict[str, TestEvent]:
    try:
        files = sorted(directory.glob("*.json"))
        if not directory.is_dir():
            raise FileProblem(str(directory), "is no directory", "name one with --events")
    except OSError as error:
        raise _unreadable(directory, error) from error
    found: dict[str, TestEvent] = {}
    for file in files:
        if not file.name.endswith(_EXPECTED):
            answer = file.with_name(f"{file.stem}{_EXPECTED}")
            found[file.stem] = TestEvent(_json(file), _json(answer) if answer in files else None)
    return found


def _json(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise FileProblem(str(path), "is larger than 6 MB", "Lambda takes no larger event")
        content = path.read_bytes()
        json.loads(content)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        said = (
            f"is not JSON ({error})" if isinstance(error, json.JSONDecodeError) else "is not JSON"
        )
        raise FileProblem(str(path), said, "nothing was done: mend it and try again") from error
    return content


def _unreadable(path: Path, error: OSError) -> FileProblem:
    return FileProblem(str(path), error.strerror or str(error), "name a file that can be read")
