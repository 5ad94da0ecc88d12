"""What is told to people while waves run, and in which words. Pure; docs/notices.md has the shape.

Nothing of a function goes in but its ARN and how it ended. Of a URL in a reason the query is
left out: a presigned one would be a key.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime

from fleet.model import FunctionRef
from fleet.results import Result
from fleet.wave_status import Counts, WaveState

FORMAT = 1
"""Rises when a field goes away or changes its meaning."""

LONGEST_REASON = 1000
"""Characters: with it, no notice comes near the 256 KB of a message."""
LONGEST_SUBJECT = 100
"""Characters, all ASCII: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

_QUERY = re.compile(r"(https?://[^\s?#'\"<>]*)[?#][^\s'\"<>]*", re.IGNORECASE)
# A chat takes <!channel> for a call to everybody and <URL|text> for a link; these signs it
# shows as they are: https://docs.slack.dev/messaging/formatting-message-text
_HARMLESS = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    plan: str
    organization: str
    """The organization's id, or the account where there is none."""
    wave: str
    at: datetime
    counts: Counts
    """Of the wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveBegan(_Event):
    """The first function of a wave is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveEnded(_Event):
    """Every function of a wave has ended."""

    state: WaveState


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStopped(_Event):
    """No further function of a wave is begun, by order or because a budget is spent."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFailed(_Event):
    """A function failed, or was brought back."""

    ref: FunctionRef
    result: Result
    reason: str


Event = WaveBegan | WaveEnded | WaveStopped | FunctionFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An event as it goes out."""

    id: str
    """32 hex digits that no other notice has; one that arrives twice has them twice."""
    group: str
    """Notices of one group are to be read in order: the plan's name."""
    subject: str
    """One line of at most LONGEST_SUBJECT printable ASCII characters."""
    text: str
    """One or two sentences for a person."""
    document: dict[str, object]
    """All of it, ready for JSON."""


def notice_of(event: Event, notice_id: str) -> Notice:
    """Put an event into words."""
    kind, subject, said = _said(event)
    text = _on_one_line(f"{subject}{said}".translate(_HARMLESS))
    document: dict[str, object] = {
        "format": FORMAT,
        "id": notice_id,
        "event": kind,
        "at": event.at,
        "text": text,
        "plan": event.plan,
        "organization": event.organization,
        "wave": event.wave,
        "counts": asdict(event.counts),
    }
    match event:
        case WaveEnded():
            document["state"] = event.state.value
        case WaveStopped():
            document["reason"] = _clean(event.reason)
        case FunctionFailed():
            document["function"] = event.ref.arn
            document["result"] = event.result.value
            document["reason"] = _clean(event.reason)
        case WaveBegan():
            pass
    return Notice(
        id=notice_id,
        group=event.plan,
        subject=_ascii(f"fleet: {subject}"),
        text=text,
        document=document,
    )


def _said(event: Event) -> tuple[str, str, str]:
    """Give the event's word, what fits in a subject, and what follows it in a sentence."""
    wave = f"wave {event.wave} of {event.plan}"
    match event:
        case WaveBegan():
            return "wave-began", f"{wave} has begun", f": {_functions(event.counts)}."
        case WaveEnded():
            return "wave-ended", f"{wave} is {event.state}", f": {_tally(event.counts)}."
        case WaveStopped():
            why = f": {_clean(event.reason)}. So far: {_tally(event.counts)}."
            return "wave-stopped", f"{wave} has stopped", why
        case FunctionFailed():
            ref = event.ref
            place = f"{ref.name} in {ref.account} {ref.region}"
            ended = "failed" if event.result is Result.FAILED else f"was {event.result}"
            why = f" ({wave}): {_clean(event.reason)}"
            return "function-failed", f"{place} {ended}", why


def _tally(counts: Counts) -> str:
    parts = {
        "done": counts.done,
        **counts.failed,
        **counts.not_moved,
        "baking": counts.baking,
        "under way": counts.running + counts.unattended,
        "waiting": counts.waiting,
    }
    told = [f"{number:,} {word}" for word, number in parts.items() if number]
    return f"{', '.join(told) or 'none'} of {_functions(counts)}"


def _functions(counts: Counts) -> str:
    return f"{counts.functions:,} function{'' if counts.functions == 1 else 's'}"


def _clean(reason: str) -> str:
    # Half a pair of surrogates, as an answer in JSON may hold, can be sent to nobody.
    whole = reason.encode("utf-8", "replace").decode()
    without = _QUERY.sub(r"\1", _on_one_line(whole)).rstrip(".")
    return without if len(without) <= LONGEST_REASON else f"{without[: LONGEST_REASON - 1]}…"


def _on_one_line(text: str) -> str:
    # The log may be a terminal's: nothing in it moves the cursor or turns the text around.
    letters = (" " if unicodedata.category(letter)[0] in {"C", "Z"} else letter for letter in text)
    return " ".join("".join(letters).split())


def _ascii(text: str) -> str:
    # AWS refuses a subject with a line break, and one that is longer, with the whole message.
    line = " ".join(text.encode("ascii", "replace").decode().split())
    printable = "".join(letter for letter in line if letter.isprintable())
    if len(printable) <= LONGEST_SUBJECT:
        return printable
    return f"{printable[: LONGEST_SUBJECT - 3]}..."
