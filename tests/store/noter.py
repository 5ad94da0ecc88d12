"""A process that notes one step for each line it is sent: python noter.py STATE RUN.

It answers each with the step's number once the ledger has it, then ends the one before.
"""

from __future__ import annotations

import sys

from fleet.ledger import EntryState
from fleet.store import Store
from tests.store.examples import START, intended


def main() -> None:
    state, run = sys.argv[1:]
    with Store.open(state) as store:
        before = None
        for _ in sys.stdin:
            number = store.begin_step(intended(run=run))
            print(number, flush=True)  # noqa: T201 - how the test follows it
            if before is not None:
                store.end_step(before, state=EntryState.DONE, ended=START)
            before = number


if __name__ == "__main__":
    main()
