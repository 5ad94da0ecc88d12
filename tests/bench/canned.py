"""An organization in canned answers: the bytes a bare server gives, made before they are asked for.

A page is 50 functions and 68 KB, as AWS's. Who asks, and where, is read from the request's
signature: an access key id ends in the account it belongs to, so nothing has to be remembered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

import orjson

from moto_fixtures.synthetic import Synthetic

PAGE = 50
"""Functions a page: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html"""
ACCOUNTS_PAGE = 20
"""Accounts a page of organizations:ListAccounts."""
PAGE_BYTES = 68_000
"""What AWS's pages of 50 come to."""
CACHED_PAGES = 256

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2"),
    *("eu-south-1", "af-south-1", "me-south-1"),
)
"""The 17 that every account has enabled, and three more."""

_NO_ACCOUNT = "0" * 12
_NO_PAGE = "page-0000"
_SCOPE = re.compile(r"Credential=\w{8}(\d{12})/\d+/([\w-]+)/([\w-]+)/")


@dataclass(frozen=True, slots=True)
class Organization:
    """What the server answers for: `accounts` × `regions`, each with the same number of pages."""

    accounts: int = 100
    regions: int = 17
    pages: int = 1
    """Pages of 50 functions in each account and region."""
    go1x: float = 0.0
    """Share of the functions on go1.x, 0–1."""

    @property
    def account_ids(self) -> tuple[str, ...]:
        """Twelve digits each; the first is the management account."""
        return tuple(f"{1_000 + number:012d}" for number in range(self.accounts))

    @property
    def region_names(self) -> tuple[str, ...]:
        """As many of REGIONS as asked for."""
        return REGIONS[: self.regions]

    @property
    def lanes(self) -> tuple[tuple[str, str], ...]:
        """Every account and region, region by region within an account."""
        return tuple((each, region) for each in self.account_ids for region in self.region_names)


def access_key(account: str) -> str:
    """An access key id of this account."""
    return f"AKIA0000{account}"


@dataclass(frozen=True, slots=True)
class Request:
    """What matters of one request."""

    method: str
    target: str
    authorization: str
    amz_target: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent, and under which name it is counted."""

    operation: str
    body: bytes
    status: int = 200
    content_type: str = "application/json"


class Answers:
    """Answers every call of a scan, without a state of its own."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._templates = {region: self._template(region) for region in organization.region_names}
        self._page = lru_cache(CACHED_PAGES)(self._made_page)

    def answer(self, request: Request) -> Answer:
        """The answer to one request; a call nobody thought of is refused by name."""
        scope = _SCOPE.search(request.authorization)
        account, region, service = scope.groups() if scope else ("", "", "unsigned")
        match service:
            case "lambda":
                return self._lambda(request, account, region)
            case "sts":
                return _sts(request, account)
            case "organizations":
                return self._organizations(request)
            case "account":
                return self._account()
            case "tagging":
                return Answer(
                    "tagging:GetResources",
                    b'{"PaginationToken":"","ResourceTagMappingList":[]}',
                    content_type="application/x-amz-json-1.1",
                )
            case _:
                return _unknown(request, service)

    def _account(self) -> Answer:
        regions = [
            {"RegionName": name, "RegionOptStatus": "ENABLED"}
            for name in self._organization.region_names
        ]
        return Answer("account:ListRegions", orjson.dumps({"Regions": regions}))

    def _lambda(self, request: Request, account: str, region: str) -> Answer:
        path, _, query = request.target.partition("?")
        if path.startswith("/2017-03-31/tags/"):
            tags = b'{"Tags":{"aws:cloudformation:stack-name":"orders-prod","team":"orders"}}'
            return Answer("lambda:ListTags", tags)
        if path.endswith("/aliases"):
            return Answer("lambda:ListAliases", b'{"Aliases":[]}')
        if path.startswith("/2015-03-31/event-source-mappings"):
            return Answer("lambda:ListEventSourceMappings", b'{"EventSourceMappings":[]}')
        if path.rstrip("/") != "/2015-03-31/functions":
            return _unknown(request, "lambda")
        number = int(parse_qs(query).get("Marker", ["0"])[0])
        return Answer("lambda:ListFunctions", self._page(account, region, number))

    def _made_page(self, account: str, region: str, number: int) -> bytes:
        body = self._templates[region].replace(_NO_ACCOUNT.encode(), account.encode())
        body = body.replace(_NO_PAGE.encode(), b"page-%04d" % number)
        more = number + 1 < self._organization.pages
        marker = b'"%d"' % (number + 1) if more else b"null"
        return b'{"Functions":%b,"NextMarker":%b}' % (body, marker)

    def _template(self, region: str) -> bytes:
        length = len(_rows(region, self._organization.go1x, ""))
        return _rows(region, self._organization.go1x, "." * ((PAGE_BYTES - length) // PAGE))

    def _organizations(self, request: Request) -> Answer:
        operation = request.amz_target.rpartition(".")[2]
        ids = self._organization.account_ids
        asked = orjson.loads(request.body or b"{}")
        match operation:
            case "DescribeOrganization":
                holds: dict[str, object] = {
                    "Organization": {"Id": "o-canned0001", "MasterAccountId": ids[0]},
                }
            case "ListRoots":
                holds = {"Roots": [{"Id": "r-cann", "Name": "Root"}]}
            case "ListOrganizationalUnitsForParent":
                holds = {"OrganizationalUnits": []}
            case "ListAccounts" | "ListAccountsForParent":
                start = int(asked.get("NextToken", 0))
                part = ids[start : start + ACCOUNTS_PAGE]
                listed = [
                    {"Id": each, "Name": f"account-{each}", "State": "ACTIVE"} for each in part
                ]
                holds = {"Accounts": listed}
                if start + ACCOUNTS_PAGE < len(ids):
                    holds["NextToken"] = str(start + ACCOUNTS_PAGE)
            case _:
                return _unknown(request, "organizations")
        return Answer(
            f"organizations:{operation}",
            orjson.dumps(holds),
            content_type="application/x-amz-json-1.1",
        )


def _rows(region: str, go1x: float, padding: str) -> bytes:
    made = Synthetic(
        accounts=1,
        regions=(region,),
        functions=PAGE,
        go1x=go1x,
        versions=0,
        environment={"STAGE": "prod", "DB_PASSWORD": f"do-not-leak-canned{padding}"},
    )
    rows = orjson.dumps(list(made.list_functions(_NO_ACCOUNT, region)))
    # Every page holds other functions, as AWS's do: names that come again cost less.
    for name in {row["FunctionName"] for row in orjson.loads(rows)}:
        rows = rows.replace(name.encode(), f"{name}-{_NO_PAGE}".encode())
    return rows


def _sts(request: Request, account: str) -> Answer:
    asked = parse_qs(request.body.decode())
    operation = asked["Action"][0]
    if operation == "GetCallerIdentity":
        result = (
            f"<Arn>arn:aws:iam::{account}:user/bench</Arn><UserId>AIDABENCH</UserId>"
            f"<Account>{account}</Account>"
        )
    elif operation == "AssumeRole":
        role = asked["RoleArn"][0]
        expires = datetime.now(UTC) + timedelta(hours=1)
        result = (
            f"<AssumedRoleUser><Arn>{role}</Arn><AssumedRoleId>AROABENCH:bench</AssumedRoleId>"
            "</AssumedRoleUser><Credentials>"
            f"<AccessKeyId>{access_key(role.split(':')[4])}</AccessKeyId>"
            f"<SecretAccessKey>{'s' * 40}</SecretAccessKey>"
            f"<SessionToken>{'t' * 400}</SessionToken>"
            f"<Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
        )
    else:
        return _unknown(request, "sts")
    space = "https://sts.amazonaws.com/doc/2011-06-15/"
    body = (
        f'<{operation}Response xmlns="{space}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>canned</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(f"sts:{operation}", body.encode(), content_type="text/xml")


def _unknown(request: Request, service: str) -> Answer:
    path = urlsplit(request.target).path
    said = f"{service} {request.method} {path} {request.amz_target}"
    body = orjson.dumps({"__type": "NotCanned", "message": said})
    return Answer(f"unknown: {said}", body, status=501)
