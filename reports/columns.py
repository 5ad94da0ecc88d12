"""The function table as the page carries it: one dictionary and one list of codes a column.

The values of a dictionary are sorted the way the page sorts, so a code is also a rank and the
page never compares texts.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
from isal import igzip

from fleet.model import ScanHeader
from fleet.wave_status import PlanRecord
from reports.frames import version_order
from reports.groups import owner_labels
from reports.verdicts import remark_lines
from reports.waves import with_waves
from reports.worth import Worth, with_worth

UNSAID_TAGS = frozenset({"aws:cloudformation:stack-id"})
"""Long, and told by the stack's name already; the CSV has them."""

HASH = re.compile("[0-9a-f]{40,}").fullmatch
COMMIT_DIGITS = 12
"""What a commit is cut to, as in Go's pseudo-versions; the CSV has the whole."""

GZIP_LEVEL = 3
"""isal's highest."""


UNTOLD = "not told by the binary"
NO_PLAN = "in no wave"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the page's table."""

    key: str
    label: str
    width: int
    """Width in the table, in sixteenths of a rem; 0 keeps the column to the details."""
    is_number: bool = False
    of_package: bool = False
    """Told by its package, so there only where the scan was to read packages."""
    of_plan: bool = False
    """Told by a plan, so there only where one was run."""
    of_traffic: bool = False
    """Told by calls and durations, so there only where the scan was to count them."""
    empty: str = "none"
    """What the details say of an empty text."""
    unknown: str = "not looked at"
    """What is said where nothing is known."""
    parts: int = 1
    """Of numbers: how many parts a unit has, of which whole ones are carried."""


PARTS_OF_MONEY = 10_000
"""A function's cost is shown to so small a part of the currency's unit."""


def _money(key: str, label: str, width: int) -> Column:
    parts = PARTS_OF_MONEY
    return Column(
        key, label, width, is_number=True, of_traffic=True, unknown="not estimated", parts=parts
    )


COLUMNS = (
    Column("name", "Function", 280),
    Column("qualifier", "Version", 100),
    Column("use", "Use", 170),
    Column("verdict", "Verdict", 160, of_package=True),
    Column("reasons", "Reasons", 0, of_package=True),
    Column("warnings", "Warnings", 0, of_package=True),
    Column("strategy", "Repackage by", 0, of_package=True),
    Column("runtime", "Runtime", 105),
    Column("account_name", "Account name", 165),
    Column("account", "Account", 145),
    Column("ou", "Organizational unit", 190),
    Column("region", "Region", 140),
    Column("owner", "Owner", 220),
    Column("module", "Module", 240, of_package=True, empty=UNTOLD),
    Column("module_version", "Module version", 0, of_package=True, empty=UNTOLD),
    Column("revision", "Commit", 0, of_package=True, empty=UNTOLD),
    Column("go_version", "Go version", 110, of_package=True, empty=UNTOLD),
    Column("lambda_library", "aws-lambda-go", 130, of_package=True, empty=UNTOLD),
    Column("invocations", "Calls, 30 days", 135, is_number=True),
    Column("last_modified", "Modified", 120),
    Column("latest_runtime", "Runtime of $LATEST", 0),
    Column("package_type", "Package type", 0),
    Column("handler", "Handler", 0),
    Column("architecture", "Architecture", 0),
    Column("memory_mb", "Memory in MB", 0, is_number=True),
    _money("cost_custom_runtime", "Cost, 30 days", 130),
    _money("cost_arm64", "Cost on arm64", 0),
    Column("cost_note", "About the cost", 0, of_traffic=True),
    Column("code_size", "Code size in bytes", 0, is_number=True),
    Column("signing_profile", "Signing profile", 0, of_package=True),
    Column("aliases", "Aliases", 0),
    Column("callers", "Callers", 0),
    Column("layers", "Layers", 0),
    Column("tags", "Tags", 0),
    Column("wave", "Wave", 120, of_plan=True, empty=NO_PLAN),
    Column("wave_result", "In its wave", 130, of_plan=True, empty=NO_PLAN),
    Column("wave_reason", "Why so", 0, of_plan=True),
)


def pack(
    functions: pd.DataFrame,
    header: ScanHeader,
    waves: Sequence[PlanRecord] = (),
    found: Worth | None = None,
) -> str:
    """Pack the table for the page: a JSON text and the codes behind it, gzip, base64.

    Four bytes give the length of the JSON text; each column's codes follow, of the width in bytes
    that the JSON text gives for it. All is little-endian, and each part ends on four bytes. A
    column of numbers gives each as the step from the one before.
    """
    heads, codes = [], []
    inspected = header.options.inspect is not None
    if waves:
        functions = with_waves(functions, waves)
    if found is not None:
        functions = with_worth(functions, found)
    shown = [
        each
        for each in COLUMNS
        if (inspected or not each.of_package)
        and (waves or not each.of_plan)
        and (found is not None or not each.of_traffic)
    ]
    for column in shown:
        values, ranks = _dictionary(column, _values(functions, column.key))
        if column.is_number:
            values = _steps(values)
        width = next(width for width in (1, 2, 4) if len(values) <= 256**width)
        codes.append(_padded(ranks.astype(f"<u{width}").tobytes(), b"\0"))
        heads.append(
            {"key": column.key, "label": column.label, "width": column.width}
            | {"number": column.is_number, "empty": column.empty, "unknown": column.unknown}
            | {"parts": column.parts, "bytes": width, "values": values}
        )
    head = {"partition": header.partition, "rows": len(functions), "columns": heads}
    text = _padded(orjson.dumps(head), b" ")
    block = b"".join((len(text).to_bytes(4, "little"), text, *codes))
    # no time in the gzip header: the same scan gives the same page
    return base64.b64encode(igzip.compress(block, GZIP_LEVEL, mtime=0)).decode()


def _steps(values: list[Any]) -> list[object]:
    # sorted numbers lie close together: their steps take a third of the room
    unseen = values[:1] if values[:1] == [None] else []
    return [*unseen, *np.diff(values[len(unseen) :], prepend=0).tolist()]


def _padded(part: bytes, filler: bytes) -> bytes:
    return part + filler * (-len(part) % 4)


def _values(functions: pd.DataFrame, key: str) -> list[object]:
    values = functions[key].tolist() if key in functions else []
    if key == "last_modified":
        return [moment and moment[:10] for moment in values]
    if key in _MONEY:
        return [None if cost is None else round(cost * PARTS_OF_MONEY) for cost in values]
    if key in {"signing_profile", "wave", "wave_result", "wave_reason"}:
        return [text or "" for text in values]
    told = _TOLD.get(key)
    return values if told is None else told(functions)


def _built(functions: pd.DataFrame) -> list[object]:
    rows = zip(functions["revision"].tolist(), functions["modified"].tolist(), strict=True)
    return [_commit(revision, dirty=bool(dirty)) for revision, dirty in rows]


def _strategies(functions: pd.DataFrame) -> list[object]:
    rows = zip(functions["strategy"].tolist(), functions["verdict"].tolist(), strict=True)
    return [verdict and (strategy or "") for strategy, verdict in rows]


def _notes(functions: pd.DataFrame) -> list[object]:
    rows = zip(functions["cost_note"].tolist(), functions["cost_currency"].tolist(), strict=True)
    return [
        note or (f"estimated in {currency}" if currency else "told at another version, if at all")
        for note, currency in rows
    ]


def _commit(revision: str | None, *, dirty: bool) -> str | None:
    if revision is None:
        return None
    commit = revision[:COMMIT_DIGITS] if HASH(revision) else revision
    return " + ".join(filter(None, (commit, "uncommitted changes" * dirty)))


_MONEY = frozenset(column.key for column in COLUMNS if column.parts > 1)
_TOLD: dict[str, Callable[[pd.DataFrame], list[object]]] = {
    "owner": lambda functions: list(owner_labels(functions)),
    "revision": _built,
    "strategy": _strategies,
    "cost_note": _notes,
}
"""What is made of more than one column."""


def _dictionary(column: Column, values: list[Any]) -> tuple[list[object], npt.NDArray[np.intp]]:
    # None and NA (not looked at) have the code -1, and come before everything else
    codes, found = pd.factorize(np.array(values, dtype=object))
    ranked = _order(column, found.tolist())
    unseen = [None] if -1 in codes else []
    ranks = np.zeros(len(found) + 1, np.intp)
    ranks[ranked] = np.arange(len(found)) + len(unseen)
    shown = _SHOWN.get(column.key, _as_it_is)
    return [*unseen, *(shown(found[place]) for place in ranked)], ranks[codes]


def _order(column: Column, values: list[Any]) -> list[int]:
    """Give the places of the values as they are sorted; texts that fold alike stay apart."""
    places = sorted(range(len(values)), key=values.__getitem__)
    if not column.is_number:
        fold = _FOLDS.get(column.key, str.casefold)
        places.sort(key=[fold(value) for value in values].__getitem__)
    return places


def _by_numbers(text: str) -> list[str | int]:
    """Sort v1.9.0 before v1.18.0: texts and numbers take turns."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


_FOLDS: dict[str, Callable[[str], Any]] = {
    "qualifier": version_order,
    "go_version": _by_numbers,
    "lambda_library": _by_numbers,
    "module_version": _by_numbers,
}


def _as_it_is(value: object) -> object:
    return value


def _aliases(text: object) -> str:
    return "\n".join(
        " + ".join(
            [f"{alias['name']} → {alias['version']}"]
            + [f"{share:.0%} → {version}" for version, share in alias["weights"].items()]
        )
        for alias in orjson.loads(str(text))
    )


def _callers(text: object) -> str:
    return "\n".join(
        f"{caller['kind']} {caller['source']} → {caller['qualifier']}"
        for caller in orjson.loads(str(text))
    )


def _layers(text: object) -> str:
    return "\n".join(orjson.loads(str(text)))


def _remarks(text: object) -> str:
    return "\n".join(remark_lines(text))


def _tags(text: object) -> str:
    tags = orjson.loads(str(text))
    return "\n".join([f"{key}={value}" for key, value in tags.items() if key not in UNSAID_TAGS])


_SHOWN: dict[str, Callable[[object], object]] = {
    "aliases": _aliases,
    "callers": _callers,
    "layers": _layers,
    "reasons": _remarks,
    "tags": _tags,
    "warnings": _remarks,
}
