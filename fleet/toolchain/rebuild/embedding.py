"""Files that a program embeds, and whether they are what they should be.

Git LFS keeps large files elsewhere, and a checkout without it holds pointers in their places. A
program would embed those, and nothing in its build info could show it.
https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import threading
from pathlib import Path

from fleet.toolchain.rebuild.build_problems import PointerEmbedded
from fleet.toolchain.rebuild.golang import Go, goroot
from fleet.toolchain.rebuild.order import BuildOrder, Checkout
from fleet.toolchain.rebuild.ordered import checked, listing_flags, target_environment
from fleet.toolchain.rebuild.outside import TimeOver

_POINTER = b"version https://git-lfs.github.com/spec/"
_EMBEDS = (1, 16)
"""The first Go that embeds; https://go.dev/doc/go1.16#library-embed."""
_FILES = "{{$place := .Dir}}{{range .EmbedFiles}}{{$place}}/{{.}}\n{{end}}"


def check_embedded(go: Go, checkout: Checkout, order: BuildOrder, *, stop: threading.Event) -> None:
    """Raise PointerEmbedded where the program would hold a pointer in a file's place.

    What the order needs has been fetched. Raises GoNotHad and problems.Stopped besides.
    """
    version = checked(checkout, order)
    if version.line < _EMBEDS:
        return
    words = ["list", "-deps", "-e", "-f", _FILES, *listing_flags(checkout, order, version)]
    try:
        done = go.run(
            [*words, order.package],
            checkout.module_directory,
            stop=stop,
            root=goroot(go, order.go_version, stop=stop),
            environment=target_environment(order),
        )
    except (OSError, TimeOver):
        raise PointerEmbedded(order.package, "which files it embeds could not be listed") from None
    root = checkout.root.resolve()
    for line in done.output.splitlines():
        place = Path(line)
        if place.is_absolute() and place.resolve().is_relative_to(root) and _is_pointer(place):
            named = place.relative_to(checkout.root) if place.is_relative_to(checkout.root) else ""
            raise PointerEmbedded(order.package, f"it embeds {named or place.name}")


def _is_pointer(place: Path) -> bool:
    try:
        with place.open("rb") as file:
            return file.read(len(_POINTER)) == _POINTER
    except OSError:
        return False
