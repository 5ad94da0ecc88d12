"""What every change of one function needs, whichever way it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.aws.deployments import read_now
from fleet.aws.failures import CallFailed, Interrupted, NoCredentials, RoleRefused, Situation
from fleet.aws.layers import publish_bridge
from fleet.aws.packages import Location
from fleet.aws.session import Lane
from fleet.deployment import (
    BRIDGE_LAYER,
    SERVING_ALIAS,
    X86_64_ALIAS,
    Deployment,
    Observed,
    Way,
    is_own_bridge,
)
from fleet.errors import FleetError
from fleet.inspection import Strategy
from fleet.ledger import Action, Verb
from fleet.migration.acting import Hands
from fleet.migration.ground import Ground
from fleet.migration.observing import Observer
from fleet.migration.packages import Workbench
from fleet.migration.plan import Outcome
from fleet.migration.problems import Halted, OutOfCredentials, halted_by
from fleet.migration.travelling import LOOK_AGAIN, MOST_REFUSALS, POLL_SECONDS, Journey
from fleet.model import LATEST, ROLLBACK_ALIAS, FunctionRef
from fleet.results import Result

CODE_GONE = "CodeGone"
_UNPUBLISHED = "(new)"
_DESCRIPTION = "Starts a go1.x package on a custom runtime while fleet moves its function"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to have a way's packages here again, the same byte for byte."""

    start: Deployment
    artifact: Path | None = None
    """The end's package, where the user brought it."""


class Work:
    """One function that is being changed; `outcome` gathers what became of it."""

    def __init__(
        self, ground: Ground, ref: FunctionRef, observer: Observer, recipe: Recipe, room: Path
    ) -> None:
        """`room` is a directory for its packages, which is the caller's."""
        self.ground = ground
        self.ref = ref
        self.observer = observer
        self.lane = ground.aws.lane(ref.account, ref.region)
        self.done: list[str] = []
        self._recipe = recipe
        self._bench = Workbench(room, ground.downloads, self.lane)
        self._left_behind: list[str] = []

    def journey(self, way: Way, *, stoppable: bool = True) -> Journey:
        """The loop that leads along a way, or back; `stoppable` by Ctrl-C, between steps."""
        ground = self.ground
        hands = Hands(
            ground.aws,
            self.lane,
            self.ref,
            ground.journal,
            self.observer,
            self._supplied,
            key=ground.key,
            bucket=ground.bucket_of(self.ref),
            left_behind=self._left_behind,
        )
        return Journey(way, self.observer, hands, ground.patience, self.done, stoppable)

    def with_bridge(self, way: Way, verb: Verb) -> Way:
        """The way with the bridge layer's own ARN: published, if it is the first that needs it.

        Raises CallFailed.
        """
        stand_in = next(
            (arn for each in way.path for arn in each.layers if is_unpublished(arn)), None
        )
        if stand_in is None:
            return way

        def publish(package: bytes) -> str:
            return self.ground.journal.noted(
                verb,
                replace(self.ref, name=""),
                Action.PUBLISH_LAYER,
                "publish the bridge layer of this account and region",
                lambda: publish_bridge(self.ground.aws, self.lane, package, _DESCRIPTION),
            )

        arn = self._insisting(lambda: self.ground.knowledge(self.ref).make_bridge(publish))
        return replace(
            way,
            path=tuple(
                replace(
                    each, layers=tuple(arn if layer == stand_in else layer for layer in each.layers)
                )
                for each in way.path
            ),
        )

    def _insisting(self, ask: Callable[[], str]) -> str:
        """Ask again after a fault of the moment, as a journey does."""
        for _ in range(MOST_REFUSALS):
            try:
                return ask()
            except CallFailed as failure:
                if failure.situation not in LOOK_AGAIN:
                    raise
                self.ground.patience.sleep(POLL_SECONDS)
        return ask()

    def have(self, way: Way, *, back: bool = False) -> None:
        """Have every package here that the rest of the way, or of the way back, uploads.

        Before the first write: a download that fails then leaves the function as it is. On the
        way back also what it has now: if AWS refuses go1.x by then, it has to be put there again.
        Raises what fetching and repackaging raise, and Halted.
        """
        now = self.observer.look().deployment
        if now not in way.path:
            # Somebody has deployed since the plan, and their code may be the only one that is left.
            return
        here = way.path.index(now)
        ahead = way.path[: here + 1] if back else way.path[here:]
        codes = {each.code_sha256 for each in ahead}
        for code_sha256 in codes if back else codes - {now.code_sha256}:
            self._supplied(code_sha256)

    def ended(self, result: Result, reason: str = "", *, notes: tuple[str, ...] = ()) -> Outcome:
        """What became of it."""
        return Outcome(self.ref, result, reason, tuple(self.done), (*notes, *self._left_behind))

    def outcome(self, work: Callable[[], Outcome], way: Way, *, blocked: str) -> Outcome:
        """The outcome of `work`, or of what stopped it; `blocked` says what a refused go1.x means.

        Raises OutOfCredentials.
        """
        try:
            return work()
        except NoCredentials as error:
            said = f"{error}; then the same command goes on from here"
            raise OutOfCredentials(self.ended(Result.INTERRUPTED, said), error) from error
        except Interrupted:
            said = "the same command goes on from here"
            if way.has_gap and self.observer.now.deployment in way.path[1:-1]:
                said = "invocations of $LATEST fail as it stands: run the same command again now"
            return self.ended(Result.INTERRUPTED, said)
        except (CallFailed, RoleRefused, Halted) as stopped:
            halted = self.halted(stopped, blocked=blocked)
            return self.ended(halted.result, halted.reason)
        except FleetError as error:
            return self.ended(Result.FAILED, str(error))
        except OSError as error:
            said = f"no temporary file can be written ({error.strerror}): set TMPDIR"
            return self.ended(Result.FAILED, said)

    def halted(self, stopped: CallFailed | RoleRefused | Halted, *, blocked: str) -> Halted:
        """What stopped it, as a result and why."""
        if isinstance(stopped, Halted):
            return stopped
        if isinstance(stopped, CallFailed) and stopped.situation is Situation.RUNTIME_BLOCKED:
            return Halted(Result.BLOCKED, f"{stopped.why}; {blocked}")
        return halted_by(stopped)

    def _supplied(self, code_sha256: str) -> Path:
        """A package of the way, had or made again if it is not here; raises Halted."""
        bench, recipe = self._bench, self._recipe
        if recipe.artifact is not None and not bench.has(code_sha256):
            bench.given(recipe.artifact)
        if not bench.has(code_sha256):
            locate = locating(self.ground, self.lane, self.ref, code_sha256)
            try:
                bench.fetched(locate)
            except CallFailed as failure:
                if failure.code != CODE_GONE or code_sha256 == recipe.start.code_sha256:
                    raise
        for strategy in Strategy:
            if not bench.has(code_sha256):
                original = self._supplied(recipe.start.code_sha256)
                # Refused for one, it may be made by the other.
                with suppress(FleetError):
                    bench.repackaged(original, recipe.start.handler or "", strategy)
        if not bench.has(code_sha256):
            raise Halted(Result.FAILED, "its package is no longer what the plan was made with")
        return bench.package(code_sha256)


def locating(
    ground: Ground, lane: Lane, ref: FunctionRef, code_sha256: str
) -> Callable[[], Location]:
    """Where a package can be had: of $LATEST, or of a version that one of our aliases holds.

    What it gives raises CallFailed, with the code CodeGone where none of them has it.
    """

    def places() -> Iterator[Location | None]:
        for qualifier in (LATEST, ROLLBACK_ALIAS, SERVING_ALIAS, X86_64_ALIAS):
            try:
                now = read_now(ground.aws, lane, ref.name, ground.key, qualifier)
            except CallFailed as failure:
                if failure.situation is not Situation.NOT_FOUND or qualifier == LATEST:
                    raise
                continue
            if now.deployment.code_sha256 == code_sha256:
                yield now.location

    def locate() -> Location:
        for location in places():
            if location is not None:
                return location
        gone = "no version that is known has this code any more"
        action = "lambda:GetFunction"
        raise CallFailed(action, lane.account, lane.region, Situation.OTHER, CODE_GONE, gone)

    return locate


def bridge_of(ground: Ground, ref: FunctionRef, seen: Observed) -> str:
    """ARN of the bridge layer that the function has, or would get.

    A stand-in where there is none yet: a look publishes nothing. Raises CallFailed.
    """
    attached = [arn for arn in seen.deployment.layers if is_own_bridge(arn, ref.account)]
    stem = f"arn:{ref.partition}:lambda:{ref.region}:{ref.account}"
    return (
        next(iter(attached), None)
        or ground.knowledge(ref).bridge()
        or f"{stem}:layer:{BRIDGE_LAYER}:{_UNPUBLISHED}"
    )


def is_unpublished(arn: str) -> bool:
    """Whether this stands for a bridge layer that has yet to be published."""
    return arn.endswith(f":{_UNPUBLISHED}")
