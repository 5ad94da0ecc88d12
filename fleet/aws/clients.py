"""boto3 clients: one a service and region, shared by every account and thread.

A client costs 7–9 ms and its own connections; a session an account, as the manual way goes,
costs ten times that and 4 MB. What changes from account to account is only the signature.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
import msgspec
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ConfigParseError, ProfileNotFound

from fleet import __version__
from fleet.aws.credentials import CredentialsAtHand
from fleet.aws.failures import NoCredentials, UnreadableAnswer
from fleet.aws.listed import decode_page
from fleet.aws.retry import DEFAULT_ATTEMPTS
from fleet.errors import BadSelection, SettingsProblem

FALLBACK_REGION = "us-east-1"
CONNECT_SECONDS = 10
READ_SECONDS = 30
LONGEST_INVOCATION_SECONDS = 900
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""

# Services with one endpoint a partition, and the region that it is signed for:
# https://docs.aws.amazon.com/general/latest/gr/ao.html and .../account-management.html
_HOME_OF = {
    "aws": {"organizations": "us-east-1", "account": "us-east-1"},
    "aws-cn": {"organizations": "cn-northwest-1", "account": "cn-northwest-1"},
    "aws-us-gov": {"organizations": "us-gov-west-1", "account": "us-gov-west-1"},
}


class _AtHand:
    """A provider chain of one: see CredentialsAtHand."""

    def load_credentials(self) -> CredentialsAtHand:
        return CredentialsAtHand()


class Clients:
    """The caller's own credentials, and clients that sign as whoever is at hand."""

    def __init__(
        self, environ: Mapping[str, str], *, profile: str | None = None, parallelism: int = 32
    ) -> None:
        """`parallelism` is the number of threads that may call at once.

        Raises BadSelection for an unknown profile, NoCredentials, SettingsProblem.
        """
        self._environ = environ
        own = botocore.session.Session(profile=profile)
        try:
            self._own = own.get_credentials()
            region = own.get_config_variable("region")
        except ProfileNotFound as error:
            raise BadSelection(
                "--profile", profile or environ.get("AWS_PROFILE", ""), "no such AWS profile"
            ) from error
        except ConfigParseError as error:
            raise SettingsProblem("AWS configuration", "~/.aws/config", str(error)) from error
        except Exception as error:  # see own_credentials
            raise _unusable(error) from error
        if self._own is None:
            raise NoCredentials("none were found")
        self.home_region: str = environ.get("AWS_REGION") or region or FALLBACK_REGION
        self.max_attempts = _attempts(own)
        self.certificates: str | bool = own.get_config_variable("ca_bundle") or True
        """Who may sign for a server: a file (AWS_CA_BUNDLE), or True for botocore's own."""
        self.partition = _partition(own, self.home_region)
        shared = botocore.session.Session(profile=profile)
        shared.register_component("credential_provider", _AtHand())
        shared.set_config_variable("sts_regional_endpoints", "regional")
        self._session = boto3.Session(botocore_session=shared, region_name=self.home_region)
        self._config = Config(
            user_agent=f"fleet/{__version__}",
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=parallelism,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            parameter_validation=False,
        )
        # An invocation answers when the function does.
        self._patient = self._config.merge(
            Config(read_timeout=LONGEST_INVOCATION_SECONDS + READ_SECONDS)
        )
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._lock = threading.Lock()

    def own_credentials(self) -> ReadOnlyCredentials:
        """The caller's own, refreshed by botocore where it can; raises NoCredentials."""
        try:
            return self._own.get_frozen_credentials()
        except Exception as error:
            # A profile may run a program, ask AWS or a person: any of it fails in its own way.
            raise _unusable(error) from error

    def regions(self) -> tuple[str, ...]:
        """The regions botocore knows of in this partition to have Lambda."""
        return tuple(self._session.get_available_regions("lambda", self.partition))

    def client(self, service: str, region: str, *, patient: bool = False) -> Any:
        """The client for a service in a region; made once, under a lock botocore asks for.

        A patient one waits for an answer as long as a function may run.
        """
        region = _HOME_OF.get(self.partition, {}).get(service, region)
        client = self._clients.get((service, region, patient))
        if client is None:
            with self._lock:
                client = self._clients.get((service, region, patient))
                if client is None:
                    client = self._made(service, region, patient=patient)
                    client.meta.events.register("before-parse.lambda.ListFunctions", _parse_page)
                    self._clients[service, region, patient] = client
        return client

    def _made(self, service: str, region: str, *, patient: bool) -> Any:
        config = self._patient if patient else self._config
        try:
            client = self._session.client(service, region_name=region, config=config)
            # botocore reads the port only as a call goes out: too late to name where it comes from.
            _ = urlsplit(client.meta.endpoint_url).port
        except BotoCoreError as error:
            place = f"{service} in {region}"
            raise SettingsProblem("AWS configuration", place, str(error)) from error
        except ValueError as error:
            # Of what goes into a client, only an endpoint is refused in this way.
            raise SettingsProblem(*_endpoint_place(self._environ, service), str(error)) from error
        return client


def _endpoint_place(environ: Mapping[str, str], service: str) -> tuple[str, str]:
    """Where the endpoint of a service comes from, the first that is set, as botocore looks.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    for variable in (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL"):
        if environ.get(variable):
            return "environment", variable
    return "AWS configuration", "endpoint_url"


def _unusable(error: Exception) -> NoCredentials:
    return NoCredentials(str(error) or f"{type(error).__name__} while they were read")


def _partition(session: botocore.session.Session, region: str) -> str:
    try:
        return str(session.get_partition_for_region(region))
    except BotoCoreError as error:
        said = f"{region!r} is no region of AWS"
        raise SettingsProblem("AWS configuration", "AWS_REGION", said) from error


def _parse_page(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Parse a successful list page at a fraction of botocore's cost, and only what is read of it.

    Anything but success keeps botocore's parser, which knows AWS's error shapes.
    """
    if response_dict["status_code"] != HTTPStatus.OK:
        return
    try:
        page = decode_page(response_dict["body"])
    except msgspec.DecodeError as error:
        raise UnreadableAnswer("Functions") from error
    customized_response_dict["Functions"] = page.Functions
    customized_response_dict["NextMarker"] = page.NextMarker
    response_dict["body"] = b""


def _attempts(session: botocore.session.Session) -> int:
    try:
        configured = session.get_config_variable("max_attempts")
    except ValueError as error:
        raise SettingsProblem("environment", "AWS_MAX_ATTEMPTS", "not a whole number") from error
    if configured is None:
        return DEFAULT_ATTEMPTS
    if configured < 1:
        raise SettingsProblem("environment", "AWS_MAX_ATTEMPTS", "must be 1 or more")
    return int(configured)
