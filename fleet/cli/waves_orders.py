"""Orders about waves: nothing but the state is needed, from any machine that reaches it."""

from __future__ import annotations

import getpass
import socket

import typer

from fleet.store import Store
from fleet.wave import Order, OrderKind
from fleet.waves.due import Record
from fleet.waves.orders import check_wave, tried_again
from fleet.waves.plan import Plan
from fleet.waves.planfile import PlanFile

_SAID = {
    OrderKind.PAUSE: "paused: no further function is begun",
    OrderKind.CANCEL: "cancelled: what has not begun never will",
    OrderKind.STOP: "stopped, before each worker's next function",
}


def give(url: str, name: str | None, wave: str | None, kind: OrderKind, why: str) -> None:
    """Order something of a plan or of one wave; raises BadSelection and FileProblem."""
    with Store.open(url, create=False) as store:
        read = _read(store, name)
        check_wave(read, wave)
        what = f"plan {read.name}" if wave is None else f"wave {wave} of plan {read.name}"
        _given(store, read.name, wave or "", kind, why, what)


def stop_all(url: str, why: str) -> None:
    """Stop every plan of a state; raises FileProblem."""
    with Store.open(url, create=False) as store:
        _given(store, "", "", OrderKind.STOP, why, "everything")


def withdraw(url: str, name: str | None, wave: str | None, *, everything: bool) -> None:
    """Take back every order about a plan, a wave of it or everything, and say what is left."""
    with Store.open(url, create=False) as store:
        if everything:
            _withdrawn(store, "", "", "everything")
            return
        read = _read(store, name)
        check_wave(read, wave)
        what = f"plan {read.name}" if wave is None else f"wave {wave} of plan {read.name}"
        _withdrawn(store, read.name, wave or "", what)
        for order in store.orders():
            if order.plan in {"", read.name} and (wave is None or order.wave in {"", wave}):
                whole = "everything" if not order.plan else f"wave {order.wave}" * bool(order.wave)
                back = ["--all"] if not order.plan else [read.name]
                back += ["--wave", order.wave] if order.wave else []
                said = f"{whole or 'the whole plan'} is still under `{order.kind}`"
                typer.echo(f"fleet: {said}: `fleet waves resume {' '.join(back)}`", err=True)


def try_again(url: str, name: str | None, wave: str | None) -> None:
    """Let what failed, came back or stayed wait again; raises BadSelection and FileProblem."""
    with Store.open(url, create=False) as store:
        read = _read(store, name)
        check_wave(read, wave)
        states = {state.ref: state for state in store.members(read.name)}
        again = tried_again(Record(states), read, wave)
        store.put_members(read.name, again)
        for state in again:
            typer.echo(f"wave {state.wave}: {state.ref.arn} is {state.reason}")
        typer.echo(f"functions that wait to be begun again: {len(again):,}")


def _read(store: Store, name: str | None) -> Plan:
    saved = store.plan(name)
    return PlanFile.of(f"plan {saved.name}", saved.text).plan


def _given(store: Store, plan: str, wave: str, kind: OrderKind, why: str, what: str) -> None:
    new = store.give_order(order_of(store, plan, wave, kind, why))
    back = " ".join(["--all"] if not plan else [plan, *(["--wave", wave] if wave else [])])
    said = _SAID[kind] if new else f"under `{kind}` already"
    typer.echo(f"{what} is {said}; `fleet waves resume {back}` takes that back")


def order_of(store: Store, plan: str, wave: str, kind: OrderKind, why: str) -> Order:
    """An order of whoever runs this; raises FileProblem."""
    return Order(plan=plan, wave=wave, kind=kind, at=store.now(), by=_somebody(), why=why)


def _withdrawn(store: Store, plan: str, wave: str, what: str) -> None:
    gone = store.withdraw_orders(plan, wave, list(OrderKind))
    typer.echo(f"{what} may go on" if gone else f"{what} was not held up by an order")


def _somebody() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no name.
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
