"""Functions into waves, by rules: each to the first that takes it. Pure, and always the same."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction

from fleet.inspection import Verdict
from fleet.model import FunctionRef
from fleet.scan.selection import has_tag
from fleet.waves.candidates import Candidate
from fleet.waves.plan import Staying
from fleet.waves.rules import Choice, Rules, Traffic, WaveRule

NOT_TAKEN = "no wave's rules take it"
_MANAGED = (
    "{kind} {name} deploys it, and its next deploy would undo the move: change the template, or "
    "say allow_managed in a wave"
)


@dataclass(frozen=True, slots=True)
class Grouped:
    """Who moves in which wave, and who in none."""

    waves: tuple[tuple[Candidate, ...], ...]
    """One for each rule, in its order; some may be empty."""
    staying: tuple[Staying, ...]
    notes: tuple[str, ...]
    """What whoever wrote the rules has to know: filters that match nothing, waves without anybody.
    """


def group(candidates: Sequence[Candidate], rules: Rules) -> Grouped:
    """Give each function to the first wave that takes it."""
    waves: list[tuple[Candidate, ...]] = []
    notes: list[str] = []
    left = {each.ref: each for each in candidates}
    kept_back: set[FunctionRef] = set()
    for rule in rules.waves:
        notes += _matching_nothing(rule, candidates)
        fitting = [each for each in candidates if fits(each, rule.choose)]
        allowed = [each for each in fitting if rule.allow_managed or not each.is_managed]
        kept_back |= {each.ref for each in fitting} - {each.ref for each in allowed}
        taken = _taken([each for each in allowed if each.ref in left], rule.choose, len(allowed))
        for each in taken:
            del left[each.ref]
        waves.append(tuple(taken))
        if not taken:
            notes.append(f"wave {rule.name} takes no function, and is left out")
    staying = tuple(_staying(each, managed=each.ref in kept_back) for each in left.values())
    return Grouped(tuple(waves), staying, tuple(notes))


def fits(candidate: Candidate, choose: Choice) -> bool:
    """Whether a function fits every filter."""
    return all(
        patterns is None or any(matches(candidate, pattern) for pattern in patterns)
        for patterns, matches in _filters(choose)
    )


_Matches = Callable[[Candidate, str], bool]


def _filters(choose: Choice) -> tuple[tuple[tuple[str, ...] | None, _Matches], ...]:
    return (
        (choose.ou, lambda each, path: _in_unit(each.ou, path)),
        (choose.tag, lambda each, tag: has_tag(each.tags, (tag,))),
        (choose.account, lambda each, account: each.ref.account == account),
        (choose.region, lambda each, region: fnmatchcase(each.ref.region, region)),
        (choose.function, lambda each, name: fnmatchcase(each.ref.name, name)),
    )


def _in_unit(ou: str, pattern: str) -> bool:
    path = pattern.strip("/")
    if ou == path or ou.startswith(f"{path}/"):
        return True
    return fnmatchcase(ou, path) or fnmatchcase(ou, f"{path}/*")


def _matching_nothing(rule: WaveRule, candidates: Sequence[Candidate]) -> Iterator[str]:
    keys = ("ou", "tag", "account", "region", "function")
    for key, (patterns, matches) in zip(keys, _filters(rule.choose), strict=True):
        for pattern in patterns or ():
            if not any(matches(each, pattern) for each in candidates):
                yield f"wave {rule.name}: {key} {pattern} matches no function that can move"


def _taken(left: Iterable[Candidate], choose: Choice, fitting: int) -> list[Candidate]:
    """Who is taken of those that fit and are left; `fitting` counts those taken before as well."""
    most = _most(choose, fitting)
    lanes: Counter[tuple[str, str]] = Counter()
    taken: list[Candidate] = []
    for each in sorted(left, key=_rank(choose.traffic)):
        if most is not None and len(taken) >= most:
            break
        lane = (each.ref.account, each.ref.region)
        if choose.per_account_region is not None and lanes[lane] >= choose.per_account_region:
            continue
        lanes[lane] += 1
        taken.append(each)
    # Where no order was asked for, the file's is one in which lines keep their places.
    return taken if choose.traffic else sorted(taken, key=_place)


def _most(choose: Choice, fitting: int) -> int | None:
    limits = [] if choose.count is None else [choose.count]
    if choose.percent is not None:
        # As it is written: 2.2 percent of 1,500 are 33, and not 33.00000000000001.
        limits.append(math.ceil(Fraction(str(choose.percent)) * fitting / 100))
    return min(limits, default=None)


def _rank(traffic: Traffic | None) -> Callable[[Candidate], tuple[object, ...]]:
    def by_lot(each: Candidate) -> tuple[object, ...]:
        lot = hashlib.sha256(each.ref.arn.encode()).digest()
        return (each.verdict is Verdict.READY_WITH_SHIM, lot)

    def by_traffic(each: Candidate) -> tuple[object, ...]:
        # Unknown is not little, and not much either: last in both orders.
        calls = each.invocations
        if calls is None:
            return (1, 0, _place(each))
        return (0, calls if traffic is Traffic.LOW else -calls, _place(each))

    return by_lot if traffic is None else by_traffic


def _place(each: Candidate) -> tuple[str, str, str]:
    return (each.ref.account, each.ref.region, each.ref.name)


def _staying(each: Candidate, *, managed: bool) -> Staying:
    reason = NOT_TAKEN
    if managed:
        reason = _MANAGED.format(kind=each.owner.kind, name=each.owner.name)
    return Staying(function=each.ref.arn, verdict=each.verdict, reason=reason)
