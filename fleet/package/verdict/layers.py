"""What a function's layers mean for its move.

Extensions are the files directly below /opt/extensions; go1.x never started them.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleet.inspection import EntryKind, Layer, PackageFacts, Remark
from fleet.package.verdict import remarks

EXTENSIONS = "extensions/"


def about_layers(layers: Iterable[Layer]) -> Iterator[Remark]:
    """Say what begins to run, what stops the way to arm64, and what could not be read."""
    for layer in layers:
        if layer.facts is None:
            problem = layer.problem or "it was not read"
            yield remarks.LAYER_UNREADABLE.said(layer=layer.arn, problem=problem)
            continue
        if not layer.facts.whole:
            problem = "only its index was read"
            yield remarks.LAYER_UNREADABLE.said(layer=layer.arn, problem=problem)
        extensions = extensions_of(layer.facts)
        if extensions:
            yield remarks.LAYER_EXTENSIONS.said(
                layer=layer.arn, extensions=remarks.listed(extensions)
            )
        machines = {binary.machine for binary in layer.facts.binaries}
        if "x86_64" in machines and "arm64" not in machines:
            entries = [
                binary.entry for binary in layer.facts.binaries if binary.machine == "x86_64"
            ]
            yield remarks.LAYER_ONE_MACHINE.said(layer=layer.arn, entries=remarks.listed(entries))


def extensions_of(facts: PackageFacts) -> list[str]:
    """Give the names of a layer's extensions."""
    names = [
        entry.name.removeprefix(EXTENSIONS)
        for entry in facts.entries
        if entry.kind is not EntryKind.DIRECTORY and entry.name.startswith(EXTENSIONS)
    ]
    return [name for name in names if name and "/" not in name]
