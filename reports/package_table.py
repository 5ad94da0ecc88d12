"""One inspected package for a terminal: the verdict, why, what to know, then the facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fleet.inspection import LAMBDA_LIBRARY, BinaryFacts, BinaryKind, Remark, Verdict
from fleet.provenance import origin_of
from reports.brief import plain
from reports.package import PackageReport
from reports.words import count, number

BINARIES = 20
"""ELF files that are shown one by one."""
_CODE_WIDTH = 22
_MEGABYTE = 1 << 20


def package_table(report: PackageReport) -> RenderableType:
    """Say whether and how it can move, why, what to know beside it, and what is in it."""
    deployed, assessment = report.deployed, report.assessment
    color = _color(assessment.verdict)
    parts: list[RenderableType] = [
        Text.assemble(plain(report.name), ": ", (assessment.verdict, f"bold {color}")),
        plain(
            f"Handler {deployed.handler or '(not named)'}, {deployed.runtime or 'no runtime'} on "
            f"{deployed.architecture}, to {deployed.target}."
        ),
        _remarks(assessment.reasons),
    ]
    if assessment.strategy is not None:
        parts.append(Text(f"Repackage by: {assessment.strategy}."))
    if assessment.warnings:
        parts += [Text("\nto know beside it"), _remarks(assessment.warnings)]
    return Group(*parts, Text(), *_facts(report))


def _color(verdict: Verdict) -> str:
    if verdict.is_ready:
        return "green"
    return "red" if verdict is Verdict.REBUILD else "yellow"


def _remarks(remarks: Iterable[Remark]) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(min_width=_CODE_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    for remark in remarks:
        table.add_row(remark.code, plain(remark.text))
    return Padding.indent(table, 2)


def _facts(report: PackageReport) -> Iterator[RenderableType]:
    facts = report.facts
    if facts is None:
        yield Text("Lambda gives no package of a container image.")
        return
    yield Text(
        f"{_entries(len(facts.entries))}, {_size(facts.size)} zipped, "
        f"{_size(facts.unzipped_size)} unzipped. CodeSha256 {facts.code_sha256 or 'not known'}"
    )
    for binary in facts.binaries[:BINARIES]:
        yield _binary(binary)
    more = len(facts.binaries) - BINARIES
    if more > 0:
        yield Text(f"… {count(more, 'more ELF file')}: --json has all.")


def _binary(binary: BinaryFacts) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False, title=plain(binary.entry))
    table.title_justify = "left"
    table.add_column(min_width=_CODE_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(binary):
        if value:
            table.add_row(name, plain(value))
    return Group(Text(), Padding.indent(table, 2))


def _rows(binary: BinaryFacts) -> Iterator[tuple[str, str]]:
    build, origin = binary.build, origin_of(binary.build)
    is_program = binary.kind is BinaryKind.EXECUTABLE
    yield "kind", f"{binary.bits}-bit {binary.kind} for {binary.machine}"
    yield "not read", binary.problem
    yield "packed", "by UPX" if binary.upx else ""
    if build is not None:
        yield "Go", build.go_version
        main = build.main
        yield "module", f"{main.path} {main.version}".rstrip() if main else ""
        yield "main package", build.path
        yield "repository", origin.repository if origin.repository != origin.module else ""
        changes = " and uncommitted changes" if origin.modified else ""
        yield "commit", f"{origin.commit or 'unknown'}{changes}" if origin.commit or changes else ""
    if binary.is_go and is_program:
        yield "aws-lambda-go", _library(binary)
        yield "Runtime API client", _known(binary.runtime_api)
        yield "without RPC server", _known(binary.norpc)
    elif is_program:
        yield "Go", "nothing tells of it"
    yield "loader", binary.interpreter or ""
    yield "needs", ", ".join(binary.needed)
    yield "GLIBC", binary.glibc or ""
    asked = {
        "_HANDLER": binary.reads_handler,
        "AWS_EXECUTION_ENV": binary.reads_execution_env,
        "its own path": binary.asks_where_it_stands,
    }
    yield "may ask for", ", ".join(name for name, does in asked.items() if does)


def _library(binary: BinaryFacts) -> str:
    module = binary.build.dependency(LAMBDA_LIBRARY) if binary.build else None
    if module is not None and module.replacement is not None:
        put = f"{module.replacement.path} {module.replacement.version}".rstrip()
        return f"{module.version}, replaced by {put}"
    return binary.lambda_library or "version not known"


def _known(value: bool | None) -> str:
    return "not known" if value is None else ("yes" if value else "no")


def _entries(found: int) -> str:
    return f"{number(found)} {'entry' if found == 1 else 'entries'}"


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB" if size >= _MEGABYTE else f"{number(size)} bytes"
