#!/usr/bin/env python3
"""Runs one fleet command in a container: files from S3 before it, files to S3 after it.

    entrypoint.py [--get S3 FILE]... [--put PATH S3]... [--report S3] COMMAND [ARGUMENT]...

The command's exit status is the container's; 1 if it is 0 and a file could not be delivered. Its
report and files are delivered however it ended. SIGTERM goes to the command, which ends politely;
ECS gives at most 120 seconds for that and for delivering:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import argparse
import mimetypes
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

import boto3
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

FLEET = (sys.executable, "-m", "fleet")
FAILED = 1
REPORTED = frozenset({0, 3, 4})
"""Statuses of `fleet report` that has written its files: fine, findings, coverage incomplete."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place in S3: an object, or a prefix that ends with a slash."""

    bucket: str
    key: str

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Read `s3://bucket/key`; raises ArgumentTypeError."""
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if not (text.startswith("s3://") and bucket and key):
            raise argparse.ArgumentTypeError(f"{text!r} is no s3://bucket/key")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class NotTransferred(Exception):
    """A file could not be fetched or delivered."""


class Transfer:
    """Files from S3 and to it, as whoever runs the task."""

    def __init__(self) -> None:
        self._s3: Any = boto3.client("s3")

    def get(self, source: Address, file: Path) -> None:
        """Fetch an object; raises NotTransferred."""
        try:
            self._s3.download_file(source.bucket, source.key, str(file))
        except (ClientError, BotoCoreError, Boto3Error, OSError) as error:
            # Without s3:ListBucket AWS answers 403 for what is not there.
            said = f"{source} is not there, or may not be read ({error})"
            raise NotTransferred(said) from error

    def put(self, path: Path, target: Address) -> None:
        """Deliver a file, or each file of a directory; raises NotTransferred."""
        try:
            for file, name in _files(path):
                guessed, _ = mimetypes.guess_type(file)
                kind = {"ContentType": guessed} if guessed else {}
                key = target.key + name if target.key.endswith("/") else target.key
                self._s3.upload_file(str(file), target.bucket, key, ExtraArgs=kind)
        except (ClientError, BotoCoreError, Boto3Error, OSError) as error:
            raise NotTransferred(f"{path} was not delivered to {target} ({error})") from error


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """Give each file and its name below the target."""
    if not path.is_dir():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield file, file.relative_to(path).as_posix()


class Command:
    """One process, which is told what this one is told."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._told: int | None = None
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._tell)

    def run(self, *arguments: str | Path) -> int:
        """Run fleet to its end; its status, or 128 and the number of the signal that ended it."""
        if self._told is not None:
            return 128 + self._told
        self._process = subprocess.Popen([*FLEET, *arguments])  # noqa: S603  # no shell
        if self._told is not None:
            # It came before there was anybody to tell.
            self._process.send_signal(self._told)
        status = self._process.wait()
        self._process = None
        return status if status >= 0 else 128 - status

    def stopped(self) -> None:
        """Forget that it was told to stop: the report of what was done is still wanted."""
        self._told = None

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        self._told = number
        if self._process is not None:
            self._process.send_signal(number)


def main(arguments: Sequence[str]) -> int:
    """Fetch, run, deliver; gives the exit status."""
    asked = _asked(arguments)
    command, transfer = Command(), Transfer()
    try:
        for source, file in asked.get:
            transfer.get(source, file)
    except NotTransferred as problem:
        _say(f"{problem}; nothing was run")
        return FAILED
    status = command.run(*asked.command)
    command.stopped()
    delivered = True
    for path, target in asked.put:
        delivered &= _delivered(transfer, path, target)
    if asked.report is not None:
        delivered &= _reported(command, transfer, asked.report)
    return status if status or delivered else FAILED


def _reported(command: Command, transfer: Transfer, target: Address) -> bool:
    with tempfile.TemporaryDirectory() as directory:
        status = command.run("report", "--output", directory)
        if status not in REPORTED:
            _say(f"there is no report: fleet report ended with status {status}")
            return False
        return _delivered(transfer, Path(directory), target)


def _delivered(transfer: Transfer, path: Path, target: Address) -> bool:
    try:
        transfer.put(path, target)
    except NotTransferred as problem:
        _say(str(problem))
        return False
    return True


def _say(said: str) -> None:
    print(f"entrypoint: {said}", file=sys.stderr)  # noqa: T201  # a command line of its own


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; whatever is wrong with it ends the process with status 2."""
    parser = argparse.ArgumentParser(
        description="Run one fleet command, with files from S3 before it and to S3 after it.",
        allow_abbrev=False,
    )
    parser.add_argument("--get", nargs=2, metavar=("S3", "FILE"), action="append", default=[])
    parser.add_argument("--put", nargs=2, metavar=("PATH", "S3"), action="append", default=[])
    parser.add_argument("--report", metavar="S3", type=Address.parsed)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    asked = parser.parse_args(arguments)
    try:
        asked.get = [(Address.parsed(source), Path(file)) for source, file in asked.get]
        asked.put = [(Path(path), Address.parsed(target)) for path, target in asked.put]
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
