"""Deployment packages as they come in: from the request or from S3, whole, not too big, signed.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
moto takes any bytes of any size, and empty code where S3 has no such object.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from .answers import Refusal
from .buckets import owner_of
from .functions import invalid, user_error
from .permissions import denial
from .request import ApiRequest
from .untyped import MotoCode
from .world import World

LARGEST_REQUEST = 69_905_067
"""Bytes of a request with a package in it: 50 MB in base64."""
LARGEST_UNZIPPED = 262_144_000
"""Bytes of a function and its layers, unzipped."""


def check_request_size(request: ApiRequest) -> None:
    """Raise Refusal, RequestEntityTooLargeException (413), for a package over 50 MB.

    Its code stands in no model; the words are those clients report.
    """
    if request.size > LARGEST_REQUEST:
        raise Refusal(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {LARGEST_REQUEST} bytes for the {request.operation} "
            "operation",
            413,
        )


def read_package(code: Mapping[str, Any], request: ApiRequest, world: World) -> bytes:
    """The package that ZipFile, or S3Bucket and S3Key, name.

    Raises Refusal for none, for an object that is not there, for what is no zip, and for a zip of
    nothing; the latter only while nobody is seeding functions from times when Lambda took it.
    """
    if "ZipFile" in code:
        package: bytes = code["ZipFile"]
    elif "S3Bucket" in code and "S3Key" in code:
        package = _from_s3(code, request, world)
    else:
        raise invalid("Please provide a source for function code.")
    if not package or not (_entries(package) or world.seeding):
        raise invalid("Uploaded file must be a non-empty zip")
    return package


def check_unzipped(package: bytes, layers: Iterable[bytes]) -> None:
    """Raise Refusal, InvalidParameterValueException, for more than 250 MB with the layers."""
    alone = _unzipped(package)
    if alone > LARGEST_UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes")
    whole = alone + sum(_unzipped(layer) for layer in layers)
    if whole > LARGEST_UNZIPPED:
        raise invalid(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{LARGEST_UNZIPPED} bytes. The actual size is {whole} bytes."
        )


def sha256_of(package: bytes) -> str:
    """The package's CodeSha256: base64."""
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def names_in(package: bytes) -> list[str]:
    """The names of the package's entries."""
    return [entry.filename for entry in _entries(package)]


def put_package(holder: MotoCode, package: bytes) -> None:
    """Make these bytes the code of a function or layer version."""
    holder.code_bytes = package
    holder.code_size = len(package)
    holder.code_sha_256 = sha256_of(package)
    holder.code_digest = hashlib.sha256(package).hexdigest()
    # A new mapping: published versions share the old one.
    holder.code = {"S3Key": str(uuid4())}


def _entries(package: bytes) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None


def _unzipped(package: bytes) -> int:
    return sum(entry.file_size for entry in _entries(package)) if package else 0


def _from_s3(code: Mapping[str, Any], request: ApiRequest, world: World) -> bytes:
    """The object's bytes; the bucket has to be in the function's region, and the caller let in.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    bucket, key = code["S3Bucket"], code["S3Key"]
    owner = owner_of(bucket, request.region)
    if owner is None:
        raise _s3_error("NoSuchBucket", "The specified bucket does not exist")
    asked = replace(request, service="s3", operation="GetObject", params={})
    denied = not world.seeding and denial(asked, world.rules)
    # A bucket policy could let other accounts in; nobody here has one.
    if denied or owner != request.account:
        raise user_error(
            "AccessDeniedException",
            "Your access has been denied by S3, please make sure your request credentials have "
            f"permission to GetObject for {bucket}/{key}. S3 Error Code: AccessDenied. S3 Error "
            "Message: Access Denied",
            403,
        )
    backend = s3_backends[owner][get_partition(request.region)]
    region = backend.get_bucket(bucket).region_name
    if region != request.region:
        raise _s3_error(
            "PermanentRedirect",
            f"The bucket is in this region: {region}. Please use this region to retry the request",
        )
    found = backend.get_object(bucket, key, version_id=code.get("S3ObjectVersion"))
    if found is None:
        raise _s3_error("NoSuchKey", "The specified key does not exist.")
    content: bytes = found.value
    return content


def _s3_error(code: str, message: str) -> Refusal:
    return invalid(
        f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
    )
