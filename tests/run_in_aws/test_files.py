"""The image, and the schedules of CI: what can be held of them without a builder or a runner."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.run_in_aws.commands import parsed
from tests.run_in_aws.template import AWS, task

ROOT = AWS.parents[1]
DOCKERFILE = AWS / "Dockerfile"
CRON = re.compile(r"[\d*/,-]+( [\d*/,-]+){4}")
GITHUB = yaml.safe_load((AWS / "ci" / "github-actions.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((AWS / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8"))


def instructions() -> list[tuple[str, str]]:
    """Name and rest of each, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines) if name]


def those(name: str) -> list[str]:
    return [rest for each, rest in instructions() if each == name]


def test_every_base_image_is_named_with_its_whole_version() -> None:
    bases = [each.split()[0] for each in those("FROM")]
    assert bases
    for each in bases:
        assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", each), each


def test_nobody_is_root_in_it() -> None:
    (user,) = those("USER")
    assert instructions().index(("USER", user)) > instructions().index(("RUN", those("RUN")[-1]))
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_what_is_copied_is_in_the_checkout_and_not_ignored() -> None:
    kept = {
        line[1:]
        for line in (AWS / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied: set[str] = set()
    for rest in those("COPY"):
        if "--from" not in rest:
            copied.update(each.rstrip("/") for each in rest.split()[:-1] if each[0] != "-")
    assert copied == kept
    for each in copied:
        assert (ROOT / each).exists(), each


def test_fleet_is_installed_with_the_versions_that_were_tested() -> None:
    (install,) = [each for each in those("RUN") if "pip install" in each]
    assert "--constraint constraints.txt" in install
    assert '".[postgresql]"' in install


def test_the_entry_point_is_the_file_that_is_copied_there_and_works_where_the_disk_is() -> None:
    (entry,) = (json.loads(each) for each in those("ENTRYPOINT"))
    (copied,) = [each for each in those("COPY") if "entrypoint.py" in each]
    assert entry == ["/opt/fleet/bin/python", copied.split()[-1]]
    (mount,) = task("ScanTask").container["MountPoints"]
    (volume,) = (json.loads(each) for each in those("VOLUME"))
    assert volume == [mount["ContainerPath"]] == those("WORKDIR")[-1:]
    assert "TMPDIR=/work" in those("ENV")[-1]


def test_the_bundle_that_the_state_is_checked_by_is_in_it() -> None:
    (bundle,) = those("ADD")
    assert f"sslrootcert={bundle.split()[-1]}" in task("ScanTask").environment["FLEET_STATE"]
    assert any(each.startswith("RDS_BUNDLE=https://") for each in those("ARG"))


def of_github() -> Iterator[tuple[str, str]]:
    """Each job, and each line that it runs."""
    for name, job in GITHUB["jobs"].items():
        for step in job["steps"]:
            for line in step.get("run", "").splitlines():
                yield name, line


def of_gitlab() -> Iterator[tuple[str, str]]:
    for name in ("scan", "waves"):
        for line in (*GITLAB[name]["script"], *GITLAB[name].get("after_script", [])):
            yield name, line


@pytest.mark.parametrize("lines", [of_github, of_gitlab], ids=["github", "gitlab"])
def test_what_ci_runs_is_understood(lines: Any) -> None:  # noqa: ANN401  # either
    ran: dict[str, list[list[str]]] = {"scan": [], "waves": []}
    for name, line in lines():
        program, *arguments = shlex.split(line)
        if Path(program).name == "fleet":
            ran[name].append(arguments)
            parsed(arguments)
    (scan,) = ran["scan"]
    assert parsed(scan)["org"] is True
    moves, reports = ran["waves"]
    assert (moves[:2], reports[0]) == (["waves", "run"], "report")
    given = parsed(moves)
    assert (given["due"], given["apply"], given["yes"]) == (True, True, True)


def test_github_has_a_schedule_for_each_job() -> None:
    # YAML 1.1 reads the key `on` as true.
    crons = [each["cron"] for each in GITHUB[True]["schedule"]]
    assert all(CRON.fullmatch(each) for each in crons)
    for job, cron in zip(("scan", "waves"), crons, strict=True):
        assert f"github.event.schedule == '{cron}'" in GITHUB["jobs"][job]["if"]


@pytest.mark.parametrize("job", ["scan", "waves"])
def test_jobs_run_one_at_a_time_and_are_not_cancelled(job: str) -> None:
    assert GITHUB["jobs"][job]["concurrency"]["cancel-in-progress"] is False
    assert GITLAB[job]["resource_group"] == f"fleet-{job}"
    assert 'CI_PIPELINE_SOURCE == "schedule"' in GITLAB[job]["rules"][0]["if"]


def test_github_may_read_the_repository_and_ask_for_a_token_and_no_more() -> None:
    assert GITHUB["permissions"] == {"contents": "read", "id-token": "write"}
