"""Test events that the user gives: one for all functions, or a directory of them by name."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.errors import BadSelection, FileProblem
from fleet.migration.proving import TestEvent, TestEvents

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
    return TestEvents(for_all, {} if events is None else _by_name(events))


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
