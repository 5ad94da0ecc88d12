from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from moto_fixtures.load import ORGANIZATION, load_organization

# What is replaced in which file, by what, and what the error has to say.
WRONG = [
    ("organization.yaml", 'management: "111122223333"', "management: 111122223333", "valid string"),
    ("organization.yaml", "  - Workloads\n", "", "Workloads/Prod has no parent before it"),
    ("organization.yaml", "opt_in_regions: [eu-south-2]", "opt_in_regions: []", "eu-south-2 is no"),
    ("packages.yaml", "main: {build: orders-norpc}", "main: {build: other}", "no build other"),
    ("packages.yaml", "main: {build: orders-norpc}", "main: {}", "needs either build or text"),
    ("accounts/management.yaml", "package: go-root", "package: gone", "there is no package gone"),
    ("accounts/management.yaml", "runtime: go1.x", "runtimes: go1.x", "not permitted"),
    ("accounts/management.yaml", "region: us-east-1", "region: mars-1", "is in mars-1"),
    ("accounts/management.yaml", "name: account-vending,", "name: a b,", "should match pattern"),
    ("accounts/management.yaml", "account-vending-notify", "account-vending", "stands 2 times"),
    ("accounts/network.yaml", '"444455556666"', '"111122223333"', "111122223333 stands twice"),
    ("accounts/network.yaml", "ou: Infrastructure", "ou: Elsewhere", "no organizational unit"),
    ("accounts/retail-prod.yaml", "live: {version: 3}", "live: {version: 9}", "version 9"),
    ("accounts/retail-prod.yaml", "{queue: checkout-accepted}", "{}", "either queue or stream"),
    ("accounts/retail-prod.yaml", "qualifier: live}]", "qualifier: x}]", "which is no qualifier"),
    ("accounts/retail-prod.yaml", "metrics:1", "metrics:3", "no layer 555566667777:metrics:3"),
    ("accounts/shared-services.yaml", "image: ", "package: ", "needs runtime, handler and package"),
    ("accounts/sandbox.yaml", "functions:", "functions: [", "is no YAML"),
    ("accounts/sandbox.yaml", "functions:", "functions: {2020-01-01: {{}: 1}}\nx:", "is no YAML"),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the organization's files that a test may change."""
    return Path(shutil.copytree(ORGANIZATION, tmp_path / "organization"))


@pytest.mark.parametrize(("name", "right", "wrong", "said"), WRONG)
def test_a_wrong_file_gives_one_error_that_names_it(
    files: Path, name: str, right: str, wrong: str, said: str
) -> None:
    text = (files / name).read_text()
    assert right in text
    (files / name).write_text(text.replace(right, wrong, 1))
    with pytest.raises(FileProblem) as caught:
        load_organization(files)
    assert said in str(caught.value)
    # What spans the files is told of the one that holds them together.
    assert Path(caught.value.path) in {files / name, files / "organization.yaml"}
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(files: Path) -> None:
    (files / "packages.yaml").unlink()
    with pytest.raises(FileProblem, match=r"packages\.yaml: No such file"):
        load_organization(files)


def test_a_list_where_a_mapping_belongs_is_refused(files: Path) -> None:
    (files / "packages.yaml").write_text("[]")
    with pytest.raises(FileProblem, match="holds no mapping"):
        load_organization(files)
