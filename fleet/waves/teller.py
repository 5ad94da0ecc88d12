"""Telling people without waiting for them: a log line at once, the rest from threads of its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self, TextIO

import orjson

from fleet.errors import FleetError
from fleet.waves.telling import Event, Notice, notice_of

WAITING_AT_MOST = 1000
"""Notices that wait for one destination; past that they are dropped, and counted."""
FLUSH_SECONDS = 10.0
"""What the end of a run waits for notices that are still on their way."""


class Destination(Protocol):
    """Where notices go besides the log. One thread at a time uses it."""

    @property
    def name(self) -> str:
        """For people; holds no secret."""

    def send(self, notice: Notice, *, patient: bool) -> None:
        """Deliver it, trying again only if `patient`; raises FleetError where it cannot be."""


class Teller:
    """Tells events; whatever becomes of that, who tells them goes on."""

    def __init__(
        self,
        log: TextIO,
        destinations: Sequence[Destination] = (),
        *,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`log` gets one line of JSON for each event. Each destination gets a thread."""
        self._log = log
        self._lock = threading.Lock()
        self._new_id = new_id
        self._senders = [_Sender(each) for each in destinations]

    def tell(self, event: Event) -> None:
        """Log an event and hand it to the senders. Never waits for one, and never fails."""
        notice = notice_of(event, self._new_id())
        with self._lock:
            self._write(notice.document)
            for sender in self._senders:
                sender.take(notice)

    def close(self, seconds: float = FLUSH_SECONDS) -> None:
        """Give what is on its way so many seconds, and log what was not delivered, and why."""
        ends = time.monotonic() + seconds
        for sender in self._senders:
            sender.finish()
        for sender in self._senders:
            missed, why = sender.missed(max(0.0, ends - time.monotonic()))
            if missed:
                name = sender.destination.name
                what = "1 notice was" if missed == 1 else f"{missed:,} notices were"
                document = {
                    "event": "notices-not-delivered",
                    "text": f"{what} not delivered to {name}: {why}",
                    "destination": name,
                    "count": missed,
                    "reason": why,
                }
                self._write(document)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, document: dict[str, object]) -> None:
        line = orjson.dumps(document, option=orjson.OPT_UTC_Z).decode()
        # A log that nobody reads any more (a closed pipe) is no reason to leave functions halfway.
        with suppress(OSError, ValueError):
            self._log.write(f"{line}\n")
            self._log.flush()


class _Sender:
    """One destination, its queue and its thread."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self._queue: SimpleQueue[Notice | None] = SimpleQueue()
        self._taken = self._delivered = 0
        self._why = ""
        # Of the process's end nobody who answers slowly may decide.
        self._thread = threading.Thread(target=self._work, name="notices", daemon=True)
        self._thread.start()

    def take(self, notice: Notice) -> None:
        self._taken += 1
        if self._queue.qsize() < WAITING_AT_MOST:
            self._queue.put(notice)
        else:
            self._why = self._why or "too many were waiting for it"

    def finish(self) -> None:
        self._queue.put(None)

    def missed(self, seconds: float) -> tuple[int, str]:
        """How many were not delivered, and why, after that much time for what is on its way."""
        self._thread.join(seconds)
        # Read once: what is delivered from now on was told as missing, never the other way round.
        missed = self._taken - self._delivered
        return missed, self._why or "they were still on their way at the end"

    def _work(self) -> None:
        patient = True
        while (notice := self._queue.get()) is not None:
            try:
                self.destination.send(notice, patient=patient)
            except FleetError as error:
                # One that cannot be reached is not waited for with every notice anew.
                patient, self._why = False, str(error)
            except Exception as error:  # noqa: BLE001 - what breaks here must not end the telling
                patient, self._why = False, f"{type(error).__name__} in fleet"
            else:
                patient = True
                self._delivered += 1
