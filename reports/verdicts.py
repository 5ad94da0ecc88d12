"""What inspected packages come to, in words: verdicts counted, and the remarks beside them."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from fleet.inspection import NOT_INSPECTED, Verdict
from reports.words import count, listing, number

MEANING: Mapping[Verdict, str] = {
    Verdict.READY: "it runs on a custom runtime once its program is called bootstrap",
    Verdict.READY_WITH_SHIM: "a small bootstrap beside it starts it where it lies",
    Verdict.ALREADY_CUSTOM: "it brings a bootstrap of its own: only the runtime has to change",
    Verdict.REBUILD: "its aws-lambda-go is too old for a custom runtime",
    Verdict.NEEDS_DECISION: "what is in it is known, and a person has to weigh it",
    Verdict.UNKNOWN: "what decides could not be read; never counted as ready",
    Verdict.EMPTY: "there is no code in the package",
    Verdict.NOT_GO: "what is started is no Go program",
    Verdict.IMAGE: "a container image: its runtime is inside",
}
"""Every verdict, in the order in which reports show them; docs/verdicts.md tells more."""

NO_VERDICT = "no verdict"

_WAYS = {
    Verdict.READY_WITH_SHIM: "with a shim",
    Verdict.ALREADY_CUSTOM: "with a bootstrap already there",
}
_OTHERS = {
    Verdict.REBUILD: ("needs a rebuild", "need a rebuild"),
    Verdict.NEEDS_DECISION: ("needs a decision", "need a decision"),
    Verdict.UNKNOWN: ("is unknown", "are unknown"),
    Verdict.EMPTY: ("is empty", "are empty"),
    Verdict.NOT_GO: ("is not Go", "are not Go"),
    Verdict.IMAGE: ("is a container image", "are container images"),
}


def verdict_sentence(versions: int, by_verdict: Mapping[str, int], unread: int) -> str:
    """Say how many of the function versions that have to move can, and what the others need.

    Those without a verdict, or with one that nobody has heard of, count as unknown; `unread` of
    the unknown were not read at all. '' where there is nothing to move.
    """
    if not versions:
        return ""
    counted = {verdict: by_verdict.get(verdict.value, 0) for verdict in Verdict}
    counted[Verdict.UNKNOWN] += versions - sum(counted.values())
    ready = sum(amount for verdict, amount in counted.items() if verdict.is_ready)
    ways = [f"{number(counted[each])} {way}" for each, way in _WAYS.items() if counted[each]]
    others = [
        f"{number(counted[each])} {said[counted[each] != 1]}"
        + (f" ({number(unread)} not read)" if each is Verdict.UNKNOWN and unread else "")
        for each, said in _OTHERS.items()
        if counted[each]
    ]
    return (
        f"{number(ready)} of {count(versions, 'function version')} found "
        f"{'is' if 1 in {ready, versions} else 'are'} ready"
        + (f" ({', '.join(ways)})" if ways else "")
        + (f"; {listing(others)}" if others else "")
        + "."
    )


def is_unread(verdict: object, reasons: object) -> bool:
    """Tell from a verdict and its reasons, as they are stored, that the package was not read."""
    if verdict is None:
        return True
    return verdict == Verdict.UNKNOWN and any(
        reason["code"] == NOT_INSPECTED for reason in orjson.loads(str(reasons))
    )


def remark_lines(stored: object) -> list[str]:
    """Turn a JSON list of remarks, as it is stored, into one `code: sentence` each."""
    return [f"{remark['code']}: {remark['text']}" for remark in orjson.loads(str(stored))]
