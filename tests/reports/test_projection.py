from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import burndown
from reports.frames import history_frame, question
from reports.projection import HORIZON_DAYS, project
from tests.reports.samples import HEADER, START, Point, header, past

QUESTION = question(HEADER)


def test_a_steady_decline_is_followed_to_the_day_of_zero() -> None:
    outlook = project(past({30: 40, 20: 30, 10: 20, 0: 10}), QUESTION)
    assert outlook.reached == START.date() + timedelta(days=10)
    assert outlook.per_week == pytest.approx(-7)


@given(
    st.integers(1, 50),
    st.lists(st.integers(1, 60), min_size=3, max_size=8, unique=True),
    st.integers(1, 400),
)
def test_a_line_is_projected_exactly(pace: int, days: list[int], left: int) -> None:
    points = {day: left * pace + pace * day for day in sorted(days, reverse=True)}
    outlook = project(past(points), QUESTION)
    if max(days) - min(days) < 7:
        assert outlook.reached is None
    else:
        assert outlook.reached is not None
        assert abs((outlook.reached - START.date()).days - left) <= 1


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (past({}), "0 complete scans"),
        (past({20: 9, 0: 5}), "2 complete scans"),
        (past({6: 9, 3: 7, 0: 5}), "less than 7 days"),
        (past({20: 5, 10: 5, 0: 5}), "no decline"),
        (past({20: 5, 10: 6, 0: 9}), "no decline"),
        (past({40: 90, 30: 1, 20: 1, 10: 1, 0: 1}), "has ended"),
        (past({20: 1_000_000, 10: 999_999, 0: 999_999}), "more than ten years"),
    ],
)
def test_no_date_is_given_where_none_can_be_told(history: pd.DataFrame, why: str) -> None:
    outlook = project(history, QUESTION)
    assert outlook.reached is None
    assert why in outlook.sentence


def test_incomplete_scans_and_other_questions_are_left_out() -> None:
    days = {30: 40, 20: 30, 10: 20, 0: 10}
    headers = [replace(HEADER, id=str(d), started=START - timedelta(days=d)) for d in days]
    points = [Point(str(d), left) for d, left in days.items()]
    partial = replace(HEADER, id="partial", started=START - timedelta(days=5))
    other = replace(header(latest_only=True), id="other", started=START - timedelta(days=4))
    history = history_frame(
        [*points, Point("partial", 1, complete=False), Point("other", 900)],
        [*headers, partial, other],
    )
    assert project(history, QUESTION) == project(past(days), QUESTION)


def test_nothing_left_is_reached_not_projected() -> None:
    outlook = project(past({20: 5, 10: 3, 0: 0}), QUESTION)
    assert outlook.reached == START.date()
    assert "Nothing was left" in outlook.sentence


@given(
    st.dictionaries(st.integers(0, 900), st.integers(0, 10**6), min_size=1, max_size=9),
    st.integers(-400, 400),
)
def test_the_picture_stays_in_its_frame(points: dict[int, int], block: int) -> None:
    history = past(dict(sorted(points.items(), reverse=True)))
    outlook = project(history, QUESTION)
    assert outlook.reached is None or (outlook.reached - START.date()).days <= HORIZON_DAYS
    today = START.date()
    drawn = burndown.picture(history, QUESTION, outlook, today, today + timedelta(days=block))
    assert drawn is not None
    assert len(drawn.points) == len(points)
    for point in drawn.points:
        assert burndown.LEFT <= point.x <= burndown.WIDTH - burndown.RIGHT
        assert burndown.TOP <= point.y <= burndown.HEIGHT - burndown.BOTTOM
    assert len(drawn.days) <= 9


def test_no_scan_gives_no_picture() -> None:
    nothing = past({})
    assert (
        burndown.picture(nothing, QUESTION, project(nothing, QUESTION), date(2026, 1, 1), None)
        is None
    )
