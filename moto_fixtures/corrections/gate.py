"""The one way in: what AWS checks before a service looks at a request, then service or moto."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto.backend_index import backend_url_patterns
from moto.backends import list_of_moto_modules
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response

from .answers import Refusal, Situation, refusal, render_refusal, render_result
from .buckets import check_owner
from .credentials import Identity
from .function_code import PREFIX, download
from .line import LineCut, tell
from .organizations import backend_account
from .permissions import GLOBAL_SERVICES, denial
from .regions import is_on
from .request import ApiRequest, Call, Environ, Moment, Scope, Wire, read
from .table import OPERATIONS
from .world import World

log = logging.getLogger(__name__)

_SERVER_ERROR = 500


class Gate:
    """A WSGI application: the emulated organization."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if self._world.delay:
            self._world.sleep(self._world.delay)
        return self._answer(environ)(environ, start_response)

    def _answer(self, environ: Environ) -> Response:
        if environ["PATH_INFO"].startswith(PREFIX) and "HTTP_AUTHORIZATION" not in environ:
            return download(Request(environ), self._world)
        wire = read(environ)
        if wire is None:
            return Response("No service of AWS that moto knows was asked.", 404)
        try:
            return self._recorded(environ, wire)
        except LineCut:
            raise
        except Exception as failure:
            # A 500 would look worth trying again, and this never is.
            log.exception("failed at %s", wire.operation)
            error = Refusal("EmulatorFailure", f"the emulator failed: {type(failure).__name__}")
        return render_refusal(error, wire.model, wire.protocol)

    def _recorded(self, environ: Environ, wire: Wire) -> Response:
        """Serve or refuse, and tell whoever listens before and after."""
        world, scope = self._world, wire.scope
        if scope is None:
            return render_refusal(_common(wire, Situation.UNSIGNED), wire.model, wire.protocol)
        identity = world.sessions.identify(scope.access_key, scope.token, scope.region)
        name = str(wire.operation.name) if wire.operation else ""
        call = Call(scope.service, name, identity.account if identity else "", scope.region)
        hook = None if world.seeding else world.on_call
        if not world.seeding:
            world.calls.append(call)
        tell(hook, call, Moment.BEFORE, environ)
        try:
            response = self._serve(environ, wire, scope, identity)
        except Refusal as refused:
            response = render_refusal(refused, wire.model, wire.protocol)
        tell(hook, call, Moment.AFTER, environ)
        return response

    def _serve(
        self, environ: Environ, wire: Wire, scope: Scope, identity: Identity | None
    ) -> Response:
        if identity is None:
            raise _common(wire, Situation.UNRECOGNIZED)
        if self._world.sessions.has_expired(identity):
            raise _common(wire, Situation.EXPIRED)
        if wire.operation is None:
            raise _common(wire, Situation.UNKNOWN_OPERATION, "There is no such operation.")
        try:
            params = wire.params()
        except ValueError as error:
            raise Refusal("SerializationException", str(error)) from None
        request = ApiRequest(
            scope.service,
            wire.operation.name,
            scope.region,
            identity,
            params,
            int(environ["CONTENT_LENGTH"]),
        )
        if not self._world.seeding:
            self._admit(wire, request)
        account = request.account
        if request.service == "organizations":
            account = backend_account(request, self._world)
        operation = OPERATIONS.get((request.service, request.operation))
        if operation is None:
            return self._ask_moto(environ, wire, account)
        return render_result(operation(request, self._world), wire.operation, wire.protocol)

    def _admit(self, wire: Wire, request: ApiRequest) -> None:
        """Raise the Refusal with which AWS stops the request before its service sees it."""
        world = self._world
        # An endpoint of a region that is off has never heard of the account's credentials.
        if request.service not in GLOBAL_SERVICES - {"sts"} and not is_on(
            request.account, request.region, world.rules
        ):
            raise _common(wire, Situation.UNRECOGNIZED)
        world.throttles.check(request)
        message = denial(request, world.rules)
        if message:
            raise _common(wire, Situation.DENIED, message)
        check_owner(request)

    def _ask_moto(self, environ: Environ, wire: Wire, account: str) -> Response:
        unknown = _common(
            wire,
            Situation.UNKNOWN_OPERATION,
            "AWS has this operation, but neither moto nor the corrections have it.",
        )
        # moto prints to stdout when asked for a service it doesn't have.
        if not _has_backend(self._moto.infer_service_region_host(environ, environ["PATH_INFO"])):
            raise unknown
        # moto takes the account from this header before it looks at the access key.
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        try:
            response = Response.from_app(self._moto, environ, buffered=True)
        except NotImplementedError:
            raise unknown from None
        if response.status_code in {404, 405} and response.mimetype == "text/html":
            raise unknown
        if response.status_code >= _SERVER_ERROR:
            log.error("moto answered %s with %s", wire.operation, response.status)
            raise Refusal("EmulatorFailure", f"moto answered {response.status}")
        return response


@cache
def _has_backend(host: str | None) -> bool:
    named = host in set(list_of_moto_modules())
    return named or any(pattern.match(f"http://{host}") for _, pattern in backend_url_patterns)


def _common(wire: Wire, situation: Situation, message: str = "") -> Refusal:
    return refusal(situation, wire.model, wire.protocol, message)
