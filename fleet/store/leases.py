"""Leases: who works at what, until when. One statement decides, so one of two who race wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from fleet.store.part import Part, insert_into, value_of
from fleet.store.rows import Row, iso, named, stored_text
from fleet.store.schema import LEASE
from fleet.wave import Holder, Lease

_AT_ONCE = 1000
"""Leases renewed by one statement; SQLite takes some 32,000 parameters."""
_IDENTITY = ("key", "owner", "fence")

_in_force = LEASE.c.until.is_not(None)
_the_one = and_(
    LEASE.c.key == bindparam("the_key"),
    LEASE.c.owner == bindparam("the_owner"),
    LEASE.c.fence == bindparam("the_fence"),
    _in_force,
)
# Held until the end of the transaction: nobody takes it between the look and the write.
_hold = select(LEASE.c.key).where(_the_one).with_for_update(read=True)
_release = update(LEASE).where(_the_one).values(until=None)
_one = select(LEASE).where(LEASE.c.key == bindparam("the_key"), _in_force)
# Not LIKE, to which SQLite's letters are the same in either case.
_below = (
    select(LEASE)
    .where(
        func.substr(LEASE.c.key, 1, func.length(bindparam("prefix"))) == bindparam("prefix"),
        _in_force,
    )
    .order_by(LEASE.c.key)
)
_renew = (
    update(LEASE)
    .where(
        tuple_(*(LEASE.c[name] for name in _IDENTITY)).in_(bindparam("held", expanding=True)),
        _in_force,
    )
    .values(until=bindparam("new_until"))
    .returning(*(LEASE.c[name] for name in _IDENTITY))
)


class LeasePart(Part):
    """Rights to work at something alone. Times are given: all who share a store agree on `now`."""

    def now(self) -> datetime:
        """The time, in UTC, that all who share this store agree on.

        PostgreSQL's own clock; this machine's for an SQLite file. Raises FileProblem.
        """
        if self._database.dialect.name == "sqlite":
            return datetime.now(UTC)
        with self._database.reading() as connection:
            moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)

    def take_lease(
        self,
        key: str,
        owner: str,
        holder: Holder,
        now: datetime,
        seconds: float,
        *,
        instead_of: Lease | None = None,
    ) -> Lease | None:
        """Take a lease until `now` plus so many seconds; None where somebody else holds it.

        It is to be had if it was never taken, was given back, is over (until <= now), is the same
        owner's, or is still exactly `instead_of`, whose holder is known to be gone. Of several who
        ask at once one gets it. The fence stays only where the same owner takes it again without
        having given it back. Raises FileProblem; then it may be taken, and ends by itself.
        """
        until = now + timedelta(seconds=seconds)
        values: Row = {
            "key": stored_text(key),
            "owner": owner,
            "fence": 1,
            "until": iso(until),
            "run": stored_text(holder.run),
            "host": stored_text(holder.host),
            "machine": stored_text(holder.machine),
            "process": holder.process,
            "started": stored_text(holder.started),
            "asked_at": iso(now),
            "gone_owner": instead_of.owner if instead_of else None,
            "gone_fence": instead_of.fence if instead_of else None,
        }
        with self._database.writing() as connection:
            fence = connection.execute(_take(self._database.dialect.name), values).scalar()
        if fence is None:
            return None
        return Lease(key=key, owner=owner, fence=fence, until=until, holder=holder)

    def lease(self, key: str) -> Lease | None:
        """Give a lease as it was taken last, over or not; None where it is free.

        Raises FileProblem.
        """
        found = self._all(_one, _lease, the_key=stored_text(key))
        return found[0] if found else None

    def leases(self, prefix: str) -> list[Lease]:
        """Give all that were not given back and whose key begins so, over or not; by key.

        Raises FileProblem.
        """
        return self._all(_below, _lease, prefix=prefix)

    def renew_leases(
        self, held: Iterable[Lease], now: datetime, seconds: float
    ) -> tuple[Lease, ...]:
        """Prolong leases until `now` plus so many seconds; gives those that are still held.

        Also one that was over and that nobody else has taken. Raises FileProblem.
        """
        leases = list(held)
        until = now + timedelta(seconds=seconds)
        renewed: set[tuple[Any, ...]] = set()
        if leases:
            with self._database.writing() as connection:
                known = [_identity(each) for each in leases]
                for at in range(0, len(known), _AT_ONCE):
                    values = {"held": known[at : at + _AT_ONCE], "new_until": iso(until)}
                    renewed.update(map(tuple, connection.execute(_renew, values)))
        return tuple(replace(each, until=until) for each in leases if _identity(each) in renewed)

    def release_lease(self, lease: Lease) -> bool:
        """Give a lease back; False where it was lost before. Raises FileProblem."""
        with self._database.writing() as connection:
            return connection.execute(_release, _of(lease)).rowcount == 1


def is_held(connection: Connection, lease: Lease) -> bool:
    """Whether nobody has taken a lease; nobody does before the transaction ends."""
    return connection.scalar(_hold, _of(lease)) is not None


def _identity(lease: Lease) -> tuple[str, str, int]:
    return stored_text(lease.key), lease.owner, lease.fence


def _of(lease: Lease) -> Row:
    values = zip(_IDENTITY, _identity(lease), strict=True)
    return {f"the_{name}": value for name, value in values}


@cache
def _take(dialect: str) -> Executable:
    """Building it costs more than running it, and every function that moves takes one."""
    statement = insert_into(LEASE, dialect)
    new = statement.excluded
    same = and_(LEASE.c.owner == new.owner, _in_force)
    gone = and_(
        LEASE.c.owner == bindparam("gone_owner", type_=LEASE.c.owner.type),
        LEASE.c.fence == bindparam("gone_fence", type_=LEASE.c.fence.type),
    )
    others = {column.name: new[column.name] for column in LEASE.c if column.name != "key"}
    return statement.on_conflict_do_update(
        index_elements=[LEASE.c.key],
        set_={**others, "fence": LEASE.c.fence + case((same, literal(0)), else_=1)},
        where=or_(
            LEASE.c.until.is_(None),
            LEASE.c.until <= bindparam("asked_at", type_=LEASE.c.until.type),
            same,
            gone,
        ),
    ).returning(LEASE.c.fence)


def _lease(row: Mapping[Any, Any]) -> Lease:
    given = named(row)
    holder = {each: given.pop(each) for each in ("run", "host", "machine", "process", "started")}
    return value_of(Lease, {**given, "holder": holder})
