"""Which tag a checkout needs for Go to write the recorded version of the main module. Pure.

From 1.24 on Go writes the version of a main module from the tags that it finds in the repository,
and today's are not those of the day of the build. https://go.dev/doc/go1.24#go-command
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(?:0|[1-9][0-9]*)"
_BEFORE = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_RELEASE = rf"v{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_BEFORE})?"
_VERSION = re.compile(rf"{_RELEASE}(?:\+incompatible)?")
_WHEN = r"[0-9]{14}-[0-9a-f]{12}"
_NO_BASE = re.compile(rf"v{_NUMBER}\.0\.0-{_WHEN}")
_AFTER_PRERELEASE = re.compile(rf"(v{_NUMBER}\.{_NUMBER}\.{_NUMBER}-{_BEFORE})\.0\.{_WHEN}")
_AFTER_RELEASE = re.compile(rf"(v{_NUMBER}\.{_NUMBER}\.)({_NUMBER})-0\.{_WHEN}")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that Go derives the recorded version from."""

    name: str
    is_before: bool
    """Whether it belongs on a commit before the one that is built."""


def is_version(text: str) -> bool:
    """Whether a text out of a binary is the version of a published module, pseudo ones too."""
    return _VERSION.fullmatch(text) is not None


def tag_for(version: str, module: str, root_module: str) -> Tag | None:
    """Give the tag that makes Go write `version` for a module, or None where it needs none.

    `root_module` is the path of the module in the root of the repository, without which Go writes
    no version. What Go adds for a changed work tree (`+dirty`) says nothing of tags. The forms of
    pseudo-versions are those of https://go.dev/ref/mod#pseudo-versions.
    """
    version = version.removesuffix("+dirty")
    prefix = _prefix(module, root_module)
    if prefix is None or _NO_BASE.fullmatch(version):
        return None
    if found := _AFTER_PRERELEASE.fullmatch(version):
        return Tag(prefix + found[1], is_before=True)
    if found := _AFTER_RELEASE.fullmatch(version):
        patch = int(found[2]) - 1
        return Tag(f"{prefix}{found[1]}{patch}", is_before=True) if patch >= 0 else None
    return Tag(prefix + version, is_before=False) if re.fullmatch(_RELEASE, version) else None


def _prefix(module: str, root_module: str) -> str | None:
    """Give what a module's tags begin with; it follows from paths, not from directories.

    https://go.dev/ref/mod#vcs-version
    """
    root, path = _without_major(root_module), _without_major(module)
    if not root or not f"{path}/".startswith(f"{root}/"):
        return None
    inside = path.removeprefix(root).strip("/")
    return f"{inside}/" if inside else ""


def _without_major(path: str) -> str:
    if path.startswith("gopkg.in/"):
        return re.sub(r"\.v[0-9]+(-unstable)?$", "", path)
    return re.sub(r"/v([2-9]|[1-9][0-9]+)$", "", path)
