"""Lists of functions, versions and aliases, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto.awslambda.utils import get_backend

from moto_fixtures.corrections.paging import BadToken, page
from tests.moto_fixtures.small_organization import (
    HOME,
    MEMBER,
    Client,
    Organization,
    refused,
    zip_of,
)


def fill(organization: Organization, count: int) -> Client:
    """Functions f000, f001, …; gives back a Lambda client."""
    client = organization.add_function("f000")
    backend = get_backend(MEMBER, HOME)
    for number in range(1, count):
        backend.create_function(
            {
                "FunctionName": f"f{number:03d}",
                "Role": f"arn:aws:iam::{MEMBER}:role/run",
                "Runtime": "go1.x",
                "Handler": "main",
                "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
            }
        )
    return client


def pages(client: Client, operation: str, key: str, **params: object) -> list[list[dict[str, Any]]]:
    """The pages of a list, each as it came."""
    found: list[list[dict[str, Any]]] = []
    marker: dict[str, str] = {}
    while True:
        answer = getattr(client, operation)(**params, **marker)
        found.append(answer[key])
        if "NextMarker" not in answer:
            return found
        marker = {"Marker": answer["NextMarker"]}


@pytest.mark.parametrize(
    ("params", "sizes"),
    [
        ({}, [50, 50, 20]),
        ({"MaxItems": 10_000}, [50, 50, 20]),
        ({"MaxItems": 40}, [40, 40, 40]),
    ],
)
def test_functions_come_fifty_a_page_at_most(
    organization: Organization, params: dict[str, int], sizes: list[int]
) -> None:
    client = fill(organization, 120)
    found = pages(client, "list_functions", "Functions", **params)
    assert [len(one) for one in found] == sizes
    names = [function["FunctionName"] for one in found for function in one]
    assert names == [f"f{number:03d}" for number in range(120)]


def test_all_versions_are_listed_across_pages_each_once(organization: Organization) -> None:
    client = fill(organization, 30)
    for number in range(30):
        client.publish_version(FunctionName=f"f{number:03d}")
    found = pages(client, "list_functions", "Functions", FunctionVersion="ALL")
    assert [len(one) for one in found] == [50, 10]
    rows = [(row["FunctionName"], row["Version"]) for one in found for row in one]
    assert rows == [(f"f{n:03d}", version) for n in range(30) for version in ("$LATEST", "1")]
    arns = {row["FunctionArn"] for one in found for row in one}
    assert f"arn:aws:lambda:{HOME}:{MEMBER}:function:f000:$LATEST" in arns
    assert f"arn:aws:lambda:{HOME}:{MEMBER}:function:f000:1" in arns


def test_without_all_versions_only_latest_is_listed_unqualified(
    organization: Organization,
) -> None:
    client = organization.add_function("one")
    client.publish_version(FunctionName="one")
    (row,) = client.list_functions()["Functions"]
    assert row["Version"] == "$LATEST"
    assert row["FunctionArn"] == f"arn:aws:lambda:{HOME}:{MEMBER}:function:one"


def test_listed_functions_omit_their_state(organization: Organization) -> None:
    client = organization.add_function("one")
    (row,) = client.list_functions()["Functions"]
    assert "State" not in row
    assert "LastUpdateStatus" not in row
    assert client.get_function(FunctionName="one")["Configuration"]["State"] == "Active"


def test_a_function_created_between_two_pages_shifts_nothing(organization: Organization) -> None:
    client = fill(organization, 60)
    first = client.list_functions()
    organization.add_function("a-new-one-before-them-all")
    second = client.list_functions(Marker=first["NextMarker"])
    assert [row["FunctionName"] for row in second["Functions"]] == [
        f"f{number:03d}" for number in range(50, 60)
    ]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Marker": "never given"}, "InvalidParameterValueException"),
        ({"Marker": "bm9uZQ=="}, "InvalidParameterValueException"),
        ({"MaxItems": 0}, "ValidationException"),
        ({"MaxItems": 10_001}, "ValidationException"),
        ({"FunctionVersion": "SOME"}, "ValidationException"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    organization: Organization, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        organization.client("lambda", MEMBER).list_functions(**params)
    assert refused(error.value)[:2] == (code, 400)


def test_the_marker_of_one_list_is_none_of_anothers(organization: Organization) -> None:
    client = fill(organization, 51)
    marker = client.list_functions()["NextMarker"]
    with pytest.raises(ClientError) as error:
        client.list_versions_by_function(FunctionName="f000", Marker=marker)
    assert refused(error.value)[0] == "InvalidParameterValueException"


def test_versions_of_a_function_come_fifty_a_page(organization: Organization) -> None:
    client = organization.add_function("one")
    organization.emulator.take_for_updates(0)
    for number in range(60):
        client.update_function_code(FunctionName="one", ZipFile=zip_of(main=bytes([number])))
        client.publish_version(FunctionName="one")
    found = pages(client, "list_versions_by_function", "Versions", FunctionName="one")
    assert [len(one) for one in found] == [50, 11]
    assert [row["Version"] for one in found for row in one] == [
        "$LATEST",
        *(str(number) for number in range(1, 61)),
    ]


@pytest.mark.parametrize(
    "operation",
    [
        "get_function",
        "get_policy",
        "list_aliases",
        "list_function_url_configs",
        "list_versions_by_function",
    ],
)
def test_an_unknown_function_is_a_404(organization: Organization, operation: str) -> None:
    client = organization.client("lambda", MEMBER)
    with pytest.raises(ClientError) as error:
        getattr(client, operation)(FunctionName="none")
    arn = f"arn:aws:lambda:{HOME}:{MEMBER}:function:none"
    assert refused(error.value) == (
        "ResourceNotFoundException",
        404,
        f"Function not found: {arn}",
    )


def test_tags_of_an_unknown_function_are_a_404(organization: Organization) -> None:
    client = organization.client("lambda", MEMBER)
    with pytest.raises(ClientError) as error:
        client.list_tags(Resource=f"arn:aws:lambda:{HOME}:{MEMBER}:function:none")
    assert refused(error.value)[:2] == ("ResourceNotFoundException", 404)


def test_tags_of_a_function_are_found_by_its_arn(organization: Organization) -> None:
    client = organization.add_function("one", Tags={"team": "payments"})
    arn = client.list_functions()["Functions"][0]["FunctionArn"]
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "payments"}


def test_aliases_are_listed_in_pages_with_their_weights(organization: Organization) -> None:
    client = organization.add_function("one")
    organization.emulator.take_for_updates(0)
    client.publish_version(FunctionName="one")
    client.update_function_code(FunctionName="one", ZipFile=zip_of(main=b"next"))
    client.publish_version(FunctionName="one")
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    for number in range(51):
        client.create_alias(
            FunctionName="one", Name=f"a{number:02d}", FunctionVersion="1", RoutingConfig=weights
        )
    client.create_alias(FunctionName="one", Name="plain", FunctionVersion="2")
    found = pages(client, "list_aliases", "Aliases", FunctionName="one")
    assert [len(one) for one in found] == [50, 2]
    assert found[0][0]["RoutingConfig"] == weights
    assert "RoutingConfig" not in found[1][1]
    only = client.list_aliases(FunctionName="one", FunctionVersion="2")["Aliases"]
    assert [alias["Name"] for alias in only] == ["plain"]


@pytest.mark.parametrize(
    "name",
    [
        "one",
        f"function:{'one'}",
        f"{MEMBER}:function:one",
        f"arn:aws:lambda:{HOME}:{MEMBER}:function:one",
    ],
)
def test_a_function_is_found_by_every_kind_of_name(organization: Organization, name: str) -> None:
    client = organization.add_function("one")
    assert client.list_aliases(FunctionName=name)["Aliases"] == []
    found = client.get_function(FunctionName=name)["Configuration"]
    assert found["FunctionName"] == "one"


KEYS = st.lists(st.tuples(st.text(max_size=3), st.integers(0, 3)), unique=True, max_size=30)


@given(KEYS, st.integers(1, 7))
def test_pages_hold_every_item_once_and_in_order(keys: list[tuple[str, int]], size: int) -> None:
    found: list[tuple[str, int]] = []
    token = None
    while True:
        items, token = page(keys, lambda key: key, size, "list", token)
        assert len(items) <= size
        found += items
        if token is None:
            break
        assert items
    assert found == sorted(keys)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_a_token_from_outside_is_refused_and_never_understood(token: str) -> None:
    with pytest.raises(BadToken):
        page(["a", "b"], lambda key: (key, 0), 1, "list", token)
