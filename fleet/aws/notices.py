"""Notices to an SNS topic, by the caller's own credentials."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from fleet.aws.session import Aws


def publish(
    aws: Aws, topic: str, *, subject: str, messages: Mapping[str, str], group: str, once: str
) -> None:
    """Send one notice to a topic, which may be in another account; raises as Aws.call does.

    `topic` is its ARN, as fleet.notify has checked it; `messages` has the key `default` and may
    have one a protocol, as `email`; `subject` is one line of at most 100 ASCII characters. For a
    FIFO topic, what has the same `group` is kept in order, and what has the same `once` is
    delivered once. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    region = topic.split(":")[3]
    fifo = topic.endswith(".fifo")
    ordered = {"MessageGroupId": group, "MessageDeduplicationId": once} if fifo else {}
    aws.call(
        aws.lane(aws.caller.account, region),
        "sns",
        "Publish",
        holds="MessageId",
        TopicArn=topic,
        Subject=subject,
        Message=orjson.dumps(messages).decode(),
        MessageStructure="json",
        **ordered,
    )
