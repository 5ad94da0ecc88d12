from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from fleet.errors import FileProblem
from fleet.inspection import Assessment, Inspection, Remark, Verdict
from fleet.store import Store
from fleet.store.place import parse_place
from fleet.store.problems import problem_of
from tests.postgresql import PASSWORD, Server
from tests.store.examples import SCAN, header, lane


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def alter(state: str, statement: str) -> None:
    """Do to the database what another fleet would."""
    engine = create_engine(parse_place(state).url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_file_and_those_beside_it_are_private_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, str] = {}
    connect = sqlite3.connect

    def look(*args: object, **kwargs: object) -> object:
        seen.update({path.name: mode(path) for path in tmp_path.iterdir()})
        return connect(*args, **kwargs)  # type: ignore[call-overload] # passed on as they came

    monkeypatch.setattr(sqlite3.dbapi2, "connect", look)
    with Store.open(str(tmp_path / "fleet.db")) as store:
        store.begin_scan(header())
        assert seen == {"fleet.db": "0o600"}
        beside = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert beside == {"fleet.db": "0o600", "fleet.db-shm": "0o600", "fleet.db-wal": "0o600"}


def test_file_made_beforehand_becomes_private(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    file.touch(0o644)
    Store.open(str(file)).close()
    assert mode(file) == "0o600"


@pytest.mark.usefixtures("open_umask")
def test_link_to_a_file_that_is_not_there_leads_to_a_private_one(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    Store.open(str(tmp_path / "link.db")).close()
    assert mode(tmp_path / "target.db") == "0o600"


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}", "sqlite+pysqlite:///{}"])
def test_path_and_url_name_the_same_file(tmp_path: Path, form: str) -> None:
    with Store.open(str(tmp_path / "fleet.db")) as store:
        store.begin_scan(header())
    with Store.open(form.format(tmp_path / "fleet.db")) as store:
        assert store.scan(None).id == SCAN


def test_relative_path_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Store.open("sqlite:///fleet.db").close()
    assert (tmp_path / "fleet.db").exists()


def test_home_directory_may_be_abbreviated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Store.open("~/fleet.db").close()
    assert (tmp_path / "fleet.db").exists()


def test_opening_again_finds_what_was_saved(state: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
    with Store.open(state) as store:
        assert store.scans() == [header()]
        assert store.totals(SCAN).findings == 1


@pytest.mark.parametrize("content", [b"hello", b"region,count\n" * 1000, b"\0" * 4096])
def test_file_that_is_no_database_is_refused_and_left_as_it_was(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "notes.csv"
    file.write_bytes(content)
    file.chmod(0o644)
    with pytest.raises(FileProblem, match=r"notes.csv: is not an SQLite database; nothing was"):
        Store.open(str(file))
    assert file.read_bytes() == content
    assert mode(file) == "0o644"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.csv"]


def test_database_of_another_program_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
    file.chmod(0o644)
    before = file.read_bytes()
    with pytest.raises(FileProblem, match="is another program's database"):
        Store.open(str(file))
    assert file.read_bytes() == before
    assert mode(file) == "0o644"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE fleet_schema SET version = 6",
            "newer fleet .schema 6, this one knows 5.; upgrade",
        ),
        ("UPDATE fleet_schema SET version = 0", "which no fleet ever wrote"),
        ("DELETE FROM fleet_schema", "which no fleet ever wrote"),
    ],
)
def test_other_schema_version_is_refused(state: str, statement: str, said: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
    alter(state, statement)
    with pytest.raises(FileProblem, match=said):
        Store.open(state)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fleet_scan SET state = 'dreaming'",
        "UPDATE fleet_scan SET started = 'once'",
        """UPDATE fleet_scan SET options = '{"dreams": true}'""",
        "UPDATE fleet_scan SET options = '['",
        "UPDATE fleet_scan SET options = '[]'",
        """UPDATE fleet_scan SET options = '{"runtimes": 5}'""",
        """UPDATE fleet_scan SET options = '{"inspect": "dreams"}'""",
        "UPDATE fleet_scan SET started = '2026-11-21T10:00:00'",
    ],
)
def test_value_of_a_later_fleet_is_said_and_not_guessed(state: str, statement: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        alter(state, statement)
        for read in (store.scans, store.history, lambda: store.totals(SCAN)):
            with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
                read()


def test_coverage_status_of_a_later_fleet_is_said_and_not_guessed(state: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
        alter(state, "UPDATE fleet_coverage SET status = 'dreaming'")
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            store.coverage(SCAN)
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            store.totals(SCAN)


HELD: dict[str, list[object]] = {
    "tags": ["5", "[]", '{"a": 1}', "{", "", b"{}"],
    "layers": ["[5]", "{}", '["a"', "[do-not-repeat"],
    "aliases": ["{}", '[{"name": "live"}]', '[{"name": "a", "version": "1", "weights": []}]'],
    "callers": ["5", '[{"kind": "dream", "source": "", "qualifier": ""}]'],
    "code_size": ["large", 1.5],
    "invocations": ["many"],
    "memory_mb": ["much", 1.5],
    "duration_ms": ["long", 1.5],
    "cold_starts": ["many"],
    "init_ms": ["long"],
    "handler": [b"main"],
    "name": [b"main"],
    "use": ["dreaming"],
    "owner_kind": ["dreaming"],
}


@pytest.mark.parametrize(
    ("column", "value"), [(name, each) for name, values in HELD.items() for each in values]
)
def test_function_that_no_fleet_wrote_is_said_before_a_row_is_given(
    tmp_path: Path, column: str, value: object
) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a", "b"))
        with closing(sqlite3.connect(file)) as connection, connection:
            where = "WHERE fleet_function.name = 'b'"
            connection.execute(f"UPDATE fleet_function SET {column} = ? {where}", [value])  # noqa: S608  # a name above
        with pytest.raises(FileProblem, match="holds a value this fleet does not know") as caught:
            next(store.function_rows(SCAN))
        assert "do-not-repeat" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reasons", "[5]"),
        ("warnings", '[{"code": "a"}]'),
        ("verdict", "dreaming"),
        ("strategy", "dreaming"),
    ],
)
def test_verdict_that_no_fleet_wrote_is_said(state: str, column: str, value: str) -> None:
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
        (config,) = store.to_inspect(SCAN)
        verdict = Assessment(Verdict.READY, (Remark("runtime-api", "speaks it"),))
        store.save_inspections(SCAN, [(config, Inspection(verdict))])
        assert next(store.function_rows(SCAN))
        alter(state, f"UPDATE fleet_inspection SET {column} = '{value}'")  # noqa: S608  # from above
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            next(store.function_rows(SCAN))


@pytest.mark.parametrize("column", ["functions", "calls"])
def test_count_that_is_no_number_is_said(tmp_path: Path, column: str) -> None:
    state = str(tmp_path / "fleet.db")
    with Store.open(state) as store:
        store.begin_scan(header())
        store.save_lane(SCAN, lane("a"))
        alter(state, f"UPDATE fleet_coverage SET {column} = 'many'")  # noqa: S608  # a name above
        with pytest.raises(FileProblem, match="holds a value this fleet does not know"):
            store.coverage(SCAN)


def test_damaged_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    with Store.open(str(file)) as store:
        store.begin_scan(header())
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * (file.stat().st_size - 4096))
    with pytest.raises(FileProblem, match="is damaged; restore it"):
        Store.open(str(file))


def test_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"cannot be created: no such file or directory; name"):
        Store.open(str(tmp_path / "nowhere" / "fleet.db"))


@pytest.mark.parametrize("path", ["/dev/null", "/"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(FileProblem, match="is not a file"):
        Store.open(path)


OPEN = """
import sys
from fleet.errors import FileProblem
from fleet.store import Store
try:
    Store.open(sys.argv[1])
except FileProblem as problem:
    print(problem)
"""


def open_without_privileges(file: Path) -> str:
    """Open in a process whose permissions count: root's own would pass everything."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    prefix = drop if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, sys.executable, "-c", OPEN, str(file)], capture_output=True, check=True, text=True
    )
    return done.stdout


def test_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    said = open_without_privileges(tmp_path / "fleet.db")
    tmp_path.chmod(0o755)
    assert "fleet.db: cannot be created: permission denied; name a file in a directory" in said
    assert list(tmp_path.iterdir()) == []


def test_saved_scans_in_a_directory_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    Store.open(str(tmp_path / "fleet.db")).close()
    tmp_path.chmod(0o555)
    said = open_without_privileges(tmp_path / "fleet.db")
    tmp_path.chmod(0o755)
    assert "fleet.db: cannot be written; make the file and its directory writable" in said


def test_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / "fleet.db"
    Store.open(str(file)).close()
    file.chmod(0)
    said = open_without_privileges(file)
    assert "fleet.db: cannot be opened; make the file and its directory readable" in said


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "names no file"),
        (":memory:", "names no file"),
        ("fleet\0.db", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://fleet.db", "names a host or parameters"),
        ("sqlite:///fleet.db?mode=ro", "names a host or parameters"),
        ("mysql://root:sesame@db/fleet", "names no store fleet has: mysql; give"),
        ("postgresql+psycopg2://root:sesame@db/fleet", "names no store fleet has: postgresql.psy"),
        ("postgresql://root:sesame@db:port/fleet", "cannot be parsed"),
        ("://root:sesame@db", "cannot be parsed"),
        ("postgresql://root:ses@me@db/fleet", "more than one @"),
        ("postgresql://root:ses/a@me@db/fleet", "more than one @"),
    ],
)
def test_place_that_cannot_be_used_is_refused_without_repeating_it(where: str, said: str) -> None:
    with pytest.raises(FileProblem, match=said) as caught:
        parse_place(where)
    assert not {"sesame", "ses", "me@", "root"} & set(str(caught.value).replace(":", " ").split())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_postgresql_url_is_shown_without_user_password_and_parameters() -> None:
    place = parse_place("postgresql://root:sesame@db.example:6432/fleet?sslpassword=hush")
    assert place.shown == "postgresql://db.example:6432/fleet"
    assert place.secrets == ("sesame", "hush")
    assert "sesame" not in str(place.url)
    assert place.file is None


def test_missing_driver_is_said_with_the_extra_that_brings_it() -> None:
    hidden = "import sys; sys.modules['psycopg'] = None\n" + OPEN
    done = subprocess.run(
        [sys.executable, "-c", hidden, "postgresql://root:sesame@db/fleet"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == (
        "postgresql://db/fleet: needs the PostgreSQL driver, which is not installed; "
        "run pip install 'fleet[postgresql]'\n"
    )


@pytest.mark.postgresql
def test_wrong_password_is_said_without_it(postgresql: Server) -> None:
    with pytest.raises(FileProblem, match="password authentication failed") as caught:
        Store.open(postgresql.url("postgres", password="sesame"))  # noqa: S106 - the wrong one
    assert "sesame" not in str(caught.value)


@pytest.mark.postgresql
def test_database_that_is_not_there_is_said(postgresql: Server) -> None:
    with pytest.raises(FileProblem, match='database "nowhere" does not exist') as caught:
        Store.open(postgresql.url("nowhere"))
    assert PASSWORD not in str(caught.value)


@pytest.mark.postgresql
def test_tables_of_other_programs_are_no_hindrance_in_a_shared_postgresql(
    postgresql_state: str,
) -> None:
    alter(postgresql_state, "CREATE TABLE bookmark (url TEXT)")
    with Store.open(postgresql_state) as store:
        store.begin_scan(header())
        assert store.scan(None).id == SCAN


def test_server_that_does_not_answer_is_said(free_port: int) -> None:
    with pytest.raises(FileProblem, match="the database says: connection failed") as caught:
        Store.open(f"postgresql://root:sesame@127.0.0.1:{free_port}/fleet")
    assert "sesame" not in str(caught.value)
    assert "Connection refused" in str(caught.value)


def test_password_that_the_driver_quotes_is_not_passed_on() -> None:
    place = parse_place("postgresql://root:sesame@db/fleet")
    said = problem_of(sqlite3.OperationalError('no such option "sesame"\nsesame'), place)
    assert said.problem == 'the database says: no such option "***"'
