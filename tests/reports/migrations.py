"""Plans, outcomes and ledger entries to show, as the migration makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from fleet.deployment import (
    AliasNow,
    Deployment,
    Observed,
    Publish,
    Published,
    PutAlias,
    Route,
    Way,
)
from fleet.inspection import Assessment, Remark, Strategy, Verdict
from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.migration.facts import Finding
from fleet.migration.foresight import foresee
from fleet.migration.paths import path
from fleet.migration.plan import FunctionPlan, Outcome, Promise
from fleet.migration.route import next_step
from fleet.model import Alias, Caller, CallerKind, FunctionRef, Owner, OwnerKind
from fleet.results import Result

SECRET = "hash-of-an-environment"  # noqa: S105 - what must not be shown
BRIDGE = "arn:aws:lambda:eu-west-1:111111111111:layer:fleet-go1x-bridge:3"
START = Deployment("go1.x", "main", (), "q83vEjRWeJCrze8SNFZ4kA==", "x86_64", SECRET)
END = replace(START, runtime="provided.al2023", handler="bootstrap", code_sha256="3q2+796tvu8=xyz")
STACK = Owner(OwnerKind.CLOUDFORMATION, "payments-prod")
READY = Assessment(Verdict.READY, (Remark("runtime-api", "main speaks it"),), (), Strategy.RENAME)
MANAGED = Finding("managed-cloudformation", "stack payments-prod deploys it: change the template")
BEGAN = datetime(2026, 11, 21, 16, 20, 1, tzinfo=UTC)


def ref(name: str = "orders", account: str = "111111111111") -> FunctionRef:
    return FunctionRef("aws", account, "eu-west-1", name)


def way(route: Route = Route.BRIDGE, end: Deployment = END) -> Way:
    stations = path(route, START, end, bridge=BRIDGE if route is Route.BRIDGE else None)
    return Way(route, stations, "go1x-rollback", "provided", {"fleet:language": "go"})


def ready(name: str = "orders", route: Route = Route.BRIDGE, owner: Owner = STACK) -> FunctionPlan:
    its = way(route)
    aliases = (AliasNow("go1x-rollback", "7"), AliasNow("live", "7"))
    seen = Observed(START, "r", settled=True, aliases=aliases, kept=Published("7", START))
    return FunctionPlan(
        ref(name),
        Result.READY,
        notes=(Finding("extensions", "an extension begins to run"),),
        route=route,
        steps=foresee(seen, its, partial(next_step, way=its)),
        way=its,
        promises=(
            Promise(
                "live",
                (Caller(CallerKind.FUNCTION_URL, "AWS_IAM", "live"),),
                "it moves, and goes back at any time",
            ),
        ),
        owner=owner,
        assessment=READY,
    )


def blocked(name: str = "refunds", *reasons: Finding) -> FunctionPlan:
    return FunctionPlan(ref(name), Result.BLOCKED, reasons or (MANAGED,), owner=STACK)


def many(count: int, make: Callable[[str], FunctionPlan] = ready) -> list[FunctionPlan]:
    return [make(f"fn-{index:04}") for index in range(count)]


def outcome(result: Result = Result.MIGRATED, reason: str = "", name: str = "orders") -> Outcome:
    done = ("publish $LATEST as a version", "alias go1x-rollback -> 7")
    return Outcome(ref(name), result, reason, done)


def entry(number: int = 1, **changes: object) -> Entry:
    began = BEGAN + timedelta(seconds=number)
    made = Entry(
        number=number,
        run="20261121T162000Z-a1b2",
        verb=Verb.MIGRATE,
        ref=ref(),
        action=Action.UPDATE_CONFIGURATION,
        what="runtime go1.x -> provided.al2023",
        caller="arn:aws:sts::111111111111:assumed-role/Admin/somebody",
        began=began,
        ended=began + timedelta(seconds=1),
        state=EntryState.DONE,
        request_id="8f7e0f0e-1111-4222-8333-444455556666",
        deployment_before=START,
        deployment_after=replace(START, runtime="provided.al2023"),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # the names are checked by replace()


def alias_entry(number: int = 2) -> Entry:
    return entry(
        number,
        action=Action.PUT_ALIAS,
        what="alias live: 7 -> 8",
        deployment_before=None,
        deployment_after=None,
        alias_before=Alias("live", "7", {"6": 0.25}),
        alias_after=Alias("live", "8"),
    )


def hostile(evil: str) -> FunctionPlan:
    """A plan that has a text from outside wherever one can be."""
    finding = Finding("code", evil)
    its = way()
    steps = (Publish("r", "sha", "go1x-rollback"), PutAlias(evil, "8", AliasNow(evil, "7")))
    return FunctionPlan(
        ref(evil),
        Result.READY,
        (finding,),
        (finding,),
        Route.BRIDGE,
        steps,
        its,
        (Promise(evil, (Caller(CallerKind.EVENT_SOURCE, evil, evil),), evil),),
        Owner(OwnerKind.MAPPED, evil),
        READY,
    )
