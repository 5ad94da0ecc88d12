from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from moto_fixtures.load import load_organization
from moto_fixtures.packages import load_packages, zipped
from moto_fixtures.seed import spread

PATHS = st.text("abcdefgh/._-", min_size=1, max_size=20).filter(
    lambda path: not path.startswith("/") and not path.endswith("/")
)
MODES = st.sampled_from([0o100644, 0o100755])


@given(st.dictionaries(PATHS, st.tuples(st.binary(max_size=200), MODES), max_size=5))
def test_a_zip_is_the_same_every_time_and_gives_back_what_went_in(
    files: dict[str, tuple[bytes, int]],
) -> None:
    content = zipped(files)
    assert content == zipped(files)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        told = {
            entry.filename: (archive.read(entry), entry.external_attr >> 16)
            for entry in archive.infolist()
        }
        assert told == files
        assert {entry.create_system for entry in archive.infolist()} <= {3}
        assert {entry.date_time for entry in archive.infolist()} <= {(1980, 1, 1, 0, 0, 0)}


def test_everybody_may_execute_what_was_built_and_the_empty_archive_is_empty() -> None:
    organization = load_organization()
    packages = load_packages(organization)
    assert packages.keys() == organization.packages.keys()
    for name, definition in organization.packages.items():
        with zipfile.ZipFile(io.BytesIO(packages[name].content)) as archive:
            assert archive.namelist() == list(definition.files)
            for path, entry in definition.files.items():
                mode = archive.getinfo(path).external_attr >> 16
                runs = entry.build is not None or entry.executable
                assert mode == (0o100755 if runs else 0o100644)
    assert packages["empty"].size == 22


SECONDS = st.integers(min_value=0, max_value=4 * 10**9)


@given(st.integers(min_value=0, max_value=10**9), SECONDS)
def test_thirty_days_of_traffic_add_up(total: int, seconds: int) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    points = spread(total, now)
    assert sum(points.values()) == total
    assert len(points) == 30
    assert all(now - timedelta(days=30) <= moment < now for moment in points)
