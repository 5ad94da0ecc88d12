"""Records of plans to report on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fleet.model import FunctionRef
from fleet.wave import Order, OrderKind
from fleet.wave_status import (
    Counts,
    MemberStatus,
    PlanRecord,
    PlanStatus,
    WaveState,
    WaveStatus,
)
from tests.reports.samples import PAYMENTS

FIRST = datetime(2026, 12, 1, 9, tzinfo=UTC)
SECOND = FIRST + timedelta(days=7)
NOW = FIRST + timedelta(days=2)


def ref(name: str, account: str = PAYMENTS.id) -> FunctionRef:
    return FunctionRef("aws", account, "eu-central-1", name)


def member(name: str, word: str, **given: object) -> MemberStatus:
    values: dict[str, object] = {
        "ref": ref(name),
        "wave": "canary",
        "start": FIRST,
        "word": word,
        "moved": word in {"migrated", "already there"},
        "ended": FIRST + timedelta(hours=1) if word in {"migrated", "failed"} else None,
    }
    return MemberStatus(**values | given)  # type: ignore[arg-type] # the names are its own


def staying(name: str, reason: str = "rebuild: its library is too old") -> MemberStatus:
    return member(name, "staying", wave="", start=None, reason=reason)


def counts(words: Sequence[str]) -> Counts:
    counted = Counter(words)
    return Counts(
        functions=len(words),
        done=counted["migrated"] + counted["already there"],
        running=counted["running"],
        unattended=counted["unattended"],
        baking=counted["baking"],
        waiting=counted["waiting"],
        failed={word: counted[word] for word in ("failed", "rolled back") if counted[word]},
        not_moved={word: counted[word] for word in ("blocked", "stale") if counted[word]},
    )


def record(
    *members: MemberStatus, name: str = "move", waves: Sequence[WaveStatus] | None = None
) -> PlanRecord:
    planned = [each for each in members if each.start is not None]
    if waves is None:
        names = dict.fromkeys((each.wave, each.start) for each in planned)
        waves = [
            WaveStatus(
                name=wave,
                start=start or FIRST,
                state=WaveState.RUNNING,
                counts=counts([each.word for each in planned if each.wave == wave]),
            )
            for wave, start in names
        ]
    status = PlanStatus(
        plan=name,
        organization="o-abc123",
        scan="20261121T100000Z-abcd",
        as_of=NOW,
        waves=tuple(waves),
        totals=counts([each.word for each in planned]),
        staying=len(members) - len(planned),
        removed=0,
    )
    return PlanRecord(status=status, members=members)


def stop(why: str = "lunch") -> Order:
    return Order(plan="", wave="", kind=OrderKind.STOP, at=NOW, by="ada@host", why=why)
