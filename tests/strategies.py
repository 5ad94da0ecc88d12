"""Hypothesis strategies for the values of fleet.model, as hostile as AWS lets them be."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

from hypothesis import strategies as st

from fleet.inspection import InspectionDepth
from fleet.model import (
    EVERY_REGION,
    GO1X,
    LATEST,
    Account,
    Alias,
    Caller,
    CallerKind,
    Coverage,
    CoverageStatus,
    FunctionConfig,
    FunctionRecord,
    FunctionRef,
    LaneResult,
    Language,
    Owner,
    OwnerKind,
    PackageType,
    ScanHeader,
    ScanOptions,
    ScanState,
    Use,
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
"""Any text that Unicode and every database can hold."""

account_ids = st.text(string.digits, min_size=12, max_size=12)
regions = st.sampled_from(["eu-west-1", "us-east-1", "af-south-1", "us-gov-west-1", "cn-north-1"])
names = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=64)
qualifiers = st.just(LATEST) | st.integers(1, 10**6).map(str)
counts = st.integers(0, 2**31 - 1)
sizes = st.integers(0, 2**63 - 1)
moments = st.datetimes(
    min_value=datetime(2014, 11, 13),  # noqa: DTZ001 - hypothesis adds the zone itself
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - same
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
"""From Lambda's first day on, in zones to be turned into UTC."""
tags = st.dictionaries(texts, texts, max_size=3).map(MappingProxyType)

accounts = st.builds(Account, id=account_ids, name=texts, ou=texts, active=st.booleans())

aliases = st.builds(
    Alias,
    name=names,
    version=qualifiers,
    weights=st.dictionaries(qualifiers, st.floats(0, 1), max_size=1).map(MappingProxyType),
)
callers = st.builds(
    Caller, kind=st.sampled_from(CallerKind), source=texts, qualifier=qualifiers | names
)
owners = st.builds(Owner, kind=st.sampled_from(OwnerKind), name=texts)


def refs(account: str, region: str) -> st.SearchStrategy[FunctionRef]:
    """Give references to functions of one account and region."""
    return st.builds(
        FunctionRef,
        partition=st.just("aws"),
        account=st.just(account),
        region=st.just(region),
        name=names,
        qualifier=qualifiers,
    )


def configs(account: str, region: str) -> st.SearchStrategy[FunctionConfig]:
    """Give configurations of functions of one account and region."""
    return st.builds(
        FunctionConfig,
        ref=refs(account, region),
        package_type=st.sampled_from(PackageType),
        runtime=st.sampled_from([GO1X, "provided.al2023", "python3.13", None]),
        handler=st.none() | texts,
        architecture=st.sampled_from(["x86_64", "arm64"]),
        code_size=sizes,
        code_sha256=texts,
        last_modified=st.none() | moments,
        layers=st.lists(texts, max_size=2).map(tuple),
        signing_profile=st.none() | texts,
        memory_mb=st.none() | counts,
    )


def records(account: str, region: str) -> st.SearchStrategy[FunctionRecord]:
    """Give inventory rows of one account and region."""
    return st.builds(
        FunctionRecord,
        config=configs(account, region),
        use=st.sampled_from(Use),
        latest_runtime=st.none() | st.just(GO1X),
        aliases=st.none() | st.lists(aliases, max_size=2).map(tuple),
        callers=st.none() | st.lists(callers, max_size=2).map(tuple),
        tags=st.none() | tags,
        owner=owners,
        invocations=st.none() | sizes,
        duration_ms=st.none() | sizes,
        cold_starts=st.none() | sizes,
        init_ms=st.none() | sizes,
    )


coverages = st.builds(
    Coverage,
    account=account_ids,
    region=regions | st.just(EVERY_REGION),
    status=st.sampled_from(CoverageStatus),
    reason=texts,
    functions=counts,
    versions=counts,
    calls=counts,
    throttles=counts,
)


def lane_results(max_size: int = 4) -> st.SearchStrategy[LaneResult]:
    """Give lanes of one region with up to so many records, no function version twice."""

    def fill(coverage: Coverage) -> st.SearchStrategy[LaneResult]:
        distinct = st.lists(
            records(coverage.account, coverage.region),
            max_size=max_size,
            unique_by=lambda record: (record.config.ref.name, record.config.ref.qualifier),
        )
        return st.builds(LaneResult, coverage=st.just(coverage), records=distinct.map(tuple))

    return coverages.filter(lambda coverage: coverage.region != EVERY_REGION).flatmap(fill)


_some = st.lists(texts, max_size=2).map(tuple)

options = st.builds(
    ScanOptions,
    runtimes=_some,
    language=st.none() | st.sampled_from(Language),
    latest_only=st.booleans(),
    callers=st.booleans(),
    traffic=st.booleans(),
    cold_starts=st.booleans(),
    inspect=st.none() | st.sampled_from(InspectionDepth),
    organization=st.booleans(),
    accounts=st.none() | _some,
    excluded_accounts=_some,
    ous=st.none() | _some,
    tags=st.none() | _some,
    regions=st.none() | _some,
    excluded_regions=_some,
    role_name=texts,
)

headers = st.builds(
    ScanHeader,
    id=st.from_regex(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}", fullmatch=True),
    started=moments,
    finished=st.none() | moments,
    state=st.sampled_from(ScanState),
    caller=account_ids,
    organization=texts,
    partition=st.sampled_from(["aws", "aws-cn", "aws-us-gov"]),
    options=options,
)
