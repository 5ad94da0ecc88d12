"""The container's entry point as ECS runs it: real S3 calls, a real PostgreSQL, real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.store import Store
from moto_fixtures.server import Call, Moment
from tests.cli.command import Ended
from tests.migration.victims import RENAMED, package
from tests.moto_fixtures.small_organization import HOME, Client, Organization, running
from tests.postgresql import PASSWORD, Server
from tests.run_in_aws.commands import entrypoint
from tests.run_in_aws.template import AWS, GIVEN, task

BUCKET = GIVEN["Bucket"]
REPORTS = {"report/fleet-report.csv", "report/fleet-report.html", "report/fleet-report.json"}
ONE_REGION = ("--region", HOME)
"""Seventeen take their time."""
SECONDS = 120


@dataclass(frozen=True)
class Ecs:
    """Whoever starts the container."""

    organization: Organization
    work: Path
    state: Mapping[str, str]

    @property
    def s3(self) -> Client:
        return self.organization.client("s3")

    def start(self, *command: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", AWS / "entrypoint.py", *command],
            cwd=self.work,
            env={
                **os.environ,
                **self.organization.emulator.environment,
                "FLEET_CALLS_PER_SECOND": "15",
                **self.state,
                **environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, **environ: str) -> Ended:
        process = self.start(*command, **environ)
        out, err = process.communicate(timeout=SECONDS)
        return Ended(process.returncode, out, err)

    def delivered(self) -> dict[str, str]:
        """Key of each object, and its type."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {
            each["Key"]: self.s3.head_object(Bucket=BUCKET, Key=each["Key"])["ContentType"]
            for each in listed
        }


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with running() as small:
        small.add_function("orders", Code={"ZipFile": package(*RENAMED, release="1")})
        yield small


@pytest.fixture
def ecs(organization: Organization, tmp_path: Path) -> Iterator[Ecs]:
    s3 = organization.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield Ecs(organization, tmp_path, {"FLEET_STATE": f"sqlite:///{tmp_path}/fleet.db"})
    organization.emulator.on_call = None
    for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=each["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def in_postgresql(ecs: Ecs, server: Server) -> Ecs:
    """The same with the state as a task has it: user and password beside the URL."""
    state = {
        "FLEET_STATE": f"postgresql:///postgres?host={server.home}",
        "PGUSER": "fleet",
        "PGPASSWORD": PASSWORD,
    }
    return Ecs(ecs.organization, ecs.work, state)


@pytest.mark.postgresql
def test_the_templates_scan_is_saved_by_the_secret_and_its_report_is_in_the_bucket(
    ecs: Ecs, postgresql: Server
) -> None:
    with postgresql.database() as url:
        ended = in_postgresql(ecs, postgresql).run(*task("ScanTask").command, *ONE_REGION)
        assert ended.status == 0, ended.err
        with Store.open(url) as store:
            assert store.scan(None).options.organization
    assert set(ecs.delivered()) == REPORTS
    table = ecs.s3.get_object(Bucket=BUCKET, Key="report/fleet-report.csv")["Body"].read()
    assert b"orders" in table
    assert not list(ecs.work.iterdir())


@pytest.mark.postgresql
def test_from_a_scan_to_a_plan_in_the_bucket_to_a_tick_that_brings_it_into_the_state(
    ecs: Ecs, postgresql: Server
) -> None:
    with postgresql.database() as url:
        tasks = in_postgresql(ecs, postgresql)
        scanned = tasks.run("scan", "--org", "--inspect", "--no-report", *ONE_REGION)
        assert scanned.status == 0, scanned.err
        draft = f"s3://{BUCKET}/draft/waves.yaml"
        planned = tasks.run("--put", "made.yaml", draft, "plan", "--from-scan", "-o", "made.yaml")
        assert planned.status == 0, planned.err
        ecs.s3.copy_object(
            Bucket=BUCKET, Key="plan/waves.yaml", CopySource=f"{BUCKET}/draft/waves.yaml"
        )
        ticked = tasks.run(*task("WavesTask").command)
        assert ticked.status == 0, ticked.err
        with Store.open(url) as store:
            assert [each.name for each in store.plans()] == ["go1x"]
    assert set(ecs.delivered()) >= REPORTS


@pytest.mark.postgresql
def test_a_wrong_password_is_told_and_not_repeated(ecs: Ecs, postgresql: Server) -> None:
    wrong = "wrong-horse"
    ended = in_postgresql(ecs, postgresql).run("scans", PGPASSWORD=wrong)
    assert ended.status == 1
    assert "password authentication failed" in ended.err
    assert wrong not in ended.out + ended.err


def test_the_plan_is_there_before_the_command_begins(ecs: Ecs) -> None:
    ecs.s3.put_object(Bucket=BUCKET, Key="plan/orders.zip", Body=package(*RENAMED, release="1"))
    ended = ecs.run(
        *("--get", f"s3://{BUCKET}/plan/orders.zip", "here.zip"),
        *("inspect", "here.zip", "--handler", "main"),
    )
    assert ended.status == 0, ended.err
    assert ended.out.startswith("here.zip: ready")


def test_without_its_plan_nothing_is_run(ecs: Ecs) -> None:
    ended = ecs.run(*task("WavesTask").command)
    assert ended.status == 1
    assert f"s3://{BUCKET}/plan/waves.yaml is not there, or may not be read" in ended.err
    assert ended.err.endswith("nothing was run\n")
    assert (ended.out, ecs.delivered()) == ("", {})


def test_a_polite_end_is_passed_on_and_what_was_found_is_delivered(ecs: Ecs) -> None:
    started: list[subprocess.Popen[str]] = []

    def stop(call: Call, moment: Moment) -> None:
        if call.operation == "ListFunctions" and moment is Moment.BEFORE and started:
            started.pop().terminate()

    ecs.organization.emulator.on_call = stop
    process = ecs.start(*task("ScanTask").command, *ONE_REGION)
    started.append(process)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert not started
    assert set(ecs.delivered()) == REPORTS


def test_a_command_that_is_killed_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = "import os; os.kill(os.getpid(), 9)"
    monkeypatch.setattr(entrypoint(), "FLEET", (sys.executable, "-S", "-c", killed))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert entrypoint().Command().run("scan") == 128 + signal.SIGKILL


def test_a_report_that_cannot_be_made_is_told_and_is_no_success(ecs: Ecs) -> None:
    ended = ecs.run("--report", f"s3://{BUCKET}/report/", "policy", "scan")
    assert ended.status == 1
    assert "there is no report: fleet report ended with status 1" in ended.err
    assert ended.out.startswith("{")


def test_what_cannot_be_delivered_is_told_and_is_no_success(ecs: Ecs) -> None:
    (ecs.work / "waves.yaml").write_text("format: 1\n", encoding="utf-8")
    ended = ecs.run("--put", "waves.yaml", "s3://nobodys-bucket/draft/", "policy", "scan")
    assert ended.status == 1
    assert "waves.yaml was not delivered to s3://nobodys-bucket/draft/" in ended.err


def test_files_are_delivered_with_their_types(ecs: Ecs) -> None:
    made = ecs.work / "made"
    (made / "inside").mkdir(parents=True)
    (made / "report.html").write_text("<p>", encoding="utf-8")
    (made / "inside" / "data.json").write_text("{}", encoding="utf-8")
    ended = ecs.run(
        *("--put", "made", f"s3://{BUCKET}/draft/"),
        *("--put", "made/report.html", f"s3://{BUCKET}/draft/other.html"),
        *("policy", "scan"),
    )
    assert ended.status == 0, ended.err
    assert ecs.delivered() == {
        "draft/report.html": "text/html",
        "draft/inside/data.json": "application/json",
        "draft/other.html": "text/html",
    }


@pytest.mark.parametrize(
    "given",
    [
        ("--get", "waves.yaml", "s3://bucket/plan/waves.yaml"),
        ("--put", "waves.yaml", "s3://bucket"),
        ("--report", "https://bucket/report/"),
    ],
)
def test_what_is_no_place_in_s3_is_a_usage_error(
    given: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        entrypoint()._asked([*given, "policy", "scan"])
    assert "is no s3://bucket/key" in capsys.readouterr().err
