"""The destinations of notices that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from fleet.aws.session import Aws
from fleet.notify import Notify
from fleet.waves.teller import Destination
from fleet.waves.topic import Topic
from fleet.waves.webhook import Webhook


def destinations(notify: Notify, aws: Callable[[], Aws]) -> tuple[Destination, ...]:
    """Make them. `aws` is asked for only where there is a topic, and needs ENTERING and NOTIFY.

    Give it an Aws of its own stop event: else Ctrl-C would end the very notice that tells of it.
    """
    made: list[Destination] = []
    if notify.sns is not None:
        made.append(Topic(aws(), notify.sns))
    if notify.webhook is not None:
        made.append(Webhook(notify.webhook.get_secret_value()))
    return tuple(made)
