"""What the runs of plans remember, and what people have ordered: saved by the plan's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Executable, Table, bindparam, delete, select

from fleet.errors import BadSelection, FileProblem
from fleet.model import FunctionRef
from fleet.store.database import Database
from fleet.store.leases import is_held
from fleet.store.part import REF, Part, insert_into, ref_row, value_of
from fleet.store.rows import Row, iso, named, stored_text
from fleet.store.schema import MEMBER, ORDER, PLAN, TOLD
from fleet.wave import Lease, MemberState, Order, OrderKind, SavedPlan

_PLANS_NAMED = 5

_the_plan = select(PLAN).where(PLAN.c.name == bindparam("the_name"))
_plans = select(PLAN).order_by(PLAN.c.saved, PLAN.c.name)
_members = (
    select(MEMBER)
    .where(MEMBER.c.plan == bindparam("the_plan"))
    .order_by(*(MEMBER.c[name] for name in REF))
)
_member = select(MEMBER).where(
    MEMBER.c.plan == bindparam("the_plan"),
    *(MEMBER.c[name] == bindparam(f"the_{name}") for name in REF),
)
_orders = select(ORDER).order_by(ORDER.c.plan, ORDER.c.wave, ORDER.c.kind)
_withdraw = delete(ORDER).where(
    ORDER.c.plan == bindparam("the_plan"),
    ORDER.c.wave == bindparam("the_wave"),
    ORDER.c.kind.in_(bindparam("kinds", expanding=True)),
)


class WavePart(Part):
    """Plans that were run, how far each function came, and the orders in force."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._put_member = _put_member(database.dialect)

    def save_plan(self, plan: SavedPlan) -> None:
        """Save a plan, in the place of an earlier one of its name.

        Raises FileProblem where that one is of another organization: its functions are others.
        """
        row = {
            "name": plan.name,
            "organization": plan.organization,
            "digest": plan.digest,
            "text": plan.text,
            "fleet": plan.fleet,
            "saved": iso(plan.saved),
        }
        with self._database.writing() as connection:
            if connection.scalar(_save_plan(connection.dialect.name), row) is None:
                raise FileProblem(
                    self._database.shown,
                    f"holds a plan {plan.name} of another organization than {plan.organization}",
                    "give one of them another name, or name another place with --state or "
                    "FLEET_STATE",
                )

    def plan(self, name: str | None) -> SavedPlan:
        """Find a saved plan by its name; None is the one saved last.

        Raises BadSelection, naming what there is, and FileProblem where there is no plan at all.
        """
        if name is not None:
            found = self._all(_the_plan, _plan, the_name=stored_text(name))
            if found:
                return found[0]
        saved = self.plans()
        if not saved:
            raise FileProblem(
                self._database.shown,
                "holds no plan that was run",
                "run fleet waves run, or name another place with --state or FLEET_STATE",
            )
        if name is None:
            return saved[-1]
        known = ", ".join(each.name for each in reversed(saved[-_PLANS_NAMED:]))
        more = f" and {len(saved) - _PLANS_NAMED} older" if len(saved) > _PLANS_NAMED else ""
        said = f"is no plan in {self._database.shown}; choose one of {known}{more}"
        raise BadSelection("plan", name, said)

    def plans(self) -> list[SavedPlan]:
        """Every saved plan, the one saved last at the end."""
        return self._all(_plans, _plan)

    def put_member(self, plan: str, state: MemberState, *, lease: Lease | None = None) -> bool:
        """Save how far a function came, in the place of what was saved of it.

        False, and nothing is saved, where `lease` is no longer held: who has it now knows better.
        """
        return self.put_members(plan, [state], lease=lease)

    def put_members(
        self, plan: str, states: Iterable[MemberState], *, lease: Lease | None = None
    ) -> bool:
        """Do the same for many functions of a plan, all or none of them."""
        # In one order: two that save the same functions must not wait for each other.
        rows = sorted((_member_row(plan, each) for each in states), key=_place)
        with self._database.writing() as connection:
            if lease is not None and not is_held(connection, lease):
                return False
            if rows:
                connection.exec_driver_sql(self._put_member, rows)
        return True

    def members(self, plan: str) -> list[MemberState]:
        """Every function of a plan that was begun or saved; by partition, account, region, name."""
        return self._all(_members, _state, the_plan=stored_text(plan))

    def member(self, plan: str, ref: FunctionRef) -> MemberState | None:
        """How far a function came, whatever its qualifier; None where nothing is saved of it."""
        which = {f"the_{name}": value for name, value in ref_row(ref).items()}
        found = self._all(_member, _state, the_plan=stored_text(plan), **which)
        return found[0] if found else None

    def give_order(self, order: Order) -> bool:
        """Put an order in force; False where the same one already is, which stays as it was given.

        One order for each plan, wave and kind.
        """
        row = {
            "plan": stored_text(order.plan),
            "wave": stored_text(order.wave),
            "kind": order.kind.value,
            "at": iso(order.at),
            "by": stored_text(order.by),
            "why": stored_text(order.why),
        }
        return self._is_new(ORDER, row)

    def withdraw_orders(self, plan: str, wave: str, kinds: Iterable[OrderKind]) -> int:
        """Withdraw the orders that were given for exactly this plan and wave; says how many."""
        which = {
            "the_plan": stored_text(plan),
            "the_wave": stored_text(wave),
            "kinds": [kind.value for kind in kinds],
        }
        with self._database.writing() as connection:
            return connection.execute(_withdraw, which).rowcount

    def orders(self) -> list[Order]:
        """Every order in force, by plan, wave and kind."""
        return self._all(_orders, _order)

    def tell_once(self, plan: str, wave: str, event: str, at: datetime) -> bool:
        """Whether this is the first to ask for an event: then it is theirs to tell, once."""
        row = {
            "plan": stored_text(plan),
            "wave": stored_text(wave),
            "event": stored_text(event),
            "at": iso(at),
        }
        return self._is_new(TOLD, row)

    def _is_new(self, table: Table, row: Row) -> bool:
        with self._database.writing() as connection:
            statement = _unless_there(table, connection.dialect.name)
            return connection.scalar(statement, row) is not None


@cache
def _save_plan(dialect: str) -> Executable:
    statement = insert_into(PLAN, dialect)
    return statement.on_conflict_do_update(
        index_elements=[PLAN.c.name],
        set_={column.name: statement.excluded[column.name] for column in PLAN.c},
        where=PLAN.c.organization == statement.excluded.organization,
    ).returning(PLAN.c.name)


def _put_member(dialect: Dialect) -> str:
    # Run as plain SQL: for thousands of rows SQLAlchemy's handling of parameters costs a second.
    statement = insert_into(MEMBER, dialect.name)
    key = [column.name for column in MEMBER.primary_key]
    told = [column.name for column in MEMBER.c if column.name not in key]
    upsert = statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in told}
    )
    return str(upsert.compile(dialect=dialect))


@cache
def _unless_there(table: Table, dialect: str) -> Executable:
    return insert_into(table, dialect).on_conflict_do_nothing().returning(table.c.plan)


def _plan(row: Mapping[Any, Any]) -> SavedPlan:
    return value_of(SavedPlan, named(row))


def _order(row: Mapping[Any, Any]) -> Order:
    return value_of(Order, named(row))


def _member_row(plan: str, state: MemberState) -> Row:
    return {
        "plan": stored_text(plan),
        **ref_row(state.ref),
        "wave": stored_text(state.wave),
        "stage": state.stage.value,
        "phase": state.phase.value,
        "attempts": state.attempts,
        "result": None if state.result is None else state.result.value,
        "reason": stored_text(state.reason),
        "began": iso(state.began),
        "since": iso(state.since),
        "share": state.share,
        "checked": iso(state.checked),
        "failed_checks": state.failed_checks,
        "unjudged": state.unjudged,
        "run": stored_text(state.run),
        "fingerprint": stored_text(state.fingerprint),
        "baseline": iso(state.baseline),
        "touched": state.touched,
        "theirs": state.theirs,
        "ordered": state.ordered,
    }


def _place(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in REF)


def _state(row: Mapping[Any, Any]) -> MemberState:
    given = named(row)
    ref = {name: given.pop(name) for name in REF}
    return value_of(MemberState, {**given, "ref": ref})
