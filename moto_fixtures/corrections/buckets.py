"""S3: buckets are their owner's, and may be asked to be a certain account's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
moto never looks at ExpectedBucketOwner and lets every account into every bucket.
"""

from __future__ import annotations

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from .answers import Refusal
from .request import ApiRequest


def owner_of(bucket: str, region: str) -> str | None:
    """The account that owns the bucket in the region's partition; None where there is none."""
    partition, owner = s3_backends.bucket_accounts.get(bucket, (None, None))
    return owner if partition == get_partition(region) else None


def check_owner(request: ApiRequest) -> None:
    """Raise Refusal, AccessDenied (403), for a bucket of another account than expected.

    The same for another account's whatever is expected: nobody here has a bucket policy that
    could let others in.
    """
    if request.service != "s3" or request.operation == "CreateBucket":
        return
    owner = owner_of(request.params.get("Bucket", ""), request.region)
    expected = request.params.get("ExpectedBucketOwner") or owner
    if owner is not None and not owner == expected == request.account:
        raise Refusal("AccessDenied", "Access Denied", 403)
