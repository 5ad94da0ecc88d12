"""How long an organization takes at a distance, against a floor that makes the same calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.bench.canned import Organization
from tests.bench.command import run_fleet_scan
from tests.bench.figures import Figure, at_most, beside, in_turn, ratios
from tests.bench.server import serving
from tests.bench.worker import client_environment, worker

ROUNDS = 5
WHOLE = 3
"""Runs of the whole command."""
THREADS = 32
LATENCY = 0.05
"""Seconds that each answer takes besides."""
ORGANIZATION = Organization(accounts=100, regions=17)


def measure() -> Iterator[Figure]:
    """The floor, fleet's part between plan and saved coverage, and the whole command."""
    with serving(ORGANIZATION, latency=LATENCY) as server:
        environ = client_environment(server)
        with (
            worker("fleet", "scan", THREADS, environ=environ) as fleet,
            worker("floor", "scan", THREADS, ORGANIZATION, environ=environ) as floor,
        ):
            floor()
            calls = server.calls()
            ours, least = in_turn(ROUNDS, fleet, floor)
        yield beside("Wall time of 100 accounts × 17 regions, the floor", least, unit="s")
        yield beside("Wall time of 100 accounts × 17 regions, fleet", ours, unit="s")
        yield at_most(
            "Wall time at 50 ms a call and 32 threads, fleet to the floor",
            1.25,
            ratios(ours, least),
            holds=f"On both sides {_said(calls)}: one page of 50 functions for each account and "
            "region, none on go1.x, so no detail calls. fleet's time is fleet.scan.run: clients "
            "made, roles assumed, every lane saved to SQLite. Reading the organization first, "
            "one call after the other for anybody, is in neither.",
        )
        yield beside(
            "The same as a command, fleet scan --org from start to exit",
            [run_fleet_scan(server).seconds for _ in range(WHOLE)],
            unit="s",
            holds="With start-up, imports and the organization's own calls, one after the other.",
        )


def _said(calls: Counter[str]) -> str:
    return ", ".join(f"{count:,} {operation}" for operation, count in sorted(calls.items()))
