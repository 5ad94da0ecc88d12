from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

import pytest

from fleet.aws.failures import CallFailed, NoCredentials, RoleRefused, Situation
from fleet.cli.progress import showing_move
from fleet.fan_out import Crew
from fleet.model import FunctionConfig, FunctionRef
from fleet.waves.checking import Checked, Standing, check_members, standing_of
from fleet.waves.fingerprint import fingerprint_of_config
from fleet.waves.plan import Member, Plan, Wave
from tests.waves.scans import Function

NOW = Function("orders").config
MEMBER = Member(function=NOW.ref.arn, fingerprint=fingerprint_of_config(NOW), verdict="ready")
DENIED = CallFailed("lambda:GetFunction", "1", "r", Situation.DENIED, "AccessDenied", "no")


@contextmanager
def crew() -> Iterator[Crew]:
    with ThreadPoolExecutor(4) as executor:
        yield Crew(executor, 4, threading.Event(), SimpleQueue())


def checked(answers: dict[str, FunctionConfig | Exception]) -> list[Checked]:
    members = [
        Member(function=Function(name).ref.arn, fingerprint=MEMBER.fingerprint, verdict="ready")
        for name in answers
    ]
    wave = Wave(name="a", start="2026-12-07T09:00:00Z", functions=tuple(members))  # type: ignore[arg-type]  # as a file has it
    plan = Plan(format=1, name="p", organization="o", scan="s", waves=(wave,))

    def read(ref: FunctionRef) -> FunctionConfig:
        answer = answers[ref.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    with crew() as at_work, showing_move(quiet=True) as progress:
        return check_members(plan, read, at_work, progress)


@pytest.mark.parametrize(
    ("changed", "standing"),
    [
        ({}, Standing.AS_PLANNED),
        ({"last_modified": None, "code_size": 7}, Standing.AS_PLANNED),
        ({"code_sha256": "other"}, Standing.STALE),
        ({"handler": "other"}, Standing.STALE),
        ({"layers": ("arn:layer",)}, Standing.STALE),
        ({"runtime": "provided.al2023"}, Standing.MOVED),
        ({"runtime": "python3.13"}, Standing.STALE),
        ({"runtime": None}, Standing.STALE),
    ],
)
def test_a_member_is_as_planned_only_if_its_fingerprint_is(
    changed: dict[str, object], standing: Standing
) -> None:
    found, reason = standing_of(MEMBER, replace(NOW, **changed))  # type: ignore[arg-type]  # replace() checks the names
    assert found is standing
    assert bool(reason) == (standing is not Standing.AS_PLANNED)


def test_what_could_not_be_read_is_never_fine_and_costs_no_other() -> None:
    missing = replace(DENIED, situation=Situation.NOT_FOUND)
    found = checked(
        {
            "a": NOW,
            "b": missing,
            "c": DENIED,
            "d": RoleRefused("arn:role", DENIED),
            "e": ValueError("defect"),
        }
    )
    assert [(each.member.ref.name, each.standing) for each in found] == [
        ("a", Standing.AS_PLANNED),
        ("b", Standing.GONE),
        ("c", Standing.UNREAD),
        ("d", Standing.UNREAD),
        ("e", Standing.UNREAD),
    ]
    assert all(each.reason for each in found[1:])


def test_without_credentials_nothing_can_be_said_of_anybody() -> None:
    with pytest.raises(NoCredentials):
        checked({"a": NOW, "b": NoCredentials("expired")})
