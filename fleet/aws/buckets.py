"""Packages that are too large to be sent to Lambda directly go through a bucket."""

from __future__ import annotations

from pathlib import Path

from fleet.aws.session import Aws, Lane
from fleet.aws.updates import Stored


def put_package(aws: Aws, lane: Lane, bucket: str, key: str, package: Path) -> Stored:
    """Put a package into a bucket of the lane's own account; raises CallFailed and OSError.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    aws.write(
        lane,
        "s3",
        "PutObject",
        holds="ETag",
        Bucket=bucket,
        Key=key,
        # Not the file: tried again, it would be sent from where the first attempt left it.
        Body=package.read_bytes(),
        # A bucket of this name may be somebody else's by now.
        ExpectedBucketOwner=lane.account,
    )
    return Stored(bucket, key)


def remove_package(aws: Aws, lane: Lane, stored: Stored) -> None:
    """Take it away again; raises CallFailed."""
    aws.write(
        lane,
        "s3",
        "DeleteObject",
        holds=None,
        Bucket=stored.bucket,
        Key=stored.key,
        ExpectedBucketOwner=lane.account,
    )
