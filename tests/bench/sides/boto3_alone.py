"""What a loop over accounts and regions looks like in most scripts."""

from __future__ import annotations

from itertools import islice

import boto3

from tests.bench.canned import Organization, access_key
from tests.bench.worker import Block, cpu_of


def lanes(organization: Organization, number: int) -> Block:
    """CPU milliseconds an account and region: a new session, a new client, one page."""

    def look_at_some() -> None:
        for account, region in islice(organization.lanes, number):
            session = boto3.Session(
                aws_access_key_id=access_key(account),
                aws_secret_access_key="s" * 40,
                aws_session_token="t" * 400,
            )
            session.client("lambda", region_name=region).list_functions(FunctionVersion="ALL")

    return cpu_of(look_at_some, number)
