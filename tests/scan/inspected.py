"""What a scan says of packages, read back."""

from __future__ import annotations

import json

from fleet.model import LATEST
from tests.scan.scanner import Scan


def verdicts(scan: Scan) -> dict[tuple[str, str], str]:
    return {(row["name"], row["qualifier"]): row["verdict"] for row in scan.rows}


def reasons(scan: Scan, name: str, field: str = "reasons") -> dict[str, str]:
    found, *_ = [
        row[field] for row in scan.rows if (row["name"], row["qualifier"]) == (name, LATEST)
    ]
    return {each["code"]: each["text"] for each in json.loads(found)}
