"""Which version an invocation reaches: qualifiers, aliases and their weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from moto_fixtures.invoking.choice import Draw, by_weight
from tests.moto_fixtures.small_organization import Client, refused, running
from tests.moto_fixtures.test_invoking import AL2023, create, invoke, program, totalled


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Function orders: version 1 adds up; version 2 and $LATEST, on another runtime, can't start.

    Nothing here changes it.
    """
    with running() as organization:
        client = create(organization, "orders", program())
        with organization.emulator.seeding():
            client.publish_version(FunctionName="orders")
            client.update_function_configuration(FunctionName="orders", Runtime=AL2023)
            client.publish_version(FunctionName="orders")
            client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
            client.create_alias(
                FunctionName="orders",
                Name="canary",
                FunctionVersion="1",
                RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
            )
        yield client


@pytest.mark.parametrize("qualifier", ["1", "live"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_version_is_reached_by_its_number_and_its_alias(
    client: Client, qualifier: str, *, beside: bool
) -> None:
    answer = (
        invoke(client, Qualifier=qualifier) if beside else invoke(client, f"orders:{qualifier}")
    )
    assert totalled(answer)
    assert answer.version == "1"


@pytest.mark.parametrize("qualifier", ["$LATEST", "2"])
def test_another_version_has_a_runtime_of_its_own(client: Client, qualifier: str) -> None:
    answer = invoke(client, Qualifier=qualifier)
    assert answer.payload["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer.version == qualifier


def test_without_a_qualifier_it_is_latest(client: Client) -> None:
    assert invoke(client).version == "$LATEST"


@pytest.mark.parametrize(("drawn", "version"), [(0.0, "2"), (0.2499, "2"), (0.25, "1"), (0.9, "1")])
def test_an_aliass_weights_decide(
    client: Client, monkeypatch: pytest.MonkeyPatch, drawn: float, version: str
) -> None:
    monkeypatch.setattr(Draw, "source", staticmethod(lambda: drawn))
    answer = invoke(client, Qualifier="canary")
    assert (answer.version, totalled(answer)) == (version, version == "1")


@pytest.mark.parametrize("qualifier", ["3", "nobody"])
def test_what_is_not_there_is_not_found(client: Client, qualifier: str) -> None:
    with pytest.raises(ClientError, match="Function not found") as caught:
        invoke(client, Qualifier=qualifier)
    assert refused(caught.value)[:2] == ("ResourceNotFoundException", 404)


@given(st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_two_versions_share_all_draws(weight: float, drawn: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draw, "source", staticmethod(lambda: drawn))
        assert by_weight("1", {"2": weight}) == ("2" if drawn < weight else "1")
