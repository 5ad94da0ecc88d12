"""Names that files of an embedded directory might have had, to ask git whether it ignores them.

Pure. Patterns of https://pkg.go.dev/embed take in all that lies below a directory; what begins with
a dot or an underscore only behind `all:`. Lines of .gitignore are those of
https://git-scm.com/docs/gitignore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_PROBES = (
    *("probe", "probe.html", "probe.js", "probe.css", "probe.json", "probe.txt"),
    *("assets/probe.js", "static/probe.js", "index.html"),
)
_WILD = re.compile(r"\[[^\]]*\]|[*?]")
_ALL = "all:"


def probes(
    directory: PurePosixPath,
    pattern: str,
    files: Iterable[str],
    ignoring: Mapping[str, str],
    *,
    is_directory: bool,
) -> frozenset[str]:
    """Give such names for a pattern of a package; none where it names one file alone.

    `files` are those that are embedded; `ignoring` holds the text of each .gitignore, by its
    directory; `is_directory` tells whether the pattern is the name of one. All paths but the
    pattern are below one root.
    """
    where = str(directory / pattern.removeprefix(_ALL))
    if not is_directory and not _WILD.search(where):
        return frozenset()
    names = [each for each in files if covers(where, each)]
    words = {*_PROBES, *(f"probe{PurePosixPath(each).suffix}" for each in names)}
    guess = PurePosixPath(_WILD.sub("probe", where))
    tops = {guess} if is_directory else {guess.parent, *([] if guess.suffix else [guess])}
    tops |= {PurePosixPath(each).parent for each in names}
    asked = {str(guess), *(str(top / word) for top in tops for word in words)}
    for place, text in ignoring.items():
        asked.update(_named(place, text))
    return frozenset(each for each in asked if _embeds(where, each, pattern.startswith(_ALL)))


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern takes in a path, by itself or with a directory above it."""
    wanted, have = PurePosixPath(pattern).parts, PurePosixPath(path).parts
    matches = (fnmatchcase(name, like) for like, name in zip(wanted, have, strict=False))
    return len(have) >= len(wanted) and all(matches)


def _embeds(pattern: str, path: str, hidden: bool) -> bool:
    below = PurePosixPath(path).parts[len(PurePosixPath(pattern).parts) :]
    return covers(pattern, path) and (hidden or not any(each[0] in "._" for each in below))


def _named(directory: str, text: str) -> Iterator[str]:
    """Give names that lines of a .gitignore say in so many words, and one below each.

    A line without a slash holds for all directories below, and counts here for its own: else the
    `*.log` of a whole repository would speak against every directory.
    """
    for line in text.splitlines():
        rule = line.strip()
        said = rule.rstrip("/")
        if not said or rule.startswith(("#", "!")):
            continue
        inside = re.sub(r"(?:^|(?<=/))\*\*/", "", said).lstrip("/")
        name = PurePosixPath(directory, _WILD.sub("probe", inside.replace("**", "*")))
        if ".." not in name.parts and "\0" not in inside:
            yield str(name)
            yield str(name / "probe")
