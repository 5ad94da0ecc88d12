"""`fleet history` as it is typed."""

from __future__ import annotations

from moto_fixtures.server import Call
from tests.cli.inside import NO_TRIAL, Desk, arn_of, is_write
from tests.cli.test_migrate_command import owned

DO_IT = ("--apply", "--yes")
_OPERATIONS = {
    "publish layer": {"PublishLayerVersion"},
    "publish": {"PublishVersion"},
    "put alias": {"CreateAlias", "UpdateAlias"},
    "update configuration": {"UpdateFunctionConfiguration"},
    "update code": {"UpdateFunctionCode"},
    "put tags": {"TagResource"},
    "remove tags": {"UntagResource"},
}


def writes(calls: list[Call]) -> list[str]:
    return [call.operation for call in calls if is_write(call)]


def test_every_write_is_a_step_with_who_what_and_aws_s_request(desk: Desk) -> None:
    arn = owned(desk, "noted")
    _, forth = desk.recorded("migrate", arn, NO_TRIAL, *DO_IT)
    _, back = desk.recorded("rollback", arn, *DO_IT)
    status, document = desk.told("history", arn)
    assert status == 0
    steps = document["steps"]
    made = [each for each in writes(forth + back) if each != "PublishLayerVersion"]
    of_function = [each for each in steps if each["name"]]
    assert len(made) == len(of_function)
    for operation, step in zip(made, of_function, strict=True):
        assert operation in _OPERATIONS[step["action"]]
        assert step["arn"] == arn
        assert step["caller"] == "arn:aws:iam::000000000001:user/administrator"
        assert step["state"] == "done"
        assert step["began"] <= step["ended"]
        assert step["request_id"]
    assert len({each["run"] for each in steps}) == 2
    assert {each["verb"] for each in steps} == {"migrate", "rollback"}
    moved = [each for each in of_function if (each["before"] or {}).get("alias") == "prod"]
    assert [(each["before"]["version"], each["after"]["version"]) for each in moved] == [
        ("2", "3"),
        ("3", "2"),
    ]


def test_the_table_shows_each_step_and_asks_aws_nothing(desk: Desk) -> None:
    arn = owned(desk, "listed")
    assert desk.fleet("migrate", arn, NO_TRIAL, *DO_IT).status == 0
    ended, calls = desk.recorded("history", arn)
    assert (ended.status, ended.err, calls) == (0, "", [])
    assert "migrate by arn:aws:iam::000000000001:user/administrator" in ended.out
    for said in ("alias prod: 2 -> 3", "runtime go1.x -> provided.al2023", "request: "):
        assert said in ended.out


def test_a_function_that_nothing_was_done_to_has_no_steps(desk: Desk) -> None:
    with desk.store():
        pass
    ended = desk.fleet("history", arn_of("untouched"))
    assert (ended.status, ended.out) == (0, "fleet.db knows of no step on it.\n")
    assert desk.told("history", arn_of("untouched"))[1]["steps"] == []


def test_a_state_that_is_not_there_is_an_error_and_is_not_made(desk: Desk) -> None:
    ended = desk.fleet("history", arn_of("untouched"))
    assert (ended.status, ended.out) == (1, "")
    assert "fleet.db: there is no such file" in ended.err
    assert not desk.state.exists()
