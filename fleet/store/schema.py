"""The tables. Texts compare by code point everywhere, times are ISO 8601 texts in UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

VERSION = 5
"""Raised with every change to the tables below; an older fleet refuses a newer schema, a newer one
brings an older schema up to date (upgrade.py)."""

METADATA = MetaData()

# PostgreSQL would sort by the database's locale, and - and _ by no order SQLite knows.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

SCHEMA = Table("fleet_schema", METADATA, Column("version", Integer, primary_key=True))

SCAN = Table(
    "fleet_scan",
    METADATA,
    Column("id", _TEXT, primary_key=True),
    Column("started", _TEXT, nullable=False),
    Column("finished", _TEXT),
    Column("state", _TEXT, nullable=False),
    Column("caller", _TEXT, nullable=False),
    Column("organization", _TEXT, nullable=False),
    Column("partition", _TEXT, nullable=False),
    Column("options", _TEXT, nullable=False, comment="ScanOptions as JSON"),
)

ACCOUNT = Table(
    "fleet_account",
    METADATA,
    Column("scan", _TEXT, ForeignKey(SCAN.c.id), primary_key=True),
    Column("id", _TEXT, primary_key=True),
    Column("name", _TEXT, nullable=False),
    Column("ou", _TEXT, nullable=False),
    Column("active", Boolean, nullable=False),
)

COVERAGE = Table(
    "fleet_coverage",
    METADATA,
    Column("scan", _TEXT, ForeignKey(SCAN.c.id), primary_key=True),
    Column("account", _TEXT, primary_key=True),
    Column("region", _TEXT, primary_key=True),
    Column("status", _TEXT, nullable=False),
    Column("reason", _TEXT, nullable=False),
    Column("functions", Integer, nullable=False),
    Column("versions", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("throttles", Integer, nullable=False),
    Column("listed", Boolean, nullable=False),
    # Written with the lane's rows, so that a history of many scans need not read them.
    Column("findings", Integer, nullable=False),
    Column("finding_functions", Integer, nullable=False),
)

FUNCTION = Table(
    "fleet_function",
    METADATA,
    Column("scan", _TEXT, primary_key=True),
    Column("account", _TEXT, primary_key=True),
    Column("region", _TEXT, primary_key=True),
    Column("name", _TEXT, primary_key=True),
    Column("qualifier", _TEXT, primary_key=True),
    Column("use", _TEXT, nullable=False),
    Column("runtime", _TEXT),
    Column("latest_runtime", _TEXT),
    Column("package_type", _TEXT, nullable=False),
    Column("handler", _TEXT),
    Column("architecture", _TEXT, nullable=False),
    Column("code_size", BigInteger, nullable=False),
    Column("code_sha256", _TEXT, nullable=False),
    Column("last_modified", _TEXT),
    Column("layers", _TEXT, nullable=False),
    Column("aliases", _TEXT),
    Column("callers", _TEXT),
    Column("tags", _TEXT),
    Column("owner_kind", _TEXT, nullable=False),
    Column("owner_name", _TEXT, nullable=False),
    Column("invocations", BigInteger),
    Column("signing_profile", _TEXT),
    Column("memory_mb", Integer),
    Column("duration_ms", BigInteger),
    Column("cold_starts", BigInteger),
    Column("init_ms", BigInteger),
    # No function without the coverage row that says how its lane ended.
    ForeignKeyConstraint(
        ["scan", "account", "region"],
        [COVERAGE.c.scan, COVERAGE.c.account, COVERAGE.c.region],
        ondelete="CASCADE",
    ),
    # Rows lie in the order in which they are read back.
    sqlite_with_rowid=False,
)

_FUNCTION_KEY = ["scan", "account", "region", "name", "qualifier"]

INSPECTION = Table(
    "fleet_inspection",
    METADATA,
    *(Column(name, _TEXT, primary_key=True) for name in _FUNCTION_KEY),
    Column("verdict", _TEXT, nullable=False),
    Column("reasons", _TEXT, nullable=False),
    Column("warnings", _TEXT, nullable=False),
    Column("strategy", _TEXT),
    Column("go_version", _TEXT, nullable=False),
    Column("lambda_library", _TEXT, nullable=False),
    Column("module", _TEXT, nullable=False),
    Column("module_version", _TEXT, nullable=False),
    Column("revision", _TEXT, nullable=False),
    Column("modified", Boolean),
    # A lane that is saved anew may hold other code: its verdicts go with its functions.
    ForeignKeyConstraint(
        _FUNCTION_KEY, [FUNCTION.c[name] for name in _FUNCTION_KEY], ondelete="CASCADE"
    ),
    sqlite_with_rowid=False,
)

PACKAGE = Table(
    "fleet_package",
    METADATA,
    Column("content", _TEXT, primary_key=True, comment="CodeSha256, or the ARN of a layer version"),
    Column("reading", Integer, primary_key=True, comment="what was looked for when it was read"),
    Column("facts", LargeBinary, nullable=False, comment="PackageFacts as JSON, deflated"),
)
"""What packages hold, whichever scan read them: the next scan downloads only what is new."""

STATEMENT = Table(
    "fleet_statement",
    METADATA,
    Column("code_sha256", _TEXT, primary_key=True, comment="of the package, as AWS gives it"),
    Column("statement", LargeBinary, nullable=False, comment="in-toto statement as JSON, zlib"),
)

LEDGER = Table(
    "fleet_ledger",
    METADATA,
    # SQLite counts by itself only where the key is its own kind of integer.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("run", _TEXT, nullable=False),
    Column("verb", _TEXT, nullable=False),
    Column("partition", _TEXT, nullable=False),
    Column("account", _TEXT, nullable=False),
    Column("region", _TEXT, nullable=False),
    Column("name", _TEXT, nullable=False),
    Column("action", _TEXT, nullable=False),
    Column("what", _TEXT, nullable=False),
    Column("caller", _TEXT, nullable=False),
    Column("began", _TEXT, nullable=False),
    Column("ended", _TEXT),
    Column("state", _TEXT, nullable=False),
    Column("request_id", _TEXT, nullable=False),
    Column("result", _TEXT, nullable=False),
    Column("problem", _TEXT, nullable=False),
    Column("alias_before", _TEXT, comment="Alias as JSON"),
    Column("alias_after", _TEXT, comment="Alias as JSON"),
    Column("deployment_before", _TEXT, comment="Deployment as JSON"),
    Column("deployment_after", _TEXT, comment="Deployment as JSON"),
    Index("fleet_ledger_function", "partition", "account", "region", "name", "number"),
)
"""Every write to AWS, noted before it is made. No scan owns these rows, and none goes with one."""

HASH_KEY = Table(
    "fleet_hash_key",
    METADATA,
    # There is one key: whoever comes second finds its place taken.
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
)
"""What settings are hashed with. Whoever has it and a hash can guess at an environment."""

PLAN = Table(
    "fleet_plan",
    METADATA,
    Column("name", _TEXT, primary_key=True),
    Column("organization", _TEXT, nullable=False),
    Column("digest", _TEXT, nullable=False),
    Column("text", _TEXT, nullable=False),
    Column("fleet", _TEXT, nullable=False),
    Column("saved", _TEXT, nullable=False),
)

MEMBER = Table(
    "fleet_member",
    METADATA,
    # Not its wave: a function that an edited plan puts into another one takes its state along.
    Column("plan", _TEXT, primary_key=True),
    Column("partition", _TEXT, primary_key=True),
    Column("account", _TEXT, primary_key=True),
    Column("region", _TEXT, primary_key=True),
    Column("name", _TEXT, primary_key=True),
    Column("wave", _TEXT, nullable=False),
    Column("stage", _TEXT, nullable=False),
    Column("phase", _TEXT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("result", _TEXT),
    Column("reason", _TEXT, nullable=False),
    Column("began", _TEXT),
    Column("since", _TEXT),
    Column("share", Float(53), nullable=False),
    Column("checked", _TEXT),
    Column("failed_checks", Integer, nullable=False),
    Column("unjudged", Boolean, nullable=False),
    Column("run", _TEXT, nullable=False),
    Column("fingerprint", _TEXT, nullable=False),
    Column("baseline", _TEXT),
    Column("touched", Boolean, nullable=False),
    Column("theirs", Boolean, nullable=False),
    Column("ordered", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""What the run of a plan remembers of each function. A plan may be saved later than its members."""

ORDER = Table(
    "fleet_order",
    METADATA,
    Column("plan", _TEXT, primary_key=True),
    Column("wave", _TEXT, primary_key=True),
    Column("kind", _TEXT, primary_key=True),
    Column("at", _TEXT, nullable=False),
    Column("by", _TEXT, nullable=False),
    Column("why", _TEXT, nullable=False),
    sqlite_with_rowid=False,
)

TOLD = Table(
    "fleet_told",
    METADATA,
    Column("plan", _TEXT, primary_key=True),
    Column("wave", _TEXT, primary_key=True),
    Column("event", _TEXT, primary_key=True),
    Column("at", _TEXT, nullable=False),
    sqlite_with_rowid=False,
)
"""What people were told already, so that two who notice it at once tell it once."""

LEASE = Table(
    "fleet_lease",
    METADATA,
    Column("key", _TEXT, primary_key=True),
    Column("owner", _TEXT, nullable=False),
    # A row outlives its lease: a fence that began again at 1 would let an old holder pass.
    Column("fence", BigInteger, nullable=False),
    Column("until", _TEXT, comment="NULL once it was given back"),
    Column("run", _TEXT, nullable=False),
    Column("host", _TEXT, nullable=False),
    Column("machine", _TEXT, nullable=False),
    Column("process", BigInteger, nullable=False),
    Column("started", _TEXT, nullable=False),
    sqlite_with_rowid=False,
)
