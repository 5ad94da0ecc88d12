"""The summary that needs no frame: what was found, what was not seen, and the dates."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fleet.model import Account, Coverage, ScanHeader
from reports.coverage import Seen, look
from reports.report import Deadline
from reports.summary import Totals, headline
from reports.words import count, number

GAPS = 25


def brief(
    header: ScanHeader,
    coverage: Iterable[Coverage],
    accounts: Iterable[Account],
    found: Totals,
    deadline: Deadline,
) -> RenderableType:
    """Headline, what was not seen, dates, and the counts by use."""
    seen = look(header, coverage, accounts)
    said = headline(header, seen, found)
    parts: list[RenderableType] = [Text(said.sentence, style="bold")]
    if said.verdicts:
        parts.append(Text(said.verdicts, style="bold"))
    parts += [Text.assemble(("! ", "bold yellow"), plain(warning)) for warning in said.warnings]
    parts += [plain(f"  {note}") for note in said.notes]
    parts += [_gaps(seen), *(Text(line) for line in countdown(deadline)), _uses(found)]
    return Group(*parts)


def plain(text: object) -> Text:
    """Show a text from outside: no markup, and control characters made visible.

    A function's tag could otherwise move the cursor or turn the reading direction around.
    """
    return Text(
        "".join(
            "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter)[0] == "C" else letter
            for letter in str(text)
        )
    )


def countdown(deadline: Deadline) -> list[str]:
    """Say the dates in sentences."""
    past = deadline.days_past
    away = f"{count(past, 'day')} past" if past >= 0 else f"{count(-past, 'day')} before"
    today = f"as of {deadline.as_of}. Phase: {deadline.phase}."
    lines = [f"{away} the announced end of {deadline.runtime} ({deadline.announced}), {today}"]
    left = deadline.days_to_block
    if left is None:
        lines.append("No day is announced from which updates are blocked.")
    elif left > 0:
        lines.append(f"{count(left, 'day')} until updates are blocked ({deadline.update_block}).")
    else:
        lines.append(f"Updates are blocked since {deadline.update_block}.")
    return lines


def _gaps(seen: Seen) -> RenderableType:
    if not seen.gaps:
        return Text(f"Seen: {seen.seen} of {count(seen.lanes, 'account-region')}.")
    table = Table(title="not seen", title_justify="left", box=None, pad_edge=False)
    for name in ("account", "status", "regions", "reason"):
        table.add_column(name)
    for gap in seen.gaps[:GAPS]:
        table.add_row(
            plain(f"{gap.account_name} {gap.account}".strip()),
            gap.status,
            plain(", ".join(gap.regions) or "all"),
            plain(gap.reason),
        )
    more = len(seen.gaps) - GAPS
    rest = [Text(f"… {number(more)} more rows: --format json has all.")] if more > 0 else []
    return Padding(Group(table, *rest), (1, 0))


def _uses(found: Totals) -> Table:
    table = Table(title="function versions by use", title_justify="left", box=None, pad_edge=False)
    for use in found.by_use:
        table.add_column(use, justify="right")
    table.add_row(*(number(value) for value in found.by_use.values()))
    return table
