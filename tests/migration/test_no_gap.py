"""Callers notice nothing while a function moves and comes back; on direct they do, as stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fleet.deployment import Deployment, Route, UpdateCode, UpdateConfiguration
from fleet.inspection import Strategy
from fleet.ledger import Action, Verb
from fleet.migration import paths
from fleet.migration.facts import Asked, AskedRoute
from fleet.migration.travelling import POLL_SECONDS
from fleet.migration.words import opens_gap, words
from fleet.results import Result
from moto_fixtures.corrections.function_changes import conflict, state_of
from moto_fixtures.corrections.serving import Serving, serving
from moto_fixtures.invoking import invoke as invoking
from tests.migration.callers import Callers, Heard, Served, calling
from tests.migration.mover import UPDATE_SECONDS, Mover
from tests.moto_fixtures.small_organization import Organization
from tests.moto_fixtures.test_invoking import EXECUTABLE, ORDER, TOTAL, create, handler, program

LATEST = "$LATEST"
UPDATES = {Action.UPDATE_CODE, Action.UPDATE_CONFIGURATION}


@dataclass(frozen=True)
class Case:
    """A function with a real program."""

    route: AskedRoute
    strategy: Strategy
    files: Mapping[str, tuple[bytes, int]]
    handler: str
    event: object
    expected: object


def orders(route: AskedRoute) -> Case:
    """What is renamed to bootstrap, except on dual."""
    strategy = Strategy.SHIM if route is Route.DUAL else Strategy.RENAME
    return Case(route, strategy, program(), "main", ORDER, TOTAL)


def router() -> Case:
    """What reads its Handler, and gets a shim."""
    files = {"bin/refund": (handler("router"), EXECUTABLE)}
    answer = {"route": "refund", "text": "paid back"}
    return Case(Route.BRIDGE, Strategy.SHIM, files, "bin/refund", {}, answer)


@dataclass
class Trip:
    """There and back again, and what the callers heard."""

    callers: Callers
    mover: Mover
    path: tuple[Deployment, ...]
    turned: int
    """How many invocations had been served when it turned back."""

    @property
    def out(self) -> list[Served]:
        return self.callers.served[: self.turned]

    @property
    def back(self) -> list[Served]:
        return self.callers.served[self.turned :]

    def seen(self, served: list[Served], *, updating: bool) -> list[Deployment]:
        """The deployments of the path from which $LATEST was served, in the path's order."""
        latest = [each for each in served if each.version == LATEST and each.updating is updating]
        return [station for station in self.path if any(each.is_of(station) for each in latest)]

    def gap(self, verb: Verb) -> tuple[float, float]:
        """Of the emulator's time: from when the first update is through until the last one is."""
        first, *_, last = (
            entry.began.timestamp() + UPDATE_SECONDS
            for entry in self.mover.ledger()
            if entry.action in UPDATES and entry.verb is verb
        )
        return first, last


def there_and_back(
    organization: Organization, mover: Mover, case: Case, *called: str, back: bool = True
) -> Trip:
    # Of real time, which on a busy machine is short: a slow start is not what is looked for.
    given = {"Handler": case.handler, "MemorySize": 256, "Timeout": 60}
    client = create(organization, "orders", case.files, **given)
    with organization.emulator.seeding():
        client.publish_version(FunctionName="orders")
        client.update_function_configuration(FunctionName="orders", MemorySize=512)
        client.publish_version(FunctionName="orders")
        weights = {"AdditionalVersionWeights": {"2": 0.5}}
        client.create_alias(FunctionName="orders", Name="live", FunctionVersion="2")
        client.create_alias(
            FunctionName="orders", Name="mixed", FunctionVersion="1", RoutingConfig=weights
        )
    names = called or (LATEST, "live", "mixed")
    with calling(
        organization, "orders", names, event=case.event, expected=case.expected
    ) as callers:
        mover = mover.anew(asked=Asked(route=case.route), meanwhile=callers.let_through)
        plan = mover.plan()
        assert plan.way is not None, plan.reasons
        assert plan.route is case.route
        assert mover.migrate().result is Result.MIGRATED
        callers.let_through()
        turned = len(callers.served)
        if back:
            assert mover.roll_back().result is Result.ROLLED_BACK
    return Trip(callers, mover, plan.way.path, turned)


@pytest.mark.parametrize(
    "case",
    [orders(Route.BRIDGE), router(), orders(Route.DUAL)],
    ids=["bridge, rename", "bridge, shim", "dual"],
)
def test_no_invocation_fails_while_a_function_moves_and_comes_back(
    organization: Organization, mover: Mover, case: Case
) -> None:
    trip = there_and_back(organization, mover, case)
    assert trip.callers.failed() == []
    # Otherwise this shows nothing: it was called wherever it passes through, and during each
    # update it was still what it had been.
    path = list(trip.path)
    assert trip.seen(trip.out, updating=False) == path
    assert trip.seen(trip.out, updating=True) == path[:-1]
    assert trip.seen(trip.back, updating=False) == path
    assert trip.seen(trip.back, updating=True) == path[1:]
    assert len(path) == (4 if case.route is Route.BRIDGE else 3)
    assert {each.version for each in trip.out} == {LATEST, "1", "2", "3"}


def test_on_direct_invocations_fail_between_the_two_updates_and_at_no_other_time(
    organization: Organization, mover: Mover
) -> None:
    case = orders(Route.DIRECT)
    trip = there_and_back(organization, mover, case, LATEST, "live")
    gaps = [trip.gap(verb) for verb in (Verb.MIGRATE, Verb.ROLLBACK)]
    failed = trip.callers.failed()
    assert {each.qualifier for each in failed} == {LATEST}
    for opened, closed in gaps:
        # Seconds, as the plan says.
        assert UPDATE_SECONDS <= closed - opened <= UPDATE_SECONDS + POLL_SECONDS
        assert any(within(each, opened, closed) for each in failed)
    assert [each for each in failed if not any(within(each, *gap) for gap in gaps)] == [], gaps
    before, after = gaps[0][0], gaps[1][1]
    served = [each for each in trip.callers.heard if each.qualifier == LATEST and not each.problem]
    assert any(each.ended < before for each in served)
    assert any(gaps[0][1] <= each.began and each.ended < gaps[1][0] for each in served)
    assert any(after <= each.began for each in served)


def within(heard: Heard, opened: float, closed: float) -> bool:
    return opened <= heard.ended and heard.began < closed


def test_the_gap_of_direct_is_stated_in_the_plan(organization: Organization, mover: Mover) -> None:
    create(organization, "orders", program())
    plan = mover.anew(asked=Asked(route=Route.DIRECT)).plan()
    assert plan.way is not None
    updates = [each for each in plan.steps if isinstance(each, (UpdateCode, UpdateConfiguration))]
    assert [opens_gap(each, plan.way) for each in updates] == [True, False]
    assert "[GAP: invocations fail from here" in words(updates[0], plan.way)
    assert "gap" in {each.code for each in plan.notes}


def test_callers_notice_where_the_old_code_is_not_served_during_updates(
    organization: Organization, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(latest: Any, version: str, world: Any) -> Serving:  # noqa: ANN401  # moto's own
        if version == LATEST and state_of(latest, world).update is not None:
            raise conflict("An update is in progress.")
        return serving(latest, version, world)

    monkeypatch.setattr(invoking, "serving", refusing)
    trip = there_and_back(organization, mover, orders(Route.DUAL), LATEST, back=False)
    assert {each.qualifier for each in trip.callers.failed()} == {LATEST}


def test_callers_notice_where_updates_take_effect_before_they_are_through(
    organization: Organization, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hasty(latest: Any, version: str, world: Any) -> Serving:  # noqa: ANN401  # moto's own
        state = state_of(latest, world)
        update, state.update = state.update, None
        try:
            return serving(latest, version, world)
        finally:
            state.update = update

    monkeypatch.setattr(invoking, "serving", hasty)
    trip = there_and_back(organization, mover, orders(Route.DUAL), LATEST, back=False)
    assert trip.seen(trip.out, updating=True) != list(trip.path[:-1])


def test_callers_notice_where_the_bridge_is_left_out(
    organization: Organization, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_layer(
        _: Route, start: Deployment, end: Deployment, bridge: str | None
    ) -> Iterator[Deployment]:
        del bridge
        switched = replace(start, runtime=end.runtime)
        yield from (start, switched, replace(switched, code_sha256=end.code_sha256), end)

    monkeypatch.setattr(paths, "_stations", without_layer)
    trip = there_and_back(organization, mover, orders(Route.BRIDGE), LATEST, back=False)
    failed = trip.callers.failed()
    assert {each.qualifier for each in failed} == {LATEST}
    assert all("Couldn't find valid bootstrap" in each.problem for each in failed)
