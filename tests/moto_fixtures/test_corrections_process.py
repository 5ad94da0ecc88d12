"""The emulator as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import boto3
import pytest


@pytest.mark.timeout(900)  # the first run on a machine builds the Go handlers
def test_it_serves_by_the_lines_it_prints_until_it_is_told_to_end() -> None:
    command = [sys.executable, "-m", "moto_fixtures"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            exported: dict[str, str] = {}
            while "AWS_DEFAULT_REGION" not in exported:
                name, _, value = process.stdout.readline().removeprefix("export ").partition("=")
                assert name, "it ended before it served"
                exported[name] = value.strip().strip("'")
            identity = boto3.client(
                "sts",
                region_name=exported["AWS_REGION"],
                endpoint_url=exported["AWS_ENDPOINT_URL"],
                aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
            ).get_caller_identity()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert identity["Arn"].endswith(":user/administrator")
