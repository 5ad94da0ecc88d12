"""Moves thousands of functions while those who move them are killed, and looks what became of it.

    SOAK_FUNCTIONS=400 python -m tests.soak

Everything is real but AWS: PostgreSQL, a Dask cluster, `fleet waves run --due` called again and
again, `kill -9`. SOAK_KILLS is how often each is killed, SOAK_SEED what chooses when and whom.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from random import Random

from fleet.waves.writing import plan_text
from moto_fixtures.server import Emulator
from tests.cluster_fixture import dask_cluster
from tests.postgresql import running_postgresql
from tests.soak.campaign import Campaign, kills
from tests.soak.figures import Figures, figures
from tests.soak.organization import Small, plan
from tests.soak.watching import Watch

NAME = "soak"
ACCOUNTS = 20
"""Each with functions in two regions."""
AT_ONCE = 4
"""Functions in each account and region: without a pace they would make too many calls."""
WORKERS = 3
THREADS = 8
CALLS = 34
"""To Lambda, of one function: kills fall into what so many make."""
SECONDS_EACH = 3.0
"""A function may take on average before all of it is given up."""


def main() -> None:
    small = Small(ACCOUNTS, int(os.environ.get("SOAK_FUNCTIONS", "5000")))
    times = int(os.environ.get("SOAK_KILLS", "10"))
    seed = int(os.environ.get("SOAK_SEED", "1"))
    with tempfile.TemporaryDirectory(prefix="fleet-soak-") as directory:
        found = soak(small, times, Random(seed), Path(directory))  # noqa: S311 - to be repeated
    sys.stdout.write(found.text)
    sys.exit(bool(found.wrong))


def soak(small: Small, times: int, random: Random, directory: Path) -> Figures:
    """Run it whole."""
    with (
        Emulator(small.definition.rules()) as emulator,
        running_postgresql() as server,
        server.database() as state,
        dask_cluster(
            directory / "dask", workers=WORKERS, threads=THREADS, env=emulator.environment
        ) as cluster,
    ):
        small.fill(emulator)
        emulator.take_for_updates(0)
        file = directory / "waves.yaml"
        file.write_text(plan_text(plan(NAME, small.refs, per_account_region=AT_ONCE)))
        campaign = Campaign(
            file, small.functions, NAME, state, cluster, emulator.environment, random
        )
        doom = kills(random, small.functions * CALLS, times)
        order = deque(who for _, who in doom)
        watch = Watch(deque(at for at, _ in doom), lambda: campaign.doomed.put(order.popleft()))
        emulator.on_call = watch
        began, used = time.monotonic(), time.process_time()
        campaign.run(60 + times * 60 + SECONDS_EACH * small.functions)
        seconds, used = time.monotonic() - began, time.process_time() - used
        campaign.end()
        emulator.on_call = None
        return figures(small, campaign, watch, seconds, used)


if __name__ == "__main__":
    main()
