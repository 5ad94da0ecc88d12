"""A process that saves one lane for each line it is sent: python writer.py STATE MARK.

It answers each with the lane's number, so a test knows how far it came when it is killed.
"""

from __future__ import annotations

import sys

from fleet.store import Store
from tests.store.examples import SCAN, lane

LANES = 200
FUNCTIONS = 25


def names(mark: str) -> list[str]:
    return [f"{mark}{number:02d}" for number in range(FUNCTIONS)]


def region(number: int) -> str:
    return f"region-{number:03d}"


def main() -> None:
    state, mark = sys.argv[1:]
    with Store.open(state) as store:
        for number, _ in zip(range(LANES), sys.stdin, strict=False):
            store.save_lane(SCAN, lane(*names(mark), region=region(number)))
            print(number, flush=True)  # noqa: T201 - how the test follows it


if __name__ == "__main__":
    main()
