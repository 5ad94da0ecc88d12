"""The one way a call reaches AWS: permitted, paced, signed, retried, counted, understood."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from tenacity import Retrying

from fleet.aws.clients import Clients
from fleet.aws.credentials import AssumedRole, Session, session_from, signing_as
from fleet.aws.failures import (
    CallFailed,
    Interrupted,
    NoCredentials,
    RoleRefused,
    Situation,
    UnreadableAnswer,
    named,
)
from fleet.aws.pace import Pace
from fleet.aws.retry import SURELY_NOT_DONE, retrying, worth_trying_again
from fleet.permissions import Permission, session_policy

SESSION_SECONDS = 3600
"""Role chaining allows no longer sessions than one hour."""
GET_FUNCTION_PER_SECOND = 50.0
"""Half of what AWS allows an account and region, apart from all other control-plane calls.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


@dataclass(slots=True)
class Lane:
    """One account and region as one task works through it; never shared between threads."""

    account: str
    region: str
    pace: Pace
    pace_of_get_function: Pace
    calls: int = 0
    throttles: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs fleet: the answer of GetCallerIdentity."""

    account: str
    partition: str
    arn: str
    """Of the identity: a user, or the session of a role."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Aws:
    """Calls to any account and region of an organization, limited to the permissions given."""

    def __init__(
        self,
        clients: Clients,
        permissions: Iterable[Permission],
        *,
        role_name: str,
        external_id: str | None = None,
        calls_per_second: float = 10.0,
        stop: threading.Event | None = None,
        clock: Callable[[], datetime] = _utc_now,
        first_wait: float = 0.5,
        sharing: int | None = None,
    ) -> None:
        """`stop` ends waits and retries at once; `first_wait` (seconds) starts the backoff.

        Where several processes work in one account and region, `sharing` is the most threads of
        all of them that do so at once: each then takes its part of the calls a second, never two
        at once, so that together they keep to it without knowing of one another.
        """
        self._clients = clients
        permissions = tuple(permissions)
        self._actions = {(each.service, each.operation): each.action for each in permissions}
        self._session_policy = session_policy(permissions)
        self._role_name = role_name
        self._external_id = external_id
        self._is_shared = sharing is not None
        self._calls_per_second = calls_per_second / (sharing or 1)
        self._get_function_per_second = GET_FUNCTION_PER_SECOND / (sharing or 1)
        self._stop = stop or threading.Event()
        self._clock = clock
        self._roles: dict[str, AssumedRole] = {}
        self._roles_lock = threading.Lock()
        self._paces: dict[tuple[str, str, int], tuple[Pace, Pace]] = {}
        self._paces_lock = threading.Lock()
        self._retrying = retrying(clients.max_attempts, self._stop, first_wait=first_wait)
        self._retrying_writes = retrying(
            clients.max_attempts, self._stop, first_wait=first_wait, only=SURELY_NOT_DONE
        )
        self.home_region = clients.home_region
        self.known_regions = clients.regions()
        # Until the caller is known, the caller's own credentials sign everything.
        self._own_account = ""
        self.caller = self._who_calls()
        self._own_account = self.caller.account

    def lane(self, account: str, region: str) -> Lane:
        """A fresh lane; all lanes of one account and region share one budget of calls.

        With `sharing` all that one thread asks for do.
        """
        sleep: Callable[[float], object] = self._stop.wait
        whose, burst = (threading.get_ident(), 0.0) if self._is_shared else (0, None)
        with self._paces_lock:
            paces = self._paces.get((account, region, whose))
            if paces is None:
                paces = (
                    Pace(self._calls_per_second, burst=burst, sleep=sleep),
                    Pace(self._get_function_per_second, burst=burst, sleep=sleep),
                )
                self._paces[account, region, whose] = paces
        return Lane(account, region, *paces)

    def home(self) -> Lane:
        """The caller's own account in the region its profile names."""
        return self.lane(self._own_account, self.home_region)

    def rest(self, seconds: float) -> None:
        """Wait before asking again; raises Interrupted when told to stop, at once."""
        if self._stop.wait(seconds):
            raise Interrupted

    def call(
        self, lane: Lane, service: str, operation: str, *, holds: str, **parameters: Any
    ) -> dict[str, Any]:
        """One call, retried as it deserves; the answer is sure to hold the key `holds`.

        Raises CallFailed, RoleRefused (the account's role cannot be assumed), NoCredentials
        (the caller's own are unusable: nobody's call can succeed any more) or Interrupted.
        """
        return self._asked(self._retrying, lane, service, operation, holds, parameters)

    def write(
        self, lane: Lane, service: str, operation: str, *, holds: str | None, **parameters: Any
    ) -> dict[str, Any]:
        """One call that changes something, tried again only where AWS surely did nothing.

        After any other failure it may have been done or not: look before you ask again. `holds`
        is None where the API answers nothing. Raises as `call` does.
        """
        return self._asked(self._retrying_writes, lane, service, operation, holds, parameters)

    def _asked(
        self,
        attempts: Retrying,
        lane: Lane,
        service: str,
        operation: str,
        holds: str | None,
        parameters: Mapping[str, Any],
    ) -> dict[str, Any]:
        action = self._actions[service, operation]
        try:
            answer: dict[str, Any] = attempts(
                self._once, lane, service, operation, action, holds, parameters
            )
        except CallFailed as failure:
            if self._stop.is_set():
                raise Interrupted from failure
            if lane.account == self._own_account:
                self._check_own_credentials(lane, failure)
            raise
        return answer

    def pages(
        self,
        lane: Lane,
        service: str,
        operation: str,
        *,
        holds: str,
        sends: str = "NextToken",
        gives: str = "NextToken",
        **parameters: Any,
    ) -> Iterator[dict[str, Any]]:
        """Every page of a list, followed until AWS gives no further marker, empty pages or not."""
        asked: set[str] = set()
        while True:
            page = self.call(lane, service, operation, holds=holds, **parameters)
            if not isinstance(page[holds], list):
                raise self._failed(lane, service, operation, f"{holds} is no list")
            yield page
            following = page.get(gives)
            if not following:
                return
            if following in asked:
                # Asking again would go round for ever.
                raise self._failed(
                    lane, service, operation, "the list does not advance: the same marker twice"
                )
            asked.add(following)
            parameters[sends] = following

    def _once(
        self,
        lane: Lane,
        service: str,
        operation: str,
        action: str,
        holds: str | None,
        parameters: Mapping[str, Any],
    ) -> dict[str, Any]:
        credentials = self._credentials_of(lane.account)
        client = self._clients.client(service, lane.region, patient=operation == "Invoke")
        if service == "lambda" and operation == "GetFunction":
            lane.pace_of_get_function.wait()
        elif service == "lambda" and operation != "Invoke":
            lane.pace.wait()
        # Waits end at once when told to stop: without this the call would still go out.
        if self._stop.is_set():
            raise Interrupted
        lane.calls += 1
        try:
            with signing_as(credentials):
                answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
            if holds is not None:
                _check_whole(answer, holds)
        except (
            ClientError,
            BotoCoreError,
            ResponseParserError,
            UnicodeDecodeError,
            UnreadableAnswer,
        ) as error:
            failure = named(error, action, lane.account, lane.region)
            lane.throttles += failure.situation is Situation.THROTTLED
            if failure.situation is Situation.EXPIRED and lane.account in self._roles:
                self._roles[lane.account].forget(credentials)
            # Not "from error": shown with --debug, a parser's would repeat what AssumeRole gave.
            raise failure from None
        return answer

    def _failed(self, lane: Lane, service: str, operation: str, detail: str) -> CallFailed:
        action = self._actions[service, operation]
        return CallFailed(action, lane.account, lane.region, Situation.OTHER, "Paging", detail)

    def _check_own_credentials(self, lane: Lane, failure: CallFailed) -> None:
        if failure.situation is Situation.EXPIRED:
            raise NoCredentials(f"they have expired ({failure.code})") from failure
        # Elsewhere the region may be off; at home these credentials have worked before.
        if failure.situation is Situation.UNRECOGNIZED and lane.region == self.home_region:
            raise NoCredentials(f"AWS does not know them ({failure.code})") from failure

    def _who_calls(self) -> Caller:
        try:
            identity = self.call(self.home(), "sts", "GetCallerIdentity", holds="Arn")
        except CallFailed as failure:
            if worth_trying_again(failure):
                raise
            # No policy can deny this call: it is the credentials that are refused.
            said = f"AWS refuses them ({failure.code}: {failure.detail})"
            raise NoCredentials(said) from failure
        return Caller(identity["Account"], identity["Arn"].split(":")[1], identity["Arn"])

    def _credentials_of(self, account: str) -> ReadOnlyCredentials:
        if account == self._own_account:
            return self._clients.own_credentials()
        with self._roles_lock:
            role = self._roles.get(account)
            if role is None:
                role = AssumedRole(lambda: self._assume(account), self._clock)
                self._roles[account] = role
        return role.credentials()

    def _assume(self, account: str) -> Session:
        arn = f"arn:{self.caller.partition}:iam::{account}:role/{self._role_name}"
        wanted: dict[str, Any] = {
            "RoleArn": arn,
            "RoleSessionName": "fleet",
            "DurationSeconds": SESSION_SECONDS,
            # Whatever the role may do: this session can do no more than the command needs.
            "Policy": self._session_policy,
        }
        if self._external_id is not None:
            wanted["ExternalId"] = self._external_id
        try:
            answer = self.call(self.home(), "sts", "AssumeRole", holds="Credentials", **wanted)
        except CallFailed as failure:
            raise RoleRefused(arn, failure) from failure
        return session_from(answer)


def request_id(answer: Mapping[str, Any]) -> str:
    """AWS's id of the request that was answered so, as in CloudTrail; '' where there is none."""
    return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))


def _check_whole(answer: Mapping[str, Any], holds: str) -> None:
    # botocore turns a truncated body into an empty answer without an error.
    if holds not in answer:
        raise UnreadableAnswer(holds)
