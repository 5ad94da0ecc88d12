from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from fleet.errors import SettingsProblem
from fleet.settings import Settings

TOPIC = "arn:aws:sns:eu-west-1:001234567890:notices.fifo"
HOOK = "https://hooks.example.com/services/T0/SECRET"


def test_both_destinations_are_read_from_the_file_and_the_url_is_shown_nowhere(
    tmp_path: Path,
) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(f"notify:\n  sns: {TOPIC}\n  webhook: {HOOK}\n")
    settings = Settings.load(path, {})
    assert settings.notify.sns == TOPIC
    assert settings.notify.webhook is not None
    assert settings.notify.webhook.get_secret_value() == HOOK
    assert "SECRET" not in repr(settings)


def test_the_environment_goes_over_the_file_one_key_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(f"notify:\n  sns: {TOPIC}\n  webhook: https://old.example.com/x\n")
    notify = Settings.load(path, {"FLEET_NOTIFY_WEBHOOK": HOOK}).notify
    assert notify.webhook is not None
    assert (notify.sns, notify.webhook.get_secret_value()) == (TOPIC, HOOK)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.example.com/SECRET", "https://"),
        ("http://127.0.0.1.example.com/SECRET", "https://"),
        ("ftp://hooks.example.com/SECRET", "https://"),
        ("https://user:SECRET@hooks.example.com/x", "no password"),
        ("https:///SECRET", "whole URL"),
        ("https://hooks.example.com:99999/SECRET", "whole URL"),
        ("https://hooks.example.com/a SECRET", "whole URL"),
        ("SECRET", "whole URL"),
    ],
)
def test_a_url_that_is_refused_is_not_repeated(tmp_path: Path, url: str, said: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(f"notify:\n  webhook: '{url}'\n")
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("")
    for file, environ in ((path, {}), (nothing, {"FLEET_NOTIFY_WEBHOOK": url})):
        with pytest.raises(SettingsProblem, match=said) as caught:
            Settings.load(file, environ)
        assert "SECRET" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "localhost"])
def test_this_machine_may_be_told_without_tls(host: str) -> None:
    url = f"http://{host}/x"
    webhook = Settings.load(None, {"FLEET_NOTIFY_WEBHOOK": url}).notify.webhook
    assert webhook is not None
    assert webhook.get_secret_value() == url


@pytest.mark.parametrize(
    "arn",
    [
        "notices",
        "arn:aws:sqs:eu-west-1:001234567890:notices",
        "arn:aws:sns:eu-west-1:1234567890:notices",
        f"{TOPIC}:c7e1a5a0-subscription",
        "arn:aws:sns:eu-west-1:001234567890:" + "x" * 257,
    ],
)
def test_a_topic_that_is_none_is_refused_with_an_example(arn: str) -> None:
    with pytest.raises(SettingsProblem, match="arn:aws:sns:"):
        Settings.load(None, {"FLEET_NOTIFY_SNS": arn})


def test_a_key_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("notify:\n  sns: null\n  slack: x\n")
    with pytest.raises(SettingsProblem, match=r"line 3.*slack.*no such key"):
        Settings.load(path, {})
