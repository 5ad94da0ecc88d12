"""microburst, a proxy of its own process that spoils what passes between fleet and the emulator."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Microburst:
    """The running proxy."""

    url: str

    def spoil(self, *rules: Rule) -> None:
        """Replace its rules; without any, everything passes. Forgets what fired."""
        self._ask("rules", "POST", list(rules))
        self._ask("fired", "DELETE")

    def fired(self) -> list[dict[str, Any]]:
        """The faults since the rules were given."""
        found: list[dict[str, Any]] = self._ask("fired?limit=100000")
        return found

    def _ask(self, path: str, method: str = "GET", body: object = None) -> Any:  # noqa: ANN401  # JSON
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/_microburst/{path}", data, method=method)  # noqa: S310  # our own URL
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=10) as answer:  # noqa: S310  # our own URL
            return json.loads(answer.read() or "null")


@contextmanager
def microburst(upstream: str, port: int, log: Path) -> Iterator[Microburst]:
    """Stand between a client and `upstream`, on this port, until the block ends."""
    command = [sys.executable, "-m", "microburst", "--upstream", upstream, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--no-resign"], stdout=output, stderr=output)
        try:
            proxy = Microburst(f"http://127.0.0.1:{port}")
            _wait_for(proxy, process, log)
            yield proxy
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(proxy: Microburst, process: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        try:
            proxy._ask("health")
        except URLError:
            if process.poll() is not None:
                raise RuntimeError(log.read_text()) from None
        else:
            return
