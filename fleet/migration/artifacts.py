"""Which file is which function's package for arm64, and how it comes here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fleet.aws.failures import CallFailed, RoleRefused, Situation
from fleet.aws.objects import get_object
from fleet.aws.session import Aws
from fleet.errors import BadSelection
from fleet.migration.problems import Halted, halted_by
from fleet.model import FunctionRef
from fleet.package.archive.reader import SIZE_LIMIT

_S3 = "s3://"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_DENIED = frozenset({Situation.DENIED, Situation.BLOCKED_BY_POLICY})


def artifact_for(ref: FunctionRef, given: str, room: Path, aws: Aws) -> Path:
    """Give the file of a function's artifact, which need not be there.

    `given` is a zip, a directory, or s3://bucket/key, in which {account}, {region} and {function}
    stand for the function's. A directory holds ACCOUNT/REGION/NAME.zip for each function, or
    NAME.zip where there is no such file; a key that ends in / is taken for a directory of
    NAME.zip. An object is downloaded into the directory `room`, with the credentials of the
    function's account or, where those are denied, the caller's own. Raises BadSelection for an
    address that can't be one, Halted where the object can't be had, NoCredentials, Interrupted,
    and OSError where there is no room.
    """
    if not given.startswith(_S3):
        place = Path(given)
        return _in_directory(place, ref) if place.is_dir() else place
    bucket, key = _place(ref, given)
    file = room / f"{ref.account}-{ref.region}-{ref.name}.zip"
    try:
        _download(ref, aws, bucket, key, file)
    except (CallFailed, RoleRefused) as failure:
        halted = halted_by(failure)
        said = f"s3://{bucket}/{key} could not be had: {halted.reason}"
        raise Halted(halted.result, said) from failure
    return file


def own_place(directory: Path, ref: FunctionRef) -> Path:
    """Give the place of a function's artifact in a directory for many accounts."""
    return directory / ref.account / ref.region / f"{ref.name}.zip"


def _in_directory(directory: Path, ref: FunctionRef) -> Path:
    own = own_place(directory, ref)
    # A link that leads nowhere counts as there: NAME.zip may be another account's function.
    return own if own.is_symlink() or own.exists() else directory / own.name


def _place(ref: FunctionRef, given: str) -> tuple[str, str]:
    fields = {"{account}": ref.account, "{region}": ref.region, "{function}": ref.name}
    strange = sorted(set(_PLACEHOLDER.findall(given)) - fields.keys())
    if strange:
        advice = f"{strange[0]} stands for nothing: there are {', '.join(fields)}"
        raise BadSelection("--artifact", given, advice)
    bucket, _, key = _filled(given.removeprefix(_S3), fields).partition("/")
    if not _BUCKET.fullmatch(bucket) or not key:
        advice = "name a zip, a directory of zips, or s3://bucket/key"
        raise BadSelection("--artifact", given, advice)
    return bucket, f"{key}{ref.name}.zip" if key.endswith("/") else key


def _filled(text: str, fields: Mapping[str, str]) -> str:
    for name, value in fields.items():
        text = text.replace(name, value)
    return text


def _download(ref: FunctionRef, aws: Aws, bucket: str, key: str, file: Path) -> None:
    accounts = dict.fromkeys((ref.account, aws.caller.account))
    for account in accounts:
        try:
            with file.open("wb") as opened:
                lane = aws.lane(account, ref.region)
                get_object(aws, lane, bucket, key, opened, most=SIZE_LIMIT)
        except CallFailed as failure:
            if failure.situation not in _DENIED or account == aws.caller.account:
                raise
        else:
            return
