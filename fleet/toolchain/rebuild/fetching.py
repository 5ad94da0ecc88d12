"""What one package needs, and no more, brought here before it is built without a network.

`go list` runs nothing of what it lists: cgo and pkg-config only with -compiled and -export, git
for the revision only with -buildvcs. What it may start is git and its like for modules that come
directly from their servers, within the user's GOVCS.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from fleet.inspection import Module
from fleet.toolchain.rebuild.build_problems import (
    Circumstances,
    SourcesMissing,
    TookTooLong,
    problem_in,
    told,
)
from fleet.toolchain.rebuild.golang import FETCHING_SECONDS, Go
from fleet.toolchain.rebuild.order import BuildOrder, Checkout
from fleet.toolchain.rebuild.ordered import checked, listing_flags, target_environment, workspace
from fleet.toolchain.rebuild.outside import TimeOver

_MODULE = (
    "{{with .Module}}{{.Path}}\t{{.Version}}{{with .Replace}}\t{{.Path}}\t{{.Version}}{{end}}"
    "{{end}}"
)


def fetch(
    go: Go,
    root: Path,
    checkout: Checkout,
    order: BuildOrder,
    *,
    stop: threading.Event,
) -> tuple[Module, ...]:
    """Fetch what the order's package needs; gives the modules that it consists of.

    `root` is GOROOT of the order's Go. What is not needed is not fetched, so a private dependency
    that only a test needs does no harm. Raises CannotOrder, SourcesMissing, NewerGoAsked, DiskFull,
    TookTooLong and Stopped.
    """
    version = checked(checkout, order)
    words = ["list", "-deps", "-f", _MODULE, *listing_flags(checkout, order, version)]
    with tempfile.TemporaryDirectory(prefix="fleet-") as scratch:
        if checkout.version:
            # Its directory is read only, and its go.sum counts for nobody but its authors.
            own = Path(scratch) / "go.mod"
            shutil.copyfile(checkout.module_directory / "go.mod", own)
            words = [each for each in words if not each.startswith("-mod=")]
            words += ["-mod=mod", f"-modfile={own}"]
        try:
            done = go.run(
                [*words, order.package],
                checkout.module_directory,
                stop=stop,
                root=root,
                environment={
                    **target_environment(order),
                    "GOWORK": str(workspace(checkout) or "off"),
                },
            )
        except TimeOver:
            step = "fetching what it needs"
            raise TookTooLong(order.package, step, FETCHING_SECONDS) from None
        except OSError as error:
            raise SourcesMissing(order.package, f"{root}: {error.strerror}") from None
    if done.status:
        around = Circumstances(order.package, order.go_version, str(go.cache), 0)
        places = ((f"{checkout.root}/", ""), (f"{go.modules}/", ""), (f"{scratch}/", ""))
        shown = told(done.said, *places)
        raise problem_in(done.said, shown, around) or SourcesMissing(order.package, shown)
    rows = {tuple(line.split("\t")) for line in done.output.splitlines() if line.strip()}
    return tuple(_module(row) for row in sorted(rows))


def _module(row: tuple[str, ...]) -> Module:
    path, version, *replaced = row
    replacement = Module(replaced[0], replaced[1]) if replaced else None
    return Module(path, version, replacement=replacement)
