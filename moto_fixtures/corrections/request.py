"""What a request asks for: which operation of which service, where, with which parameters."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import ClientDisconnected

from .credentials import Identity

Environ = dict[str, Any]

_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9-]+)/aws4_request"
)
# Services that sign under another name than botocore's.
_SIGNING_NAMES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
# Services whose IAM prefix is not botocore's name, and actions that are not the operation's name:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_IAM_PREFIXES = {"resourcegroupstaggingapi": "tag"}
_IAM_ACTIONS = {
    ("lambda", "GetLayerVersionByArn"): "GetLayerVersion",
    ("lambda", "Invoke"): "InvokeFunction",
}


class Call(NamedTuple):
    """One request the emulator received, answered or refused."""

    service: str
    """botocore's name of the service."""
    operation: str
    account: str
    """Whose credentials signed it; '' where nobody's did."""
    region: str

    @property
    def action(self) -> str:
        """The IAM action it needs, as `lambda:ListFunctions`."""
        return iam_action(self.service, self.operation)


class Moment(StrEnum):
    """When a hook on calls is called."""

    BEFORE = "before"
    """The request has come and nothing has been done yet."""
    AFTER = "after"
    """AWS has acted, or refused to, and the answer is not sent yet."""


def iam_action(service: str, operation: str) -> str:
    """The IAM action that an operation needs, as `lambda:InvokeFunction`."""
    action = _IAM_ACTIONS.get((service, operation), operation)
    return f"{_IAM_PREFIXES.get(service, service)}:{action}"


@dataclass(frozen=True, slots=True)
class Scope:
    """The credential scope of a signature, and the session token sent beside it."""

    access_key: str
    region: str
    service: str
    """botocore's name of the service."""
    token: str | None


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to one operation, its parameters parsed by the service's model."""

    service: str
    operation: str
    region: str
    identity: Identity
    params: Mapping[str, Any]
    size: int = 0
    """Bytes of the request's body."""

    @property
    def account(self) -> str:
        """The account whose credentials signed the request."""
        return self.identity.account

    @property
    def action(self) -> str:
        """The IAM action it needs."""
        return iam_action(self.service, self.operation)


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as far as it can be read before anyone knows who sent it."""

    http: Request
    scope: Scope | None
    model: ServiceModel
    operation: OperationModel | None
    protocol: str
    labels: Mapping[str, Any]
    """What the URL's path names, as FunctionName."""

    def params(self) -> dict[str, Any]:
        """The operation's parameters; raises ValueError where the body is not the protocol's."""
        parser = PROTOCOL_PARSERS[self.protocol](self.operation)
        try:
            # A body of null parses to None.
            parsed: dict[str, Any] | None = parser.parse(
                {
                    "method": self.http.method,
                    "values": self.http.values,
                    "headers": self.http.headers,
                    "body": self.http.get_data(),
                    "url_path": self.http.path,
                    "url_params": dict(self.labels),
                }
            )
        except Exception as error:
            msg = f"could not read the request: {type(error).__name__}"
            raise ValueError(msg) from error
        return parsed or {}


def read(environ: Environ) -> Wire | None:
    """What the request asks for; None where no service of AWS could be meant by it."""
    body = _keep_body(environ)
    scope = _scope(environ)
    # A stream of its own: what is read here moto shall find unread.
    http = Request({**environ, "wsgi.input": io.BytesIO(body)})
    service = scope.service if scope else "sts"
    try:
        model = get_service_model(service)
        protocol = determine_request_protocol(model, http.content_type)
    except (UnknownServiceError, NotImplementedError):
        return None
    try:
        operation, labels = get_service_router(service).match(http)
    except (NotFound, NotImplementedError):
        operation, labels = None, {}
    return Wire(http, scope, model, operation, protocol, labels)


def _scope(environ: Environ) -> Scope | None:
    match = _SCOPE.match(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        return None
    service = _SIGNING_NAMES.get(match["service"], match["service"])
    token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN")
    return Scope(match["key"], match["region"], service, token)


def _keep_body(environ: Environ) -> bytes:
    """Read the body and leave it in the environ again; raises ConnectionError if it ends early."""
    try:
        body: bytes = Request(dict(environ)).get_data(parse_form_data=False)
    except ClientDisconnected as gone:
        # To the server this is an error to talk about, a broken connection is not.
        raise ConnectionAbortedError from gone
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body
