"""GetFunction's Code.Location: a URL that really gives the package, for ten minutes.

https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode

from moto.core.exceptions import JsonRESTError
from werkzeug import Request, Response

from .answers import Refusal
from .function_changes import configuration, state_of
from .functions import LATEST, aliases_of, backend_of, latest_of, qualifier_of, split_name
from .request import ApiRequest
from .tags import tags_in_answer
from .untyped import MotoCode, MotoFunction
from .world import World

VALID = timedelta(minutes=10)
PREFIX = "/awslambda-"
"""How the path of a package begins; AWS keeps them in buckets awslambda-REGION-tasks."""
_STAMP = "%Y%m%dT%H%M%SZ"


def get_function(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetFunction with a Code.Location that can be downloaded.

    Image functions have RepositoryType ECR and an ImageUri instead, and no Location. Whoever may
    not list tags gets a TagsError in their place. Raises Refusal, ResourceNotFoundException, for
    what does not exist.
    """
    function = _asked(request)
    answer: dict[str, Any] = function.get_code()
    answer.pop("Tags", None)
    answer |= tags_in_answer(latest_of(request), request, world)
    answer["Configuration"] = _configuration(function, request, world)
    if function.reserved_concurrency is not None:
        reserved = int(function.reserved_concurrency)
        answer["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
    if function.package_type != "Image":
        place = f"tasks/snapshots/{request.account}/{function.function_name}"
        state = state_of(function, world)
        code = {
            "RepositoryType": "S3",
            "Location": located(request, place, function, world),
            "SourceKMSKeyArn": state.source_key,
            "ResolvedS3Object": state.referenced,
        }
        answer["Code"] = {field: value for field, value in code.items() if value is not None}
    return answer


def get_function_configuration(request: ApiRequest, world: World) -> Mapping[str, object]:
    """GetFunctionConfiguration, of $LATEST, a version or an alias; 404 for what does not exist.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
    """
    return _configuration(_asked(request), request, world)


def _asked(request: ApiRequest) -> MotoFunction:
    name, _ = split_name(request.params.get("FunctionName", ""))
    try:
        return backend_of(request).get_function(name, qualifier_of(request))
    except JsonRESTError as error:
        raise Refusal(error.error_type, error.message, error.code, {"Type": "User"}) from None


def _configuration(function: MotoFunction, request: ApiRequest, world: World) -> dict[str, Any]:
    """With the ARN as it was asked for, by an alias too (believed); Version says which it is."""
    row, qualifier = configuration(function, world), qualifier_of(request)
    if qualifier == LATEST or qualifier in aliases_of(latest_of(request)):
        row["FunctionArn"] = f"{latest_of(request).function_arn}:{qualifier}"
    return row


def located(request: ApiRequest, place: str, holder: MotoCode, world: World) -> str:
    """A presigned URL of a function's or layer version's package, kept under `place`."""
    # The bytes are kept under their digest: as from S3, an update made after the call does not
    # change what the URL gives.
    digest = hashlib.sha256(holder.code_sha_256.encode()).hexdigest()
    path = f"{PREFIX}{request.region}-{place}-{digest[:32]}"
    world.packages[path] = holder.code_bytes
    query = urlencode(
        {
            "versionId": hashlib.sha256(path.encode()).hexdigest()[:32],
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": world.now().strftime(_STAMP),
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": str(int(VALID.total_seconds())),
        }
    )
    return f"{world.url}{path}?{query}&X-Amz-Signature={_sign(path, query, world)}"


def _sign(path: str, query: str, world: World) -> str:
    return hmac.new(world.signing_key, f"{path}?{query}".encode(), hashlib.sha256).hexdigest()


def download(http: Request, world: World) -> Response:
    """The package behind a Code.Location, or a part of it by Range, as S3 answers.

    403 with S3's XML where the signature is wrong, belongs to another path or method, or is older
    than ten minutes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    query, _, signature = http.query_string.decode("latin-1").rpartition("&X-Amz-Signature=")
    if http.method != "GET" or not hmac.compare_digest(
        _sign(http.path, query, world).encode(), signature.encode("latin-1")
    ):
        return _error(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check "
            "your key and signing method.",
        )
    issued = datetime.strptime(parse_qs(query)["X-Amz-Date"][0], _STAMP).replace(tzinfo=UTC)
    if world.now() >= issued + VALID:
        return _error(
            "AccessDenied",
            "Request has expired",
            {
                "X-Amz-Expires": str(int(VALID.total_seconds())),
                "Expires": f"{issued + VALID:%Y-%m-%dT%H:%M:%SZ}",
                "ServerTime": f"{world.now():%Y-%m-%dT%H:%M:%SZ}",
            },
        )
    content = world.packages[http.path]
    response = Response(content, content_type="application/zip")
    response.headers["x-amz-server-side-encryption"] = "AES256"
    response.make_conditional(http, accept_ranges=True, complete_length=len(content))
    world.downloaded += response.content_length or 0
    return response


def _error(code: str, message: str, fields: Mapping[str, str] | None = None) -> Response:
    parts = {"Code": code, "Message": message, **(fields or {})}
    body = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items())
    return Response(f"<Error>{body}</Error>", 403, content_type="application/xml")
