"""CPU of an account and region, against a new boto3 session and client for each."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.canned import Organization
from tests.bench.figures import Figure, at_least, beside, in_turn, ratios
from tests.bench.server import serving
from tests.bench.worker import client_environment, worker

ROUNDS = 3
ORGANIZATION = Organization(accounts=100, regions=17)
SAMPLE = 17
"""Account-regions of which the manual way is measured: it takes the same for each."""


def measure() -> Iterator[Figure]:
    """Both ways in one thread, which spares the manual way: it gets worse with threads."""
    with serving(ORGANIZATION) as server:
        environ = client_environment(server)
        with (
            worker("fleet", "lanes", ORGANIZATION, environ=environ) as fleet,
            worker("boto3_alone", "lanes", ORGANIZATION, SAMPLE, environ=environ) as manual,
        ):
            ours, theirs = in_turn(ROUNDS, fleet, manual)
    yield beside("CPU of an account and region, fleet", ours, unit="ms")
    yield beside("CPU of an account and region, new session and client", theirs, unit="ms")
    yield at_least(
        "CPU of an account and region, new boto3 session and client to fleet",
        50,
        ratios(theirs, ours),
        holds=f"fleet: {len(ORGANIZATION.lanes):,} account-regions of one page, with everything "
        "fleet.scan does for each, its clients made and its roles assumed. The manual way: "
        f"{SAMPLE} of them, with credentials already at hand. Both in one thread.",
    )
