"""Runs waves in a small organization: real coordinators and workers, on a clock the test holds."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from fleet.aws.clients import Clients
from fleet.aws.session import Aws
from fleet.fan_out import Crew
from fleet.leasing import AgreedClock, Leases
from fleet.migration.ground import Ground
from fleet.migration.moving import move
from fleet.migration.preparing import prepare
from fleet.model import FunctionRef
from fleet.permissions import ARTIFACT, CANARY, MOVE, PLAN
from fleet.process import this_process
from fleet.results import Result
from fleet.store import Store
from fleet.wave import MemberState, Order, OrderKind, Phase
from fleet.wave_status import PlanStatus, WaveState
from fleet.waves.due import Agenda, Doing, Record
from fleet.waves.fingerprint import fingerprint
from fleet.waves.orders import tried_again
from fleet.waves.plan import Member, Plan, Wave
from fleet.waves.run import Coordinator, Desk
from fleet.waves.status import status_of
from fleet.waves.telling import Event
from fleet.waves.worker import Task, Worker
from moto_fixtures.corrections.metric_store import Calls
from tests.migration.mover import Mover, moving
from tests.migration.orders import Orders
from tests.migration.victims import RENAMED, package
from tests.moto_fixtures.small_organization import (
    DELEGATE,
    HOME,
    MANAGEMENT,
    MEMBER,
    ROLE,
    Client,
    Organization,
)

LANES = tuple(
    (account, region)
    for account in (MEMBER, DELEGATE, MANAGEMENT)
    for region in (HOME, "eu-west-1")
)
START = datetime(2026, 10, 19, 8, tzinfo=UTC)
"""A Monday."""
LONG = 10 * 86_400.0
"""Seconds of a lease's term: the clock that is held runs ahead of any heartbeat."""
TINY = package(*RENAMED, release="of the waves")


class Quiet:
    """Progress that nobody watches."""

    def planned(self, functions: int, doing: str) -> None: ...

    def function_done(self, ref: FunctionRef, result: Result) -> None: ...


@dataclass
class Runner:
    """A plan's runs over one state; `tick` is what a scheduler calls."""

    mover: Mover
    parallelism: int = 4
    around: Callable[[Callable[[Task], MemberState], Task], MemberState] = lambda do, task: do(task)
    """Done for each task in place of the worker, which it is given."""
    events: list[Event] = field(default_factory=list)
    settled: list[MemberState] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    """Every task that a worker was given."""
    left: dict[str, str] = field(default_factory=dict)
    """Functions that were due and left as they are, and why."""
    leases: Leases = field(init=False)
    """Of the process that runs now."""

    @property
    def organization(self) -> Organization:
        return self.mover.organization

    @property
    def store(self) -> Store:
        return self.mover.store

    @cached_property
    def ground(self) -> Ground:
        clients = Clients(self.organization.emulator.environment, parallelism=self.parallelism)
        aws = Aws(
            clients,
            (*PLAN, *MOVE, *ARTIFACT, *CANARY),
            role_name=ROLE,
            calls_per_second=1000,
            first_wait=0.001,
            clock=self.now,
        )
        return replace(self.mover.ground, aws=aws)

    # The clock.

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.organization.clock(), UTC)

    def at(self, when: datetime) -> None:
        """Set the clock."""
        self.organization.clock.now = when.timestamp()

    def later(self, **span: float) -> None:
        self.organization.clock.now += timedelta(**span).total_seconds()

    # Functions, and what calls them.

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Client]:
        return {}

    def client(self, account: str = MEMBER, region: str = HOME) -> Client:
        key = (account, region)
        if key not in self._clients:
            with self.organization.emulator.seeding():
                if not any(each == account for each, _ in self._clients):
                    iam = self.organization.client("iam", account)
                    iam.create_role(RoleName="run", AssumeRolePolicyDocument="{}")
                self._clients[key] = self.organization.client("lambda", account, region)
        return self._clients[key]

    def function(
        self,
        name: str,
        account: str = MEMBER,
        region: str = HOME,
        *,
        alias: str | None = "live",
        **params: Any,  # noqa: ANN401  # CreateFunction's
    ) -> Orders:
        """A function on go1.x; its alias is on what $LATEST is."""
        client = self.client(account, region)
        given = {"Runtime": "go1.x", "Handler": "main", "Code": {"ZipFile": TINY}, **params}
        with self.organization.emulator.seeding():
            client.create_function(
                FunctionName=name, Role=f"arn:aws:iam::{account}:role/run", **given
            )
        orders = Orders(self.organization, client, name)
        if alias is not None:
            orders.alias(alias, orders.publish())
        self.later(seconds=60)
        return orders

    def orders(self, name: str) -> Orders:
        """A function of the first account, and who owns it."""
        return Orders(self.organization, self.client(), name)

    def member(self, name: str, account: str = MEMBER, region: str = HOME) -> Member:
        """A function as a plan that is made now has it."""
        with self.organization.emulator.seeding():
            found = self.client(account, region).get_function(FunctionName=name)["Configuration"]
        layers = [each["Arn"] for each in found.get("Layers", ())]
        was = fingerprint(
            found["Runtime"],
            found["Handler"],
            found["Architectures"][0],
            layers,
            found["CodeSha256"],
        )
        ref = FunctionRef("aws", account, region, name)
        return Member(function=ref.arn, fingerprint=was, verdict="ready")

    def calls(
        self,
        name: str,
        qualifier: str | None,
        version: str | None = None,
        *,
        ago: float = 300,
        **numbers: Any,  # noqa: ANN401  # of Calls
    ) -> None:
        """Let CloudWatch have counted calls of the first account, so many seconds ago."""
        made = Calls(qualifier=qualifier, version=version, **{"duration_ms": 10, **numbers})
        at = self.now() - timedelta(seconds=ago)
        self.organization.emulator.record_calls(MEMBER, HOME, name, at, made)

    # Runs.

    def coordinator(self, plan: Plan, executor: ThreadPoolExecutor, leases: Leases) -> Coordinator:
        worker = Worker(self.ground, leases, "run", self.now)

        def perform(task: Task) -> MemberState:
            self.tasks.append(task)
            return self.around(worker.do, task)

        crew = Crew(executor, self.parallelism, self.mover.leave_off, SimpleQueue())
        desk = Desk(
            store=self.store,
            leases=leases,
            crew=crew,
            capacity=lambda: crew.parallelism,
            perform=perform,
            clock=self.now,
            tell=self.events.append,
            progress=Quiet(),
            settled=self.settled.append,
            left=self._left,
        )
        return Coordinator(plan, desk)

    def _left(self, ref: FunctionRef, why: str) -> None:
        self.left[ref.name] = why

    def done(self) -> list[tuple[str, Doing]]:
        """What workers were given to do, in order."""
        return [(task.state.ref.name, task.doing) for task in self.tasks]

    def meanwhile(self, act: Callable[[], object]) -> None:
        """Let this happen before each task."""

        def first(do: Callable[[Task], MemberState], task: Task) -> MemberState:
            act()
            return do(task)

        self.around = first

    def slowly(self, *, before: bool = False, **span: float) -> None:
        """Let each task take this long."""

        def take(do: Callable[[Task], MemberState], task: Task) -> MemberState:
            if before:
                self.later(**span)
                return do(task)
            state = do(task)
            self.later(**span)
            return state

        self.around = take

    @contextmanager
    def running(self, plan: Plan) -> Iterator[Coordinator]:
        """A coordinator in a process of its own, as far as the state can tell."""
        self.mover.leave_off.clear()
        clock = AgreedClock(self.now, self.now)
        with (
            closing(Leases(self.store, this_process("run"), clock, term=LONG)) as leases,
            ThreadPoolExecutor(self.parallelism) as executor,
        ):
            self.leases = leases
            yield self.coordinator(plan, executor, leases)

    def tick(self, plan: Plan, **asked: Any) -> Agenda:  # noqa: ANN401  # of Coordinator.tick
        with self.running(plan) as coordinator:
            return coordinator.tick(**asked)

    def bring_back(self, plan: Plan, *waves: str) -> None:
        with self.running(plan) as coordinator:
            coordinator.bring_back(waves, "its wave was brought back by hand")

    def order(self, kind: OrderKind, plan: str = "move", wave: str = "") -> None:
        order = Order(plan=plan, wave=wave, kind=kind, at=self.now(), by="me@host")
        assert self.store.give_order(order)

    def retry(self, plan: Plan, wave: str | None = None) -> None:
        again = tried_again(self.record(plan), plan, wave)
        self.store.put_members(plan.name, again)

    def migrate(self, name: str) -> Result:
        """Move a function of the first account without a wave."""
        ref = self.mover.ref(name)
        return move(self.ground, prepare(self.ground, ref)).result

    # What became of it.

    def states(self) -> dict[str, MemberState]:
        return {each.ref.name: each for each in self.store.members("move")}

    def state(self, name: str = "orders") -> MemberState:
        return self.states()[name]

    def ended(self) -> Mapping[str, Result | None]:
        """How each function that has ended did."""
        return {
            name: state.result
            for name, state in self.states().items()
            if state.phase is Phase.ENDED
        }

    def results(self) -> Counter[Result | None]:
        return Counter(self.ended().values())

    def record(self, plan: Plan) -> Record:
        states = {each.ref: each for each in self.store.members(plan.name)}
        return Record(states, tuple(self.store.orders()))

    def status(self, plan: Plan) -> PlanStatus:
        return status_of(plan, self.record(plan), self.now())

    def words(self, plan: Plan) -> list[WaveState]:
        return [wave.state for wave in self.status(plan).waves]


def wave(name: str, *members: Member, **given: object) -> Wave:
    values = {"name": name, "start": START, "functions": members, "parallelism": 4}
    return Wave.model_validate(values | given)


def plan(*waves: Wave, **given: object) -> Plan:
    values = {"format": 1, "name": "move", "organization": "o-abc123", "scan": "s", "waves": waves}
    return Plan.model_validate(values | given)


@contextmanager
def at_work(organization: Organization, directory: Path) -> Iterator[Runner]:
    """Somebody who runs waves; updates take a second of the clock that is held."""
    with moving(organization, directory, leave_off=threading.Event()) as mover:
        runner = Runner(mover)
        runner.at(START)
        yield runner
