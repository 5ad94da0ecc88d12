"""CPU of the machinery that runs a plan, against what a function's calls to AWS cost."""

from __future__ import annotations

import os
from collections.abc import Iterator

from moto_fixtures.server import Emulator
from tests.bench.figures import Figure, at_most, beside, in_turn, ratios
from tests.bench.worker import worker
from tests.soak.organization import Small

ROUNDS = 3
PLAN = Small(accounts=20, functions=20_000)
LEFT = 1_000
MOVED = 10
"""Functions that are moved in a round."""
VICTIMS = Small(accounts=1, functions=MOVED * (ROUNDS + 1))


def measure() -> Iterator[Figure]:
    """A tick in which functions are moved by doing nothing, and calls of functions that move."""
    with Emulator(VICTIMS.definition.rules()) as emulator:
        VICTIMS.fill(emulator)
        emulator.take_for_updates(0)
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            **emulator.environment,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        with (
            worker("waves", "machinery", PLAN, LEFT, environ=environ) as running,
            worker("waves", "calls", VICTIMS, MOVED, environ=environ) as calling,
        ):
            machinery, calls = in_turn(ROUNDS, running, calling)
    yield beside("CPU of running a plan, a function", machinery, unit="ms")
    yield beside("CPU of the calls that move a function", calls, unit="ms")
    yield at_most(
        "CPU of running a plan to that of its functions' calls",
        0.1,
        ratios(machinery, calls),
        holds=f"A tick of a plan of {PLAN.functions:,} functions of which {LEFT:,} are left: what "
        "is due, lanes, leases, states and budgets, on SQLite with 8 threads; moving itself does "
        f"nothing. The calls: {MOVED} small functions moved, each with some 40 calls, from their "
        "parameters to their parsed answers; without packages, ledger or decisions.",
    )
