"""Lambda's limits on a deployment package, in bytes.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

UNZIPPED_LIMIT = 262_144_000
"""250 MB: the content of a package together with its layers."""

DIRECT_UPLOAD_LIMIT = 52_428_800
"""50 MB: a zip that is sent in the call itself; a larger one goes through S3."""
