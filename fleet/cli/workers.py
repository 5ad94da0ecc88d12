"""Who does the work: threads of this process, or the workers of a cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from fleet.cluster import Cluster
from fleet.cluster import cluster as connected


@dataclass(frozen=True, slots=True)
class Workers:
    """An executor, and how it is ended."""

    executor: ThreadPoolExecutor | Cluster
    threads: int
    """Of this process."""
    stop: threading.Event
    """Set when everybody is to leave off."""
    run: str | None
    """Of a cluster; None for threads of this process."""

    @property
    def parallelism(self) -> int:
        """How many tasks run at once now: the workers of a cluster come and go."""
        return self.executor.parallelism if isinstance(self.executor, Cluster) else self.threads


@contextmanager
def at_hand(parallelism: int, cluster: str | None) -> Iterator[Workers]:
    """So many threads or, with its scheduler's address, a cluster; raises ClusterProblem."""
    if cluster is None:
        with ThreadPoolExecutor(parallelism, thread_name_prefix="fleet") as threads:
            yield Workers(threads, parallelism, threading.Event(), None)
        return
    with connected(cluster, say=lambda said: typer.echo(f"fleet: {said}", err=True)) as workers:
        yield Workers(workers, parallelism, workers.stop, workers.run)
