"""What is known of one function before its first write: the gates decide by this alone. Frozen.

Sizes are bytes. None means that it was not asked for, or could not be read; the gates never take
that for an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fleet.deployment import AliasNow, Route
from fleet.inspection import Assessment, Strategy, Target
from fleet.model import (
    NOTHING,
    UNKNOWN_OWNER,
    Caller,
    FunctionRef,
    Owner,
    PackageType,
)

AskedRoute = Literal[Route.BRIDGE, Route.DIRECT, Route.DUAL]
"""A route off go1.x; the one to another architecture leaves no choice."""


@dataclass(frozen=True, slots=True)
class LayerNow:
    """A layer of the function."""

    arn: str
    problem: str = ""
    """Why it could not be put on a function again, or ''."""
    extensions: tuple[str, ...] = ()
    """Names of the extensions in it, which begin to run on a custom runtime."""


@dataclass(frozen=True, slots=True)
class CodeStorage:
    """Code storage of one account and region."""

    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for, the same for every function."""

    target: Target = Target.AL2023
    route: AskedRoute | None = None
    """None: bridge, or dual where the bridge can't be."""
    allow_managed: bool = False
    bucket: bool = False
    """Whether there is a bucket to upload large packages through."""
    updates_blocked: bool = False
    """Whether, by its dates, AWS refuses updates of go1.x functions by now."""
    raise_library: str | None = None
    """Version that aws-lambda-go is raised to where a function has to be rebuilt for that; None:
    such functions stay."""


@dataclass(frozen=True, slots=True)
class GateFacts:
    """One function, as it was seen before the first write."""

    ref: FunctionRef
    package_type: PackageType
    runtime: str | None
    assessment: Assessment | None
    """Of $LATEST's package; None where it was not read."""
    owner: Owner = UNKNOWN_OWNER
    tags: Mapping[str, str] | None = field(default_factory=lambda: NOTHING)
    on_blocklist: bool = False
    signing_policy: str | None = ""
    """UntrustedArtifactOnDeployment of its code signing config (Enforce, Warn); '' without one."""
    runtime_mode: str | None = "Auto"
    """UpdateRuntimeOn: Auto, FunctionUpdate or Manual."""
    updating: bool = False
    state: str = "Active"
    """Active, Inactive, Pending or Failed."""
    settings_problem: str = ""
    """Why not every setting could be read (the environment, for want of kms:Decrypt), or ''."""
    by_reference: bool = False
    """Whether Lambda runs the package from the owner's own bucket and keeps no copy."""
    layers: tuple[LayerNow, ...] = ()
    strategy: Strategy | None = None
    """By which the package was repackaged; None where it was not, and stays as it is."""
    rebuilt: bool = False
    """Whether its package holds a bootstrap built anew, beside the old program that can't move."""
    replaces_its_bootstrap: bool = False
    """Whether that bootstrap takes the place of the very program that go1.x starts."""
    new_size: int | None = None
    """Of the zip it would have: the repackaged one, or the one it has where that stays."""
    new_unzipped_size: int | None = None
    """The same unzipped, with all layers, but without the bridge."""
    storage: CodeStorage | None = None
    publishes: int = 2
    """Versions that will be minted, at most; each takes the package's size of code storage."""
    repackaging_problem: str = ""
    """Why the package could not be repackaged, or ''."""
    trial: str = ""
    """How the local trial ended: '' where there was none, else TrialOutcome's word."""
    trial_reason: str = ""
    reserved_concurrency: int | None = None
    aliases: tuple[AliasNow, ...] = ()
    provisioned_versions: frozenset[str] = frozenset()
    """Published versions with provisioned concurrency of their own."""
    callers: tuple[Caller, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One gate's word on a function."""

    code: str
    """A word of the table in gate_rules.py, as `managed-sam`, or a remark's on its package."""
    text: str
    """One sentence: what it is, and what to do."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the gates say together."""

    blocking: tuple[Finding, ...]
    """Why it may not move; empty if it may."""
    notes: tuple[Finding, ...]
    """What to know beside it."""
    route: Route | None
    """The route it takes; None where none is left."""
    strategy: Strategy | None = None
    """How the package has to be repackaged for that route; None where it stays as it is."""
