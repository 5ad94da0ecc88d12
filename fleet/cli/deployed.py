"""A function that a command names by its ARN: its package fetched from AWS, read and judged."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.errors import BadSelection, FileProblem
from fleet.inspection import InspectionDepth, Target

if TYPE_CHECKING:
    from fleet.settings import Settings
    from reports.package import PackageReport


def inspect_function(arn: str, settings: Settings, *, target: Target) -> PackageReport:
    """Read the package of a function version in whatever account it is, and judge it.

    Raises BadSelection for what is no ARN of a function, and what fleet.scan.Inspector raises.
    """
    from fleet.aws.clients import Clients
    from fleet.aws.packages import Downloads
    from fleet.aws.session import Aws
    from fleet.model import FunctionRef
    from fleet.package.verdict.assessment import assess
    from fleet.permissions import INSPECT, SCAN
    from fleet.scan.inspecting import Inspector
    from reports.package import PackageReport

    try:
        ref = FunctionRef.of_arn(arn)
    except ValueError as error:
        advice = "name a function as arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]"
        raise BadSelection("ARN", arn, advice) from error
    stop = threading.Event()
    clients = Clients(os.environ, profile=settings.profile, parallelism=1)
    aws = Aws(
        clients,
        (*SCAN, *INSPECT),
        role_name=settings.role_name,
        external_id=settings.external_id,
        stop=stop,
    )
    with closing(Downloads(clients, at_once=1, stop=stop)) as downloads:
        inspector = Inspector(aws, downloads, InspectionDepth.WHOLE)
        try:
            deployed, facts = inspector.look_at(ref)
        except OSError as error:
            place = tempfile.gettempdir()
            raise FileProblem(
                place, f"is full or closed ({error.strerror})", "set TMPDIR"
            ) from error
    deployed = replace(deployed, target=target)
    return PackageReport(arn, deployed, facts, assess(deployed, facts))
