"""Does one step: notes it in the ledger, does it, notes what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fleet.aws import updates
from fleet.aws.buckets import put_package, remove_package
from fleet.aws.failures import CallFailed, Interrupted, Situation
from fleet.aws.session import Aws, Lane
from fleet.deployment import (
    Deployment,
    Publish,
    PutAlias,
    PutTags,
    RemoveTags,
    UpdateCode,
    UpdateConfiguration,
    Way,
    Write,
)
from fleet.ledger import Action, Entry, EntryState, Verb
from fleet.migration.gates import fits_into_a_call
from fleet.migration.observing import Observer
from fleet.migration.words import action, words
from fleet.model import Alias, FunctionRef
from fleet.store import Store

_UNREADABLE = "UnreadableAnswer"
"""Code of a failure to read what AWS has answered."""


@dataclass(frozen=True, slots=True)
class Journal:
    """One run of a command, writing into the ledger."""

    store: Store
    run: str
    """Id of the run."""
    caller: str
    """ARN of whoever runs it."""
    clock: Callable[[], datetime]

    def noted(
        self,
        verb: Verb,
        ref: FunctionRef,
        action: Action,
        what: str,
        act: Callable[[], tuple[str, str]],
        *,
        alias: tuple[Alias | None, Alias] | None = None,
        deployments: tuple[Deployment, Deployment] | None = None,
    ) -> str:
        """Do something between two notes; `act` answers a result and AWS's request id.

        What raises CallFailed is noted as failed, unless it may have happened nevertheless.
        """
        number = self.store.begin_step(
            Entry(
                run=self.run,
                verb=verb,
                ref=ref,
                action=action,
                what=what,
                caller=self.caller,
                began=self.clock(),
                alias_before=alias[0] if alias else None,
                alias_after=alias[1] if alias else None,
                deployment_before=deployments[0] if deployments else None,
                deployment_after=deployments[1] if deployments else None,
            )
        )
        try:
            result, request_id = act()
        except (CallFailed, Interrupted) as stopped:
            # An interrupted call has a cause if it went out.
            failure = stopped if isinstance(stopped, CallFailed) else stopped.__cause__
            if not (isinstance(failure, CallFailed) and _may_have_happened(failure)):
                problem = failure.why if isinstance(failure, CallFailed) else "interrupted"
                self.store.end_step(
                    number, state=EntryState.FAILED, ended=self.clock(), problem=problem
                )
            raise
        self.store.end_step(
            number,
            state=EntryState.DONE,
            ended=self.clock(),
            request_id=request_id,
            result=result,
        )
        return result


class Hands:
    """Changes one function, one step at a time."""

    def __init__(
        self,
        aws: Aws,
        lane: Lane,
        ref: FunctionRef,
        journal: Journal,
        observer: Observer,
        supply: Callable[[str], Path],
        *,
        key: bytes,
        bucket: str | None,
        left_behind: list[str],
    ) -> None:
        """`supply` gives packages by CodeSha256, `key` hashes settings.

        `bucket` is the one for packages too large for a call; `left_behind` gets what has to be
        taken away by hand, in words.
        """
        self._aws = aws
        self._lane = lane
        self._ref = ref
        self._journal = journal
        self._observer = observer
        self._supply = supply
        self._key = key
        self._bucket = bucket
        self._left_behind = left_behind

    def do(self, step: Write, way: Way, verb: Verb) -> str:
        """Do it and note it; what it was, in words. Raises CallFailed, Interrupted, OSError."""
        said = words(step, way)
        # Before the note: what fails in here has not been tried.
        package = self._supply(step.after.code_sha256) if isinstance(step, UpdateCode) else None
        alias = deployments = None
        if isinstance(step, PutAlias):
            was = step.before
            alias = (
                None if was is None else Alias(was.name, was.version, was.weights),
                Alias(step.name, step.version, step.weights),
            )
        elif isinstance(step, (UpdateCode, UpdateConfiguration)):
            deployments = (step.before, step.after)
        result = self._journal.noted(
            verb,
            self._ref,
            action(step),
            said,
            lambda: self._act(step, package),
            alias=alias,
            deployments=deployments,
        )
        return f"{said}: version {result}" if isinstance(step, Publish) else said

    def _act(self, step: Write, package: Path | None) -> tuple[str, str]:
        aws, lane, name = self._aws, self._lane, self._ref.name
        match step:
            case Publish():
                version, request_id = updates.publish(aws, lane, name, step, self._key)
                self._observer.minted(version)
                return version.version, request_id
            case PutAlias():
                alias, request_id = updates.put_alias(aws, lane, name, step)
                self._observer.put(alias)
                return alias.version, request_id
            case UpdateConfiguration():
                self._observer.updated()
                return "", updates.update_configuration(aws, lane, name, step)
            case UpdateCode():
                assert package is not None  # noqa: S101 - supplied above
                self._observer.updated()
                return "", self._upload(step, package)
            case PutTags():
                return "", updates.put_tags(aws, lane, self._ref, step)
            case RemoveTags():
                return "", updates.remove_tags(aws, lane, self._ref, step)

    def _upload(self, step: UpdateCode, path: Path) -> str:
        if self._bucket is None or fits_into_a_call(path.stat().st_size):
            return self._send(step, path)
        stored = put_package(self._aws, self._lane, self._bucket, self._object(step), path)
        try:
            return self._send(step, stored)
        finally:
            # Lambda has its own copy by now, or will never have one.
            self._remove(stored)

    def _remove(self, stored: updates.Stored) -> None:
        try:
            remove_package(self._aws, self._lane, stored)
        except CallFailed as failure:
            # The update's own answer counts, not this one.
            place = f"s3://{stored.bucket}/{stored.key}"
            self._left_behind.append(f"{place} is left behind: {failure.why}; delete it by hand")

    def _send(self, step: UpdateCode, package: Path | updates.Stored) -> str:
        source_key = self._observer.now.source_key
        return updates.update_code(
            self._aws, self._lane, self._ref.name, step, package, source_key=source_key
        )

    def _object(self, step: UpdateCode) -> str:
        digest = step.after.code_sha256.replace("/", "_").replace("+", "-").rstrip("=")
        return f"fleet/{self._ref.name}/{digest}.zip"


def _may_have_happened(failure: CallFailed) -> bool:
    # What answers in a shape that nobody can read has not refused.
    return failure.situation is Situation.TRANSIENT or failure.code == _UNREADABLE
