"""`fleet policy migrate` against the calls that migrations, rollbacks and cleanups really make."""

from __future__ import annotations

import json

import pytest
import yaml
from cfnlint.api import lint

from fleet.migration import acting
from fleet.permissions import BUCKET_UNRECORDED, UNRECORDED
from moto_fixtures.packages import zipped
from moto_fixtures.server import Call
from tests.cli.inside import NO_TRIAL, Desk
from tests.cli.test_migrate_command import owned
from tests.migration.victims import RENAMED, program
from tests.moto_fixtures.small_organization import MANAGEMENT, MEMBER, Organization

DO_IT = ("--apply", "--yes")
OPTIONS = ("--invoke", "--bucket", "--artifact")
HAND_KEPT = {each.action for each in (*UNRECORDED, *BUCKET_UNRECORDED)} | {
    # GetFunction shows tags only with it.
    "lambda:ListTags"
}
ARM64 = 183
"""EM_AARCH64, as an ELF header has it."""


def for_arm64() -> bytes:
    """The package of victims.package for the other architecture, as far as a verdict looks."""
    made = bytearray(program(*RENAMED).replace(b"GOARCH=amd64", b"GOARCH=arm64"))
    made[18:20] = ARM64.to_bytes(2, "little")
    return zipped({"bootstrap": (bytes(made), 0o100755)})


@pytest.fixture(scope="module")
def ran(
    organization: Organization, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Call], list[Call]]:
    """Every call of the plain commands, and every call of those with every option."""
    desk = Desk(organization, tmp_path_factory.mktemp("policy"))
    with pytest.MonkeyPatch.context() as patch:
        return _plain(desk), _with_options(desk, patch)


def _plain(desk: Desk) -> list[Call]:
    organization = desk.organization
    _sign_something(organization)
    first, arn = desk.function("first"), owned(desk, "plain")
    organization.emulator.calls.clear()
    for command in (
        ("migrate", first, NO_TRIAL),
        ("migrate", first, NO_TRIAL, *DO_IT),
        ("migrate", arn, NO_TRIAL, *DO_IT),
        ("rollback", arn, *DO_IT),
        ("cleanup", *DO_IT),
    ):
        ended = desk.fleet(*command)
        assert ended.status == 0, (command, ended)
    return list(organization.emulator.calls)


def _with_options(desk: Desk, patch: pytest.MonkeyPatch) -> list[Call]:
    organization = desk.organization
    # Packages of 50 MB take their time.
    patch.setattr(acting, "fits_into_a_call", lambda _: False)
    (desk.directory / "event.json").write_text("{}", encoding="utf-8")
    with organization.emulator.seeding():
        for account in (MEMBER, MANAGEMENT):
            s3 = organization.client("s3", account)
            s3.create_bucket(Bucket=f"builds-{account}")
        s3 = organization.client("s3", MANAGEMENT)
        s3.put_object(Bucket=f"builds-{MANAGEMENT}", Key="optional.zip", Body=for_arm64())
    arn, broken = desk.function("optional"), desk.function("unstartable")
    bucket = ("--bucket", "builds-{account}")
    to_arm64 = ("--arch", "arm64", "--artifact", f"s3://builds-{MANAGEMENT}/{{function}}.zip")
    organization.emulator.calls.clear()
    for status, command in (
        (0, ("migrate", arn, NO_TRIAL, *DO_IT, *bucket)),
        (0, ("migrate", arn, NO_TRIAL, *DO_IT, *bucket, *to_arm64, "--allow-different-source")),
        (0, ("rollback", arn, *DO_IT, *bucket, "--to", "x86_64")),
        (1, ("migrate", broken, NO_TRIAL, *DO_IT, *bucket, "--event", "event.json")),
        (0, ("cleanup", *DO_IT)),
    ):
        ended = desk.fleet(*command)
        assert ended.status == status, (command, ended)
    return list(organization.emulator.calls)


def _sign_something(organization: Organization) -> None:
    """A code signing config in the region: whether it is the function's has to be asked."""
    version = f"arn:aws:signer:us-east-1:{MEMBER}:/signing-profiles/shop/1"
    with organization.emulator.seeding():
        organization.client("lambda", MEMBER).create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [version]}
        )


def printed(desk: Desk, *arguments: str) -> set[str]:
    """Every action that a printed policy allows."""
    ended = desk.fleet("policy", "migrate", *arguments)
    assert ended.status == 0
    actions: set[str] = set()
    for statement in json.loads(ended.out)["Statement"]:
        named = statement["Action"]
        actions |= {named} if isinstance(named, str) else set(named)
    return actions


def of(account: str, *runs: list[Call]) -> set[str]:
    return {call.action for run in runs for call in run if call.account == account}


def test_the_role_s_policy_is_what_the_commands_call_and_what_stands_behind_it(
    desk: Desk, ran: tuple[list[Call], list[Call]]
) -> None:
    plain, optional = ran
    assert of(MEMBER, plain) <= printed(desk, "--for", "member")
    everything = printed(desk, "--for", "member", *OPTIONS)
    assert of(MEMBER, plain, optional) <= everything
    assert everything - of(MEMBER, plain, optional) == HAND_KEPT - of(MEMBER, plain, optional)


def test_the_callers_policy_is_what_they_call_and_the_role_s(
    desk: Desk, ran: tuple[list[Call], list[Call]]
) -> None:
    plain, optional = ran
    own = printed(desk) - printed(desk, "--for", "member")
    assert own == of(MANAGEMENT, plain)
    assert of(MANAGEMENT, plain, optional) <= printed(desk, *OPTIONS)


def test_without_an_option_its_actions_are_not_printed(desk: Desk) -> None:
    plain = printed(desk)
    assert not {each for each in plain if each.startswith("s3:")}
    assert "lambda:InvokeFunction" not in plain
    assert printed(desk, "--invoke") - plain == {"lambda:InvokeFunction"}
    assert printed(desk, "--artifact") - plain == {"s3:GetObject"}
    assert printed(desk, "--bucket") - plain == {"s3:PutObject", "s3:DeleteObject", "s3:GetObject"}


def test_each_action_is_printed_with_its_reason(desk: Desk) -> None:
    said = desk.fleet("policy", "migrate", "--for", "reasons", *OPTIONS).out.splitlines()
    told = {line.split(None, 1)[0]: line.split(None, 1)[1] for line in said}
    assert set(told) == printed(desk, *OPTIONS)
    assert all(told.values())


def test_cfn_lint_has_nothing_to_say_of_the_template(desk: Desk) -> None:
    ended = desk.fleet("policy", "migrate", "--for", "template", *OPTIONS)
    assert ended.status == 0
    assert [str(match) for match in lint(ended.out)] == []
    (role,) = yaml.safe_load(ended.out)["Resources"].values()
    (policy,) = role["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == printed(desk, "--for", "member", *OPTIONS)
