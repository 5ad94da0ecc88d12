"""A verdict together with what the program it speaks of tells of its origin. Pure."""

from __future__ import annotations

from fleet.inspection import Assessment, Deployed, Inspection, PackageFacts
from fleet.package.verdict.started import started
from fleet.package.words import shortened
from fleet.provenance import origin_of


def inspection(
    deployed: Deployed, facts: PackageFacts | None, assessment: Assessment
) -> Inspection:
    """Put together what an inventory keeps of one function's package."""
    program = None if facts is None else started(deployed, facts).program
    if program is None:
        return Inspection(assessment)
    build, origin = program.build, origin_of(program.build)
    main = build.main if build else None
    return Inspection(
        assessment,
        go_version=shortened(build.go_version if build else ""),
        lambda_library=shortened(program.lambda_library or ""),
        module=shortened(origin.module or (build.path if build else "")),
        module_version=shortened(main.version if main else ""),
        revision=shortened(origin.commit),
        modified=origin.modified if origin.commit else None,
    )
