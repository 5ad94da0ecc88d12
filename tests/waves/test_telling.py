from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.aws.failures import NoCredentials
from fleet.results import Result
from fleet.waves.teller import WAITING_AT_MOST, Teller
from fleet.waves.telling import LONGEST_SUBJECT, Event, Notice, notice_of
from tests.waves.events import ALL, BEGAN, ENDED, FAILED, STOPPED

ID = "0" * 32


class Inbox:
    """A destination that keeps what it gets."""

    name = "the inbox"

    def __init__(self, *problems: Exception | None) -> None:
        self.got: list[tuple[Notice, bool]] = []
        self.problems = list(problems)

    def send(self, notice: Notice, *, patient: bool) -> None:
        self.got.append((notice, patient))
        problem = self.problems.pop(0) if self.problems else None
        if problem is not None:
            raise problem


class Stuck(Inbox):
    """A destination that answers nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let_go = threading.Event(), threading.Event()

    def send(self, notice: Notice, *, patient: bool) -> None:
        super().send(notice, patient=patient)
        self.asked.set()
        self.let_go.wait(30)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().split("\n") if line]


@pytest.mark.parametrize(
    ("event", "subject", "text"),
    [
        (
            BEGAN,
            "fleet: wave canary of move has begun",
            "wave canary of move has begun: 1 function.",
        ),
        (
            ENDED,
            "fleet: wave canary of move is done with failures",
            "wave canary of move is done with failures: 11 done, 1 rolled back of 12 functions.",
        ),
        (
            STOPPED,
            "fleet: wave canary of move has stopped",
            (
                "wave canary of move has stopped: the failure budget of wave canary is spent: 1 of "
                "12 functions failed. So far: 7 done, 1 rolled back, 2 baking, 1 under way, 1 "
                "waiting of 12 functions."
            ),
        ),
        (
            FAILED,
            "fleet: invoice-audit in 001234567890 eu-west-1 was rolled back",
            (
                "invoice-audit in 001234567890 eu-west-1 was rolled back (wave canary of move): "
                "its error rate rose from 0.1 % to 12 %"
            ),
        ),
    ],
)
def test_each_event_has_a_subject_and_a_sentence(event: Event, subject: str, text: str) -> None:
    notice = notice_of(event, ID)
    assert (notice.subject, notice.text) == (subject, text)
    assert notice.document["text"] == text


def test_the_document_says_what_happened_to_what_and_when() -> None:
    log = io.StringIO()
    with Teller(log, new_id=lambda: ID) as teller:
        teller.tell(FAILED)
    (line,) = lines(log)
    assert line == {
        "format": 1,
        "id": ID,
        "event": "function-failed",
        "at": "2026-11-23T09:30:00Z",
        "text": line["text"],
        "plan": "move",
        "organization": "o-abc123",
        "wave": "canary",
        "counts": {
            "functions": 12,
            "done": 7,
            "running": 1,
            "unattended": 0,
            "baking": 2,
            "waiting": 1,
            "failed": {"rolled back": 1},
            "not_moved": {},
            "unjudged": 0,
            "budget_left": 0,
        },
        "function": "arn:aws:lambda:eu-west-1:001234567890:function:invoice-audit",
        "result": "rolled back",
        "reason": "its error rate rose from 0.1 % to 12 %",
    }


def test_the_documentation_names_every_key_and_every_event() -> None:
    documented = Path("docs/notices.md").read_text("utf-8")
    for event in ALL:
        document = notice_of(event, ID).document
        for word in (*document, *asdict(event.counts), str(document["event"])):
            assert f"`{word}`" in documented


def test_a_presigned_url_in_a_reason_loses_its_key() -> None:
    url = "https://awslambda.s3.amazonaws.com/x?X-Amz-Signature=SECRET&X-Amz-Credential=SECRET"
    for said in (f"GET {url} failed", f"'{url}' failed", f"{url}#SECRET", url.upper()):
        notice = notice_of(replace(FAILED, reason=said), ID)
        assert "SECRET" not in str(notice.document)
        assert "awslambda" in notice.text.lower()


def test_no_text_from_outside_calls_a_whole_channel_or_makes_a_link() -> None:
    said = "<!channel> <https://evil.example|sign in>"
    text = notice_of(replace(STOPPED, reason=said), ID).text
    assert not {"<", ">"} & set(text)
    assert "!channel" in text


def test_nothing_in_a_log_line_moves_a_terminals_cursor() -> None:
    said = "a\nb\x1b[2Jc\x9b2Jd\N{RIGHT-TO-LEFT OVERRIDE}e\N{LINE SEPARATOR}f"
    log = io.StringIO()
    with Teller(log) as teller:
        teller.tell(replace(STOPPED, reason=said))
    assert lines(log)[0]["reason"] == "a b [2Jc 2Jd e f"
    assert log.getvalue()[:-1].isprintable()


@settings(max_examples=50)
@given(
    st.sampled_from(ALL),
    st.text(max_size=3000) | st.just("\ud800" * 2000),
    st.text(max_size=200),
    st.sampled_from(Result),
)
def test_whatever_is_said_it_fits_a_message_and_a_log_line(
    event: Event, reason: str, name: str, result: Result
) -> None:
    event = replace(event, plan=name)
    if isinstance(event, type(FAILED)):
        event = replace(event, reason=reason, result=result)
    if isinstance(event, type(STOPPED)):
        event = replace(event, reason=reason)
    log = io.StringIO()
    with Teller(log) as teller:
        teller.tell(event)
    (line,) = lines(log)
    assert log.getvalue().count("\n") == 1
    assert len(log.getvalue().encode()) < 16_000
    subject = notice_of(event, line["id"]).subject
    assert 0 < len(subject) <= LONGEST_SUBJECT
    assert subject.isascii()
    assert subject.isprintable()


def test_every_destination_gets_every_event_in_order() -> None:
    inboxes = [Inbox(), Inbox()]
    with Teller(io.StringIO(), inboxes) as teller:
        for event in ALL:
            teller.tell(event)
    for inbox in inboxes:
        assert [notice.document["event"] for notice, _ in inbox.got] == [
            "wave-began",
            "wave-ended",
            "wave-stopped",
            "function-failed",
        ]
        assert len({notice.id for notice, _ in inbox.got}) == len(ALL)


def test_a_destination_that_hangs_holds_up_nobody_and_is_told_of_at_the_end() -> None:
    stuck, inbox, log = Stuck(), Inbox(), io.StringIO()
    teller = Teller(log, [stuck, inbox])
    teller.tell(BEGAN)
    assert stuck.asked.wait(10)
    for event in (ENDED, STOPPED):
        teller.tell(event)
    teller.close(0.2)
    stuck.let_go.set()
    assert len(inbox.got) == 3
    told = lines(log)
    assert [line["event"] for line in told[:3]] == ["wave-began", "wave-ended", "wave-stopped"]
    assert told[3:] == [
        {
            "event": "notices-not-delivered",
            "text": "3 notices were not delivered to the inbox: they were still on their way at "
            "the end",
            "destination": "the inbox",
            "count": 3,
            "reason": "they were still on their way at the end",
        }
    ]


def test_a_process_can_end_while_a_destination_hangs() -> None:
    program = """if True:
        import sys, threading
        from fleet.waves.teller import Teller
        from tests.waves.events import BEGAN
        class Stuck:
            name = "nobody"
            def send(self, notice, *, patient):
                threading.Event().wait()
        teller = Teller(sys.stderr, [Stuck()])
        teller.tell(BEGAN)
        teller.close(0.05)
    """
    ended = subprocess.run(
        [sys.executable, "-c", program], timeout=60, check=True, capture_output=True, text=True
    )
    assert "1 notice was not delivered to nobody" in ended.stderr


def test_the_queue_has_an_end_and_what_does_not_fit_is_counted() -> None:
    stuck, log = Stuck(), io.StringIO()
    teller = Teller(log, [stuck])
    teller.tell(BEGAN)
    assert stuck.asked.wait(10)
    for _ in range(WAITING_AT_MOST + 5):
        teller.tell(BEGAN)
    stuck.let_go.set()
    teller.close()
    (last,) = lines(log)[-1:]
    assert (last["count"], last["reason"]) == (5, "too many were waiting for it")
    assert len(stuck.got) == 1 + WAITING_AT_MOST


def test_after_a_failure_the_next_is_tried_once_until_one_gets_through() -> None:
    inbox, log = Inbox(NoCredentials("gone"), None, None), io.StringIO()
    with Teller(log, [inbox]) as teller:
        for _ in range(3):
            teller.tell(BEGAN)
    assert [patient for _, patient in inbox.got] == [True, False, True]
    (last,) = lines(log)[-1:]
    assert last["count"] == 1
    assert "sign in" in last["reason"]


def test_a_fault_of_our_own_ends_neither_the_telling_nor_the_run() -> None:
    inbox, log = Inbox(RuntimeError("with a https://secret")), io.StringIO()
    with Teller(log, [inbox]) as teller:
        teller.tell(BEGAN)
        teller.tell(ENDED)
    assert len(inbox.got) == 2
    assert "secret" not in log.getvalue()
    assert "RuntimeError" in lines(log)[-1]["reason"]


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    log, inbox = io.StringIO(), Inbox()
    log.close()
    with Teller(log, [inbox]) as teller:
        teller.tell(BEGAN)
    assert len(inbox.got) == 1


def test_the_log_lines_of_many_threads_stay_whole() -> None:
    log = io.StringIO()
    with Teller(log) as teller:

        def tell() -> None:
            for _ in range(50):
                teller.tell(FAILED)

        threads = [threading.Thread(target=tell) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({line["id"] for line in lines(log)}) == 200
