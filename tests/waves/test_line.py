from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model import FunctionRef
from fleet.wave import MemberState
from fleet.waves.due import Doing
from fleet.waves.line import Line, lane_of
from fleet.waves.plan import Member
from fleet.waves.worker import Task
from tests.waves.runner import wave

ACCOUNTS = ("001111111111", "002222222222", "003333333333")
WAVES = {
    name: wave(name, parallelism=parallelism, per_account_region=per_lane)
    for name, parallelism, per_lane in (("narrow", 1, 1), ("wide", 3, 2), ("open", 8, 4))
}


def task(
    number: int, account: str = ACCOUNTS[0], name: str = "wide", doing: Doing = Doing.MOVE
) -> Task:
    ref = FunctionRef("aws", account, "eu-west-1", f"fn-{number}")
    member = Member(function=ref.arn, fingerprint="0" * 16, verdict="ready")
    state = MemberState(wave=name, ref=ref)
    return Task(plan="move", wave=WAVES[name], member=member, state=state, doing=doing)


def names(tasks: list[Task]) -> list[str]:
    return [each.state.ref.name for each in tasks]


def lined(*given_tasks: Task, capacity: int = 99) -> Line:
    line = Line(lambda _: None, lambda: capacity)
    assert line.fill(given_tasks) == len(given_tasks)
    return line


def all_that_may_begin(line: Line) -> list[Task]:
    begun = []
    while line:
        begun.append(line.popleft())
    return begun


tasks = st.lists(
    st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from([*WAVES]), st.sampled_from([*Doing]))
).map(lambda rows: [task(number, *row) for number, row in enumerate(rows)])


@given(tasks, st.integers(1, 9), st.data())
def test_limits_hold_at_every_moment_and_nothing_is_lost(
    given_tasks: list[Task], capacity: int, data: st.DataObject
) -> None:
    heard: list[Task] = []
    line = Line(heard.append, lambda: capacity)
    line.fill(given_tasks)
    running: list[Task] = []
    done: list[Task] = []
    while line or running:
        if data.draw(st.booleans()):
            # A look in between: what is out stays out, and counts.
            line.fill(each for each in given_tasks if each not in [*running, *done])
        # Whoever is done, in whatever order; without anybody at work something may always begin.
        if running and (not line or data.draw(st.booleans())):
            ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
            line.done(ended)
            done.append(ended)
            continue
        begun = line.popleft()
        lane, of_wave = lane_of(begun), begun.wave.name
        running.append(begun)
        assert heard == [*heard[:-1], begun]
        assert len(running) <= capacity
        assert sum(lane_of(each) == lane for each in running) <= begun.wave.per_account_region
        if begun.doing is not Doing.BACK:
            at_once = sum(each.wave.name == of_wave for each in running)
            assert at_once <= begun.wave.parallelism
    assert sorted(names(done)) == sorted(names(heard)) == sorted(names(given_tasks))


@given(tasks)
def test_each_account_and_region_keeps_its_order(given_tasks: list[Task]) -> None:
    line = lined(*given_tasks)
    order: dict[str, list[str]] = {account: [] for account in ACCOUNTS}
    while line:
        begun = line.popleft()
        order[begun.state.ref.account].append(begun.state.ref.name)
        line.done(begun)
    for account, its in order.items():
        assert its == [
            each.state.ref.name for each in given_tasks if each.state.ref.account == account
        ]


def test_lanes_take_turns() -> None:
    line = lined(*(task(each) for each in range(3)), task(3, ACCOUNTS[1]), task(4, ACCOUNTS[2]))
    assert names(all_that_may_begin(line)) == ["fn-0", "fn-3", "fn-4"]


def test_the_first_function_that_moves_in_a_lane_moves_alone() -> None:
    line = lined(*(task(each, name="open") for each in range(6)))
    (first,) = all_that_may_begin(line)
    line.done(first)
    assert len(all_that_may_begin(line)) == 4


@pytest.mark.parametrize("doing", [Doing.JUDGE, Doing.BACK])
def test_what_does_not_move_need_not_wait_for_the_first_that_does(doing: Doing) -> None:
    line = lined(*(task(each, name="open", doing=doing) for each in range(6)))
    assert len(all_that_may_begin(line)) == 4


def test_a_full_lane_lets_the_others_go_on() -> None:
    judged = [task(each, name="open", doing=Doing.JUDGE) for each in range(6)]
    line = lined(*judged, task(6, ACCOUNTS[1], "open"))
    begun = all_that_may_begin(line)
    assert Counter(lane_of(each)[0] for each in begun) == {ACCOUNTS[0]: 4, ACCOUNTS[1]: 1}
    assert len(line) == 0
    line.done(begun[0])
    assert len(line) == 1


def test_a_function_that_is_brought_back_does_not_wait_for_its_waves_parallelism() -> None:
    line = lined(
        task(1, name="narrow"),
        task(2, ACCOUNTS[1], "narrow", Doing.BACK),
        task(3, ACCOUNTS[2], "narrow"),
    )
    assert names(all_that_may_begin(line)) == ["fn-1", "fn-2"]


def test_what_is_taken_anew_takes_the_place_of_what_waited_and_what_is_out_still_counts() -> None:
    line = lined(*(task(each, name="narrow") for each in range(3)), task(3, ACCOUNTS[1]))
    out = line.popleft()
    assert line.fill([task(4, ACCOUNTS[2], "narrow"), task(5, ACCOUNTS[2])]) == 2
    # The wave of one at a time has its one.
    assert names(all_that_may_begin(line)) == []
    line.done(out)
    assert names(all_that_may_begin(line)) == ["fn-4"]
    assert line.fill([]) == len(line) == 0


def test_a_lane_that_was_opened_stays_so_and_keeps_its_turn() -> None:
    line = lined(task(0, name="open"))
    line.done(line.popleft())
    line.fill([*(task(each, name="open") for each in range(1, 4)), task(4, ACCOUNTS[1])])
    assert names([line.popleft()]) == ["fn-1"]
    # Found in the same order as before; the other lane's turn has come.
    line.fill([*(task(each, name="open") for each in range(2, 4)), task(4, ACCOUNTS[1])])
    assert names(all_that_may_begin(line)) == ["fn-4", "fn-2", "fn-3"]


def test_no_more_are_handed_out_than_there_is_room_for_by_now() -> None:
    room = 2
    line = Line(lambda _: None, lambda: room)
    line.fill(task(number, account) for number, account in enumerate(ACCOUNTS))
    first, _ = all_that_may_begin(line)
    room = 3
    assert len(line) == 1
    room = 1
    line.done(first)
    assert len(line) == 0
    room = 2
    assert names(all_that_may_begin(line)) == ["fn-2"]


def test_each_that_is_handed_out_is_heard_of_as_it_is() -> None:
    heard: list[Task] = []
    line = Line(heard.append, lambda: 9)
    line.fill([task(0), task(1, ACCOUNTS[1])])
    assert heard == []
    assert [line.popleft()] == heard
    assert len(all_that_may_begin(line)) == 1
    assert names(heard) == ["fn-0", "fn-1"]


def test_nothing_is_to_be_had_of_an_empty_line() -> None:
    with pytest.raises(IndexError):
        lined().popleft()
