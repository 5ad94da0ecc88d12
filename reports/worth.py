"""What functions cost, and would cost elsewhere: estimates over the frame of function versions.

Calls and durations are of whole functions, so a function is estimated once, on one of its rows:
$LATEST's, or that of the first version that runs. A sum over all rows counts nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import pandas as pd

from fleet.cost import INIT_BILLED, Estimate, NotEstimated, Sum, Usage, added, estimate
from fleet.model import GO1X, Use
from fleet.prices import Price, Prices
from reports.words import count, listing, money

WORTH_COLUMNS = (
    "cost_go1x_then",
    "cost_go1x",
    "cost_custom_runtime",
    "cost_arm64",
    "cost_currency",
    "cost_note",
)
"""What an estimate adds to the row it stands on; None in all on every other row."""

_RUNS = frozenset({Use.LATEST, Use.HALFWAY, Use.SERVED, Use.UNKNOWN})
"""Uses of versions that calls may reach."""
_EXACTLY = Decimal("0.000001")
NO_INIT = "at least: init is not known"
LEAST_MEMORY = "at least: its versions differ in memory"


class _Version(NamedTuple):
    place: int
    account: str
    region: str
    name: str
    use: str
    finding: bool
    runtime: str | None
    architecture: str
    memory_mb: int | None
    invocations: int | None
    duration_ms: int | None
    init_ms: int | None


@dataclass(frozen=True, slots=True)
class Worked:
    """One function, and all that its estimate is made of."""

    place: int
    """Its row in the frame."""
    region: str
    usage: Usage
    price: Price
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Worth:
    """Every estimate of one scan."""

    functions: Sequence[Worked]
    left_out: Mapping[int, NotEstimated]
    """Row → why the function that stands there has no estimate."""
    total: Sum
    currency: str

    @property
    def why_not(self) -> Mapping[NotEstimated, int]:
        """How many functions have no estimate, for each reason there is."""
        counted = Counter(self.left_out.values())
        return {each: counted[each] for each in NotEstimated if counted[each]}

    @property
    def prices(self) -> Mapping[str, Price]:
        """Of every region that something is estimated in."""
        return dict(sorted({each.region: each.price for each in self.functions}.items()))

    @property
    def is_lower_bound(self) -> bool:
        """Whether something known to be billed is missing from the total."""
        return self.total.lower_bounds > 0 or bool(self.left_out)


def worth(functions: pd.DataFrame, prices: Prices) -> Worth:
    """Estimate every function that is on go1.x, or halfway off it."""
    worked: list[Worked] = []
    left_out: dict[int, NotEstimated] = {}
    # The frame is sorted: the versions of a function stand together, $LATEST first.
    for _, group in groupby(_versions(functions), attrgetter("account", "region", "name")):
        versions = tuple(group)
        if not any(_is_concerned(each) for each in versions):
            continue
        found = _worked(versions, prices)
        if isinstance(found, Worked):
            worked.append(found)
        else:
            place = next((each.place for each in versions if each.use in _RUNS), versions[0].place)
            left_out[place] = found
    currency = worked[0].price.currency if worked else ""
    return Worth(tuple(worked), left_out, added(each.estimate for each in worked), currency)


def by_group(found: Worth, label: Sequence[str]) -> dict[str, Sum]:
    """Add the estimates up by what their rows are labelled, the costliest first."""
    sorted_in: dict[str, list[Estimate]] = {}
    for each in found.functions:
        sorted_in.setdefault(label[each.place], []).append(each.estimate)
    sums = {name: added(estimates) for name, estimates in sorted_in.items()}
    return dict(sorted(sums.items(), key=lambda item: (-item[1].custom, item[0])))


def with_worth(functions: pd.DataFrame, found: Worth | None) -> pd.DataFrame:
    """Add WORTH_COLUMNS to the frame: Decimals of six places in the currency, and texts."""
    if found is None:
        return functions.assign(**dict.fromkeys(WORTH_COLUMNS))
    columns: dict[str, list[Decimal | str | None]] = {
        name: [None] * len(functions) for name in WORTH_COLUMNS
    }
    for place, reason in found.left_out.items():
        columns["cost_note"][place] = reason.value
    for each in found.functions:
        told = each.estimate
        cells = (
            *(told.go1x_then, told.custom, told.custom, told.arm64_custom),
            each.price.currency,
            note(told),
        )
        for name, cell in zip(WORTH_COLUMNS, cells, strict=True):
            exact = cell.quantize(_EXACTLY) if isinstance(cell, Decimal) else cell
            columns[name][each.place] = exact
    return functions.assign(
        **{
            name: pd.Series(cells, index=functions.index, dtype=object)
            for name, cells in columns.items()
        }
    )


def note(told: Estimate) -> str | None:
    """Say why an estimate is a lower bound; None where it is not."""
    reasons = (
        *((NO_INIT,) if told.init_x86_64 is None else ()),
        *((LEAST_MEMORY,) if told.at_least else ()),
    )
    return "; ".join(reasons) or None


def summary(found: Worth) -> list[str]:
    """Say the total in sentences, and what it leaves out."""
    total, currency = found.total, found.currency
    if not total.functions:
        return missing(found)
    least = "at least " if found.is_lower_bound else ""
    sentence = (
        f"30 days of {count(total.functions, 'function')} cost {least}{currency} "
        f"{money(total.custom)} on go1.x ({money(total.go1x_then)} as it was billed before "
        f"{INIT_BILLED}) and on the custom runtime alike; {least}{money(total.arm64_custom)} on "
        "arm64, if calls take as long there."
    )
    return [sentence, *missing(found)]


def missing(found: Worth) -> list[str]:
    """Say what the total leaves out that could be known."""
    said = [
        f"{count(number, 'function')} not estimated: {reason}."
        for reason, number in found.why_not.items()
    ]
    without = sum(each.estimate.init_x86_64 is None for each in found.functions)
    if without:
        said.append(
            f"Init is not known of {count(without, 'function')}: what it costs on custom runtimes, "
            f"and since {INIT_BILLED} on go1.x, is not in their numbers."
        )
    unequal = sum(each.estimate.at_least for each in found.functions)
    if unequal:
        said.append(
            f"The versions of {count(unequal, 'function')} differ in memory: the least is counted."
        )
    return said


def arithmetic(each: Worked) -> list[tuple[str, str, Decimal]]:
    """Show how one function's estimate comes about: what, the calculation, and its result."""
    usage, price, told = each.usage, each.price, each.estimate
    lines = [("requests", f"{usage.invocations:,} × {price.request:f}", told.requests)]
    parts: list[tuple[str, int, Decimal, Decimal]] = [
        ("duration", usage.duration_ms, told.x86_64, told.arm64)
    ]
    if usage.init_ms is not None and told.init_x86_64 is not None and told.init_arm64 is not None:
        parts.append(("init", usage.init_ms, told.init_x86_64, told.init_arm64))
    for what, milliseconds, x86_64, arm64 in parts:
        time = f"{usage.memory_mb:,} / 1,024 GB × {Decimal(milliseconds) / 1000:,f} s"
        lines.append((f"{what}, x86_64", f"{time} × {price.x86_64:f}", x86_64))
        lines.append((f"{what}, arm64", f"{time} × {price.arm64:f}", arm64))
    init = ["init"] * (len(parts) > 1)
    return [
        *lines,
        (f"go1.x, before {INIT_BILLED}", _plus("x86_64", ()), told.go1x_then),
        ("custom runtime, and go1.x since", _plus("x86_64", init), told.custom),
        ("custom runtime on arm64", _plus("arm64", init), told.arm64_custom),
    ]


def _plus(architecture: str, init: Iterable[str]) -> str:
    parts = ("duration", *init)
    return f"requests + {listing([f'{each}, {architecture}' for each in parts], '+')}"


def _versions(functions: pd.DataFrame) -> Iterator[_Version]:
    names = _Version._fields[1:]
    invocations = [None if each is pd.NA else each for each in functions["invocations"].tolist()]
    columns = (invocations if name == "invocations" else functions[name].tolist() for name in names)
    for place, row in enumerate(zip(*columns, strict=True)):
        yield _Version(place, *row)


def _is_concerned(each: _Version) -> bool:
    return each.finding and (each.runtime == GO1X or each.use == Use.HALFWAY)


def _worked(versions: Sequence[_Version], prices: Prices) -> Worked | NotEstimated:
    running = [each for each in versions if _is_concerned(each) and each.use in _RUNS]
    if not running:
        return NotEstimated.ELSEWHERE
    first = running[0]
    if first.invocations is None or first.duration_ms is None:
        return NotEstimated.TRAFFIC
    sizes = {each.memory_mb for each in running}
    memory = min((size for size in sizes if size is not None), default=None)
    if memory is None or None in sizes:
        return NotEstimated.MEMORY
    if any(each.architecture != "x86_64" for each in running):
        return NotEstimated.ARCHITECTURE
    price = prices.of(first.region)
    if price is None:
        return NotEstimated.PRICE
    usage = Usage(
        memory_mb=memory,
        invocations=first.invocations,
        duration_ms=first.duration_ms,
        init_ms=first.init_ms,
        at_least=len(sizes) > 1,
    )
    return Worked(first.place, first.region, usage, price, estimate(usage, price))
