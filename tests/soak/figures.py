"""Whether everything became what it had to, and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.ledger import Action, Entry, EntryState
from fleet.model import FunctionRef
from fleet.results import Result
from fleet.store import Store
from fleet.wave import MemberState
from tests.soak.campaign import Campaign, Who
from tests.soak.organization import Small, expected, shown, writes
from tests.soak.watching import Place, Watch

CALLS_LIMIT = 15
GET_FUNCTION_LIMIT = 100
"""AWS's, a second in each account and region.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
"""
_ACTIONS = {
    "PublishVersion": Action.PUBLISH,
    "CreateAlias": Action.PUT_ALIAS,
    "UpdateAlias": Action.PUT_ALIAS,
    "UpdateFunctionConfiguration": Action.UPDATE_CONFIGURATION,
    "UpdateFunctionCode": Action.UPDATE_CODE,
    "TagResource": Action.PUT_TAGS,
    "PublishLayerVersion": Action.PUBLISH_LAYER,
}


@dataclass(frozen=True)
class Figures:
    """What is printed at the end."""

    text: str
    wrong: list[str]


def figures(
    small: Small, campaign: Campaign, watch: Watch, seconds: float, emulator_cpu: float
) -> Figures:
    """Look at the emulator and at the state; `seconds` is how long it took."""
    with Store.open(campaign.state) as store:
        states = store.members(campaign.name)
        entries = [
            entry
            for ref in (*small.refs, *(FunctionRef("aws", *lane, "") for lane in small.lanes))
            for entry in store.steps(ref)
        ]
    repeated = _repeated(small, watch)
    wrong = [
        *_wrong_functions(small),
        *_wrong_states(states),
        *_wrong_writes(repeated, entries, states),
        *_wrong_paces(watch),
    ]
    killed = Counter(campaign.killed)
    number = small.functions
    unnoted = sum(each.state is EntryState.INTENDED for each in entries)
    refused = sum(each.state is EntryState.FAILED for each in entries)
    lines = [
        f"functions: {number:,} in {len(small.lanes)} accounts and regions",
        f"seconds: {seconds:,.0f}; functions a second: {number / seconds:.1f}",
        (
            f"calls to Lambda: {watch.calls:,}, {watch.calls / number:.1f} a function, "
            f"{watch.calls / seconds:.0f} a second"
        ),
        (
            f"most calls in any second, account and region: {watch.most(get_function=False)} "
            f"(AWS takes {CALLS_LIMIT}); GetFunction {watch.most(get_function=True)} "
            f"(AWS takes {GET_FUNCTION_LIMIT})"
        ),
        (
            f"coordinators called: {campaign.ticks}; killed: {killed[Who.COORDINATOR]}; workers "
            f"killed: {killed[Who.WORKER]}"
        ),
        f"functions begun again: {sum(each.attempts - 1 for each in states)}",
        (
            f"writes whose answer nobody noted: {unnoted}; refused by AWS: {refused}; "
            f"made more than once: {_said(repeated) or 'none'}"
        ),
        (
            f"CPU a function: coordinator {campaign.coordinator_cpu / number * 1000:.1f} ms, "
            f"workers {campaign.workers_cpu / number * 1000:.1f} ms, emulator "
            f"{emulator_cpu / number * 1000:.1f} ms"
        ),
        *(f"WRONG: {each}" for each in wrong),
    ]
    return Figures("".join(f"{line}\n" for line in lines), wrong)


def _wrong_functions(small: Small) -> Iterator[str]:
    for number, ref in enumerate(small.refs):
        is_now, wanted = shown(ref), expected(number)
        if is_now != wanted:
            yield f"{ref.arn} is {is_now}, not {wanted}"


def _wrong_states(states: list[MemberState]) -> Iterator[str]:
    for each in states:
        if each.result is not Result.MIGRATED:
            yield f"{each.ref.arn}: {each.result}: {each.reason}"


def _repeated(small: Small, watch: Watch) -> dict[Place, Counter[Action]]:
    """Writes beyond those that moving the functions of each place once takes, or short of them."""
    found = {lane: Counter({Action.PUBLISH_LAYER: -1}) for lane in small.lanes}
    for place, asked in watch.writes.items():
        for operation, times in asked.items():
            found[place][_ACTIONS[operation]] += times
    for number, ref in enumerate(small.refs):
        found[ref.account, ref.region].subtract(writes(number))
    return found


def _wrong_writes(
    repeated: dict[Place, Counter[Action]],
    entries: Iterable[Entry],
    states: Iterable[MemberState],
) -> Iterator[str]:
    # What a process was killed over may have happened or not; what AWS refused changed nothing.
    excused = Counter(
        (each.ref.account, each.ref.region, each.action)
        for each in entries
        if each.state is not EntryState.DONE
    )
    # Between a version and the alias that names it: the next asks again, and AWS mints nothing.
    for state in states:
        excused[state.ref.account, state.ref.region, Action.PUBLISH] += state.attempts - 1
    for (account, region), actions in repeated.items():
        for action, times in actions.items():
            allowed = excused[account, region, action]
            if not 0 <= times <= allowed:
                yield f"{account} {region}: {action} {times} times too often, {allowed} excused"


def _wrong_paces(watch: Watch) -> Iterator[str]:
    if watch.most(get_function=False) > CALLS_LIMIT:
        yield "more calls in a second than AWS takes"
    if watch.most(get_function=True) > GET_FUNCTION_LIMIT:
        yield "more GetFunction in a second than AWS takes"


def _said(repeated: dict[Place, Counter[Action]]) -> str:
    total = sum((+each for each in repeated.values()), Counter[Action]())
    return ", ".join(f"{action} {times}" for action, times in total.items())
