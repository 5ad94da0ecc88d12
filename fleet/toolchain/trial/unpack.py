"""A deployment package laid out as the sandbox's user finds it.

Lambda runs a function as a user who owns nothing in /var/task, so only the last of the three
permission triads counts. The sandbox's user may own the files that are laid out here: each
triad is made the last one's, or an owner's x bit would hide that nobody else may start the file.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fleet.toolchain.trial.problems import PackageUnusable

MAX_UNZIPPED = 250 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_UNIX = 3
_CHUNK = 1 << 20
_MAX_LINK = 4096
_MAX_DEPTH = 100
"""Far beyond any package; making and removing directories recurses, here and in Python."""
MAX_PLACES = 65_536
"""Files and directories together, those without an entry included: each entry names up to
_MAX_DEPTH of them."""
_NOT_MADE_ON_UNIX = 0o644
"""What unzip gives entries without Unix modes; that Lambda does the same is believed."""


def unpack(package: Path, directory: Path) -> None:
    """Lay a zip out in an empty directory; raises PackageUnusable, and then it may be half there.

    Stops at MAX_UNZIPPED bytes of content, whatever the archive says of its sizes; refuses
    directories deeper than 100 and more than 65,536 files and directories.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            _lay_out(archive, package, directory)
    except PackageUnusable:
        raise
    except zipfile.BadZipFile as error:
        raise PackageUnusable(str(package), f"not a whole zip ({error})") from None
    except (NotImplementedError, RuntimeError) as error:
        # zipfile's words for encryption and for compression methods that Lambda lacks as well.
        raise PackageUnusable(str(package), f"not a zip for Lambda ({error})") from None
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise PackageUnusable(str(package), f"cannot be unpacked ({error})") from None


def _lay_out(archive: zipfile.ZipFile, package: Path, directory: Path) -> None:
    directories: dict[Path, int] = {}
    links: list[tuple[zipfile.ZipInfo, Path]] = []
    left = MAX_UNZIPPED
    places: set[PurePosixPath] = set()
    for entry in archive.infolist():
        name = _inside(entry.filename, package)
        places.update((name, *name.parents[:-1]))
        if len(places) > MAX_PLACES:
            raise PackageUnusable(str(package), "too many files and directories")
        place = directory / name
        kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
        if entry.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            directories[place] = _mode(entry, 0o755)
        elif kind == stat.S_IFLNK:
            links.append((entry, place))
        elif kind in {0, stat.S_IFREG}:
            place.parent.mkdir(parents=True, exist_ok=True)
            left = _write(archive, entry, place, left, package)
        else:
            raise PackageUnusable(str(package), f"{entry.filename!r} is neither file nor link")
    # Last, so that no entry is written through one of them.
    for entry, place in links:
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source:
            place.symlink_to(os.fsdecode(source.read(_MAX_LINK)))
    # Deepest first: one that may not be entered closes what is below it to us as well.
    for place in sorted(_all_directories(directory), reverse=True):
        place.chmod(directories.get(place, 0o755))


def _write(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, left: int, package: Path
) -> int:
    with archive.open(entry) as source, place.open("xb") as target:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise PackageUnusable(str(package), "more than 250 MB unzipped")
            target.write(chunk)
    place.chmod(_mode(entry, _NOT_MADE_ON_UNIX))
    return left


def _inside(name: str, package: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise PackageUnusable(str(package), f"the entry {name!r} leads outside of the package")
    if len(path.parts) > _MAX_DEPTH:
        raise PackageUnusable(str(package), f"{path.name!r} lies in too many directories")
    return path


def _mode(entry: zipfile.ZipInfo, otherwise: int) -> int:
    mode = entry.external_attr >> 16 if entry.create_system == _UNIX else otherwise
    others = mode & 0o7
    return others << 6 | others << 3 | others


def _all_directories(directory: Path) -> Iterator[Path]:
    for parent, names, _ in os.walk(directory):
        yield from (Path(parent) / each for each in names if not (Path(parent) / each).is_symlink())
