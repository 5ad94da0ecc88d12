"""`python -m moto_fixtures`: the seeded organization as a process of its own, until it is ended.

Prints the `export` lines with which any client acts as the management account.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from .load import load_organization
from .seed import seed
from .server import Emulator


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m moto_fixtures", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: free)")
    port = parser.parse_args().port
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    organization = load_organization()
    with Emulator(organization.rules(), port=port) as emulator:
        seed(emulator, organization, progress=lambda line: print(line, file=sys.stderr))  # noqa: T201 - see below
        for name, value in emulator.environment.items():
            print(f"export {name}='{value}'")  # noqa: T201 - what the command is for
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
