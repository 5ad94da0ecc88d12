"""CPU of the client for each further page of ListFunctions, against the floor."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.canned import Organization
from tests.bench.figures import Figure, at_most, beside, in_turn, ratios
from tests.bench.server import serving
from tests.bench.worker import client_environment, worker

ROUNDS = 15
PAGES = 200
"""Of one list. The first is in it: by then its connection and client are there."""


def measure() -> Iterator[Figure]:
    """The floor, then what fleet makes of it."""
    with serving(Organization(accounts=1, pages=PAGES)) as server:
        environ = client_environment(server)
        with (
            worker("fleet", "pages", PAGES, environ=environ) as fleet,
            worker("floor", "pages", PAGES, environ=environ) as floor,
        ):
            ours, least = in_turn(ROUNDS, fleet, floor)
    yield beside("CPU of a further page, the floor", least, unit="ms")
    yield beside("CPU of a further page, fleet", ours, unit="ms")
    yield at_most(
        "CPU of a further page of ListFunctions, fleet to the floor",
        2,
        ratios(ours, least),
        holds="One lane read by fleet.aws.functions.list_functions without pacing: "
        f"{PAGES} pages of 50 functions, none of them on go1.x. The floor is urllib3, a SigV4 of "
        "its own with the signing key kept, orjson, and a count of the functions on go1.x.",
    )
