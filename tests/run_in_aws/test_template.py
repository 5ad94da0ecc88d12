"""What the stack is allowed, starts, keeps and tells."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from cfnlint.api import lint

from fleet.inspection import InspectionDepth
from fleet.permissions import (
    CANARY,
    INSPECT,
    MOVE,
    NOTIFY,
    ORGANIZATION,
    PLAN,
    SCAN,
    UNRECORDED,
    Permission,
)
from fleet.policy import caller_policy
from fleet.settings import Settings
from fleet.store.place import parse_place
from tests.run_in_aws.commands import entrypoint, parsed
from tests.run_in_aws.template import (
    TEMPLATE,
    listed,
    properties,
    resolved,
    statements,
    task,
    template,
)

TASKS = ("ScanTask", "WavesTask")
ROLES = ("ExecutionRole", "ScanRole", "WavesRole", "SchedulerRole")
WAVES = (*PLAN, *ORGANIZATION, *MOVE, *UNRECORDED, *CANARY, *NOTIFY)
OF_THE_BUCKET = {"s3:GetObject", "s3:PutObject"}
LONGEST_STOP = 120
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"""


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(each) for each in lint(TEMPLATE.read_text(encoding="utf-8"))] == []


def test_it_has_no_aliases_which_cloudformation_does_not_read() -> None:
    events = yaml.parse(TEMPLATE.read_text(encoding="utf-8"))
    assert not [each for each in events if isinstance(each, yaml.AliasEvent)]


@pytest.mark.parametrize(
    ("role", "needed", "member"),
    [
        ("ScanRole", (*SCAN, *INSPECT), "fleet-scan"),
        ("WavesRole", WAVES, "fleet-waves"),
    ],
)
def test_a_task_may_do_what_fleet_needs_and_nothing_more(
    role: str, needed: tuple[Permission, ...], member: str
) -> None:
    wanted = caller_policy(needed, member, "aws")["Statement"]
    found = statements(role)
    allowed = {each for one in found.values() for each in listed(one["Action"])}
    assert allowed - OF_THE_BUCKET == {each for one in wanted for each in listed(one["Action"])}
    assert resolved(found["EnterEachAccount"]["Resource"]) == f"arn:aws:iam::*:role/{member}"
    everywhere = {
        each for one in found.values() if one["Resource"] == "*" for each in listed(one["Action"])
    }
    assert not everywhere & {"sts:AssumeRole", "sns:Publish", *OF_THE_BUCKET}


def test_what_the_waves_run_no_task_can_write() -> None:
    fetched = resolved(statements("WavesRole")["FetchThePlan"]["Resource"])
    assert fetched == "${Bucket.Arn}/plan/*"
    for role in ("ScanRole", "WavesRole"):
        for statement in statements(role).values():
            if "s3:PutObject" in listed(statement["Action"]):
                for each in listed(statement["Resource"]):
                    assert not resolved(each).startswith("${Bucket.Arn}/plan")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_for_one_service_of_this_account(role: str) -> None:
    (trust,) = properties(role)["AssumeRolePolicyDocument"]["Statement"]
    service = "scheduler" if role == "SchedulerRole" else "ecs-tasks"
    assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
    own = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert trust["Condition"]["StringEquals"] == own
    assert "ManagedPolicyArns" not in properties(role)


def test_the_scheduler_may_start_the_two_tasks_with_their_roles_and_nothing_else() -> None:
    found = statements("SchedulerRole")
    assert found["RunTheTasks"]["Resource"] == [{"Ref": each} for each in TASKS]
    roles = {"ExecutionRole", *(task(each).role for each in TASKS)}
    passed = {each["Fn::GetAtt"] for each in found["GiveThemTheirRoles"]["Resource"]}
    assert passed == {f"{each}.Arn" for each in roles}
    condition = found["GiveThemTheirRoles"]["Condition"]["StringEquals"]
    assert condition == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


@pytest.mark.parametrize(
    ("schedule", "name", "when", "state"),
    [
        ("ScanSchedule", "ScanTask", "cron(0 3 * * ? *)", "ENABLED"),
        # Nothing moves before somebody wants it to.
        ("WavesSchedule", "WavesTask", "rate(10 minutes)", "DISABLED"),
    ],
)
def test_a_schedule_starts_its_task_and_keeps_what_could_not_be_started(
    schedule: str, name: str, when: str, state: str
) -> None:
    found = properties(schedule)
    assert (resolved(found["ScheduleExpression"]), resolved(found["State"])) == (when, state)
    target = found["Target"]
    assert target["EcsParameters"]["TaskDefinitionArn"] == {"Ref": name}
    assert target["EcsParameters"]["LaunchType"] == "FARGATE"
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "NotStarted.Arn"}}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    # A start that comes later than the next one is of no use.
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600


def asked(name: str) -> tuple[Any, dict[str, Any]]:
    """What a task's entry point does beside, and the parameters of its command."""
    own = entrypoint()._asked(task(name).command)
    return own, parsed(own.command)


def test_the_scan_is_of_the_whole_organization_and_is_delivered() -> None:
    own, parameters = asked("ScanTask")
    assert own.command[0] == "scan"
    assert (parameters["org"], parameters["traffic"]) == (True, True)
    assert parameters["inspect"] is InspectionDepth.WHOLE
    assert str(own.report) == "s3://fleet-bucket/report/"


def test_the_waves_run_what_is_due_of_the_plan_in_the_bucket() -> None:
    own, parameters = asked("WavesTask")
    assert own.command[:2] == ["waves", "run"]
    assert [(str(source), str(file)) for source, file in own.get] == [
        ("s3://fleet-bucket/plan/waves.yaml", own.command[2])
    ]
    assert (parameters["due"], parameters["apply"], parameters["yes"]) == (True, True, True)
    assert str(own.report) == "s3://fleet-bucket/report/"


@pytest.mark.parametrize(
    ("name", "role"), [("ScanTask", "fleet-scan"), ("WavesTask", "fleet-waves")]
)
def test_settings_are_what_fleet_reads_and_hold_no_password(name: str, role: str) -> None:
    given = task(name)
    settings = Settings.load(None, given.environment)
    assert settings.role_name == role
    assert settings.external_id is None
    place = parse_place(settings.state)
    assert (place.url.username, place.url.password) == (None, None)
    assert place.shown == "postgresql://fleet.abc.us-east-1.rds.amazonaws.com:5432/fleet"
    query = parse_qs(urlsplit(settings.state).query)
    assert query["sslmode"] == ["verify-full"]
    assert query["sslrootcert"] == ["/etc/ssl/rds/global-bundle.pem"]
    secret = "${Database.MasterUserSecret.SecretArn}"  # noqa: S105  # its name
    assert given.secrets == {
        "PGUSER": f"{secret}:username::",
        "PGPASSWORD": f"{secret}:password::",
    }


def test_the_waves_tell_the_topic_that_they_may_publish_to() -> None:
    topic = Settings.load(None, task("WavesTask").environment).notify.sns
    assert topic == resolved(statements("WavesRole")["Tell"]["Resource"])


@pytest.mark.parametrize("name", TASKS)
def test_a_container_writes_to_its_disk_only_and_has_time_to_end(name: str) -> None:
    container = task(name).container
    assert container["StopTimeout"] == LONGEST_STOP
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    (mount,) = container["MountPoints"]
    assert properties(name)["Volumes"] == [{"Name": mount["SourceVolume"]}]


def test_the_state_is_encrypted_private_and_kept() -> None:
    database = properties("Database")
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert database["ManageMasterUserPassword"] is True
    assert properties("DatabaseParameters")["Parameters"] == {"rds.force_ssl": "1"}
    assert properties("DatabaseParameters")["Family"] == f"postgres{major_version()}"
    assert template()["Resources"]["Database"]["DeletionPolicy"] == "Snapshot"


def major_version() -> str:
    return resolved(properties("Database")["EngineVersion"]).partition(".")[0]


def test_nothing_reaches_the_state_but_the_tasks() -> None:
    entrance = properties("IntoDatabaseFromTasks")
    assert entrance["SourceSecurityGroupId"] == {"Ref": "TaskSecurityGroup"}
    assert entrance["FromPort"] == entrance["ToPort"] == 5432
    for name in ("TaskSecurityGroup", "DatabaseSecurityGroup"):
        assert "SecurityGroupIngress" not in properties(name)


def test_the_bucket_is_nobody_elses_and_only_over_tls() -> None:
    bucket = properties("Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (deny,) = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Action"]) == ("Deny", "s3:*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_task_that_fails_is_told() -> None:
    detail = properties("TaskFailed")["EventPattern"]["detail"]
    assert detail["lastStatus"] == ["STOPPED"]
    assert detail["$or"] == [
        {"containers": {"exitCode": [{"anything-but": [0]}]}},
        {"stopCode": ["TaskFailedToStart"]},
    ]
