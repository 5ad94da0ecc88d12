from __future__ import annotations

import importlib.util
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import BadSelection, FileProblem
from fleet.lifecycle import SHIPPED, Phase, Runtime, load_lifecycle

TOOL = Path(__file__).parents[1] / "tools" / "refresh_lifecycle.py"

DAYS = st.dates(date(2015, 1, 1), date(2035, 1, 1))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_lifecycle", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("day", "phase"),
    [
        ("2023-12-30", Phase.SUPPORTED),
        ("2023-12-31", Phase.PAST_ANNOUNCED_END),
        ("2024-01-07", Phase.PAST_ANNOUNCED_END),
        ("2024-01-08", Phase.DEPRECATED),
        ("2024-02-07", Phase.DEPRECATED),
        ("2024-02-08", Phase.CREATE_BLOCKED),
        ("2027-03-02", Phase.CREATE_BLOCKED),
        ("2027-03-03", Phase.UPDATE_BLOCKED),
    ],
)
def test_each_phase_of_go1x_begins_on_its_day(day: str, phase: Phase) -> None:
    assert load_lifecycle().runtime("go1.x").phase(date.fromisoformat(day)) is phase


def test_go1x_counts_against_its_announced_end_not_its_deprecation() -> None:
    assert load_lifecycle().runtime("go1.x").deadline == date(2023, 12, 31)


def test_after_the_update_block_only_aliases_go_back() -> None:
    runtime = load_lifecycle().runtime("go1.x")
    before = runtime.rollback(date(2027, 3, 2))
    after = runtime.rollback(date(2027, 3, 3))
    assert "can go all the way back" in before
    assert "never go back" in after
    assert "alias" in after
    assert any("Code updates" in each for each in runtime.allows(date(2027, 3, 3)))


@given(st.tuples(DAYS, DAYS, DAYS, DAYS), DAYS, st.integers(0, 4000))
def test_a_phase_never_goes_back(days: tuple[date, date, date, date], on: date, later: int) -> None:
    announced, deprecated, created, updated = days
    runtime = Runtime(
        "any",
        announced=announced,
        deprecated=deprecated,
        create_blocked=created,
        update_blocked=updated,
    )
    assert runtime.phase(on) <= runtime.phase(on + timedelta(days=later))


def test_every_runtime_has_its_source_and_the_day_it_was_looked_up() -> None:
    for runtime in load_lifecycle().runtimes.values():
        assert runtime.source, runtime.name
        assert runtime.looked_up is not None, runtime.name


def test_the_shipped_dates_part_from_cfn_lints_table_only_where_named(tool: ModuleType) -> None:
    table = tool.cfn_lint_table()
    runtimes = load_lifecycle().runtimes
    assert runtimes.keys() == table.keys()
    parted = {
        (name, key)
        for name, phases in table.items()
        for key, theirs in tool.FIELDS.items()
        if str(getattr(runtimes[name], key)) != str(phases[theirs])
    }
    # Nothing today: what cfn-lint does not know at all is in the tool's KEPT.
    assert parted == set()
    assert {name for name, each in runtimes.items() if each.announced} == set(tool.KEPT)


def test_refreshing_with_the_same_table_changes_nothing(tool: ModuleType) -> None:
    shipped = load_lifecycle()
    looked_up = shipped.runtimes["go1.x"].looked_up
    text = tool.lifecycle_text(tool.cfn_lint_table(), shipped, looked_up)
    assert text == SHIPPED.read_text(encoding="utf-8")


def test_an_update_block_that_moved_is_kept_among_the_slipped_ones(
    tool: ModuleType, tmp_path: Path
) -> None:
    table = {name: dict(phases) for name, phases in tool.cfn_lint_table().items()}
    table["go1.x"]["update-block"] = "2027-09-30"
    text = tool.lifecycle_text(table, load_lifecycle(), date(2027, 3, 1))
    (tmp_path / "next.toml").write_text(text, encoding="utf-8")
    runtime = load_lifecycle(tmp_path / "next.toml").runtime("go1.x")
    assert runtime.update_blocked == date(2027, 9, 30)
    assert runtime.slipped[-1] == date(2027, 3, 3)
    assert len(runtime.slipped) == 7


def test_a_file_of_the_users_goes_over_the_shipped_dates_key_by_key(tmp_path: Path) -> None:
    own = tmp_path / "dates.toml"
    own.write_text('[runtimes."go1.x"]\nupdate_blocked = 2027-09-30\n', encoding="utf-8")
    runtime = load_lifecycle(own).runtime("go1.x")
    assert runtime.update_blocked == date(2027, 9, 30)
    assert runtime.announced == date(2023, 12, 31)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("not toml", "not TOML"),
        ("a = " + "[" * 5000, "not TOML"),
        ("[runtime]\n", "nothing but"),
        ('runtimes = "x"\n', "nothing but"),
        ("[runtimes]\ngo = 1\n", "must be a table"),
        ('[runtimes."go1.x"]\nupdate-blocked = 2027-03-03\n', "no such key"),
        ('[runtimes."go1.x"]\nupdate_blocked = "2027-03-03"\n', "must be a date"),
        ('[runtimes."go1.x"]\nupdate_blocked = 2027-03-03T00:00:00Z\n', "must be a date"),
        ('[runtimes."go1.x"]\nupdate_blocked = 2027-02-30\n', "not TOML"),
        ('[runtimes."go1.x"]\nslipped = ["x"]\n', "list of dates"),
    ],
)
def test_a_corrupt_file_is_named_and_never_half_used(
    tmp_path: Path, text: str, problem: str
) -> None:
    own = tmp_path / "dates.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblem, match=problem):
        load_lifecycle(own)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="No such file"):
        load_lifecycle(tmp_path / "none.toml")


def test_a_runtime_without_dates_is_refused_with_advice() -> None:
    with pytest.raises(BadSelection, match="--lifecycle"):
        load_lifecycle().runtime("go2.x")
