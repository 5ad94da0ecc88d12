"""Which functions a command changes: named by ARN, or taken from a saved scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase

import typer

from fleet.deployment import MIGRATED_FROM
from fleet.errors import BadSelection
from fleet.model import FUNCTION_COLUMNS, GO1X, LATEST, FunctionRef, Use
from fleet.scan.selection import check_account_ids, has_tag
from fleet.store import Store

_LATEST_SCAN = "latest"
_WANTED = ("account", "region", "name", "use", "runtime", "tags", "verdict")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which functions of a scan; None is no filter, () selects nothing."""

    accounts: tuple[str, ...] | None = None
    excluded_accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] | None = None
    excluded_regions: tuple[str, ...] = ()
    functions: tuple[str, ...] | None = None
    """Names, with wildcards."""
    tags: tuple[str, ...] | None = None
    """KEY or KEY=VALUE, with wildcards."""
    verdicts: tuple[str, ...] | None = None
    """As an inspected scan told them."""

    @property
    def any(self) -> bool:
        """Whether anything was given."""
        return self != Filters()


def of_arns(arns: Iterable[str]) -> list[FunctionRef]:
    """Functions by their ARNs, each once, in their order; raises BadSelection."""
    refs: dict[FunctionRef, None] = {}
    for arn in arns:
        try:
            ref = FunctionRef.of_arn(arn)
        except ValueError as error:
            advice = "name a function as arn:aws:lambda:REGION:ACCOUNT:function:NAME"
            raise BadSelection("ARN", arn, advice) from error
        if ref.qualifier != LATEST:
            advice = "a function moves as a whole: leave out the version or alias at its end"
            raise BadSelection("ARN", arn, advice)
        refs[ref] = None
    return list(refs)


class Standing(Enum):
    """Where functions stand on their way, as a scan saw them."""

    TO_MOVE = auto()
    """With a version on go1.x to be moved, or halfway."""
    MIGRATED = auto()
    """Moved already, as `fleet scan --language go` finds them."""
    EITHER = auto()


def of_scan(
    store: Store, which: str, filters: Filters, standing: Standing = Standing.TO_MOVE
) -> list[FunctionRef]:
    """Every function of a saved scan that stands there and passes the filters.

    Says on stderr where the scan has not seen everything. Raises BadSelection.
    """
    for option, values in (
        ("--account", filters.accounts),
        ("--region", filters.regions),
        ("--function", filters.functions),
        ("--tag", filters.tags),
    ):
        if values == ():
            raise BadSelection(option, "", "selects nothing, so there is nothing to do")
    check_account_ids("--account", filters.accounts or ())
    check_account_ids("--exclude-account", filters.excluded_accounts)
    header = store.scan(None if which == _LATEST_SCAN else which)
    refs = {
        FunctionRef(header.partition, row["account"], row["region"], row["name"]): None
        for row in _rows(store, header.id)
        if _stands(row, standing) and _chosen(row, filters)
    }
    if not store.totals(header.id).complete:
        said = f"scan {header.id} has not seen everything: functions it missed are not among these"
        typer.echo(f"fleet: {said}", err=True)
    return list(refs)


def _stands(row: Mapping[str, str], standing: Standing) -> bool:
    return (standing is not Standing.MIGRATED and _is_to_move(row)) or (
        standing is not Standing.TO_MOVE and _has_migrated(row)
    )


def _is_to_move(row: Mapping[str, str]) -> bool:
    use = Use(row["use"])
    return use is Use.HALFWAY or (row["runtime"] == GO1X and use.is_finding)


def _has_migrated(row: Mapping[str, str]) -> bool:
    return Use(row["use"]) is Use.CUSTOM and _tagged(row["tags"], (MIGRATED_FROM,))


def _rows(store: Store, scan_id: str) -> Iterator[dict[str, str]]:
    places = [FUNCTION_COLUMNS.index(name) for name in _WANTED]
    for row in store.function_rows(scan_id):
        yield {name: row[place] for name, place in zip(_WANTED, places, strict=True)}  # type: ignore[misc]  # columns of text


def _chosen(row: Mapping[str, str], filters: Filters) -> bool:
    return (
        (filters.accounts is None or row["account"] in filters.accounts)
        and row["account"] not in filters.excluded_accounts
        and _fits(row["region"], filters.regions)
        and not _fits(row["region"], filters.excluded_regions or ())
        and _fits(row["name"], filters.functions)
        and _tagged(row["tags"], filters.tags)
        and (filters.verdicts is None or row["verdict"] in filters.verdicts)
    )


def _fits(value: str, patterns: tuple[str, ...] | None) -> bool:
    return patterns is None or any(fnmatchcase(value, pattern) for pattern in patterns)


def _tagged(saved: str | None, asked: tuple[str, ...] | None) -> bool:
    import orjson

    # Tags that could not be read match nothing: a change needs more than a perhaps.
    return asked is None or (saved is not None and has_tag(orjson.loads(saved), asked))
