"""The two places of botocore that fleet.aws leans on, each said to be what broke when it breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError

from fleet.aws.clients import Clients
from fleet.aws.credentials import CredentialsAtHand, signing_as
from fleet.aws.failures import UnreadableAnswer
from fleet.aws.listed import ListedFunction
from tests.aws.canned import Answer, Canned, Script

PAGE = """{"NextMarker": "m", "Unmodelled": 1, "Functions": [{"FunctionName": "f",
"Version": "1", "CodeSize": 1, "CodeSha256": "s",
"Environment": {"Variables": {"DB_PASSWORD": "do-not-leak"}}}]}"""
SWAP_BROKE = "botocore no longer asks the session's credentials at each signature"
HOOK_BROKE = "botocore no longer lets before-parse.lambda.ListFunctions stand in for its parser"


def keys_of(name: str) -> ReadOnlyCredentials:
    return ReadOnlyCredentials(name, f"secret-{name}", f"token-{name}", None)


@pytest.fixture(autouse=True)
def _one_function(server: Canned) -> None:
    server.answer = Script(Answer(PAGE))


def test_each_call_is_signed_with_the_credentials_at_hand(clients: Clients, server: Canned) -> None:
    client = clients.client("lambda", "us-east-1")
    for name in ("AKIAONE", "AKIATWO", "AKIAONE"):
        with signing_as(keys_of(name)):
            client.list_functions()
    assert [each.access_key for each in server.requests] == ["AKIAONE", "AKIATWO", "AKIAONE"], (
        SWAP_BROKE
    )
    tokens = [each.headers["x-amz-security-token"] for each in server.requests]
    assert tokens == ["token-AKIAONE", "token-AKIATWO", "token-AKIAONE"], SWAP_BROKE


def test_threads_that_share_a_client_sign_each_with_their_own(
    clients: Clients, server: Canned
) -> None:
    client = clients.client("lambda", "us-east-1")

    def call(number: int) -> None:
        # Inside the task: a pool's thread does not inherit the context of who submitted it.
        with signing_as(keys_of(f"AKIA{number}")):
            client.list_functions(Marker=str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(64)))
    signed = {each.path.partition("Marker=")[2]: each.access_key for each in server.requests}
    assert signed == {str(number): f"AKIA{number}" for number in range(64)}, SWAP_BROKE


def test_a_call_outside_of_any_account_is_refused_and_not_signed_as_the_caller(
    clients: Clients, server: Canned
) -> None:
    with pytest.raises(LookupError):
        clients.client("lambda", "us-east-1").list_functions()
    assert server.requests == []


def test_the_class_that_is_swapped_in_is_the_one_botocore_knows() -> None:
    assert isinstance(CredentialsAtHand(), Credentials), SWAP_BROKE


def test_a_page_is_what_the_hook_makes_of_it_without_any_environment(clients: Clients) -> None:
    with signing_as(keys_of("AKIAONE")):
        page = clients.client("lambda", "us-east-1").list_functions()
    (function,) = page["Functions"]
    assert isinstance(function, ListedFunction), HOOK_BROKE
    assert (function.FunctionName, function.Version) == ("f", "1")
    assert page["NextMarker"] == "m", HOOK_BROKE
    assert page["ResponseMetadata"]["HTTPStatusCode"] == 200, HOOK_BROKE
    assert "do-not-leak" not in repr(page), HOOK_BROKE


def test_an_error_keeps_botocores_own_parser(clients: Clients, server: Canned) -> None:
    said = '{"Message": "Rate exceeded", "__type": "TooManyRequestsException"}'
    server.answer = Script(Answer(said, status=429))
    with signing_as(keys_of("AKIAONE")), pytest.raises(ClientError) as caught:
        clients.client("lambda", "us-east-1").list_functions()
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException", HOOK_BROKE


@pytest.mark.parametrize("body", ["", '{"Functions": [', "[]", "null", "<html/>", '"Functions"'])
def test_a_page_that_is_no_json_object_is_unreadable_and_never_empty(
    clients: Clients, server: Canned, body: str
) -> None:
    server.answer = Script(Answer(body))
    with signing_as(keys_of("AKIAONE")), pytest.raises(UnreadableAnswer):
        clients.client("lambda", "us-east-1").list_functions()


def test_other_operations_keep_botocores_parser(clients: Clients, server: Canned) -> None:
    server.answer = Script(Answer('{"Tags": {"team": "a"}, "Unmodelled": 1}'))
    with signing_as(keys_of("AKIAONE")):
        answer = clients.client("lambda", "us-east-1").list_tags(Resource="arn:aws:lambda")
    assert answer["Tags"] == {"team": "a"}
    assert "Unmodelled" not in answer


def test_botocores_own_retries_are_off(clients: Clients, server: Canned) -> None:
    server.answer = Script(Answer(status=500))
    with signing_as(keys_of("AKIAONE")), pytest.raises(ClientError):
        clients.client("lambda", "us-east-1").list_functions()
    assert len(server.requests) == 1


def test_a_request_names_fleet_as_its_sender(clients: Clients, server: Canned) -> None:
    with signing_as(keys_of("AKIAONE")):
        clients.client("lambda", "us-east-1").list_functions()
    assert server.requests[0].headers["user-agent"].startswith("fleet/")
