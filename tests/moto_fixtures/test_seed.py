"""What a client sees of the seeded organization, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.model import GO1X
from moto_fixtures.expected import expected
from moto_fixtures.load import load_organization
from moto_fixtures.packages import load_packages
from moto_fixtures.seed import seed
from moto_fixtures.seed_functions import role_arn
from moto_fixtures.server import Emulator
from tests.moto_fixtures.small_organization import Clock, Organization

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
FILES = load_organization()
RETAIL = "666677778888"
PAYMENTS = "012345678901"
# Lanes are looked into with their own accounts' credentials, past what the rules refuse.
LANES = expected(FILES)
VARIES = ("FunctionName", "FunctionArn", "LastModified", "RevisionId")


@pytest.fixture(scope="module")
def seeded() -> Iterator[Organization]:
    with Emulator(FILES.rules()) as emulator:
        seed(emulator, FILES, now=NOW)
        yield Organization(emulator, Clock())


def listed(organization: Organization, account: str, region: str) -> list[dict[str, Any]]:
    with organization.emulator.seeding():
        client = organization.client("lambda", account, region)
        pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
        return [row for page in pages for row in page["Functions"]]


def test_every_account_and_region_lists_what_the_files_count(seeded: Organization) -> None:
    for (account, region), count in LANES.items():
        rows = listed(seeded, account, region)
        latest = [row for row in rows if row["Version"] == "$LATEST"]
        published = [row for row in rows if row["Version"] != "$LATEST"]
        assert len(latest) == count.functions
        assert len(rows) == count.versions
        assert sum(row["PackageType"] == "Image" for row in latest) == count.images
        assert sum(row.get("Runtime") == GO1X for row in latest) == count.latest
        old = sum(row.get("Runtime") == GO1X for row in published)
        assert old == count.served + count.kept + count.rollback


def test_a_seeded_function_looks_as_one_created_over_the_api(seeded: Organization) -> None:
    function = next(
        one
        for account in FILES.accounts
        for one in account.functions
        if one.name == "ledger-booking"
    )
    client = seeded.client("lambda", PAYMENTS, "eu-west-1")
    arns = [
        row["Arn"]
        for row in client.get_function(FunctionName=function.name)["Configuration"]["Layers"]
    ]
    with seeded.emulator.seeding():
        client.create_function(
            FunctionName="created",
            Runtime=GO1X,
            Handler=function.handler,
            Role=role_arn(PAYMENTS),
            MemorySize=function.memory,
            Timeout=function.timeout,
            Layers=arns,
            Environment={"Variables": dict(function.environment)},
            Tags=dict(function.tags),
            Code={"ZipFile": load_packages(FILES)["go-ledger"].content},
        )
    try:
        answers = [client.get_function(FunctionName=name) for name in (function.name, "created")]
    finally:
        client.delete_function(FunctionName="created")
    for answer in answers:
        del answer["ResponseMetadata"], answer["Code"]["Location"]
        for field in VARIES:
            answer["Configuration"].pop(field, None)
    assert answers[0] == answers[1]


def test_a_seeded_image_looks_as_one_created_over_the_api(seeded: Organization) -> None:
    client = seeded.client("lambda", PAYMENTS, "us-east-1")
    with seeded.emulator.seeding():
        client.create_function(
            FunctionName="created",
            PackageType="Image",
            Role=role_arn(PAYMENTS),
            Tags={"team": "payouts"},
            Code={"ImageUri": f"{PAYMENTS}.dkr.ecr.us-east-1.amazonaws.com/receipt-render:7"},
        )
    try:
        answers = [client.get_function(FunctionName=name) for name in ("receipt-render", "created")]
    finally:
        client.delete_function(FunctionName="created")
    for answer in answers:
        del answer["ResponseMetadata"]
        for field in VARIES:
            answer["Configuration"].pop(field, None)
    assert answers[0] == answers[1]
    assert "Runtime" not in answers[0]["Configuration"]


def test_every_package_can_be_downloaded_and_has_its_sha256(seeded: Organization) -> None:
    wanted = {
        package.sha256: name
        for name, package in load_packages(FILES).items()
        if not name.endswith("-layer")
    }
    seen = set()
    for account, region in LANES:
        for row in listed(seeded, account, region):
            if row["PackageType"] == "Image" or row["CodeSha256"] in seen:
                continue
            seen.add(row["CodeSha256"])
            with seeded.emulator.seeding():
                answer = seeded.client("lambda", account, region).get_function(
                    FunctionName=row["FunctionName"], Qualifier=row["Version"]
                )
            with urllib.request.urlopen(answer["Code"]["Location"]) as response:  # noqa: S310 - the emulator's own http
                content = response.read()
            assert len(content) == row["CodeSize"]
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            assert digest == row["CodeSha256"]
    assert {wanted[sha] for sha in seen} == set(wanted.values())


def test_the_accounts_are_listed_with_their_ids_names_and_states(seeded: Organization) -> None:
    pages = seeded.client("organizations", FILES.management).get_paginator("list_accounts")
    rows = [row for page in pages.paginate() for row in page["Accounts"]]
    told = {(row["Id"], row["Name"], row["State"], row["JoinedMethod"]) for row in rows}
    assert told == {(one.id, one.name, one.status, one.joined) for one in FILES.accounts}
    assert {row["Arn"].split("/")[1] for row in rows} == {FILES.id}


def test_the_units_are_nested_as_their_paths_say(seeded: Organization) -> None:
    client = seeded.client("organizations", FILES.management)

    def walk(parent: str, path: str) -> Iterator[tuple[str, set[str]]]:
        accounts = client.list_accounts_for_parent(ParentId=parent)["Accounts"]
        yield path, {row["Id"] for row in accounts}
        units = client.list_organizational_units_for_parent(ParentId=parent)
        for unit in units["OrganizationalUnits"]:
            yield from walk(unit["Id"], f"{path}/{unit['Name']}".lstrip("/"))

    found = dict(walk(client.list_roots()["Roots"][0]["Id"], ""))
    assert set(found) == {"", *FILES.units}
    assert found == {path: {one.id for one in FILES.accounts if one.ou == path} for path in found}


def test_the_delegated_administrator_may_list_accounts(seeded: Organization) -> None:
    rows = seeded.client("organizations", "222233334444").list_accounts()["Accounts"]
    assert len(rows) == 14


def test_aliases_stand_as_the_files_say(seeded: Organization) -> None:
    for account in FILES.accounts:
        for function in account.functions:
            if not function.aliases:
                continue
            with seeded.emulator.seeding():
                client = seeded.client("lambda", account.id, function.region)
                rows = client.list_aliases(FunctionName=function.name)["Aliases"]
            assert {
                row["Name"]: (
                    row["FunctionVersion"],
                    row.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
                )
                for row in rows
            } == {
                name: (str(alias.version), {str(at): share for at, share in alias.weights.items()})
                for name, alias in function.aliases.items()
            }


def test_published_versions_keep_what_they_were(seeded: Organization) -> None:
    client = seeded.client("lambda", RETAIL)
    rows = {
        row["Version"]: row
        for row in client.list_versions_by_function(FunctionName="checkout-orders")["Versions"]
    }
    assert [row["MemorySize"] for row in rows.values()] == [512, 128, 128, 512]
    # The same code under another configuration.
    assert rows["2"]["CodeSha256"] == rows["3"]["CodeSha256"] != rows["1"]["CodeSha256"]
    assert rows["1"]["LastModified"].startswith("2021-02-03")


@pytest.mark.parametrize(("name", "version"), [("checkout-orders", "3"), ("basket-janitor", "3")])
def test_publishing_what_is_unchanged_mints_nothing(
    seeded: Organization, name: str, version: str
) -> None:
    published = seeded.client("lambda", RETAIL).publish_version(FunctionName=name)
    assert published["Version"] == version


def test_callers_keep_the_qualifier_they_were_made_for(seeded: Organization) -> None:
    wanted, found = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for account in FILES.accounts:
        for function in account.functions:
            for source in function.event_sources:
                wanted[account.id, f"{function.name}:{source.qualifier}"] += 1
        for region in {one.region for one in account.functions if one.event_sources}:
            client = seeded.client("lambda", account.id, region)
            for row in client.list_event_source_mappings()["EventSourceMappings"]:
                name, _, qualifier = row["FunctionArn"].split(":function:")[1].partition(":")
                found[account.id, f"{name}:{qualifier or '$LATEST'}"] += 1
    assert found == wanted
    assert {entry.split(":")[1] for _, entry in found} >= {"$LATEST", "live", "1"}


def test_a_url_and_a_permission_stand_on_their_alias(seeded: Organization) -> None:
    client = seeded.client("lambda", RETAIL)
    urls = client.list_function_url_configs(FunctionName="checkout-orders")["FunctionUrlConfigs"]
    assert [url["FunctionArn"].rsplit(":", 1)[1] for url in urls] == ["live"]
    policy = json.loads(
        client.get_policy(FunctionName="checkout-orders", Qualifier="live")["Policy"]
    )
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert f"us-east-1:{RETAIL}:f6g7h8i9j0" in statement["Condition"]["ArnLike"]["AWS:SourceArn"]


def test_layers_of_other_accounts_keep_their_arn(seeded: Organization) -> None:
    client = seeded.client("lambda", RETAIL)
    (layer,) = client.get_function_configuration(FunctionName="basket-merger")["Layers"]
    assert layer["Arn"] == "arn:aws:lambda:us-east-1:555566667777:layer:metrics:1"
    assert layer["CodeSize"] > 0


def test_traffic_adds_up_over_thirty_days(seeded: Organization) -> None:
    client = seeded.client("cloudwatch", RETAIL)
    stat = {
        "Metric": {
            "Namespace": "AWS/Lambda",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": "FunctionName", "Value": "checkout-orders"}],
        },
        "Period": 86400,
        "Stat": "Sum",
    }
    answer = client.get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat}],
        StartTime=NOW - timedelta(days=30),
        EndTime=NOW,
    )
    assert sum(answer["MetricDataResults"][0]["Values"]) == 4_211_873


def test_secrets_come_with_the_list_so_that_a_leak_can_be_seen(seeded: Organization) -> None:
    assert "do-not-leak-checkout" in json.dumps(listed(seeded, RETAIL, "us-east-1"))
