from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import FileProblem, SettingsProblem
from fleet.settings import Settings


def load(directory: Path, text: str, **environ: str) -> Settings:
    file = directory / "fleet.yaml"
    file.write_text(text, encoding="utf-8")
    return Settings.load(file, environ)


def test_flag_goes_over_environment_over_file(tmp_path: Path) -> None:
    text = "role_name: file\nparallelism: 4\nstate: file.db\n"
    settings = load(tmp_path, text, FLEET_ROLE_NAME="environment", FLEET_PARALLELISM="8")
    settings = settings.overridden(role_name="flag", external_id=None)
    assert settings.role_name == "flag"
    assert settings.parallelism == 8
    assert settings.state == "file.db"


def test_file_of_the_environment_is_read(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("runtimes: [go1.x, provided]\n", encoding="utf-8")
    settings = Settings.load(None, {"FLEET_CONFIG": str(file)})
    assert settings.runtimes == ("go1.x", "provided")


def test_without_any_file_the_defaults_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(None, {})
    assert settings.state == "sqlite:///fleet.db"
    assert settings.role_name == "OrganizationAccountAccessRole"
    assert settings.calls_per_second == 10


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("role_name: x\nrole: y\n", "line 2, role", "no such key"),
        ("state: a\nstate: b\n", "line 2", "stands twice"),
        ("owners:\n  - tag: team\n  - value: x\n", "line 3, owners.1.tag", "required"),
        ("exclude_accounts:\n  - '1'\n", "line 2, exclude_accounts.0", "12 digits"),
        ("exclude_accounts:\n  - 111122223333\n", "line 2, exclude_accounts.0", "in quotes"),
        ("exclude_accounts: [012345670123]\n", "line 1, exclude_accounts.0", "in quotes"),
        ("calls_per_second: 40\n", "line 1, calls_per_second", "less than or equal to 15"),
        ("parallelism: many\n", "line 1, parallelism", "integer"),
        (
            "rebuild:\n  functions:\n    - {function: a, ldflags: -s}\n",
            "line 3, rebuild.functions.0",
            "by its ARN",
        ),
        (
            "rebuild:\n  functions:\n    - {function: a}\n    - {function: a}\n",
            "line 1, rebuild",
            "twice",
        ),
        ("sources:\n  - {module: a.example/*}\n", "line 2, sources.0", "either git or checkout"),
        ("- state\n", "line 1", "keys and values"),
        ("state: [\n", "line 2", "expected"),
        ("!!python/object/apply:os.system ['true']\n", "line 1", "constructor"),
        ("\x00", "line 1", "not YAML"),
        ("state: !!timestamp 2020\n", "line 1", "constructor"),
        ("[" * 5000, "line 1", "levels deep"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_line_and_key(
    tmp_path: Path, text: str, place: str, problem: str
) -> None:
    with pytest.raises(SettingsProblem) as caught:
        load(tmp_path, text)
    assert caught.value.place == place
    assert problem in caught.value.problem
    assert str(tmp_path / "fleet.yaml") in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"), [("FLEET_PARALLELISM", "many"), ("FLEET_CALLS_PER_SECOND", "16")]
)
def test_a_mistake_in_the_environment_is_named_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsProblem, match=variable):
        Settings.load(None, {variable: value})


def test_a_named_file_that_is_missing_is_an_error_not_a_default(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="No such file"):
        Settings.load(tmp_path / "none.yaml", {})


def test_what_was_set_in_a_build_is_in_no_error_and_no_repr(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
    entry = f"    - {{function: '{arn}', ldflags: '-X main.key=do-not-leak'}}\n"
    settings = load(tmp_path, f"rebuild:\n  functions:\n{entry}")
    assert settings.rebuild.functions[0].ldflags == "-X main.key=do-not-leak"
    assert "do-not-leak" not in repr(settings)
    with pytest.raises(SettingsProblem) as problem:
        load(tmp_path, f"rebuild:\n  functions:\n{entry.replace('ldflags', 'ldflag')}")
    assert "do-not-leak" not in str(problem.value)
    assert hash(settings) == hash(load(tmp_path, f"rebuild:\n  functions:\n{entry}"))
