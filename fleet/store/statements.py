"""Where packages that were built anew came from: one in-toto statement for each content."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, select

from fleet.store.part import Part, insert_into
from fleet.store.schema import STATEMENT

_LARGEST = 16 * 2**20
"""Bytes of a statement's text; one of a thousand dependencies takes some 200 KB."""
_AT_ONCE = 500

_some = select(STATEMENT.c.code_sha256, STATEMENT.c.statement).where(
    STATEMENT.c.code_sha256.in_(bindparam("contents", expanding=True))
)


class StatementPart(Part):
    """The same content may be built twice; what was said first stays."""

    def save_statement(self, code_sha256: str, statement: str) -> None:
        """Keep where a package came from, by its CodeSha256 as AWS gives it."""
        packed = zlib.compress(statement.encode())
        insert = insert_into(STATEMENT, self._database.dialect.name).on_conflict_do_nothing()
        with self._database.writing(durable=True) as connection:
            connection.execute(insert, {"code_sha256": code_sha256, "statement": packed})

    def statements(self, contents: Iterable[str]) -> Mapping[str, str]:
        """What is known of some packages, by CodeSha256, as JSON texts; the others are left out."""
        wanted = sorted(set(contents))
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = {"contents": wanted[start : start + _AT_ONCE]}
            with self._database.reading() as connection, self._database.making_sense():
                for code_sha256, packed in connection.execute(_some, some):
                    found[code_sha256] = _text(packed)
        return found


def _text(packed: bytes) -> str:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(packed, _LARGEST)
    except zlib.error as error:
        raise ValueError(f"a statement is damaged ({error})") from None
    if not inflate.eof:
        raise ValueError("a statement is damaged: it does not end")
    return text.decode()
