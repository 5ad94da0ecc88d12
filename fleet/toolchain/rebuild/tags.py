"""Build tags, as Go takes and records them. Pure.

https://pkg.go.dev/cmd/go#hdr-Build_constraints
"""

from __future__ import annotations

import re
from collections.abc import Iterable

NORPC = "lambda.norpc"
"""Leaves the RPC server out of aws-lambda-go, which only go1.x uses."""

_TAG = re.compile(r"[A-Za-z0-9_.]+", re.ASCII)
_BY_GO = re.compile(r"fips140v[0-9.]+", re.ASCII)
"""What Go adds by itself where GOFIPS140 names a version, and records among the others."""


def read(value: str) -> tuple[str, ...] | None:
    """Give the tags of a recorded -tags, each once, or None where one of them is none.

    They are parted by commas, and were by spaces before Go 1.13.
    """
    found = [each for each in re.split(r"[, ]+", value) if each]
    if not all(_TAG.fullmatch(each) for each in found):
        return None
    return tuple(dict.fromkeys(each for each in found if not _BY_GO.fullmatch(each)))


def with_norpc(tags: Iterable[str]) -> tuple[str, ...]:
    """Give the same tags with lambda.norpc behind them, each once."""
    return tuple(dict.fromkeys((*tags, NORPC)))
