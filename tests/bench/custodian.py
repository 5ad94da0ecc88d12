"""Cloud Custodian's c7n-org, looking for go1.x in the same accounts, beside fleet.

It lives in a virtual environment of its own under .cache: its dependencies are not fleet's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from fleet.model import GO1X
from tests.bench.canned import Organization
from tests.bench.command import run_fleet_scan
from tests.bench.figures import Figure, at_least, beside, in_turn, ratios
from tests.bench.server import Server, serving
from tests.bench.worker import client_environment

LATENCY = 0.05
SIZES = (
    (Organization(accounts=10, regions=17, go1x=0.005), 2),
    (Organization(accounts=20, regions=17, go1x=0.005), 1),
)
"""With the rounds each is worth: c7n-org takes its time."""
PINS = ("c7n==0.9.53", "c7n-org==0.6.52", "boto3==1.43.103", "botocore==1.43.127")
HOME = Path(__file__).resolve().parents[2] / ".cache" / "bench-c7n"
POLICY = {
    "policies": [
        {
            "name": "go1x",
            "resource": "aws.lambda",
            "filters": [{"Runtime": GO1X}],
        }
    ]
}


def measure() -> Iterator[Figure]:
    """Both as commands, from start to exit, in two sizes: fleet's start weighs on the smaller."""
    _install()
    for organization, rounds in SIZES:
        yield from _compared(organization, rounds)


def _compared(organization: Organization, rounds: int) -> Iterator[Figure]:
    with serving(organization, latency=LATENCY) as server:
        found: set[int] = set()
        theirs, ours = in_turn(
            rounds, lambda: _custodian(server, found), lambda: _fleet(server, found)
        )
        calls = server.calls()
    if len(found) != 1 or 0 in found:
        raise RuntimeError(f"the two did not find the same: {sorted(found)}")
    if refused := [name for name in calls if name.startswith("unknown")]:
        raise RuntimeError(f"the server could not answer {', '.join(refused)}")
    size = f"{organization.accounts} accounts × {organization.regions} regions"
    yield beside(f"Wall time of {size}, fleet scan --org", ours, unit="s")
    yield beside(f"Wall time of {size}, c7n-org run", theirs, unit="s", digits=1)
    yield at_least(
        f"Wall time of c7n-org to fleet, {size} at 50 ms a call",
        15,
        ratios(theirs, ours),
        holds=f"Whole commands on all cores. c7n-org as it comes, with {os.cpu_count()} × 4 "
        "processes and one policy, without its cache; fleet as it comes. Both found the same "
        f"{found.pop():,} functions on go1.x; fleet also walked the organization and asked for "
        "the tags and aliases of each function found.",
    )


def _install() -> None:
    stamp = HOME / "installed"
    if stamp.exists() and stamp.read_text("utf-8") == str(PINS):
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
    subprocess.run([HOME / "bin" / "pip", "install", "--quiet", *PINS], check=True)
    stamp.write_text(str(PINS), "utf-8")


def _fleet(server: Server, found: set[int]) -> float:
    run = run_fleet_scan(server)
    found.add(run.found)
    return run.seconds


def _custodian(server: Server, found: set[int]) -> float:
    accounts = [
        {
            "account_id": each,
            "name": f"account-{each}",
            "role": f"arn:aws:iam::{each}:role/OrganizationAccountAccessRole",
        }
        for each in server.organization.account_ids
    ]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "accounts.yml").write_text(yaml.safe_dump({"accounts": accounts}), "utf-8")
        (directory / "policy.yml").write_text(yaml.safe_dump(POLICY), "utf-8")
        regions = [part for each in server.organization.region_names for part in ("--region", each)]
        command = [str(HOME / "bin" / "c7n-org"), "run", "--config", "accounts.yml", "--use"]
        command += ["policy.yml", "--output-dir", "out", "--cache-period", "0", *regions]
        before = time.perf_counter()
        ended = subprocess.run(
            command,
            cwd=directory,
            env=client_environment(server),
            capture_output=True,
            text=True,
            check=False,
        )
        taken = time.perf_counter() - before
        if ended.returncode:
            raise RuntimeError(f"c7n-org ended with {ended.returncode}: {ended.stderr[-300:]}")
        results = directory.glob("out/*/*/go1x/resources.json")
        found.add(sum(len(json.loads(each.read_bytes())) for each in results))
    return taken
