"""The values every room speaks. Frozen; no I/O, no clock, no AWS.

Times are timezone-aware UTC datetimes, sizes are bytes, account ids are twelve-digit strings
(leading zeros count), regions and qualifiers are spelt as AWS spells them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from fleet.inspection import InspectionDepth

LATEST = "$LATEST"
GO1X = "go1.x"
ROLLBACK_ALIAS = "go1x-rollback"
"""The alias a migration leaves on the last published go1.x version."""

EVERY_REGION = "*"
"""Region of a coverage row that speaks for a whole account: no region of it was reached."""

_FUNCTION_ARN = re.compile(
    r"arn:(aws[a-z-]*):lambda:([a-z]{2,}(?:-[a-z0-9]+)+):([0-9]{12}):function:"
    r"([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)

NOTHING: Mapping[str, str] = MappingProxyType({})


class PackageType(StrEnum):
    """How the code is delivered; Image functions have no runtime."""

    ZIP = "Zip"
    IMAGE = "Image"


class Use(StrEnum):
    """Why a function version matters, from what was seen to point at it."""

    LATEST = "latest"
    """$LATEST itself: what an unqualified call runs and what updates change."""
    HALFWAY = "halfway"
    """$LATEST on a custom runtime with fleet's bridge layer: a move or rollback has not ended."""
    SERVED = "served"
    """A published version that an alias or a trigger serves."""
    KEPT = "kept"
    """A published version that nothing seen points at."""
    ROLLBACK = "kept for rollback"
    """Held by the alias go1x-rollback and nothing else: a migration's safety net, no finding."""
    UNKNOWN = "unknown"
    """A published version whose aliases or triggers could not be read."""
    IMAGE = "image"
    """A container image: its runtime is inside the image, the API does not tell it."""
    CUSTOM = "custom runtime"
    """On a custom runtime, and listed for its language: its tag says so, or was not readable."""

    @property
    def is_finding(self) -> bool:
        """Whether a version of this use has to move before the deadline."""
        return self not in {Use.ROLLBACK, Use.IMAGE, Use.CUSTOM}


class Language(StrEnum):
    """A language whose functions are found by more than the name of their runtime."""

    GO = "go"


class CoverageStatus(StrEnum):
    """How the look at one account and region ended."""

    OK = "ok"
    DENIED = "denied"
    ROLE_MISSING = "role missing"
    REGION_NOT_ENABLED = "region not enabled"
    BLOCKED_BY_POLICY = "blocked by policy"
    THROTTLED_OUT = "throttled out"
    FAILED = "failed"
    NOT_ATTEMPTED = "not attempted"
    ACCOUNT_NOT_ACTIVE = "account not active"

    @property
    def is_complete(self) -> bool:
        """Whether nothing that can be called at all was left unseen.

        A region the account has not enabled answers nobody, and a suspended account runs
        nothing for anybody who could ask; every other status but ok hides something.
        """
        return self in {
            CoverageStatus.OK,
            CoverageStatus.REGION_NOT_ENABLED,
            CoverageStatus.ACCOUNT_NOT_ACTIVE,
        }


class OwnerKind(StrEnum):
    """What deploys a function, told from its tags."""

    CLOUDFORMATION = "cloudformation"
    SAM = "sam"
    SERVERLESS = "serverless"
    MAPPED = "mapped"
    """Named by a rule under `owners:` in fleet.yaml."""
    UNKNOWN = "unknown"


class CallerKind(StrEnum):
    """How a call reaches a function."""

    EVENT_SOURCE = "event source"
    FUNCTION_URL = "function url"
    PERMISSION = "permission"
    """A statement of the function's resource policy: a service or account that may invoke it."""


class ScanState(StrEnum):
    """How far a scan came."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"


def is_complete(state: ScanState, *, ok: int, hiding: int) -> bool:
    """Whether a scan can say what is not there: it ended, saw something, and missed nothing.

    `ok` and `hiding` count its coverage rows that are ok, and those that hide something.
    """
    return state is ScanState.FINISHED and ok > 0 and hiding == 0


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """One function and qualifier ($LATEST or a version number), anywhere in a partition."""

    partition: str
    account: str
    region: str
    name: str
    qualifier: str = LATEST

    @classmethod
    def of_arn(cls, text: str) -> FunctionRef:
        """Read an ARN, qualified (by a version or an alias) or not; raises ValueError.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
        """
        match = _FUNCTION_ARN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no ARN of a function")
        partition, region, account, name, qualifier = match.groups()
        return cls(partition, account, region, name, qualifier or LATEST)

    @property
    def arn(self) -> str:
        """The qualified ARN; $LATEST is left out, as AWS writes the unqualified ARN."""
        stem = f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.name}"
        return stem if self.qualifier == LATEST else f"{stem}:{self.qualifier}"


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """What ListFunctions tells of one function version; environment variables are left behind.

    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    """

    ref: FunctionRef
    package_type: PackageType
    runtime: str | None
    """None for Image functions."""
    handler: str | None
    architecture: str
    code_size: int
    """Bytes, zipped."""
    code_sha256: str
    """Base64, as AWS gives it."""
    last_modified: datetime | None
    layers: tuple[str, ...] = ()
    """Layer version ARNs in the order they are merged."""
    signing_profile: str | None = None
    """ARN of the AWS Signer profile version that signed the code; None where it is not signed."""
    memory_mb: int | None = None
    """Megabytes, as AWS counts them: 1,024 are the GB of a GB-second. None in older scans."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias of a function: its version and, while weighted, the other version's share."""

    name: str
    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    """Version → share (0–1) that the alias sends there besides its own version."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Something that calls one qualifier of a function."""

    kind: CallerKind
    source: str
    """The event source's ARN, the function URL's auth type, or the principal of a permission."""
    qualifier: str
    """$LATEST, a version number or an alias name."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who deploys the function, and the stack or team by name ('' where unknown)."""

    kind: OwnerKind
    name: str = ""


UNKNOWN_OWNER = Owner(OwnerKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class FunctionRecord:
    """One row of an inventory: a function version and what was learnt about it.

    None means not looked at or not readable; an empty tuple means looked at and none there.
    """

    config: FunctionConfig
    use: Use
    latest_runtime: str | None
    """The runtime $LATEST has: it may have moved on while this version is still served."""
    aliases: tuple[Alias, ...] | None = None
    """The aliases that send calls to this version."""
    callers: tuple[Caller, ...] | None = None
    """What calls this version, directly or through one of its aliases."""
    tags: Mapping[str, str] | None = None
    owner: Owner = UNKNOWN_OWNER
    invocations: int | None = None
    """Invocations of the whole function over the last 30 days; what follows is of these too."""
    duration_ms: int | None = None
    """Milliseconds that they took together, without init. AWS bills each of them rounded up."""
    cold_starts: int | None = None
    """How many of them had to wait for an execution environment to be initialized."""
    init_ms: int | None = None
    """Milliseconds that this took, all together."""


FUNCTION_COLUMNS = (
    "account",
    "region",
    "name",
    "qualifier",
    "use",
    "runtime",
    "latest_runtime",
    "package_type",
    "handler",
    "architecture",
    "memory_mb",
    "code_size",
    "code_sha256",
    "last_modified",
    "layers",
    "aliases",
    "callers",
    "tags",
    "owner_kind",
    "owner_name",
    "invocations",
    "duration_ms",
    "cold_starts",
    "init_ms",
    "signing_profile",
    "verdict",
    "reasons",
    "warnings",
    "strategy",
    "go_version",
    "lambda_library",
    "module",
    "module_version",
    "revision",
    "modified",
)
"""One function version, flat: the order of what the store hands to the reports.

code_size is in bytes, memory_mb in megabytes, last_modified is ISO 8601 in UTC. invocations,
duration_ms, cold_starts and init_ms are of the whole function over the last 30 days.
layers is a JSON list of ARNs, aliases one of {name, version, weights}, callers one of {kind,
source, qualifier}, tags a JSON object; the last three are None where the scan did not look or
could not read them. From verdict on everything is None where the package was not looked at;
reasons and warnings are JSON lists of {code, text}.
"""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the organization lists it."""

    id: str
    name: str = ""
    ou: str = ""
    """Path of organizational units below the root, as `Workloads/Prod`; '' at the root or alone."""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Coverage:
    """How the look at one account and region ended, and what passed by."""

    account: str
    region: str
    """EVERY_REGION where no region of the account was reached."""
    status: CoverageStatus
    reason: str = ""
    functions: int = 0
    """Functions listed, of any runtime."""
    versions: int = 0
    """Function versions listed, $LATEST included, of any runtime."""
    calls: int = 0
    throttles: int = 0
    listed: bool = False
    """Every function was listed and saved, whatever else about them could not be read."""


@dataclass(frozen=True, slots=True)
class LaneResult:
    """All that one account and region gave: its coverage row and its records, stored as one."""

    coverage: Coverage
    records: tuple[FunctionRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What a scan was asked to look for; kept with it, so that --resume asks the same."""

    runtimes: tuple[str, ...] = (GO1X,)
    language: Language | None = None
    """Also list, beside the runtimes, what runs on a custom runtime and is of this language."""
    latest_only: bool = False
    callers: bool = False
    traffic: bool = False
    cold_starts: bool = False
    """Only beside traffic, which tells whether the logs hold every call."""
    inspect: InspectionDepth | None = None
    organization: bool = False
    accounts: tuple[str, ...] | None = None
    """Account ids asked for; None means no such filter, () means none at all."""
    excluded_accounts: tuple[str, ...] = ()
    ous: tuple[str, ...] | None = None
    """Organizational units asked for, by id (ou-…) or path."""
    tags: tuple[str, ...] | None = None
    """Function tags asked for, as KEY or KEY=VALUE with wildcards."""
    regions: tuple[str, ...] | None = None
    """Region names or wildcards asked for."""
    excluded_regions: tuple[str, ...] = ()
    role_name: str = "OrganizationAccountAccessRole"


@dataclass(frozen=True, slots=True)
class ScanHeader:
    """A saved scan without its rows."""

    id: str
    """Sorts by start: UTC time to the second and four random hex digits."""
    started: datetime
    finished: datetime | None
    state: ScanState
    caller: str
    """The account whose credentials ran the scan."""
    organization: str
    """The organization's id, or '' for a scan of single accounts."""
    partition: str
    options: ScanOptions
