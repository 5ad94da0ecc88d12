"""Updates that fail leave a function as it was; an environment may be hidden from who asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization
from tests.moto_fixtures.test_corrections_updates import CHANGES, NEW, ONE, configuration, served

Change: TypeAlias = Callable[[Client], dict[str, object]]
SECONDS = 5.0
SECRET = {"Variables": {"TOKEN": "unseen"}}


@pytest.fixture
def client(organization: Organization) -> Client:
    organization.emulator.take_for_updates(SECONDS)
    return organization.add_function(ONE, Environment=SECRET)


def shown(client: Client) -> dict[str, Any]:
    """What GetFunctionConfiguration says, without what every update changes."""
    found = configuration(client)
    for name in ("ResponseMetadata", "RevisionId", "LastModified"):
        del found[name]
    return found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seconds", [SECONDS, 0], ids=["slow", "at once"])
def test_an_update_that_fails_leaves_what_was_there(
    organization: Organization, client: Client, change: Change, seconds: float
) -> None:
    emulator = organization.emulator
    emulator.take_for_updates(seconds)
    before, serves, revision = shown(client), served(organization), configuration(client)
    emulator.fail_updates(MEMBER, HOME, ONE, "The role may not.", code="InvalidConfiguration")
    answered = change(client)
    if seconds:
        assert answered["LastUpdateStatus"] == "InProgress"
    assert served(organization) == serves
    organization.clock.now += seconds
    assert served(organization) == serves
    after = shown(client)
    assert after.pop("LastUpdateStatusReason") == "The role may not."
    assert after.pop("LastUpdateStatusReasonCode") == "InvalidConfiguration"
    assert after == before | {"LastUpdateStatus": "Failed"}
    assert configuration(client)["RevisionId"] not in {
        revision["RevisionId"],
        answered["RevisionId"] if seconds else None,
    }


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seconds", [SECONDS, 0], ids=["slow", "at once"])
def test_a_failure_lasts_until_an_update_succeeds(
    organization: Organization, client: Client, change: Change, seconds: float
) -> None:
    organization.emulator.fail_updates(MEMBER, HOME, ONE, "Not today.")
    change(client)
    organization.clock.now += SECONDS
    assert shown(client)["LastUpdateStatusReasonCode"] == "InternalError"
    organization.emulator.fail_updates(MEMBER, HOME, ONE, None)
    assert shown(client)["LastUpdateStatus"] == "Failed"
    organization.emulator.take_for_updates(seconds)
    assert change(client)["LastUpdateStatus"] == ("InProgress" if seconds else "Successful")
    organization.clock.now += seconds
    assert shown(client)["LastUpdateStatus"] == "Successful"
    assert "LastUpdateStatusReason" not in shown(client)


def test_what_failed_is_not_published(organization: Organization, client: Client) -> None:
    first = client.publish_version(FunctionName=ONE)
    organization.emulator.fail_updates(MEMBER, HOME, ONE, "Not today.")
    for change in CHANGES.values():
        organization.clock.now += SECONDS
        change(client)
    organization.clock.now += SECONDS
    assert client.publish_version(FunctionName=ONE)["Version"] == first["Version"]


def test_an_update_that_fails_leaves_the_settings_that_stand_apart(
    organization: Organization, client: Client
) -> None:
    queue = f"arn:aws:sqs:{HOME}:{MEMBER}:failed"
    key = f"arn:aws:kms:{HOME}:{MEMBER}:key/0"
    organization.emulator.fail_updates(MEMBER, HOME, ONE, "Not today.")
    client.update_function_configuration(FunctionName=ONE, DeadLetterConfig={"TargetArn": queue})
    assert shown(client)["DeadLetterConfig"] == {"TargetArn": queue}
    organization.clock.now += SECONDS
    assert "DeadLetterConfig" not in shown(client)
    client.update_function_code(FunctionName=ONE, ZipFile=NEW, SourceKMSKeyArn=key)
    organization.clock.now += SECONDS
    assert "SourceKMSKeyArn" not in client.get_function(FunctionName=ONE)["Code"]


def test_other_functions_updates_do_not_fail(organization: Organization, client: Client) -> None:
    organization.emulator.fail_updates(MEMBER, HOME, ONE, "Not today.")
    organization.add_function("two")
    client.update_function_configuration(FunctionName="two", MemorySize=512)
    organization.clock.now += SECONDS
    assert configuration(client, "two")["LastUpdateStatus"] == "Successful"


def test_a_hidden_environment_is_an_error_wherever_it_would_stand(
    organization: Organization, client: Client
) -> None:
    organization.add_function("bare")
    for name in (ONE, "bare"):
        organization.emulator.hide_environment(MEMBER, HOME, name, on=True)
    version = client.publish_version(FunctionName=ONE)
    answers = [
        configuration(client),
        version,
        client.get_function(FunctionName=ONE)["Configuration"],
        client.list_versions_by_function(FunctionName=ONE)["Versions"][0],
        next(row for row in client.list_functions()["Functions"] if row["FunctionName"] == ONE),
        client.update_function_configuration(FunctionName=ONE, MemorySize=512),
    ]
    for answer in answers:
        assert answer["Environment"].keys() == {"Error"}
        assert answer["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException"
        assert "unseen" not in str(answer)
    assert "Environment" not in configuration(client, "bare")
    assert served(organization).environment == SECRET["Variables"]
    organization.emulator.hide_environment(MEMBER, HOME, ONE, on=False)
    assert configuration(client)["Environment"] == SECRET
