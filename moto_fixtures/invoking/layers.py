"""Layers become one archive: /opt holds all of them, a later one's files over an earlier one's.

https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from fleet.toolchain.trial.problems import PackageUnusable
from fleet.toolchain.trial.unpack import MAX_UNZIPPED


def merged(layers: Sequence[bytes]) -> bytes:
    """Give one zip of the layers in their order; raises PackageUnusable where one is no zip."""
    entries: dict[str, tuple[zipfile.ZipInfo, bytes]] = {}
    left = MAX_UNZIPPED
    for number, layer in enumerate(layers, 1):
        try:
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                for entry in archive.infolist():
                    left -= entry.file_size
                    if left < 0:
                        raise PackageUnusable(f"layer {number}", "more than 250 MB unzipped")
                    entries[entry.filename] = (entry, archive.read(entry))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise PackageUnusable(f"layer {number}", f"not a zip for Lambda ({error})") from None
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in entries.values():
            kept = zipfile.ZipInfo(entry.filename, entry.date_time)
            kept.create_system, kept.external_attr = entry.create_system, entry.external_attr
            archive.writestr(kept, content)
    return out.getvalue()
