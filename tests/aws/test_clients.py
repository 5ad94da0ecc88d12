from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet.aws.clients import Clients
from fleet.aws.failures import NoCredentials
from fleet.aws.retry import DEFAULT_ATTEMPTS
from fleet.errors import BadSelection, SettingsProblem

OWN_KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = secret\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An AWS configuration file for a test to write."""
    path = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


def test_no_credentials_at_all_says_how_to_get_some() -> None:
    with pytest.raises(NoCredentials, match=r"none were found; sign in \(`aws sso login`\)"):
        Clients(os.environ)


def test_half_of_a_pair_of_keys_is_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    with pytest.raises(NoCredentials, match="AWS_SECRET_ACCESS_KEY"):
        Clients(os.environ)


@pytest.mark.usefixtures("keys")
def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(BadSelection, match="--profile 'nobody': no such AWS profile"):
        Clients(os.environ, profile="nobody")


@pytest.mark.usefixtures("keys")
def test_an_unknown_profile_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "someone")
    with pytest.raises(BadSelection, match="'someone'"):
        Clients(os.environ)


def test_an_sso_session_that_is_over_says_to_sign_in(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Where botocore looks for the token that `aws sso login` leaves.
    monkeypatch.setenv("HOME", str(tmp_path))
    config.write_text(
        "[profile work]\nsso_session = s\nsso_account_id = 000000000001\nsso_role_name = R\n"
        "region = us-east-1\n[sso-session s]\nsso_start_url = https://example.awsapps.com/start\n"
        "sso_region = us-east-1\n"
    )
    with pytest.raises(NoCredentials, match="aws sso login"):
        Clients(os.environ, profile="work").own_credentials()


def test_a_profile_whose_command_fails_has_no_credentials(config: Path) -> None:
    config.write_text("[profile work]\ncredential_process = false\n")
    with pytest.raises(NoCredentials):
        Clients(os.environ, profile="work").own_credentials()


def test_a_corrupt_configuration_file_is_named(config: Path) -> None:
    config.write_text("no section\n")
    with pytest.raises(SettingsProblem, match=r"config"):
        Clients(os.environ)


@pytest.mark.usefixtures("keys")
def test_a_region_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "nowhere")
    with pytest.raises(SettingsProblem, match="AWS_REGION: 'nowhere' is no region"):
        Clients(os.environ)


NOWHERE = "http://127.0.0.1:9"


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, "environment, AWS_ENDPOINT_URL: Invalid endpoint"),
        ({"AWS_ENDPOINT_URL": "http://[::1"}, "environment, AWS_ENDPOINT_URL: Invalid IPv6"),
        ({"AWS_ENDPOINT_URL": "http://a:99999"}, "environment, AWS_ENDPOINT_URL: Port out of"),
        ({"AWS_ENDPOINT_URL": "http://a:b"}, "environment, AWS_ENDPOINT_URL: Port could not"),
        (
            {"AWS_ENDPOINT_URL_LAMBDA": "nonsense", "AWS_ENDPOINT_URL": NOWHERE},
            "environment, AWS_ENDPOINT_URL_LAMBDA: Invalid endpoint",
        ),
        (
            {"AWS_DEFAULTS_MODE": "bogus", "AWS_ENDPOINT_URL": NOWHERE},
            "AWS configuration, lambda in us-east-1: .*invalid defaults mode",
        ),
    ],
)
def test_what_makes_a_client_impossible_is_named_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsProblem, match=f"^{said}"):
        Clients(os.environ).client("lambda", "us-east-1")


@pytest.mark.parametrize(
    "endpoint",
    [
        "endpoint_url = nonsense\n",
        "services = own\n[services own]\nlambda =\n  endpoint_url = nonsense\n",
    ],
)
def test_an_endpoint_of_the_configuration_file_is_not_blamed_on_the_environment(
    config: Path, endpoint: str
) -> None:
    config.write_text(f"[default]\n{OWN_KEYS}{endpoint}")
    with pytest.raises(
        SettingsProblem, match=r"^AWS configuration, endpoint_url: Invalid endpoint"
    ):
        Clients(os.environ).client("lambda", "us-east-1")


@pytest.mark.usefixtures("keys")
def test_a_region_that_cannot_be_one_is_not_blamed_on_an_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    with pytest.raises(SettingsProblem, match=r"^AWS configuration, lambda in no region: "):
        Clients(os.environ).client("lambda", "no region")


@pytest.mark.usefixtures("keys")
def test_the_region_is_the_environments_then_the_profiles_then_us_east_1(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(f"[profile work]\n{OWN_KEYS}region = eu-west-3\n")
    assert Clients(os.environ, profile="work").home_region == "us-east-1"
    monkeypatch.delenv("AWS_REGION")
    assert Clients(os.environ).home_region == "us-east-1"
    assert Clients(os.environ, profile="work").home_region == "eu-west-3"


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("given", ["0", "-1", "many", "1.5"])
def test_attempts_that_are_no_number_of_calls_are_refused(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", given)
    with pytest.raises(SettingsProblem, match="AWS_MAX_ATTEMPTS"):
        Clients(os.environ)


@pytest.mark.usefixtures("keys")
def test_attempts_are_the_environments_then_the_profiles_then_ours(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Clients(os.environ).max_attempts == DEFAULT_ATTEMPTS
    config.write_text(f"[profile work]\n{OWN_KEYS}max_attempts = 4\n")
    assert Clients(os.environ, profile="work").max_attempts == 4
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    assert Clients(os.environ, profile="work").max_attempts == 7


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("region", "partition", "organizations", "accounts", "sts"),
    [
        (
            "eu-west-1",
            "aws",
            "https://organizations.us-east-1.amazonaws.com",
            "https://account.us-east-1.amazonaws.com",
            "https://sts.eu-west-1.amazonaws.com",
        ),
        (
            "cn-north-1",
            "aws-cn",
            "https://organizations.cn-northwest-1.amazonaws.com.cn",
            "https://account.cn-northwest-1.amazonaws.com.cn",
            "https://sts.cn-north-1.amazonaws.com.cn",
        ),
        (
            "us-gov-east-1",
            "aws-us-gov",
            "https://organizations.us-gov-west-1.amazonaws.com",
            "https://account.us-gov-west-1.amazonaws.com",
            "https://sts.us-gov-east-1.amazonaws.com",
        ),
    ],
)
def test_each_partition_has_its_own_endpoints_and_sts_is_regional(
    monkeypatch: pytest.MonkeyPatch,
    region: str,
    partition: str,
    organizations: str,
    accounts: str,
    sts: str,
) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    clients = Clients(os.environ)
    assert clients.partition == partition
    assert region in clients.regions()
    home = clients.home_region
    assert clients.client("organizations", home).meta.endpoint_url == organizations
    assert clients.client("account", home).meta.endpoint_url == accounts
    assert clients.client("sts", home).meta.endpoint_url == sts


@pytest.mark.usefixtures("keys")
def test_a_service_and_region_has_one_client_for_everybody() -> None:
    clients = Clients(os.environ)
    assert clients.client("lambda", "eu-west-1") is clients.client("lambda", "eu-west-1")
    assert clients.client("lambda", "eu-west-1") is not clients.client("lambda", "eu-west-2")
    # One endpoint a partition: one client, whatever region is asked for.
    assert clients.client("organizations", "eu-west-1") is clients.client("organizations", "us-1")


@pytest.mark.usefixtures("keys")
def test_connections_are_as_many_as_threads() -> None:
    config = Clients(os.environ, parallelism=17).client("lambda", "eu-west-1").meta.config
    assert config.max_pool_connections == 17
