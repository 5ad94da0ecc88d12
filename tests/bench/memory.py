"""100,000 functions over 2,000 account-regions: the peak of the whole process."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.canned import PAGE, Organization
from tests.bench.command import run_fleet_scan
from tests.bench.figures import Figure, at_most, beside
from tests.bench.server import serving

SOME = Organization(accounts=100, regions=20, go1x=0.1)
ALL = Organization(accounts=100, regions=20, go1x=1.0)
HASTE = ("--parallelism", "128", "--calls-per-second", "15")
"""200,000 detail calls at the usual pace of 32 threads and 10 a second would take 17 minutes."""


def measure() -> Iterator[Figure]:
    """A tenth on go1.x, at the usual pace: one run of under a minute."""
    yield from _peak(SOME, "a tenth of them on go1.x")


def measure_all() -> Iterator[Figure]:
    """The hardest case, everything that is listed is found: one run of some minutes."""
    yield from _peak(ALL, "all of them on go1.x", *HASTE)


def _peak(organization: Organization, said: str, *options: str) -> Iterator[Figure]:
    with serving(organization) as server:
        run = run_fleet_scan(server, *options)
        calls = server.calls()
    listed = len(organization.lanes) * PAGE
    if not listed * organization.go1x * 0.8 <= run.found <= listed * organization.go1x * 1.2:
        raise RuntimeError(f"{run.found:,} of {listed:,} functions found")
    yield at_most(
        f"Peak memory of fleet scan, {listed:,} functions over {len(organization.lanes):,} "
        f"account-regions, {said}",
        150,
        [run.peak],
        unit="MB",
        digits=0,
        holds="Largest resident set of the whole process, with the summary it prints: "
        f"{run.found:,} found by {calls.total():,} calls in {run.seconds:.0f} s, with "
        f"{' '.join(options) or 'the usual pace and threads'}.",
    )
    yield beside(
        "CPU of a call in that scan",
        [run.cpu * 1000 / calls.total()],
        unit="ms",
        holds="Lists, tags and aliases: signed, parsed, paced and saved.",
    )
