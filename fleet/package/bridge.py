"""The bridge layer's package: a bootstrap that starts a go1.x package where it lies. Pure.

Lambda looks for bootstrap in /var/task, then in /opt, where layers are:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile

from fleet.inspection import BOOTSTRAP
from fleet.package.shim import SHIM

_UNIX = 3
_REGULAR_0755 = 0o100755 << 16


def bridge_package() -> bytes:
    """Give the zip: the same bytes always, since its CodeSha256 is how it is found again."""
    entry = zipfile.ZipInfo(BOOTSTRAP, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = _UNIX
    entry.external_attr = _REGULAR_0755
    file = io.BytesIO()
    # Stored: how a compressor packs is not the same everywhere.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(entry, SHIM)
    return file.getvalue()


def bridge_sha256() -> str:
    """Give its CodeSha256, base64, as AWS gives it."""
    return base64.b64encode(hashlib.sha256(bridge_package()).digest()).decode()
