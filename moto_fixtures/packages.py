"""Deployment packages as Lambda takes them: the zips that packages.yaml describes."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from moto_fixtures.build import Progress, build
from moto_fixtures.cache import default_cache, kept
from moto_fixtures.definition import Build, Organization, PackageDefinition

_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE = 0o100755
_READABLE = 0o100644


@dataclass(frozen=True)
class Package:
    """A zip and what AWS says of it."""

    content: bytes

    @property
    def size(self) -> int:
        """CodeSize: bytes, zipped."""
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """CodeSha256: the SHA-256 of the zip, base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def zipped(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Give a zip of path → (content, Unix mode); the same files always give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, (content, mode) in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            # Without it, Lambda finds a file that nobody may execute.
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def load_packages(
    organization: Organization,
    *,
    cache: Path | None = None,
    progress: Progress = lambda _: None,
) -> Mapping[str, Package]:
    """Give every package of the organization by name, building what the cache lacks.

    Raises what build() raises.
    """
    directory = cache or default_cache()
    return {
        name: Package(_path(definition, organization.builds, directory, progress).read_bytes())
        for name, definition in organization.packages.items()
    }


def _path(
    definition: PackageDefinition,
    builds: Mapping[str, Build],
    cache: Path,
    progress: Progress,
) -> Path:
    binaries = {
        entry.build: build(builds[entry.build], cache=cache, progress=progress)
        for entry in definition.files.values()
        if entry.build is not None
    }

    def make(target: Path) -> None:
        files = {}
        for path, entry in definition.files.items():
            if entry.build is not None:
                files[path] = (binaries[entry.build].read_bytes(), _EXECUTABLE)
            else:
                mode = _EXECUTABLE if entry.executable else _READABLE
                files[path] = ((entry.text or "").encode(), mode)
        target.write_bytes(zipped(files))

    # A binary's file name holds the hash of all that went into it.
    key = hashlib.sha256(definition.model_dump_json().encode())
    key.update("\0".join(path.name for path in binaries.values()).encode())
    return kept(cache, f"package-{key.hexdigest()[:24]}.zip", make)
