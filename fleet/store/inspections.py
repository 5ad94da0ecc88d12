"""Verdicts beside the functions of a scan, and what packages hold for all scans."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from fleet.inspection import NOT_INSPECTED, READING, Inspection, PackageFacts
from fleet.model import FunctionConfig, FunctionRef, PackageType, ScanHeader, Use
from fleet.store.rows import Row, json_text, stored_text
from fleet.store.schema import FUNCTION, INSPECTION, PACKAGE

_KEY = tuple(column.name for column in INSPECTION.primary_key)
_TOLD = tuple(column.name for column in INSPECTION.c if column.name not in _KEY)
_JUDGED = (
    "package_type",
    "runtime",
    "handler",
    "architecture",
    "code_sha256",
    "layers",
    "signing_profile",
)
"""What a verdict rests on."""
_BESIDE = FUNCTION.outerjoin(
    INSPECTION, and_(*(FUNCTION.c[name] == INSPECTION.c[name] for name in _KEY))
)
_LARGEST_FACTS = 64 * 2**20
"""Bytes: the facts of 65,535 entries come to a quarter of it."""

_decode = msgspec.json.Decoder(PackageFacts).decode
_encode = msgspec.json.Encoder(enc_hook=dict).encode


def with_functions(names: Iterable[str], scan_id: str) -> Select[Any]:
    """Select columns of functions and of what was inspected, by account, region, name, version."""
    columns = [FUNCTION.c[name] if name in FUNCTION.c else INSPECTION.c[name] for name in names]
    order = (FUNCTION.c[name] for name in _KEY)
    return select(*columns).select_from(_BESIDE).where(FUNCTION.c.scan == scan_id).order_by(*order)


def unread(columns: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[bool]:
    """Whether a row's package was not looked at, or could not be read."""
    # Quotes in a reason's text are escaped, so these can only be the code's own.
    return or_(columns["verdict"].is_(None), columns["reasons"].contains(f'"{NOT_INSPECTED}"'))


def pending(connection: Connection, header: ScanHeader) -> list[FunctionConfig]:
    """See Store.to_inspect."""
    statement = (
        select(FUNCTION)
        .select_from(_BESIDE)
        .where(
            FUNCTION.c.scan == header.id,
            FUNCTION.c.use != Use.ROLLBACK.value,
            unread(INSPECTION.c),
        )
        .order_by(*(FUNCTION.c[name] for name in _KEY))
    )
    return [_config(header.partition, row) for row in connection.execute(statement).mappings()]


def saving(dialect: Dialect) -> Executable:
    """Build the statement that saves one verdict, to be run with the rows of `saved_row`.

    It finds its function by key and by all that was judged: one that is gone, or is another by
    now, gets none. Building it costs more than running it, and a scan saves thousands.
    """
    there = (
        select(*(FUNCTION.c[name] for name in _KEY), *(_given(name) for name in _TOLD))
        .where(
            *(FUNCTION.c[name] == bindparam(f"the_{name}") for name in _KEY),
            *(FUNCTION.c[name].is_not_distinct_from(bindparam(f"the_{name}")) for name in _JUDGED),
        )
        # Held until the end of the transaction: another command may be saving this lane anew.
        .with_for_update(key_share=True, of=FUNCTION)
    )
    upsert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statement = upsert(INSPECTION).from_select([*_KEY, *_TOLD], there)
    return statement.on_conflict_do_update(
        index_elements=list(_KEY), set_={name: statement.excluded[name] for name in _TOLD}
    )


def _given(name: str) -> ColumnElement[Any]:
    # PostgreSQL takes a bare parameter of a SELECT for text, whatever it is to be put into.
    return cast(bindparam(f"new_{name}"), INSPECTION.c[name].type)


def saved_row(scan_id: str, config: FunctionConfig, inspection: Inspection) -> Row:
    """Flatten a verdict for the statement of `saving`."""
    ref = config.ref
    key = (scan_id, ref.account, ref.region, ref.name, ref.qualifier)
    return {
        **{f"the_{name}": value for name, value in zip(_KEY, key, strict=True)},
        "the_package_type": config.package_type.value,
        "the_runtime": config.runtime,
        "the_handler": None if config.handler is None else stored_text(config.handler),
        "the_architecture": config.architecture,
        "the_code_sha256": config.code_sha256,
        "the_layers": json_text(config.layers),
        "the_signing_profile": config.signing_profile,
        **{f"new_{name}": value for name, value in _row(inspection).items()},
    }


def facts(connection: Connection, content: str) -> PackageFacts | None:
    """See Store.facts."""
    packed = connection.scalar(
        select(PACKAGE.c.facts).where(PACKAGE.c.content == content, PACKAGE.c.reading == READING)
    )
    if packed is None:
        return None
    try:
        return _decode(zlib.decompressobj().decompress(packed, _LARGEST_FACTS))
    except (zlib.error, msgspec.DecodeError):
        # A package can be read again; a state that stops every scan over one package can't help.
        return None


def save_facts(connection: Connection, content: str, found: PackageFacts) -> None:
    """See Store.save_facts."""
    encoded = _encode(found)
    if len(encoded) > _LARGEST_FACTS:
        return
    upsert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    # Two commands may have read the same package at once, and they read the same.
    statement = upsert(PACKAGE).on_conflict_do_nothing()
    older = (PACKAGE.c.content == content, PACKAGE.c.reading < READING)
    connection.execute(delete(PACKAGE).where(*older))
    connection.execute(
        statement, {"content": content, "reading": READING, "facts": zlib.compress(encoded)}
    )


def _row(inspection: Inspection) -> Row:
    assessment = inspection.assessment
    strategy = assessment.strategy
    return {
        "verdict": assessment.verdict.value,
        "reasons": json_text(assessment.reasons),
        "warnings": json_text(assessment.warnings),
        "strategy": None if strategy is None else strategy.value,
        "go_version": stored_text(inspection.go_version),
        "lambda_library": stored_text(inspection.lambda_library),
        "module": stored_text(inspection.module),
        "module_version": stored_text(inspection.module_version),
        "revision": stored_text(inspection.revision),
        "modified": inspection.modified,
    }


def _config(partition: str, row: Mapping[Any, Any]) -> FunctionConfig:
    return FunctionConfig(
        ref=FunctionRef(partition, row["account"], row["region"], row["name"], row["qualifier"]),
        package_type=PackageType(row["package_type"]),
        runtime=row["runtime"],
        handler=row["handler"],
        architecture=row["architecture"],
        code_size=row["code_size"],
        code_sha256=row["code_sha256"],
        last_modified=None,
        layers=tuple(orjson.loads(row["layers"])),
        signing_profile=row["signing_profile"],
    )
