"""Archives as people's tools make them: by Python's zipfile, in many ways."""

from __future__ import annotations

import io
import stat
import string
import zipfile
from dataclasses import dataclass
from struct import pack

from hypothesis import strategies as st

HANDLERS = ("main", "bin/main", "größe", "Bootstrap")


@dataclass(frozen=True)
class Made:
    """One entry, and how it is written."""

    name: str
    content: bytes
    mode: int
    system: int = 3
    method: int = zipfile.ZIP_DEFLATED
    extra: bytes = b""
    comment: bytes = b""
    date: tuple[int, int, int, int, int, int] = (2021, 2, 3, 4, 5, 6)
    wide: bool = False
    """With zip64 sizes in the local header."""

    def info(self) -> zipfile.ZipInfo:
        """Give zipfile's words for it."""
        info = zipfile.ZipInfo(self.name, self.date)
        info.create_system = self.system
        info.external_attr = self.mode << 16 | (0x10 if self.name.endswith("/") else 0x20)
        info.compress_type = self.method
        info.extra, info.comment = self.extra, self.comment
        return info


class Pipe(io.RawIOBase):
    """What cannot seek: zipfile streams to it, with data descriptors."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: object, /) -> int:
        content = memoryview(piece)  # type: ignore[arg-type]  # typed as Buffer, which 3.11 lacks
        self.written += content
        return content.nbytes


def zipped(made: list[Made], *, comment: bytes = b"", streamed: bool = False) -> bytes:
    """Give the bytes of an archive."""
    out = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = comment
        for each in made:
            with archive.open(each.info(), "w", force_zip64=each.wide) as entry:
                entry.write(each.content)
    return bytes(out.written) if isinstance(out, Pipe) else out.getvalue()


_words = st.text(string.ascii_letters + string.digits + "._- é", min_size=1, max_size=8)
_segments = _words.filter(lambda word: set(word) != {"."} and word not in {"bootstrap", "main"})
_names = st.lists(_segments, min_size=1, max_size=3).map("/".join)
_extras = st.builds(
    lambda id_, content: pack("<2H", id_, len(content)) + content,
    st.sampled_from([0x5455, 0x7875, 0x000A, 0xCAFE]),
    st.binary(max_size=12),
)
_dates = st.tuples(
    st.integers(1980, 2107),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 29).map(lambda half: half * 2),
)
_contents = st.binary(max_size=300) | st.builds(bytes, st.integers(0, 9_000))


def _made(names: st.SearchStrategy[str], kinds: st.SearchStrategy[int]) -> st.SearchStrategy[Made]:
    return st.builds(
        Made,
        name=names,
        content=_contents,
        mode=st.builds(lambda kind, bits: kind | bits, kinds, st.integers(0, 0o777)),
        system=st.sampled_from([0, 3, 19]),
        method=st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]),
        extra=_extras | st.just(b""),
        comment=st.binary(max_size=20),
        date=_dates,
        wide=st.booleans(),
    )


@st.composite
def packages(draw: st.DrawFn) -> tuple[bytes, list[Made], str]:
    """Give an archive, what is in it, and the handler that names one of its files."""
    others = draw(
        st.lists(
            _made(_names, st.sampled_from([stat.S_IFREG, stat.S_IFLNK]))
            | _made(_names.map(lambda name: f"{name}/"), st.just(stat.S_IFDIR)),
            max_size=6,
            unique_by=lambda each: each.name.strip("/"),
        )
    )
    handler = draw(st.sampled_from(HANDLERS))
    files = {each.name for each in others if not each.name.endswith("/")}
    others = [each for each in others if not _is_in_the_way(each.name, handler, files)]
    program = draw(_made(st.just(handler), st.just(stat.S_IFREG)))
    made = draw(st.permutations([program, *others]))
    comment = draw(st.binary(max_size=40).filter(lambda text: b"PK\5\6" not in text))
    return zipped(made, comment=comment, streamed=draw(st.booleans())), made, handler


def _is_in_the_way(name: str, handler: str, files: set[str]) -> bool:
    """Whether no system could unpack the two, or a file below a file."""
    name = name.strip("/")
    above = name.split("/")[:-1]
    parents = {"/".join(above[: depth + 1]) for depth in range(len(above))}
    return name == handler or bool(parents & {*files, handler}) or handler.startswith(f"{name}/")
