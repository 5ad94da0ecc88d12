"""One self-contained page: nothing is fetched, and nothing from outside can run in it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from fleet.cost import NotEstimated, Sum
from fleet.inspection import Verdict
from fleet.wave_status import PlanRecord
from reports import burndown, wave_burndown
from reports.columns import pack
from reports.coverage import look
from reports.frames import question
from reports.groups import by_group, group_labels, to_rebuild, totals
from reports.projection import project
from reports.report import Deadline, ReportData
from reports.summary import Totals, headline
from reports.verdicts import MEANING, NO_VERDICT
from reports.waves import left_over
from reports.words import count, money, number
from reports.worth import Worth, arithmetic, missing
from reports.worth import by_group as worth_by_group

PAGE = Path(__file__).with_name("page")
STYLES = ("page.css", "grid.css", "print.css")
SCRIPTS = ("table.js", "copy.js", "details.js", "grid.js", "start.js")

NEWER = "a verdict that only a newer fleet knows"

LARGEST = 10
"""Bars of one picture; the rest is summed in a last row."""
GAPS = 1000
"""Rows of the list of what was not seen: past that the page would not open any more."""
OPEN_GAPS = 12
"""So many rows are shown unfolded."""
SCANS = 400
"""Rows of the burn-down's table."""
DAYS = 400
"""The same of a plan's burn-down: its last days."""
LEFT = 1000
"""Rows of the list of what a plan leaves where it is."""

TITLES = {
    "ou": "Organizational unit",
    "account": "Account",
    "region": "Region",
    "owner": "Owner",
}


def render_html(data: ReportData) -> str:
    """Render the page.

    Its content security policy allows no source but its own style sheet and script, by hash.
    """
    style, script = _joined(STYLES), _joined(SCRIPTS)
    outlook = project(data.history, question(data.header))
    seen = look(data.header, data.coverage, data.accounts)
    found = totals(data.functions, data.header)
    deadline = data.deadline
    return _template().render(
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - the package's own file; the data goes in escaped
        script=Markup(script),  # noqa: S704 - same
        data=data,
        said=headline(data.header, seen, found),
        seen=seen,
        totals=found,
        groups=[_bars(data.functions, group, title) for group, title in TITLES.items()],
        verdicts=_verdicts(found),
        rebuilds=_bars(to_rebuild(data.functions), "module", "Module"),
        outlook=outlook,
        picture=burndown.picture(
            data.history,
            question(data.header),
            outlook,
            deadline.as_of,
            deadline.update_block,
        ),
        view=burndown,
        scans=data.history.tail(SCANS).iloc[::-1].to_dict("records"),
        question=question(data.header),
        limits={"gaps": GAPS, "open": OPEN_GAPS, "scans": SCANS},
        plans=[_plan(record, deadline) for record in data.waves],
        worth=None if data.worth is None else _worth(data.functions, data.worth),
        rows=pack(data.functions, data.header, data.waves, data.worth),
    )


def _plan(record: PlanRecord, deadline: Deadline) -> dict[str, object]:
    remaining = left_over(record)
    return {
        "status": record.status,
        "picture": wave_burndown.picture(record, deadline.update_block),
        "days": wave_burndown.days(record)[-DAYS:],
        "left": remaining[:LEFT],
        "left_count": len(remaining),
    }


def _worth(functions: pd.DataFrame, found: Worth) -> dict[str, object]:
    largest = max(found.functions, key=lambda each: each.estimate.custom, default=None)
    told: dict[str, object] = {
        "total": found.total,
        "currency": found.currency,
        "least": "at least " if found.is_lower_bound else "",
        "missing": missing(found),
        "unpriced": NotEstimated.PRICE in found.why_not,
        "prices": found.prices,
        "groups": [_costs(functions, found, group) for group in ("ou", "account")],
    }
    if largest is not None:
        place = functions.iloc[largest.place]
        told["example"] = {
            "name": place["name"],
            "place": f"{place['account_name']} {place['account']}, {place['region']}".strip(),
            "lines": arithmetic(largest),
        }
    return told


def _costs(functions: pd.DataFrame, found: Worth, group: str) -> dict[str, object]:
    sums = worth_by_group(found, group_labels(functions, group))
    rest = [*sums.values()][LARGEST:]
    return {
        "title": TITLES[group],
        "rows": [*sums.items()][:LARGEST],
        "others": len(rest),
        "rest": sum(rest, Sum()),
    }


def _verdicts(found: Totals) -> list[tuple[str, str, str, int]]:
    """Give verdict, what it means, how it is drawn, and how many have it; none that nobody has."""
    counted = dict(found.by_verdict)
    rows = [
        (each.value, meaning, _drawn(each), counted.pop(each.value, 0))
        for each, meaning in MEANING.items()
    ]
    rows += [(word, NEWER, "unknown", more) for word, more in counted.items()]
    without = found.versions - sum(found.by_verdict.values())
    rows.append((NO_VERDICT, "its package has not been read", "unknown", without))
    return [row for row in rows if row[-1]]


def _drawn(verdict: Verdict) -> str:
    if verdict is Verdict.UNKNOWN:
        return "unknown"
    return "running" if verdict.is_ready else "kept"


def _bars(functions: pd.DataFrame, group: str, title: str) -> dict[str, object]:
    table = by_group(functions, group)
    rows = [(str(label), *map(int, values)) for label, *values in table.head(LARGEST).itertuples()]
    rest = table.iloc[LARGEST:]
    return {
        "title": title,
        "group": group,
        "rows": rows,
        "most": max(map(int, table["total"]), default=1),
        "others": len(rest),
        "others_total": int(rest["total"].sum()),
    }


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "money": money}
    environment.globals |= {"count": count}
    return environment.get_template("report.html.j2")


@cache
def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((PAGE / name).read_text("utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            # no text can become markup by way of the script, whatever it holds
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
