"""Objects in S3 that a user has named."""

from __future__ import annotations

from typing import IO

from botocore.exceptions import BotoCoreError

from fleet.aws.failures import CallFailed, Situation, named
from fleet.aws.session import Aws, Lane

_ACTION = "s3:GetObject"
_AT_ONCE = 256 << 10
"""Bytes that are in memory of it."""


def get_object(aws: Aws, lane: Lane, bucket: str, key: str, file: IO[bytes], *, most: int) -> None:
    """Write an object into an open file; one of more than `most` bytes is refused on the way.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html; raises CallFailed, and
    OSError where the file cannot be written.
    """
    answer = aws.call(lane, "s3", "GetObject", holds="Body", Bucket=bucket, Key=key)
    size = 0
    try:
        for chunk in answer["Body"].iter_chunks(_AT_ONCE):
            size += len(chunk)
            if size > most:
                detail = f"the object is larger than {most:,} bytes"
                raise CallFailed(
                    _ACTION, lane.account, lane.region, Situation.OTHER, "TooLarge", detail
                )
            file.write(chunk)
    except BotoCoreError as error:
        raise named(error, _ACTION, lane.account, lane.region) from None
    finally:
        answer["Body"].close()
