"""The floor: what Python costs when nothing but the calls is done.

urllib3, a SigV4 of its own with the signing key kept per account and region, and orjson; no
retries, no pacing, no error shapes. What botocore and fleet add is measured against it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import urllib3

from fleet.model import GO1X
from tests.bench.canned import Organization
from tests.bench.worker import Block, cpu_of

_FUNCTIONS = "/2015-03-31/functions/"
_ROLE = "arn:aws:iam::{}:role/OrganizationAccountAccessRole"
_STS_FIELD = re.compile(rb"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)<")


def pages(number: int) -> Block:
    """CPU milliseconds a page of one list."""
    floor = Floor(threads=1)
    return cpu_of(lambda: floor.functions_on_go1x("us-east-1"), number)


def scan(threads: int, organization: Organization) -> Block:
    """Seconds for the same calls as a scan's, from as many threads, with nothing else done."""

    def block() -> float:
        began = time.perf_counter()
        floor = Floor(threads=threads)
        with ThreadPoolExecutor(threads) as executor:
            credentials = list(executor.map(floor.assume, organization.account_ids))
            regions = list(executor.map(floor.regions, credentials))
            lanes = [
                (region, each)
                for each, names in zip(credentials, regions, strict=True)
                for region in names
            ]
            list(executor.map(lambda lane: floor.functions_on_go1x(*lane), lanes))
        return time.perf_counter() - began

    return block


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs."""

    key_id: str
    secret: str
    token: str = ""


class Floor:
    """Calls to one endpoint, from as many threads as it has connections."""

    def __init__(self, *, threads: int) -> None:
        endpoint = urllib3.util.parse_url(os.environ["AWS_ENDPOINT_URL"])
        self._host = endpoint.netloc or ""
        self._pool = urllib3.HTTPConnectionPool(
            endpoint.host or "", endpoint.port, maxsize=threads, block=True, retries=False
        )
        self._own = Credentials(
            os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        )
        self._keys: dict[tuple[str, str, str, str], bytes] = {}

    def functions_on_go1x(self, region: str, credentials: Credentials | None = None) -> int:
        """Follow ListFunctions to its end; how many versions run on go1.x."""
        return sum(
            each.get("Runtime") == GO1X
            for page in self._pages(region, credentials or self._own)
            for each in page["Functions"]
        )

    def _pages(self, region: str, credentials: Credentials) -> Iterator[dict[str, Any]]:
        query = {"FunctionVersion": "ALL"}
        while True:
            body = self._call(credentials, "lambda", region, "GET", _FUNCTIONS, query, b"")
            page: dict[str, Any] = orjson.loads(body)
            yield page
            if not page.get("NextMarker"):
                return
            query["Marker"] = page["NextMarker"]

    def assume(self, account: str) -> Credentials:
        """Credentials of an account, or one's own for one's own account."""
        if self._own.key_id.endswith(account):
            return self._own
        asked = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": _ROLE.format(account),
            "RoleSessionName": "floor",
        }
        body = urlencode(asked).encode()
        answer = self._call(self._own, "sts", "us-east-1", "POST", "/", {}, body)
        given = {name: value.decode() for name, value in _STS_FIELD.findall(answer)}
        return Credentials(given[b"AccessKeyId"], given[b"SecretAccessKey"], given[b"SessionToken"])

    def regions(self, credentials: Credentials) -> list[str]:
        """The regions an account has enabled."""
        body = b'{"MaxResults":50}'
        answer = self._call(credentials, "account", "us-east-1", "POST", "/listRegions", {}, body)
        return [each["RegionName"] for each in orjson.loads(answer)["Regions"]]

    def _call(
        self,
        credentials: Credentials,
        service: str,
        region: str,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
    ) -> bytes:
        text = "&".join(f"{key}={quote(query[key], safe='')}" for key in sorted(query))
        headers = self._signed(credentials, service, region, method, path, text, body)
        target = f"{path}?{text}" if text else path
        answer = self._pool.request(method, target, body=body or None, headers=headers)
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"{service} {target}: {answer.status} {answer.data!r:.200}")
        return answer.data

    def _signed(
        self,
        credentials: Credentials,
        service: str,
        region: str,
        method: str,
        path: str,
        query: str,
        body: bytes,
    ) -> dict[str, str]:
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        day = moment[:8]
        signed = {"host": self._host, "x-amz-date": moment}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        if body:
            form = "application/x-www-form-urlencoded" if service == "sts" else "application/json"
            signed = {"content-type": form, **signed}
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        digest = hashlib.sha256(body).hexdigest()
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
        scope = f"{day}/{region}/{service}/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
        key = self._key(credentials.secret, day, region, service)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return {
            **signed,
            "authorization": f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
        }

    def _key(self, secret: str, day: str, region: str, service: str) -> bytes:
        wanted = (secret, day, region, service)
        if wanted not in self._keys:
            key = f"AWS4{secret}".encode()
            for part in (day, region, service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._keys[wanted] = key
        return self._keys[wanted]
