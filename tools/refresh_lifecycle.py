"""Write fleet/lifecycle.toml anew from the table that cfn-lint ships.

What cfn-lint does not know (announced ends and their sources) stands in KEPT below and is laid
over it; where the two part, tests/test_lifecycle.py names the difference. An update block that
has moved since the last refresh is kept among the slipped ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from fleet.lifecycle import SHIPPED, Lifecycle, Runtime, load_lifecycle

HEADER = """\
# Lambda's runtimes and their dates, written by tools/refresh_lifecycle.py (make lifecycle).
# A file of your own with the same tables goes over this one: fleet scan --lifecycle FILE.
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
    },
    "provided": {"announced": date(2023, 12, 31), "source": ANNOUNCEMENT},
}


def cfn_lint_table() -> Mapping[str, Mapping[str, str | None]]:
    """Runtime → its phases, as the installed cfn-lint ships them."""
    shipped = files("cfnlint.data.AdditionalSpecs").joinpath("LmbdRuntimeLifecycle.json")
    table: Mapping[str, Mapping[str, str | None]] = json.loads(shipped.read_text(encoding="utf-8"))
    return table


def lifecycle_text(
    table: Mapping[str, Mapping[str, str | None]], before: Lifecycle, today: date
) -> str:
    """The whole file; `before` is what it held."""
    parts = [HEADER]
    for name, phases in sorted(table.items()):
        values: dict[str, Any] = {}
        for key, theirs in FIELDS.items():
            value = phases.get(theirs)
            if value is not None:
                values[key] = value if key == "successor" else date.fromisoformat(value)
        shipped_by = f"cfn-lint {version('cfn-lint')}, LmbdRuntimeLifecycle.json"
        slipped = _slipped(before.runtimes.get(name), values.get("update_blocked"))
        kept = {**KEPT.get(name, {}), **({"slipped": slipped} if slipped else {})}
        source = "; ".join(each for each in (kept.pop("source", ""), shipped_by) if each)
        values |= {**kept, "source": source, "looked_up": today}
        lines = [f"{key} = {_literal(value)}" for key, value in values.items()]
        parts.append("\n".join([f'[runtimes."{name}"]', *lines, ""]))
    return "\n".join(parts)


def _slipped(before: Runtime | None, update_blocked: date | None) -> list[date]:
    if before is None:
        return []
    past = list(before.slipped)
    last = before.update_blocked
    if last is not None and last not in {update_blocked, *past}:
        past.append(last)
    return past


def _literal(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_literal(each) for each in value)}]"
    return json.dumps(value)


if __name__ == "__main__":
    today = datetime.now(UTC).date()
    text = lifecycle_text(cfn_lint_table(), load_lifecycle(), today)
    SHIPPED.write_text(text, encoding="utf-8")
