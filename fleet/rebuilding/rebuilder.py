"""Builds packages anew: some at once, each once, and kept in the user's cache."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec

from fleet.aws.failures import Interrupted
from fleet.cache import user_cache
from fleet.errors import FileProblem
from fleet.package.rewriting.placing import placed_whole
from fleet.rebuilding.package import NEVER, Before, pack, shown
from fleet.rebuilding.problems import translated
from fleet.rebuilding.program import Made
from fleet.rebuilding.provenance import raised_in, statement_of
from fleet.rebuilding.rebuilt import Rebuild, Rebuilt, Wanted, in_hex
from fleet.rebuilding.tools import Say, Toolbox
from fleet.settings import Rebuild as Settings
from fleet.sources import KnownBuild, SourceRule
from fleet.toolchain.rebuild.differences import Change
from fleet.toolchain.rebuild.golang import ChosenGo
from fleet.toolchain.rebuild.linking import Known

FORMAT = 1
"""Raised when packages come out otherwise than before, so that no old one passes for new."""

_POLL_SECONDS = 0.2
_BUILDING = ".building-"
_LONG_OVER_SECONDS = 86_400
"""No build takes that long."""
_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder(Rebuilt, dec_hook=lambda kind, value: kind(value)).decode


def rebuilder(rules: tuple[SourceRule, ...], settings: Settings, say: Say) -> Rebuild:
    """Give what builds packages anew; threads share it. `say` is told of what takes long."""
    return _Rebuilder(Toolbox(rules, settings, say)).rebuilt


class _Rebuilder:
    def __init__(self, box: Toolbox) -> None:
        self._box = box
        # One build alone takes every core for most of its time.
        self._turns = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))

    def rebuilt(self, wanted: Wanted, stop: threading.Event) -> Rebuilt:
        known = self._box.known(wanted.ref.name, wanted.ref.arn)
        place = user_cache("rebuilt", self._box.environ)
        said = place / f"{_key(wanted, known, self._box.rules)}.json"
        # What is there waits for nobody's build: a canary's next share is due.
        if known.ldflags is None and (rebuilt := _read(said, place)) is not None:
            return rebuilt
        _make_place(place)
        with translated(wanted.ref.name), _alone(said, stop), self._turn(stop):
            # Whoever was at it before us may have built it.
            rebuilt = _read(said, place) if known.ldflags is None else None
            return rebuilt or self._made(wanted, known, said, stop)

    def _made(
        self, wanted: Wanted, known: KnownBuild, said: Path, stop: threading.Event
    ) -> Rebuilt:
        began = datetime.now(UTC)
        before = Before(raised_in(wanted.earlier)) if wanted.earlier else NEVER
        place = said.parent
        with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=place) as room:
            new = Path(room) / "new.zip"
            packed = pack(self._box.tools(stop), wanted, known, before, new, Path(room))
            package = place / _file_name(packed.replaced.code_sha256)
            new.replace(package)
        raised = next((each.raised for each in packed.programs.values() if each.raised), None)
        remarks = [
            f"{entry}: {remark}"
            for entry, made in packed.programs.items()
            for remark in (*made.remarks, *_of_go(made.go), *_left_out(made))
        ]
        rebuilt = Rebuilt(
            package=package,
            code_sha256=packed.replaced.code_sha256,
            statement=statement_of(
                wanted,
                packed,
                patch=raised.patch if raised else "",
                invocation=str(uuid4()),
                began=began,
                ended=datetime.now(UTC),
            ),
            programs=tuple(shown(packed)),
            patch=raised.patch if raised else "",
            notes=(*remarks, *packed.replaced.notes),
        )
        # Linker flags may be secrets, and what is kept by a hash of them can be guessed at; and
        # the Go that was meant may be had another time.
        meant = all(made.go.recorded for made in packed.programs.values())
        if known.ldflags is None and meant:
            with placed_whole(said) as (file, _):
                file.write(_encode(replace(rebuilt, package=Path(package.name))))
        return rebuilt

    @contextmanager
    def _turn(self, stop: threading.Event) -> Iterator[None]:
        while not self._turns.acquire(timeout=_POLL_SECONDS):
            if stop.is_set():
                raise Interrupted
        try:
            yield
        finally:
            self._turns.release()


def _make_place(place: Path) -> None:
    """Make the directory, nobody else's to read, and clear away what killed builds have left."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
        for left in place.glob(f"{_BUILDING}*"):
            if time.time() - left.stat().st_mtime > _LONG_OVER_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        problem = f"can't be written ({error.strerror})"
        advice = "make room there, or let XDG_CACHE_HOME name another directory"
        raise FileProblem(str(place), problem, advice) from error


@contextmanager
def _alone(said: Path, stop: threading.Event) -> Iterator[None]:
    """Wait until nobody else builds the same, in this process or another; raises Interrupted."""
    with said.with_suffix(".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if stop.wait(_POLL_SECONDS):
                    raise Interrupted from None
            else:
                break
        yield


def _left_out(made: Made) -> Iterator[str]:
    """What somebody has taken on, said where it is taken on."""
    if made.allowed.flags is Known.ACCEPTED:
        yield "values that were set with -X, if there were any, are NOT in this build, as accepted"
    if any(each.change is Change.MODIFIED for each in made.attestation.differences):
        yield "changes that were in no commit are NOT in this build, as accepted"


def _of_go(go: ChosenGo) -> Iterator[str]:
    if not go.recorded:
        yield f"it is built with {go.version}, the nearest that can be had: {go.why_not}"


def _key(wanted: Wanted, known: KnownBuild, rules: Iterable[SourceRule]) -> str:
    """A name for what comes out: the same for the same program, whoever asks for it."""
    asked = {
        "format": FORMAT,
        "package": wanted.facts.code_sha256,
        "handler": wanted.handler,
        "runtime": wanted.runtime,
        "architecture": wanted.architecture,
        "raise": wanted.raise_library,
        "before": raised_in(wanted.earlier) if wanted.earlier else None,
        # A corrected rule shall not find what came of the wrong one.
        "rules": [each.model_dump(mode="json") for each in rules],
        "known": known.model_dump(mode="json", exclude={"ldflags", "function"}),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _file_name(code_sha256: str) -> str:
    return f"{in_hex(code_sha256)}.zip"


def _read(said: Path, place: Path) -> Rebuilt | None:
    """What was kept, if it still is what it was."""
    try:
        rebuilt = _decode(said.read_bytes())
        package = place / _file_name(rebuilt.code_sha256)
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    same = base64.b64encode(digest).decode() == rebuilt.code_sha256
    return replace(rebuilt, package=package) if same else None
