"""Layers as one archive: the later one's file is the one that counts."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.toolchain.trial.problems import PackageUnusable
from moto_fixtures.invoking import layers as room
from moto_fixtures.invoking.layers import merged
from moto_fixtures.packages import zipped

LAYERS = st.lists(
    st.dictionaries(
        st.sampled_from(["bootstrap", "bin/tool", "lib/a", "lib/b"]),
        st.tuples(st.binary(max_size=20), st.sampled_from([0o100644, 0o100755])),
    ),
    max_size=5,
)


def content(archive: bytes) -> dict[str, tuple[bytes, int]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {
            entry.filename: (opened.read(entry), entry.external_attr >> 16)
            for entry in opened.infolist()
        }


@given(LAYERS)
def test_a_later_layers_files_and_modes_win(
    layers: list[dict[str, tuple[bytes, int]]],
) -> None:
    expected: dict[str, tuple[bytes, int]] = {}
    for layer in layers:
        expected |= layer
    assert content(merged([zipped(layer) for layer in layers])) == expected


def test_a_layer_that_is_no_zip_is_refused() -> None:
    with pytest.raises(PackageUnusable, match="layer 2: not a zip"):
        merged([zipped({}), b"torn"])


def test_layers_beyond_lambdas_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_UNZIPPED", 10)
    six = zipped({"six": (b"123456", 0o100644)})
    assert merged([six])
    with pytest.raises(PackageUnusable, match="layer 2: more than 250 MB"):
        merged([six, zipped({"more": (b"123456", 0o100644)})])
