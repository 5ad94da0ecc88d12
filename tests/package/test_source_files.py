"""Names of source files, as real programs hold them."""

from __future__ import annotations

import pytest

from fleet.package.archive.source import file_source
from fleet.package.binary import source_files
from fleet.package.binary.elf_tables import read_elf
from fleet.package.binary.source_files import find_source_files
from moto_fixtures.build import build
from tests.package.builds import AS_GO_DOES, GO_1_16, NORPC, orders

MAIN = "/cmd/orders/main.go"
LIBRARY = "github.com/aws/aws-lambda-go@v{0}/lambda/{1}.go"


def names(how: dict[str, object], library: str = "1.41.0") -> frozenset[str]:
    with file_source(build(orders(library, **how))) as source:
        return find_source_files(read_elf(source))


STRIPPED_AND_TRIMMED: dict[str, object] = {}


@pytest.mark.parametrize(
    ("library", "how"),
    [
        ("1.41.0", AS_GO_DOES),
        ("1.41.0", STRIPPED_AND_TRIMMED),
        ("1.41.0", NORPC),
        ("1.13.3", GO_1_16),
    ],
)
def test_a_program_names_its_own_files_and_those_of_its_modules(
    library: str, how: dict[str, object]
) -> None:
    found = names(how, library)
    assert any(each.endswith(MAIN) for each in found)
    assert any(
        each.endswith(LIBRARY.format(library, "entry" if library > "1.18" else "function"))
        for each in found
    )
    assert all(each.endswith(".go") and each.isprintable() for each in found)


def test_one_that_lies_across_two_pieces_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = names(AS_GO_DOES)
    monkeypatch.setattr(source_files, "PIECE", 1009)
    assert names(AS_GO_DOES) == whole


def test_more_than_any_program_has_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_files, "_MOST", 3)
    assert names(AS_GO_DOES) == frozenset()
