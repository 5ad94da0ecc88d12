"""A scan's tasks on the workers of a cluster. What they find is saved where the scan was asked for.

One account and region is one task on one worker, so the pace of its calls holds as in one process.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from fleet.aws.clients import Clients
from fleet.aws.failures import Interrupted, NoCredentials
from fleet.aws.session import Aws
from fleet.cluster import ClusterProblem, here, once, stop_of, threads_here
from fleet.errors import FleetError
from fleet.permissions import COLD_STARTS, SCAN
from fleet.scan.lane import Look
from fleet.scan.run import Found, Task, look_at


@dataclass(frozen=True, slots=True)
class ScanJob:
    """What a worker needs to know of a scan.

    No credentials and no profile: a worker signs with what its own environment gives.
    """

    run: str
    """The run of the Cluster."""
    caller: str
    """The account whose credentials the scan was begun with."""
    look: Look
    external_id: str | None = field(repr=False)
    calls_per_second: float


def look_at_there(job: ScanJob, task: Task) -> Found:
    """One task, on a worker.

    Raises NoCredentials, Interrupted, and ClusterProblem where this worker can't call AWS, or
    does so as another account: it would see others than the scan was begun for.
    """
    return look_at(once(job, lambda: _aws(job)), job.look, task)


def _aws(job: ScanJob) -> Aws:
    try:
        aws = Aws(
            Clients(os.environ, parallelism=threads_here()),
            (*SCAN, *COLD_STARTS) if job.look.options.cold_starts else SCAN,
            role_name=job.look.options.role_name,
            external_id=job.external_id,
            calls_per_second=job.calls_per_second,
            stop=stop_of(job.run),
        )
    except (NoCredentials, Interrupted):
        raise
    except FleetError as error:
        advice = "check the environment in which that worker was started"
        raise ClusterProblem(here(), str(error), advice) from error
    if aws.caller.account != job.caller:
        problem = (
            f"that worker calls AWS as account {aws.caller.account}, this scan as {job.caller}"
        )
        raise ClusterProblem(here(), problem, "give both credentials of the same account")
    return aws
