"""Results and errors in the words and the protocol of the service that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from html import escape
from types import MappingProxyType
from uuid import uuid4

import orjson
from moto.core.model import OperationModel, ServiceModel, StructureShape
from moto.core.serialize import get_serializer_class
from werkzeug import Response

NO_FIELDS: Mapping[str, object] = MappingProxyType({})


_NO_CONTENT = 204


class Refusal(Exception):
    """An error as AWS would answer it: code, message, HTTP status and the error's own fields."""

    def __init__(
        self, code: str, message: str, status: int = 400, fields: Mapping[str, object] = NO_FIELDS
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


class Situation(StrEnum):
    """Refusals every service knows, each under a code and status of its own protocol."""

    EXPIRED = "expired"
    UNRECOGNIZED = "unrecognized"
    DENIED = "denied"
    UNSIGNED = "unsigned"
    UNKNOWN_OPERATION = "unknown operation"


_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_UNSIGNED = "Missing Authentication Token"
_NOT_VALIDATED = "AWS was not able to validate the provided access credentials"
_UNKNOWN_KEY = "The AWS Access Key Id you provided does not exist in our records."

# Situation → code, status and message; the message '' is left to whoever refuses.
_COMMON: Mapping[str, Mapping[Situation, tuple[str, int, str]]] = {
    # https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
    "json": {
        Situation.EXPIRED: ("ExpiredTokenException", 403, _EXPIRED),
        Situation.UNRECOGNIZED: ("UnrecognizedClientException", 403, _INVALID),
        Situation.DENIED: ("AccessDeniedException", 403, ""),
        Situation.UNSIGNED: ("MissingAuthenticationTokenException", 403, _UNSIGNED),
        Situation.UNKNOWN_OPERATION: ("UnknownOperationException", 404, ""),
    },
    # https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
    "query": {
        Situation.EXPIRED: ("ExpiredToken", 403, _EXPIRED),
        Situation.UNRECOGNIZED: ("InvalidClientTokenId", 403, _INVALID),
        Situation.DENIED: ("AccessDenied", 403, ""),
        Situation.UNSIGNED: ("MissingAuthenticationToken", 403, _UNSIGNED),
        Situation.UNKNOWN_OPERATION: ("InvalidAction", 400, ""),
    },
    # https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-error-codes.html
    "ec2": {
        Situation.EXPIRED: ("RequestExpired", 400, "Request has expired."),
        Situation.UNRECOGNIZED: ("AuthFailure", 401, _NOT_VALIDATED),
        Situation.DENIED: ("UnauthorizedOperation", 403, ""),
        Situation.UNSIGNED: ("AuthFailure", 401, _NOT_VALIDATED),
        Situation.UNKNOWN_OPERATION: ("InvalidAction", 400, ""),
    },
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "rest-xml": {
        Situation.EXPIRED: ("ExpiredToken", 400, "The provided token has expired."),
        Situation.UNRECOGNIZED: ("InvalidAccessKeyId", 403, _UNKNOWN_KEY),
        Situation.DENIED: ("AccessDenied", 403, ""),
        Situation.UNSIGNED: ("AccessDenied", 403, "Access Denied"),
        Situation.UNKNOWN_OPERATION: ("MethodNotAllowed", 405, ""),
    },
}


def refusal(
    situation: Situation, service: ServiceModel, protocol: str, message: str = ""
) -> Refusal:
    """The refusal for this situation, under the code that this service and protocol use.

    The message is asked for where it depends on the request. Services that came from the query
    protocol keep its codes
    (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait).
    """
    compatible = "awsQueryCompatible" in service.metadata
    family = "query" if compatible else protocol if protocol in _COMMON else "json"
    code, status, usual = _COMMON[family][situation]
    # The json (not rest-json) protocol answers every client error with 400, as Organizations does.
    status = 400 if protocol == "json" and not compatible else status
    return Refusal(code, usual or message, status)


def render_result(
    result: Mapping[str, object], operation: OperationModel, protocol: str
) -> Response:
    """The operation's result as the service would send it.

    Results of rest-json services are sent as they are, null where there is nothing, as Lambda
    sends NextMarker on the last page (believed); moto's serializer took ten times as long.
    """
    if protocol == "rest-json":
        headers = {"x-amzn-RequestId": str(uuid4())}
        status = operation.http.get("responseCode", 200)
        output = operation.output_shape
        if output is not None and "payload" in output.serialization:
            return _with_payload(result, output, headers)
        if status == _NO_CONTENT:
            return Response(b"", status, headers)
        return Response(orjson.dumps(result), status, headers, content_type="application/json")
    serializer = get_serializer_class(operation.service_model.service_name, protocol)
    sent = serializer(operation_model=operation).serialize(dict(result))
    headers = {**sent["headers"], "x-amzn-RequestId": str(uuid4())}
    return Response(sent["body"], sent["status_code"], headers)


def _with_payload(
    result: Mapping[str, object], output: StructureShape, headers: dict[str, str]
) -> Response:
    """A result of which one member is the body, and the others are headers and the status."""
    status, body = 200, b""
    for name, value in result.items():
        place = output.members[name].serialization
        if isinstance(value, bytes):
            body = value
        elif place["location"] == "statusCode":
            status = int(str(value))
        else:
            headers[place["name"]] = str(value)
    return Response(body, status, headers, content_type="application/json")


def render_refusal(error: Refusal, service: ServiceModel, protocol: str) -> Response:
    """The error as the service would send it.

    moto's own serializer warns of every code that a service's model leaves out, and AWS's common
    errors stand in no model.
    """
    request_id = str(uuid4())
    code, message = escape(error.code), escape(error.message)
    detail = f"<Code>{code}</Code><Message>{message}</Message>"
    if protocol == "query":
        inner = f"<Error><Type>Sender</Type>{detail}</Error><RequestId>{request_id}</RequestId>"
        body = f"<ErrorResponse>{inner}</ErrorResponse>"
    elif protocol == "ec2":
        inner = f"<Errors><Error>{detail}</Error></Errors><RequestID>{request_id}</RequestID>"
        body = f"<Response>{inner}</Response>"
    elif protocol == "rest-xml":
        body = f"<Error>{detail}<RequestId>{request_id}</RequestId></Error>"
    else:
        fields = {"__type": error.code, **error.fields}
        # Services part over the spelling; clients read either.
        body = orjson.dumps({**fields, "message": error.message, "Message": error.message}).decode()
    headers = {"x-amzn-RequestId": request_id}
    if not body.startswith("{"):
        return Response(body, error.status, headers, content_type="text/xml")
    headers["x-amzn-ErrorType"] = error.code
    if "awsQueryCompatible" in service.metadata:
        headers["x-amzn-query-error"] = f"{error.code};Sender"
    return Response(body, error.status, headers, content_type="application/json")
