"""An SNS topic as a destination of notices."""

from __future__ import annotations

import orjson

from fleet.aws.notices import publish
from fleet.aws.session import Aws
from fleet.waves.telling import Notice


class Topic:
    """Standard or FIFO; mail and text messages get the sentence, everybody else the JSON."""

    def __init__(self, aws: Aws, arn: str) -> None:
        """`aws` needs the permissions ENTERING and NOTIFY."""
        self._aws = aws
        self._arn = arn
        self.name = arn

    def send(self, notice: Notice, *, patient: bool) -> None:  # noqa: ARG002 - Aws has its own patience
        """Publish it; raises CallFailed, NoCredentials or Interrupted."""
        publish(
            self._aws,
            self._arn,
            subject=notice.subject,
            messages={
                "default": orjson.dumps(notice.document, option=orjson.OPT_UTC_Z).decode(),
                "email": notice.text,
                "sms": notice.text,
            },
            group=notice.group,
            once=notice.id,
        )
