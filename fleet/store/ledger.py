"""The ledger's rows: an entry is added, ended once, and never touched again.

What an alias or $LATEST was reads back exactly as it was given, for it may be written to AWS
again; texts for people lose what a database cannot hold.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fleet.deployment import Deployment
from fleet.ledger import Entry, EntryState
from fleet.model import LATEST, Alias, FunctionRef
from fleet.store.rows import Row, iso, stored_text
from fleet.store.schema import HASH_KEY, LEDGER

_KEY_BYTES = 32

_LANE = (LEDGER.c.partition, LEDGER.c.account, LEDGER.c.region)
_IMAGES: Mapping[str, type[Alias | Deployment]] = {
    "alias_before": Alias,
    "alias_after": Alias,
    "deployment_before": Deployment,
    "deployment_after": Deployment,
}
"""Columns that hold a value as JSON."""

_begin = insert(LEDGER).returning(LEDGER.c.number)
_end = (
    update(LEDGER)
    .where(LEDGER.c.number == bindparam("of"), LEDGER.c.state == EntryState.INTENDED.value)
    .values({name: bindparam(f"new_{name}") for name in ("state", "ended", "problem")})
    .values({name: bindparam(f"new_{name}") for name in ("request_id", "result")})
)


def begin(connection: Connection, entry: Entry) -> int:
    """See Store.begin_step."""
    if (entry.number, entry.ended, entry.state) != (None, None, EntryState.INTENDED):
        raise ValueError(f"a step that begins is intended and has no number: {entry}")
    if entry.ref.qualifier != LATEST:
        raise ValueError(f"a step is one of a whole function, not of {entry.ref.arn}")
    number: int = connection.execute(_begin, _row(entry)).scalar_one()
    return number


def end(
    connection: Connection,
    number: int,
    *,
    state: EntryState,
    ended: datetime,
    request_id: str,
    result: str,
    problem: str,
) -> bool:
    """End a step that is under way; False where there is no such step."""
    if state is EntryState.INTENDED:
        raise ValueError("a step that ends is done or failed")
    values = {
        "of": number,
        "new_state": state.value,
        "new_ended": iso(ended),
        "new_request_id": stored_text(request_id),
        "new_result": stored_text(result),
        "new_problem": stored_text(problem),
    }
    return connection.execute(_end, values).rowcount == 1


def steps(connection: Connection, ref: FunctionRef) -> list[Entry]:
    """See Store.steps."""
    statement = (
        select(LEDGER)
        .where(
            LEDGER.c.partition == ref.partition,
            LEDGER.c.account == ref.account,
            LEDGER.c.region == ref.region,
            LEDGER.c.name == ref.name,
        )
        .order_by(LEDGER.c.number)
    )
    return [_entry(row) for row in connection.execute(statement).mappings()]


def lanes(connection: Connection) -> list[tuple[str, str, str]]:
    """See Store.moved_lanes."""
    found = connection.execute(select(*_LANE).distinct().order_by(*_LANE))
    return msgspec.convert([tuple(row) for row in found], list[tuple[str, str, str]])


def hash_key(connection: Connection) -> bytes | None:
    """Give the state's key; None where it has none yet. Raises ValueError, which never names it."""
    key = connection.scalar(select(HASH_KEY.c.key))
    # A key cut short could be guessed, and every hash made with it.
    if key is not None and not (isinstance(key, bytes) and len(key) == _KEY_BYTES):
        raise ValueError("the key is damaged")
    return key


def make_hash_key(connection: Connection) -> None:
    """Make the state's key, unless another command was faster."""
    upsert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    made = {"id": 1, "key": secrets.token_bytes(_KEY_BYTES)}
    connection.execute(upsert(HASH_KEY).on_conflict_do_nothing(), made)


def _row(entry: Entry) -> Row:
    return {
        "run": entry.run,
        "verb": entry.verb.value,
        "partition": entry.ref.partition,
        "account": entry.ref.account,
        "region": entry.ref.region,
        "name": entry.ref.name,
        "action": entry.action.value,
        "what": stored_text(entry.what),
        "caller": stored_text(entry.caller),
        "began": iso(entry.began),
        "state": entry.state.value,
        "request_id": stored_text(entry.request_id),
        "result": stored_text(entry.result),
        "problem": stored_text(entry.problem),
        **{name: _image_text(getattr(entry, name)) for name in _IMAGES},
    }


def _image_text(value: Alias | Deployment | None) -> str | None:
    # Escaped to ASCII by json, which alone brings lone surrogates there and back.
    return None if value is None else json.dumps(msgspec.to_builtins(value, enc_hook=dict))


def _entry(row: Mapping[Any, Any]) -> Entry:
    given = {str(name): value for name, value in row.items()}
    ref = {name: given.pop(name) for name in ("partition", "account", "region", "name")}
    images = {name: _image(given[name], kind) for name, kind in _IMAGES.items()}
    plain = {name: value for name, value in given.items() if name not in _IMAGES}
    entry = msgspec.convert({**plain, "ref": ref, **images}, Entry)
    if entry.began.tzinfo is None or (entry.ended and entry.ended.tzinfo is None):
        raise ValueError(f"step {entry.number} has times without a time zone")
    if (entry.state is EntryState.INTENDED) != (entry.ended is None):
        raise ValueError(f"step {entry.number} is {entry.state} and ended at {entry.ended}")
    return entry


def _image(text: str | None, kind: type[Alias | Deployment]) -> dict[str, object] | None:
    if text is None:
        return None
    image = msgspec.convert(json.loads(text), dict[str, object])
    # Left out where a dataclass is read; passed over, it would be another image.
    if unknown := image.keys() - {each.name for each in fields(kind)}:
        raise ValueError(f"no such fields: {sorted(unknown)}")
    return image
