from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from random import Random
from typing import Any, TextIO

import jsonschema  # type: ignore[import-untyped] # its stubs are a package of their own
import pytest

from fleet.deployment import AliasNow, PutAlias, PutTags, RemoveTags, Route, Stale
from fleet.ledger import Action, EntryState, Verb
from fleet.migration.plan import FunctionPlan
from fleet.model import UNKNOWN_OWNER
from fleet.results import Result
from reports.migration import write_history_json, write_outcomes_json, write_plan_json
from tests.reports.migrations import (
    END,
    SECRET,
    START,
    alias_entry,
    blocked,
    entry,
    hostile,
    many,
    outcome,
    ready,
    ref,
    way,
)

SCHEMA = json.loads(files("reports").joinpath("migration.schema.json").read_text("utf-8"))


def written(write: Callable[[Any, TextIO], None], values: object) -> dict[str, Any]:
    file = io.StringIO()
    write(values, file)
    assert SECRET not in file.getvalue()
    document: dict[str, Any] = json.loads(file.getvalue())
    jsonschema.validate(document, SCHEMA)
    return document


def steps_of(plan: FunctionPlan) -> list[dict[str, Any]]:
    (function,) = written(write_plan_json, [plan])["functions"]
    steps: list[dict[str, Any]] = function["steps"]
    return steps


def test_the_schema_is_one_and_refuses_what_is_no_document_of_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = written(write_plan_json, [ready(), blocked()])
    document["functions"][0]["steps"][0]["before"] = {"environment": {"KEY": "value"}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


@pytest.mark.parametrize("route", Route)
def test_a_plan_of_every_route_is_what_the_schema_says(route: Route) -> None:
    end = {
        Route.DUAL: replace(START, runtime="provided.al2023", code_sha256="shim"),
        Route.ARCHITECTURE: replace(START, architecture="arm64", code_sha256="arm"),
    }.get(route, END)
    its = way(route, end)
    plan = replace(ready(), route=route, way=its, steps=(PutTags({"a": "b"}),))
    written(write_plan_json, [plan, replace(plan, way=None, steps=(), assessment=None)])


@pytest.mark.parametrize(
    "result",
    [Result.READY, Result.ALREADY_THERE, Result.BLOCKED, Result.STALE, Result.FAILED],
)
def test_a_plan_of_every_result_is_what_the_schema_says(result: Result) -> None:
    (function,) = written(write_plan_json, [replace(blocked(), result=result)])["functions"]
    assert function["result"] == result


def test_each_step_says_what_it_does_and_what_was_and_will_be() -> None:
    steps = steps_of(ready())
    assert [each["action"] for each in steps] == [
        "update configuration",
        "update code",
        "update configuration",
        "prove",
        "publish",
        "put alias",
        "put alias",
        "put tags",
    ]
    attach, code, *_, live, tags = steps
    assert attach["text"].startswith("runtime go1.x -> provided.al2023, layers + ")
    assert attach["before"] == {"runtime": "go1.x", "layers": []}
    assert attach["after"]["runtime"] == "provided.al2023"
    assert code["before"] == {"code_sha256": START.code_sha256}
    assert code["after"] == {"code_sha256": END.code_sha256}
    assert live["before"] == {"alias": "live", "version": "7", "weights": {}}
    assert live["after"] == {"alias": "live", "version": None, "weights": {}}
    assert (tags["before"], tags["after"]) == (None, {"tags": {"fleet:language": "go"}})


def test_a_new_alias_was_nothing_and_tags_taken_off_become_nothing() -> None:
    steps = (PutAlias("provided", "8", None, {"7": 0.1}), RemoveTags(("a",)))
    new, off = steps_of(replace(ready(), steps=steps))
    assert new["before"] is None
    assert new["after"] == {"alias": "provided", "version": "8", "weights": {"7": 0.1}}
    assert (off["before"], off["after"]) == ({"tag_keys": ["a"]}, None)


def test_a_gap_stands_at_its_step_and_at_its_function() -> None:
    (direct,) = written(write_plan_json, [ready(route=Route.DIRECT)])["functions"]
    assert direct["gap"] is True
    assert [each["opens_gap"] for each in direct["steps"]][:3] == [True, False, False]
    one = replace(ready(), way=way(Route.DIRECT, replace(START, runtime="provided.al2023")))
    functions = written(write_plan_json, [ready(), replace(one, route=Route.DIRECT, steps=())])
    assert [each["gap"] for each in functions["functions"]] == [False, False]


def test_how_it_ends_is_no_step() -> None:
    assert steps_of(replace(ready(), steps=(PutTags({"a": "b"}), Stale("why"))))[1:] == []


def test_steps_that_cannot_be_told_are_no_plan() -> None:
    with pytest.raises(ValueError, match="orders has steps and no way"):
        write_plan_json([replace(ready(), way=None)], io.StringIO())


def test_who_deploys_it_what_is_in_it_and_what_is_promised_stand_beside_the_steps() -> None:
    (function,) = written(write_plan_json, [ready()])["functions"]
    assert function["owner"] == {"kind": "cloudformation", "name": "payments-prod"}
    assert function["assessment"]["strategy"] == "rename"
    assert function["notes"][0]["code"] == "extensions"
    assert function["promises"] == [
        {
            "qualifier": "live",
            "callers": [{"kind": "function url", "source": "AWS_IAM"}],
            "text": "it moves, and goes back at any time",
        }
    ]
    (function,) = written(write_plan_json, [replace(blocked(), owner=UNKNOWN_OWNER)])["functions"]
    assert (function["owner"]["kind"], function["assessment"]) == ("unknown", None)


def test_the_order_is_the_same_however_the_functions_came() -> None:
    plans, outcomes = many(9), [outcome(name=f"f{n}") for n in range(9)]
    entries = [entry(number) for number in range(1, 10)]
    for write, values in (
        (write_plan_json, plans),
        (write_outcomes_json, outcomes),
        (write_history_json, entries),
    ):
        shuffled = list(values)
        Random(1).shuffle(shuffled)  # noqa: S311 - nothing secret, and it has to repeat
        assert written(write, shuffled) == written(write, values)


@pytest.mark.parametrize("result", sorted(set(Result) - {Result.READY}))
def test_an_outcome_of_every_result_is_what_the_schema_says(result: Result) -> None:
    (function,) = written(write_outcomes_json, [outcome(result, "why")])["functions"]
    assert (function["result"], function["reason"]) == (result, "why")
    assert function["arn"] == "arn:aws:lambda:eu-west-1:111111111111:function:orders"
    assert function["done"] == ["publish $LATEST as a version", "alias go1x-rollback -> 7"]


def test_a_history_holds_what_was_before_and_after_each_step() -> None:
    code, live = written(write_history_json, [entry(), alias_entry()])["steps"]
    assert code["before"] == {
        "runtime": "go1.x",
        "handler": "main",
        "layers": [],
        "code_sha256": START.code_sha256,
        "architecture": "x86_64",
    }
    assert code["after"]["runtime"] == "provided.al2023"
    assert live["before"] == {"alias": "live", "version": "7", "weights": {"6": 0.25}}
    assert live["after"] == {"alias": "live", "version": "8", "weights": {}}
    assert code["began"] == "2026-11-21T16:20:02+00:00"
    assert code["request_id"] == "8f7e0f0e-1111-4222-8333-444455556666"


@pytest.mark.parametrize("action", Action)
def test_an_entry_of_every_kind_is_what_the_schema_says(action: Action) -> None:
    entries = [
        entry(1, action=action, state=state, verb=verb, ended=None, ref=ref(""))
        for state in EntryState
        for verb in Verb
    ]
    assert len(written(write_history_json, entries)["steps"]) == 9


def test_names_that_are_no_unicode_can_be_written() -> None:
    (function,) = written(write_plan_json, [hostile("half a \ud800 character")])["functions"]
    assert function["name"] == "half a \ud800 character"


def test_nothing_at_all_is_a_document_too() -> None:
    for write in (write_plan_json, write_outcomes_json, write_history_json):
        assert [] in written(write, []).values()


def test_the_revision_that_guards_a_write_is_nobodys_business() -> None:
    steps = steps_of(replace(ready(), steps=(PutAlias("a", "8", AliasNow("a", "7", {}, "rev")),)))
    assert "rev" not in json.dumps(steps)
