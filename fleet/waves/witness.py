"""A ledger that remembers that it could not be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from fleet.deployment import Deployment
from fleet.errors import FileProblem
from fleet.ledger import Action, Verb
from fleet.migration.acting import Journal
from fleet.model import Alias, FunctionRef


@dataclass(frozen=True, slots=True)
class Witness(Journal):
    """The journal of one function's move.

    A move takes whatever stops it for its own failure. Where that was the state, nothing is wrong
    with the function: it must not count as failed, and whoever comes next goes on with it.
    """

    _lost: list[FileProblem] = field(default_factory=list)

    @classmethod
    def of(cls, journal: Journal) -> Self:
        """The same journal."""
        return cls(journal.store, journal.run, journal.caller, journal.clock)

    def check(self) -> None:
        """Raise the FileProblem that a note met; it may be over by now."""
        for problem in self._lost:
            raise problem

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
        """As the journal does it."""
        try:
            return Journal.noted(
                self, verb, ref, action, what, act, alias=alias, deployments=deployments
            )
        except FileProblem as problem:
            self._lost.append(problem)
            raise
