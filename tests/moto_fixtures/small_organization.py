"""A small organization behind a real emulator, and clients that act in it."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.organizations.models import FakeAccount, organizations_backends

from moto_fixtures.server import Emulator, Rules

Client: TypeAlias = Any
"""A client of boto3's, which come without types."""

MANAGEMENT = "000000000001"
MEMBER = "111111111111"
DELEGATE = "222222222222"
SUSPENDED = "333333333333"
OUTSIDER = "444444444444"
HOME = "us-east-1"
ROLE = "OrganizationAccountAccessRole"

RULES = Rules(
    management_account=MANAGEMENT,
    roles=frozenset((account, ROLE) for account in (MEMBER, DELEGATE, SUSPENDED)),
    delegated_administrators=frozenset({DELEGATE}),
)
ONCE = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


@dataclass
class Clock:
    """A clock that a test moves by hand."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def zip_of(**entries: bytes) -> bytes:
    """A deployment package with these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in entries.items():
            package.writestr(name, content)
    return buffer.getvalue()


@cache
def _session() -> boto3.Session:
    # One for all tests: it keeps the services' models, which take longer to read than a test.
    return boto3.Session()


@dataclass
class Organization:
    """The emulator and what a test does with it."""

    emulator: Emulator
    clock: Clock

    def client(
        self,
        service: str,
        account: str = MANAGEMENT,
        region: str = HOME,
        session: dict[str, Any] | None = None,
    ) -> Client:
        """A client that asks once, with an account's own keys or those AssumeRole gave."""
        own = self.emulator.credentials_of(account)
        return _session().client(
            service,
            region_name=region,
            endpoint_url=self.emulator.url,
            aws_access_key_id=session["AccessKeyId"] if session else own["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=(
                session["SecretAccessKey"] if session else own["AWS_SECRET_ACCESS_KEY"]
            ),
            aws_session_token=session["SessionToken"] if session else None,
            config=ONCE,
        )

    def assume(self, account: str = MEMBER, role: str = ROLE, **params: object) -> dict[str, Any]:
        """The credentials of an assumed role."""
        answer = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="fleet", **params
        )
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def add_function(
        self, name: str, account: str = MEMBER, region: str = HOME, **params: object
    ) -> Client:
        """Create a function; gives back the account's Lambda client."""
        with self.emulator.seeding():
            iam, client = self.client("iam", account), self.client("lambda", account, region)
            with suppress(iam.exceptions.EntityAlreadyExistsException):
                iam.create_role(RoleName="run", AssumeRolePolicyDocument=json.dumps({}))
            client.create_function(
                **{
                    "FunctionName": name,
                    "Role": f"arn:aws:iam::{account}:role/run",
                    "Runtime": "go1.x",
                    "Handler": "main",
                    "Code": {"ZipFile": zip_of(main=name.encode())},
                    **params,
                }
            )
        return client


def refused(error: ClientError) -> tuple[str, int, str]:
    """Code, HTTP status and message of an error."""
    response = error.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Message"],
    )


@contextmanager
def running(
    rules: Rules = RULES, sleep: Callable[[float], object] = time.sleep
) -> Iterator[Organization]:
    """An emulator with three member accounts, one of them suspended."""
    clock = Clock()
    with Emulator(rules, clock=clock, sleep=sleep) as emulator:
        backend = organizations_backends[MANAGEMENT]["aws"]
        backend.create_organization(region=HOME, FeatureSet="ALL")
        for account in (MEMBER, DELEGATE, SUSPENDED):
            member = FakeAccount(backend.org, AccountName=account, Email=f"{account}@example.com")
            member.id = account
            backend.accounts.append(member)
            organizations_backends.master_accounts[account] = (MANAGEMENT, "aws")
        backend.get_account_by_id(SUSPENDED).close()
        yield Organization(emulator, clock)
