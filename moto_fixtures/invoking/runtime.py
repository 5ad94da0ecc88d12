"""The runtimes whose packages can be run here.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from __future__ import annotations

GO = "go1.x"

_CUSTOM = frozenset({"provided", "provided.al2", "provided.al2023"})


def is_custom(runtime: str | None) -> bool:
    """Whether it runs a bootstrap against the Runtime API."""
    return runtime in _CUSTOM
