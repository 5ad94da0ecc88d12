"""When windows are open: tables of what a clock on the wall would say, and properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleet.waves.plan import Day, Freeze, Window
from fleet.waves.windows import SPAN, _Rules, closes_at, is_open, next_opening

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
APIA = "Pacific/Apia"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def window(**fields: Any) -> Window:  # noqa: ANN401  # what the file's keys hold
    return Window.model_validate(fields)


def frozen(first: str, last: str) -> Freeze:
    return Freeze(first=date.fromisoformat(first), last=date.fromisoformat(last))


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
NIGHT = {"days": ("fri",), "hours": "22:00-04:00", "zone": BERLIN}


@pytest.mark.parametrize(
    ("fields", "instant", "is_it"),
    [
        ({}, "2026-11-21T00:00Z", True),
        ({"hours": "09:00-16:30"}, "2026-11-21T08:59:59.999999Z", False),
        ({"hours": "09:00-16:30"}, "2026-11-21T09:00Z", True),
        ({"hours": "09:00-16:30"}, "2026-11-21T16:29:59.999999Z", True),
        ({"hours": "09:00-16:30"}, "2026-11-21T16:30Z", False),
        ({"hours": "09:00-16:30", "zone": BERLIN}, "2026-11-21T08:00Z", True),
        ({"hours": "09:00-16:30", "zone": BERLIN}, "2026-07-21T08:00Z", True),
        ({"hours": "09:00-16:30", "zone": BERLIN}, "2026-07-21T07:00Z", True),
        ({"hours": "09:00-16:30", "zone": BERLIN}, "2026-11-21T07:00Z", False),
        ({"hours": "09:00-16:30"}, "2026-11-21T10:00+02:00", False),
        ({"hours": "18:00-24:00"}, "2026-11-21T23:59Z", True),
        ({"hours": "18:00-24:00"}, "2026-11-21T00:00Z", False),
        ({"days": WEEKDAYS}, "2026-11-20T23:59Z", True),
        ({"days": WEEKDAYS}, "2026-11-21T00:00Z", False),
        ({"days": WEEKDAYS, "zone": NEW_YORK}, "2026-11-21T04:59Z", True),
        # An opening belongs to the day on which it began.
        (NIGHT, "2026-11-20T22:00+01:00", True),
        (NIGHT, "2026-11-21T03:59+01:00", True),
        (NIGHT, "2026-11-21T04:00+01:00", False),
        (NIGHT, "2026-11-20T03:00+01:00", False),
        (NIGHT, "2026-11-21T22:00+01:00", False),
        # A frozen day is closed whenever the opening began.
        (
            {**NIGHT, "freeze": (frozen("2026-11-21", "2026-11-21"),)},
            "2026-11-20T23:59+01:00",
            True,
        ),
        (
            {**NIGHT, "freeze": (frozen("2026-11-21", "2026-11-21"),)},
            "2026-11-21T00:00+01:00",
            False,
        ),
        (
            {**NIGHT, "freeze": (frozen("2026-11-20", "2026-11-20"),)},
            "2026-11-20T23:00+01:00",
            False,
        ),
        (
            {**NIGHT, "freeze": (frozen("2026-11-20", "2026-11-20"),)},
            "2026-11-21T00:00+01:00",
            True,
        ),
        ({"freeze": (frozen("2026-12-20", "2027-01-06"),)}, "2027-01-06T23:59Z", False),
        ({"freeze": (frozen("2026-12-20", "2027-01-06"),)}, "2027-01-07T00:00Z", True),
    ],
)
def test_a_window_is_open_by_the_clock_on_its_zones_wall(
    fields: Mapping[str, Any], instant: str, *, is_it: bool
) -> None:
    assert is_open(window(**fields), at(instant)) is is_it


def openings(opened: Window, start: str, end: str) -> Iterable[tuple[datetime, datetime]]:
    """Each opening between two times: when it begins, and when it ends."""
    moment: datetime | None = at(start)
    while moment is not None and (begins := next_opening(opened, moment)):
        ends = closes_at(opened, begins)
        if begins >= at(end) or ends is None:
            return
        yield begins, ends
        moment = ends


@pytest.mark.parametrize(
    ("zone", "hours", "start", "end", "expected"),
    [
        pytest.param(
            *(BERLIN, "02:15-02:45", "2026-03-28T00:00Z", "2026-03-31T00:00Z"),
            [
                ("2026-03-28T02:15+01:00", "2026-03-28T02:45+01:00"),
                ("2026-03-30T02:15+02:00", "2026-03-30T02:45+02:00"),
            ],
            id="hours that do not exist never open",
        ),
        pytest.param(
            *(BERLIN, "02:15-03:45", "2026-03-28T12:00Z", "2026-03-29T12:00Z"),
            [("2026-03-29T03:00+02:00", "2026-03-29T03:45+02:00")],
            id="a beginning in the gap opens at its end",
        ),
        pytest.param(
            *(BERLIN, "01:30-02:30", "2026-03-28T12:00Z", "2026-03-29T12:00Z"),
            [("2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00")],
            id="an end in the gap closes there",
        ),
        pytest.param(
            *(BERLIN, "02:15-02:45", "2026-10-24T12:00Z", "2026-10-25T12:00Z"),
            [
                ("2026-10-25T02:15+02:00", "2026-10-25T02:45+02:00"),
                ("2026-10-25T02:15+01:00", "2026-10-25T02:45+01:00"),
            ],
            id="hours that happen twice are open twice",
        ),
        pytest.param(
            *(BERLIN, "01:30-02:30", "2026-10-24T12:00Z", "2026-10-25T12:00Z"),
            [
                ("2026-10-25T01:30+02:00", "2026-10-25T02:30+02:00"),
                ("2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00"),
            ],
            id="a clock put back into the window opens it again",
        ),
        pytest.param(
            *(NEW_YORK, "22:00-04:00", "2026-10-31T12:00Z", "2026-11-01T12:00Z"),
            [("2026-10-31T22:00-04:00", "2026-11-01T04:00-05:00")],
            id="a night with an hour more lasts an hour longer",
        ),
        pytest.param(
            *(LORD_HOWE, "02:10-02:20", "2026-10-03T00:00Z", "2026-10-04T00:00Z"),
            [],
            id="half an hour can be left out",
        ),
        pytest.param(
            *(LORD_HOWE, "01:40-01:50", "2026-04-04T00:00Z", "2026-04-05T00:00Z"),
            [
                ("2026-04-05T01:40+11:00", "2026-04-05T01:50+11:00"),
                ("2026-04-05T01:40+10:30", "2026-04-05T01:50+10:30"),
            ],
            id="half an hour can happen twice",
        ),
        pytest.param(
            *(APIA, "10:00-12:00", "2011-12-29T00:00Z", "2011-12-31T12:00Z"),
            [
                ("2011-12-29T10:00-10:00", "2011-12-29T12:00-10:00"),
                ("2011-12-31T10:00+14:00", "2011-12-31T12:00+14:00"),
            ],
            id="a whole day can be left out",
        ),
    ],
)
def test_changes_of_clocks_are_followed(
    zone: str, hours: str, start: str, end: str, expected: list[tuple[str, str]]
) -> None:
    found = list(openings(window(zone=zone, hours=hours), start, end))
    assert found == [(at(begins), at(ends)) for begins, ends in expected]


def test_an_opening_ends_with_the_first_frozen_day_and_the_next_one_comes_after_the_last() -> None:
    opened = window(**NIGHT, freeze=[frozen("2026-11-21", "2026-11-27")])
    assert list(openings(opened, "2026-11-20T12:00Z", "2026-12-06T12:00Z")) == [
        (at("2026-11-20T22:00+01:00"), at("2026-11-21T00:00+01:00")),
        # What began on the 27th, a frozen day, is open once that is over.
        (at("2026-11-28T00:00+01:00"), at("2026-11-28T04:00+01:00")),
        (at("2026-12-04T22:00+01:00"), at("2026-12-05T04:00+01:00")),
    ]


def test_a_long_freeze_over_a_change_of_clocks_ends_at_midnight() -> None:
    opened = window(zone=BERLIN, freeze=[frozen("2026-03-20", "2026-03-31")])
    found = next_opening(opened, at("2026-03-20T23:30+01:00"))
    assert found == at("2026-04-01T00:00+02:00")


def test_openings_that_touch_are_one() -> None:
    opened = window(days=WEEKDAYS, zone=BERLIN)
    assert closes_at(opened, at("2026-11-18T12:00Z")) == at("2026-11-21T00:00+01:00")


def test_what_never_opens_or_closes_within_the_span_is_none() -> None:
    now = at("2026-11-21T12:00Z")
    assert next_opening(window(freeze=[frozen("2026-01-01", "2028-12-31")]), now) is None
    assert closes_at(window(), now) is None
    late = window(freeze=[frozen("2026-01-01", "2027-11-30")])
    assert next_opening(late, now) == at("2027-12-01T00:00Z")


def test_what_comes_out_is_in_utc() -> None:
    now = at("2026-11-21T12:00+05:30")
    assert next_opening(window(), now) == now
    for found in (next_opening(window(), now), closes_at(window(hours="00:00-12:00"), now)):
        assert found is not None
        assert found.tzinfo is UTC


@pytest.mark.parametrize("wrong", [datetime(2026, 11, 21, 12), datetime.max.replace(tzinfo=UTC)])  # noqa: DTZ001  # without a zone is the point
def test_a_time_that_cannot_be_placed_is_refused(wrong: datetime) -> None:
    for ask in (is_open, next_opening, closes_at):
        with pytest.raises(ValueError, match=r"offset from UTC|beyond the years"):
            ask(window(), wrong)


def test_the_end_of_a_closed_window_is_refused() -> None:
    with pytest.raises(ValueError, match="closed at"):
        closes_at(window(hours="09:00-10:00"), at("2026-11-21T12:00Z"))


@pytest.mark.parametrize(
    "fields",
    [
        {"freeze": (frozen("2000-01-01", "2099-12-31"),), "zone": BERLIN},
        {"days": ("sun",), "hours": "02:15-02:45", "zone": BERLIN},
        {"zone": LORD_HOWE},
    ],
)
def test_looking_ahead_takes_few_steps(fields: Mapping[str, Any]) -> None:
    rules = _Rules.of(window(**fields))
    assert sum(1 for _ in rules.changes(at("2026-11-21T12:00Z"))) < 1300


# Instants around which clocks change, half an hour, an hour or a day.
CHANGES = (
    (BERLIN, "2026-03-29T01:00Z"),
    (BERLIN, "2026-10-25T01:00Z"),
    (NEW_YORK, "2026-03-08T07:00Z"),
    (NEW_YORK, "2026-11-01T06:00Z"),
    (LORD_HOWE, "2026-04-04T15:00Z"),
    (LORD_HOWE, "2026-10-03T15:30Z"),
    (APIA, "2011-12-30T10:00Z"),
    ("UTC", "2026-11-21T12:00Z"),
)

HOURS = st.builds(
    lambda opens, length: "{:02}:{:02}-{:02}:{:02}".format(
        *divmod(opens, 60), *divmod((opens + length) % 1440, 60)
    ),
    st.integers(0, 1439),
    st.integers(1, 1439),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Window, datetime]:
    """A window, and an instant near a change of its zone's clocks."""
    zone, change = draw(st.sampled_from(CHANGES))
    instant = at(change) + draw(st.integers(-3 * 86_400, 2 * 86_400)) * timedelta(seconds=1)
    today = instant.astimezone(ZoneInfo(zone)).date()
    freezes = draw(st.lists(st.tuples(st.integers(-2, 6), st.integers(0, 3)), max_size=2))
    return (
        Window(
            days=tuple(draw(st.sets(st.sampled_from(tuple(Day)), min_size=1))),
            hours=draw(st.one_of(st.just("00:00-24:00"), HOURS)),
            zone=zone,
            freeze=tuple(
                Freeze(first=today + first * DAY, last=today + (first + length) * DAY)
                for first, length in freezes
            ),
        ),
        instant.astimezone(timezone(timedelta(hours=draw(st.integers(-12, 14))))),
    )


def between(start: datetime, end: datetime) -> Iterable[datetime]:
    """Minutes from start to before the end: all near both, and some of those in the middle."""
    first = start.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
    total = max((end - first) // MINUTE + 1, 0)
    near = [*range(min(total, 300)), *range(max(total - 300, 0), total), *range(0, total, 17)]
    yield from (first + number * MINUTE for number in near if first + number * MINUTE < end)


@settings(max_examples=80)
@given(cases())
def test_the_next_opening_is_open_and_nothing_before_it_is(case: tuple[Window, datetime]) -> None:
    opened, start = case
    found = next_opening(opened, start)
    assert found is not None
    assert found >= start
    assert is_open(opened, found)
    assert next_opening(opened, found) == found
    if found > start:
        assert not is_open(opened, start)
        assert not is_open(opened, found - timedelta(microseconds=1))
        assert not any(is_open(opened, minute) for minute in between(start, found))


@settings(max_examples=80)
@given(cases())
def test_a_window_is_open_until_it_closes(case: tuple[Window, datetime]) -> None:
    opened, start = case
    begins = next_opening(opened, start)
    assert begins is not None
    ends = closes_at(opened, begins)
    assume(ends is not None or opened.hours == "00:00-24:00")
    if ends is None:
        assert all(is_open(opened, begins + day * DAY) for day in range(SPAN.days))
        return
    assert ends > begins
    assert not is_open(opened, ends)
    assert is_open(opened, ends - timedelta(microseconds=1))
    assert all(is_open(opened, minute) for minute in between(begins, ends))
    assert closes_at(opened, ends - timedelta(microseconds=1)) == ends
