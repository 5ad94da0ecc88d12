"""Where the Go handlers and the packages made of them are kept."""

from __future__ import annotations

from pathlib import Path

from fleet.cache import kept, user_cache

__all__ = ["default_cache", "kept"]


def default_cache() -> Path:
    """Give the directory of the handlers in this user's cache."""
    return user_cache("handlers")
