"""What is read of a page of ListFunctions, and nothing else.

The page is decoded straight into these shapes: a function's Environment is in the bytes AWS sends
and never becomes an object here, and an entry of another shape is refused before it is used.
https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Some = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Megabytes = Annotated[int, msgspec.Meta(gt=0, lt=2**31)]


class Layer(msgspec.Struct, gc=False):
    """A layer version in use."""

    Arn: str


class Logging(msgspec.Struct, gc=False):
    """Where a function version logs to."""

    LogGroup: str | None = None


class ListedFunction(msgspec.Struct, gc=False):
    """One function version of the list, under the API's own names."""

    FunctionName: str
    Version: str
    CodeSize: Bytes
    CodeSha256: str
    Runtime: str | None = None
    PackageType: str = "Zip"
    Handler: str | None = None
    Architectures: Some = ("x86_64",)
    LastModified: str | None = None
    Layers: tuple[Layer, ...] = ()
    SigningProfileVersionArn: str | None = None
    MemorySize: Megabytes | None = None
    LoggingConfig: Logging | None = None


class Page(msgspec.Struct):
    """One answer of ListFunctions."""

    Functions: list[ListedFunction]
    NextMarker: str | None = None


decode_page = msgspec.json.Decoder(Page).decode
"""The page in an answer's body; raises msgspec.DecodeError for anything else."""


def read_listed(configuration: object) -> ListedFunction:
    """Take the same from a configuration that botocore has parsed; raises ValueError."""
    return msgspec.convert(configuration, ListedFunction)
