"""Write fleet/lifecycle.toml anew from the table that cfn-lint ships.

What cfn-lint does not know (announced ends, slipped dates, their sources) stands in KEPT below
and is laid over it; where the two part, tests/test_lifecycle.py names the difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from fleet.lifecycle import SHIPPED

HEADER = """\
# Lambda's runtimes and their dates, written by tools/refresh_lifecycle.py (make lifecycle).
# A file of your own with the same tables goes over this one: fleet --lifecycle FILE.
"""
ANNOUNCEMENT = (
    "https://aws.amazon.com/blogs/compute/migrating-aws-lambda-functions-from-the-go1-x-"
    "runtime-to-the-custom-runtime-on-amazon-linux-2/"
)
FIELDS = {
    "deprecated": "deprecated",
    "create_blocked": "create-block",
    "update_blocked": "update-block",
    "successor": "successor",
}
KEPT: Mapping[str, Mapping[str, Any]] = {
    "go1.x": {
        "announced": date(2023, 12, 31),
        "source": ANNOUNCEMENT,
        "slipped": [
            date(2024, 3, 12),
            date(2025, 2, 28),
            date(2025, 11, 1),
            date(2026, 3, 9),
            date(2026, 7, 1),
            date(2026, 9, 30),
        ],
    },
    "provided": {"announced": date(2023, 12, 31), "source": ANNOUNCEMENT},
}


def cfn_lint_table() -> Mapping[str, Mapping[str, str | None]]:
    """Runtime → its phases, as the installed cfn-lint ships them."""
    shipped = files("cfnlint.data.AdditionalSpecs").joinpath("LmbdRuntimeLifecycle.json")
    table: Mapping[str, Mapping[str, str | None]] = json.loads(shipped.read_text(encoding="utf-8"))
    return table


def lifecycle_text(table: Mapping[str, Mapping[str, str | None]], today: date) -> str:
    """The whole file."""
    parts = [HEADER]
    for name, phases in sorted(table.items()):
        values: dict[str, Any] = {}
        for key, theirs in FIELDS.items():
            value = phases.get(theirs)
            if value is not None:
                values[key] = value if key == "successor" else date.fromisoformat(value)
        shipped_by = f"cfn-lint {version('cfn-lint')}, LmbdRuntimeLifecycle.json"
        kept = dict(KEPT.get(name, {}))
        source = "; ".join(each for each in (kept.pop("source", ""), shipped_by) if each)
        values |= {**kept, "source": source, "looked_up": today}
        lines = [f"{key} = {_literal(value)}" for key, value in values.items()]
        parts.append("\n".join([f'[runtimes."{name}"]', *lines, ""]))
    return "\n".join(parts)


def _literal(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_literal(each) for each in value)}]"
    return json.dumps(value)


if __name__ == "__main__":
    SHIPPED.write_text(lifecycle_text(cfn_lint_table(), datetime.now(UTC).date()), encoding="utf-8")
