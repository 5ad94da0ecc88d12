"""What becomes of a call, against a server that answers as no AWS would."""

from __future__ import annotations

import json
import os
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from fleet.aws.clients import Clients
from fleet.aws.credentials import AssumedRole
from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, RoleRefused, Situation
from fleet.aws.session import Aws, Lane
from fleet.errors import FleetError
from fleet.permissions import SCAN
from tests.aws.canned import IDENTITY, XML, Answer, Canned, Request, Script
from tests.aws.conftest import NewAws, environment

OWN, OTHER = "000000000001", "000000000002"
EMPTY = Answer('{"Functions": []}')


def page(name: str | None, marker: str = "") -> Answer:
    """A page of ListFunctions with one function or none."""
    row = {"FunctionName": name, "Version": "$LATEST", "CodeSize": 1, "CodeSha256": "s"}
    return Answer(json.dumps({"Functions": [row] if name else [], "NextMarker": marker}))


SESSION = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA{n}</AccessKeyId>
<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>
</AssumeRoleResponse>"""


def error(status: int, code: str) -> Answer:
    return Answer(f'{{"__type": "{code}", "message": "said"}}', status)


def xml_error(status: int, code: str) -> Answer:
    said = f"<Error><Code>{code}</Code><Message>said</Message></Error>"
    return Answer(f"<ErrorResponse>{said}</ErrorResponse>", status, XML)


THROTTLE = error(429, "TooManyRequestsException")


def list_functions(aws: Aws, lane: Lane) -> list[str]:
    answer = aws.call(lane, "lambda", "ListFunctions", holds="Functions")
    return [each.FunctionName for each in answer["Functions"]]


def pages(aws: Aws) -> list[list[str]]:
    listed = aws.pages(
        aws.lane(OWN, "eu-west-1"),
        "lambda",
        "ListFunctions",
        holds="Functions",
        sends="Marker",
        gives="NextMarker",
    )
    return [[each.FunctionName for each in page["Functions"]] for page in listed]


@pytest.mark.parametrize(
    "broken",
    [
        Answer("{}"),
        Answer('{"Function'),
        Answer(""),
        Answer("[]"),
        Answer('{"Functions": [', length=100),
        Answer("<html>Bad gateway</html>", 502, "text/html"),
        error(500, "ServiceException"),
        error(503, "ServiceUnavailable"),
    ],
)
def test_an_answer_that_is_not_whole_is_asked_for_again_and_never_empty(
    aws: Aws, server: Canned, broken: Answer
) -> None:
    server.answer = Script(broken, broken, page("orders"))
    lane = aws.lane(OWN, "eu-west-1")
    assert list_functions(aws, lane) == ["orders"]
    assert lane.calls == 3
    server.answer = Script(broken)
    with pytest.raises(CallFailed) as caught:
        list_functions(aws, aws.lane(OWN, "eu-west-1"))
    assert caught.value.situation is Situation.TRANSIENT


@pytest.mark.parametrize(
    ("operation", "holds", "parameters"),
    [
        ("ListAliases", "Aliases", {"FunctionName": "f"}),
        ("ListTags", "Tags", {"Resource": f"arn:aws:lambda:eu-west-1:{OWN}:function:f"}),
        ("GetPolicy", "Policy", {"FunctionName": "f"}),
    ],
)
def test_any_answer_without_its_key_is_a_failure(
    aws: Aws, operation: str, holds: str, parameters: dict[str, str]
) -> None:
    lane = aws.lane(OWN, "eu-west-1")
    with pytest.raises(CallFailed, match=f"no readable '{holds}'"):
        aws.call(lane, "lambda", operation, holds=holds, **parameters)


@pytest.mark.parametrize("cut", [0, len(SESSION) // 3, len(SESSION) // 2])
def test_a_session_cut_short_on_its_way_is_asked_for_again(
    aws: Aws, server: Canned, cut: int
) -> None:
    cut_short = Answer(SESSION[:cut], kind=XML)
    sessions = Script(cut_short, Answer(SESSION.format(n=1), kind=XML))
    server.answer = lambda each: sessions(each) if "Action=AssumeRole" in each.body else EMPTY
    list_functions(aws, aws.lane(OTHER, "eu-west-1"))
    assert server.requests[-1].access_key == "ASIA1"
    sessions.answers = [cut_short]
    with pytest.raises(RoleRefused) as caught:
        list_functions(aws, aws.lane("000000000003", "eu-west-1"))
    assert caught.value.failure.situation is Situation.TRANSIENT


def test_credentials_in_an_answer_that_cannot_be_parsed_are_never_repeated(
    aws: Aws, server: Canned
) -> None:
    given = SESSION.format(n="DO-NOT-LEAK").replace(">s<", ">do-not-leak-secret<")
    cut_short = Answer(given[: given.index("<Expiration>")], kind=XML)
    server.answer = Script(cut_short)
    with pytest.raises(RoleRefused) as caught:
        list_functions(aws, aws.lane(OTHER, "eu-west-1"))
    # The reason goes into the store and every report; --debug shows the whole chain.
    shown = [caught.value.why, *traceback.format_exception(caught.value)]
    assert "cannot be parsed" in caught.value.why
    assert "do-not-leak" not in "".join(shown).lower()


def test_throttles_are_waited_out_and_counted_the_last_one_too(aws: Aws, server: Canned) -> None:
    server.answer = Script(THROTTLE, THROTTLE, EMPTY)
    lane = aws.lane(OWN, "eu-west-1")
    list_functions(aws, lane)
    assert (lane.calls, lane.throttles) == (3, 2)
    server.answer = Script(THROTTLE)
    lane = aws.lane(OWN, "eu-west-1")
    with pytest.raises(CallFailed) as caught:
        list_functions(aws, lane)
    assert caught.value.situation is Situation.THROTTLED
    assert (lane.calls, lane.throttles) == (3, 3)


@pytest.mark.parametrize("attempts", [1, 4])
def test_attempts_of_the_environment_bound_the_calls(server: Canned, attempts: int) -> None:
    with environment(AWS_MAX_ATTEMPTS=str(attempts)):
        aws = Aws(Clients(os.environ), SCAN, role_name="Scan", first_wait=0.0)
    server.requests.clear()
    server.answer = Script(THROTTLE)
    with pytest.raises(CallFailed):
        list_functions(aws, aws.lane(OWN, "eu-west-1"))
    assert len(server.requests) == attempts


def test_a_host_that_cannot_be_reached_is_tried_again_then_named(aws: Aws) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"
        lane = aws.lane(OWN, "ap-south-1")
        with environment(AWS_ENDPOINT_URL=url), pytest.raises(CallFailed) as caught:
            list_functions(aws, lane)
    assert "Could not connect to the endpoint URL" in str(caught.value)
    assert caught.value.situation is Situation.TRANSIENT
    assert lane.calls == 3


def test_pages_are_followed_to_the_end_over_empty_ones(aws: Aws, server: Canned) -> None:
    def answer(request: Request) -> Answer:
        marker = request.path.partition("Marker=")[2]
        return {"": page("one", "a"), "a": page(None, "b"), "b": page("two")}[marker]

    server.answer = answer
    assert pages(aws) == [["one"], [], ["two"]]


def test_a_list_that_gives_the_same_marker_for_ever_fails(aws: Aws, server: Canned) -> None:
    server.answer = Script(Answer('{"Functions": [], "NextMarker": "same"}'))
    with pytest.raises(CallFailed, match="the same marker twice"):
        pages(aws)
    assert len(server.requests) == 2


def sessions_for_everybody(request: Request) -> Answer:
    """Answer AssumeRole with a session, anything else with an empty list."""
    return Answer(SESSION.format(n=1), kind=XML) if "Action=AssumeRole" in request.body else EMPTY


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_role_is_assumed_in_the_partition_of_the_caller_and_can_only_read(
    new_aws: NewAws, server: Canned, partition: str
) -> None:
    server.identity = Answer(IDENTITY.replace("arn:aws:", f"arn:{partition}:"), kind=XML)
    aws = new_aws(external_id="agreed")
    server.answer = sessions_for_everybody
    list_functions(aws, aws.lane(OTHER, "eu-west-1"))
    sent = {name: value for name, (value,) in parse_qs(server.requests[0].body).items()}
    assert sent["RoleArn"] == f"arn:{partition}:iam::{OTHER}:role/Scan"
    assert sent["ExternalId"] == "agreed"
    allowed = [each["Action"] for each in json.loads(sent["Policy"])["Statement"]]
    assert "lambda:ListFunctions" in str(allowed)


def test_threads_that_enter_an_account_at_once_share_one_session(
    aws: Aws, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2)

    class Slow(AssumedRole):
        def __init__(self, *args: Any) -> None:  # noqa: ANN401  # whatever AssumedRole takes
            # Only where two threads make one each does the other arrive in time.
            with suppress(threading.BrokenBarrierError):
                together.wait(0.2)
            super().__init__(*args)

    monkeypatch.setattr("fleet.aws.session.AssumedRole", Slow)
    server.answer = sessions_for_everybody
    with ThreadPoolExecutor(2) as pool:
        lanes = [aws.lane(OTHER, region) for region in ("eu-west-1", "eu-west-2")]
        list(pool.map(list_functions, [aws, aws], lanes))
    assert sum("Action=AssumeRole" in each.body for each in server.requests) == 1


class Waits(threading.Event):
    """A stop that never comes, and takes note of how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return False


def test_calls_to_lambda_are_paced_for_each_account_and_region_and_no_others(
    new_aws: NewAws, server: Canned
) -> None:
    stop = Waits()
    aws = new_aws(calls_per_second=0.001, stop=stop)
    server.answer = sessions_for_everybody
    one, other = aws.lane(OTHER, "eu-west-1"), aws.lane(OTHER, "eu-west-2")
    list_functions(aws, one)
    list_functions(aws, other)
    assert stop.seconds == []
    # Whoever looks at the same account and region, and however often, spends the same budget.
    list_functions(aws, aws.lane(OTHER, "eu-west-1"))
    assert stop.seconds == [pytest.approx(1000, rel=0.1)]
    server.answer = Script(Answer('{"Regions": []}'))
    aws.call(one, "account", "ListRegions", holds="Regions")
    assert len(stop.seconds) == 1


def test_a_member_session_that_aws_calls_expired_is_renewed(aws: Aws, server: Canned) -> None:
    given = iter(range(1, 9))

    def answer(request: Request) -> Answer:
        if "Action=AssumeRole" in request.body:
            return Answer(SESSION.format(n=next(given)), kind=XML)
        return error(403, "ExpiredTokenException") if request.access_key == "ASIA1" else EMPTY

    server.answer = answer
    list_functions(aws, aws.lane(OTHER, "eu-west-1"))
    assert server.requests[-1].access_key == "ASIA2"


def test_own_credentials_that_expire_end_everything_and_say_so(aws: Aws, server: Canned) -> None:
    server.answer = Script(error(403, "ExpiredTokenException"))
    with pytest.raises(NoCredentials, match="they have expired"):
        list_functions(aws, aws.lane(OWN, "eu-west-1"))


def test_own_credentials_deleted_meanwhile_are_not_taken_for_a_missing_role(
    aws: Aws, server: Canned
) -> None:
    server.answer = Script(xml_error(403, "InvalidClientTokenId"))
    with pytest.raises(NoCredentials, match="AWS does not know them"):
        list_functions(aws, aws.lane(OTHER, "eu-west-1"))


def test_a_region_that_does_not_know_the_caller_costs_that_region_only(
    aws: Aws, server: Canned
) -> None:
    server.answer = Script(error(403, "UnrecognizedClientException"))
    with pytest.raises(CallFailed) as caught:
        list_functions(aws, aws.lane(OWN, "eu-west-1"))
    assert caught.value.situation is Situation.UNRECOGNIZED


@pytest.mark.parametrize(
    "code", ["InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "AccessDenied"]
)
def test_credentials_refused_at_the_start_say_what_to_do(
    new_aws: NewAws, server: Canned, code: str
) -> None:
    server.identity = xml_error(403, code)
    with pytest.raises(NoCredentials, match=rf"{code}.*--profile"):
        new_aws()


def test_a_profile_whose_role_is_refused_has_no_credentials(server: Canned, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile base]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n"
        "region = us-east-1\n[profile work]\nsource_profile = base\nregion = us-east-1\n"
        "role_arn = arn:aws:iam::000000000001:role/Work\n"
    )
    server.answer = Script(xml_error(403, "AccessDenied"))
    with environment(AWS_CONFIG_FILE=str(config)), pytest.raises(NoCredentials, match="Denied"):
        Clients(os.environ, profile="work").own_credentials()


def test_a_fault_of_the_moment_at_the_start_is_not_blamed_on_the_credentials(
    new_aws: NewAws, server: Canned
) -> None:
    server.identity = xml_error(503, "ServiceUnavailable")
    with pytest.raises(CallFailed, match="sts:GetCallerIdentity in us-east-1: ServiceUnavailable"):
        new_aws()


def test_what_no_table_permits_is_never_called(aws: Aws, server: Canned) -> None:
    with pytest.raises(KeyError):
        aws.call(aws.lane(OWN, "eu-west-1"), "lambda", "DeleteFunction", holds="Nothing")
    assert server.requests == []


def test_once_told_to_stop_no_call_goes_out_and_a_wait_ends_at_once(
    new_aws: NewAws, server: Canned
) -> None:
    stop, throttled = threading.Event(), threading.Event()

    def answer(_: Request) -> Answer:
        throttled.set()
        return THROTTLE

    aws = new_aws(stop=stop, first_wait=1_000_000.0)
    server.answer = answer
    lane = aws.lane(OWN, "eu-west-1")
    ended: list[FleetError] = []

    def work() -> None:
        try:
            list_functions(aws, lane)
        except FleetError as error:
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert throttled.wait(10)
    stop.set()
    thread.join(10)
    assert [type(each) for each in ended] == [Interrupted]
    with pytest.raises(Interrupted):
        list_functions(aws, lane)
    assert len(server.requests) == 1
