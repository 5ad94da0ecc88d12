"""A fresh process on the client's core that prepares once and then measures whenever asked.

It imports one module of `sides`, so what measures one side never weighs on the other.
"""

from __future__ import annotations

import importlib
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from tests.bench.canned import access_key
from tests.bench.cores import CLIENT_CORE, stay_on
from tests.bench.server import Server

Block = Callable[[], Any]
"""Does the work to be measured once, and gives back what was measured."""

_ENDED_WITHIN = 5


def client_environment(server: Server) -> dict[str, str]:
    """What a client of the server finds in its environment, and no other AWS settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": access_key(server.organization.account_ids[0]),
        "AWS_SECRET_ACCESS_KEY": "s" * 40,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


def cpu_of(work: Callable[[], object], parts: int) -> Block:
    """CPU milliseconds of each of the parts that the work consists of; once is done before."""
    work()

    def block() -> float:
        began = time.process_time()
        work()
        return (time.process_time() - began) * 1000 / parts

    return block


@contextmanager
def worker(
    side: str,
    prepare: str,
    *arguments: object,
    environ: Mapping[str, str] | None = None,
    core: int | None = CLIENT_CORE,
) -> Iterator[Block]:
    """Call a function of a module of `sides` in a new process; it gives back a block.

    Each call of what is given here runs that block once and gives back what it measured.

    Without an `environ` it has this process's, and without a `core` every core. Raises
    RuntimeError with the other side's words where that fails.
    """
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(
        target=_run, args=(theirs, environ, core, side, prepare, arguments), daemon=True
    )
    process.start()
    theirs.close()

    def measure() -> Any:  # noqa: ANN401  # whatever the block measures
        ours.send(None)
        return _received(ours)

    try:
        _received(ours)
        yield measure
    finally:
        process.terminate()
        process.join(_ENDED_WITHIN)


def _received(pipe: Connection) -> Any:  # noqa: ANN401  # whatever the block measures
    value, trouble = pipe.recv()
    if trouble:
        raise RuntimeError(trouble)
    return value


def _run(
    pipe: Connection,
    environ: Mapping[str, str] | None,
    core: int | None,
    side: str,
    prepare: str,
    arguments: tuple[object, ...],
) -> None:
    if environ is not None:
        os.environ.clear()
        os.environ.update(environ)
    if core is not None:
        stay_on(core)
    try:
        block = getattr(importlib.import_module(f"tests.bench.sides.{side}"), prepare)(*arguments)
        pipe.send((None, ""))
        while True:
            pipe.recv()
            pipe.send((block(), ""))
    except EOFError:
        return
    except Exception:  # noqa: BLE001  # said by the process that asked
        pipe.send((None, traceback.format_exc()))
