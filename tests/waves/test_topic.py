from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fleet.aws.clients import Clients
from fleet.aws.session import Aws
from fleet.notify import Notify
from fleet.permissions import ENTERING, NOTIFY
from fleet.waves.destinations import destinations
from fleet.waves.teller import Teller
from fleet.waves.telling import Event
from tests.moto_fixtures.small_organization import MANAGEMENT, Organization, running
from tests.waves.events import BEGAN, FAILED, STOPPED

ELSEWHERE = "eu-west-1"


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with running() as small, pytest.MonkeyPatch.context() as environment:
        for name, value in small.emulator.environment.items():
            environment.setenv(name, value)
        yield small


@contextmanager
def topic(organization: Organization, name: str, **attributes: str) -> Iterator[tuple[str, Any]]:
    """A topic, and a function that gives what its subscriber got."""
    with organization.emulator.seeding():
        sns = organization.client("sns", region=ELSEWHERE)
        sqs = organization.client("sqs", region=ELSEWHERE)
        arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        target = f"arn:aws:sqs:{ELSEWHERE}:{MANAGEMENT}:{name}"
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)

    def got() -> list[dict[str, Any]]:
        with organization.emulator.seeding():
            found = sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
        return [
            json.loads(each["Body"]) | {"attributes": each["Attributes"]}
            for each in found.get("Messages", [])
        ]

    yield arn, got


def aws() -> Aws:
    return Aws(Clients(os.environ), (*ENTERING, *NOTIFY), role_name="none", first_wait=0.001)


def told(arn: str, *events: Event) -> str:
    log = io.StringIO()
    with Teller(log, destinations(Notify(sns=arn), aws)) as teller:
        for event in events:
            teller.tell(event)
    return log.getvalue()


def test_a_topic_in_another_region_gets_every_notice(organization: Organization) -> None:
    with topic(organization, "notices") as (arn, got):
        log = told(arn, BEGAN, FAILED)
        messages = got()
    assert "not-delivered" not in log
    by_event = {json.loads(each["Message"])["event"]: each for each in messages}
    assert by_event.keys() == {"wave-began", "function-failed"}
    assert by_event["wave-began"]["Subject"] == "fleet: wave canary of move has begun"
    assert [json.loads(line) for line in log.splitlines()] == [
        json.loads(by_event[name]["Message"]) for name in ("wave-began", "function-failed")
    ]


def test_a_fifo_topic_keeps_a_plan_in_order_and_each_notice_once(
    organization: Organization,
) -> None:
    with topic(organization, "notices.fifo", FifoTopic="true", FifoQueue="true") as (arn, got):
        log = told(arn, BEGAN, STOPPED)
        messages = got()
    ids = [json.loads(line)["id"] for line in log.splitlines()]
    assert [each["attributes"]["MessageGroupId"] for each in messages] == ["move", "move"]
    assert [each["attributes"]["MessageDeduplicationId"] for each in messages] == ids


def test_a_topic_that_is_not_there_is_told_at_the_end(organization: Organization) -> None:
    del organization
    arn = f"arn:aws:sns:{ELSEWHERE}:{MANAGEMENT}:nobody"
    last = json.loads(told(arn, BEGAN).splitlines()[-1])
    assert (last["event"], last["count"]) == ("notices-not-delivered", 1)
    assert "sns:Publish" in last["reason"]


def test_without_a_topic_aws_is_not_asked() -> None:
    def nobody() -> Aws:
        raise AssertionError

    assert destinations(Notify(), nobody) == ()
