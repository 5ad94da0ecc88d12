"""Lambda's rates per account and region, which a test switches on."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from moto_fixtures.corrections.answers import Refusal
from moto_fixtures.corrections.credentials import Identity
from moto_fixtures.corrections.request import ApiRequest
from moto_fixtures.corrections.throttling import Throttles
from moto_fixtures.server import EVERY
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MEMBER,
    Client,
    Clock,
    Organization,
    refused,
)


def served(client: Client, calls: int, operation: str = "list_functions") -> int:
    """How many of so many calls were not throttled."""
    params = {} if operation == "list_functions" else {"FunctionName": "one"}
    count = 0
    for _ in range(calls):
        try:
            getattr(client, operation)(**params)
        except ClientError as error:
            if refused(error)[0] != "TooManyRequestsException":
                raise
        else:
            count += 1
    return count


def test_nothing_is_throttled_until_it_is_asked_for(organization: Organization) -> None:
    assert served(organization.client("lambda", MEMBER), 40) == 40


def test_beyond_the_rate_lambda_answers_429(organization: Organization) -> None:
    organization.emulator.throttle(MEMBER, HOME, per_second=15)
    client = organization.client("lambda", MEMBER)
    assert served(client, 20) == 15
    with pytest.raises(ClientError) as error:
        client.list_functions()
    assert refused(error.value) == ("TooManyRequestsException", 429, "Rate exceeded")
    assert error.value.response["Reason"] == "CallerRateLimitExceeded"


def test_the_rate_comes_back_with_time(organization: Organization) -> None:
    organization.emulator.throttle(MEMBER, HOME, per_second=15)
    client = organization.client("lambda", MEMBER)
    served(client, 15)
    organization.clock.now += 0.2
    assert served(client, 10) == 3


def test_time_without_calls_is_not_saved_up(organization: Organization) -> None:
    organization.emulator.throttle(MEMBER, HOME, per_second=15)
    client = organization.client("lambda", MEMBER)
    client.list_functions()
    organization.clock.now += 3600
    assert served(client, 20) == 15


def test_invocations_have_limits_of_their_own(organization: Organization) -> None:
    client = organization.add_function("one")
    organization.emulator.throttle(MEMBER, HOME, per_second=1)
    for _ in range(3):
        client.invoke(FunctionName="one")


def test_a_rate_belongs_to_one_account_and_region(organization: Organization) -> None:
    organization.emulator.throttle(MEMBER, HOME, per_second=1)
    assert served(organization.client("lambda", MEMBER), 3) == 1
    assert served(organization.client("lambda", MEMBER, "eu-west-1"), 3) == 3
    assert served(organization.client("lambda", DELEGATE), 3) == 3


def test_every_lane_can_be_limited_each_by_itself(organization: Organization) -> None:
    organization.emulator.throttle(EVERY, EVERY, per_second=2)
    assert served(organization.client("lambda", MEMBER), 3) == 2
    assert served(organization.client("lambda", DELEGATE), 3) == 2


def test_all_operations_share_the_rate_but_get_function_has_its_own(
    organization: Organization,
) -> None:
    client = organization.add_function("one")
    organization.emulator.throttle(MEMBER, HOME, per_second=4)
    assert served(client, 2) == 2
    assert served(client, 5, "list_aliases") == 2
    assert served(client, 101, "get_function") == 100


def test_a_rate_can_be_switched_off_again(organization: Organization) -> None:
    organization.emulator.throttle(MEMBER, HOME, per_second=1)
    organization.emulator.throttle(MEMBER, HOME, per_second=None)
    assert served(organization.client("lambda", MEMBER), 3) == 3


def test_other_services_are_never_throttled(organization: Organization) -> None:
    organization.emulator.throttle(EVERY, EVERY, per_second=1)
    client = organization.client("cloudwatch", MEMBER)
    for _ in range(3):
        client.list_metrics()


@given(
    st.lists(st.floats(0, 0.5), min_size=1, max_size=80),
    st.integers(1, 20),
)
def test_no_second_serves_more_than_a_burst_and_the_rate(waits: list[float], rate: int) -> None:
    clock = Clock(0.0)
    throttles = Throttles(clock)
    throttles.limit(MEMBER, HOME, rate)
    request = ApiRequest("lambda", "ListFunctions", HOME, Identity(MEMBER, "arn", "id"), {})
    times = []
    for wait in waits:
        clock.now += wait
        try:
            throttles.check(request)
        except Refusal:
            continue
        times.append(clock.now)
    for start in times:
        assert sum(start <= time < start + 1 for time in times) <= 2 * rate + 1
