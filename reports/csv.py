"""One CSV row a function and qualifier, as RFC 4180 has it; docs/csv-columns.md tells the columns.

UTF-8 without a byte order mark: with one, the first column's name would begin with an invisible
character for every program that is no spreadsheet, and a spreadsheet has to be told anyway that
account ids are text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

import pandas as pd

from reports.arn import arns
from reports.report import ReportData
from reports.verdicts import remark_lines
from reports.waves import WAVE_COLUMNS, with_waves
from reports.worth import WORTH_COLUMNS, with_worth

COLUMNS = (
    "account",
    "account_name",
    "ou",
    "region",
    "name",
    "qualifier",
    "arn",
    "use",
    "finding",
    "runtime",
    "latest_runtime",
    "package_type",
    "handler",
    "architecture",
    "memory_mb",
    "code_size",
    "code_sha256",
    "last_modified",
    "layers",
    "aliases",
    "callers",
    "tags",
    "owner_kind",
    "owner_name",
    "invocations",
    "duration_ms",
    "cold_starts",
    "init_ms",
    *WORTH_COLUMNS,
    "signing_profile",
    "verdict",
    "reasons",
    "warnings",
    "strategy",
    "go_version",
    "lambda_library",
    "module",
    "module_version",
    "revision",
    "modified",
    *WAVE_COLUMNS,
)

BETWEEN_REMARKS = " | "

FORMULA_STARTS = frozenset("=+-@|%")
SKIPPED = frozenset("\t\r\n")
"""At the start of a cell these make some spreadsheets look at what follows."""
QUOTE = '"'
NEEDS_QUOTES = re.compile(r"[,\"\r\n]").search
END = "\r\n"
PLAIN = re.compile(r"[A-Za-z0-9$][^,\"\r\n]*").fullmatch
"""What by far the most cells are: nothing to quote, and no start that could be a formula's."""
PLAIN_COLUMN = re.compile(r"(?:[A-Za-z0-9$][^,\"\r\n]*+\n)*+").fullmatch
"""A column of nothing else, each cell ended by a line feed that none of them holds itself."""
SAFE_COLUMN = re.compile(r"(?:[A-Za-z0-9${\[][^\n]*+\n)*+").fullmatch
"""The same where cells may need quotes, as JSON does, but none begins like a formula."""
SAMPLE = 1000
"""So many cells tell whether a column repeats itself."""
MINUS_SIGN = "\N{MINUS SIGN}"


def cell(text: str) -> str:
    """Make a text that no spreadsheet runs as a formula, by an apostrophe in front.

    A text that begins with an apostrophe gets one more, so taking one away always gives the
    text back. Full-width and other compatibility forms of the signs count, and so do blanks and
    invisible characters before them, which spreadsheets skip.
    """
    return f"'{text}" if text[:1] == "'" or _hides_formula(text) else text


def _hides_formula(text: str) -> bool:
    if text[:1] in SKIPPED:
        return True
    for character in text:
        if character.isspace() or unicodedata.category(character) in {"Cc", "Cf"}:
            continue
        plain = unicodedata.normalize("NFKC", character)[:1]
        return plain in FORMULA_STARTS or plain == MINUS_SIGN
    return False


def write_csv(data: ReportData, file: TextIO) -> None:
    """Write every function version, in the frame's order; open `file` with newline=''."""
    functions = with_worth(with_waves(data.functions, data.waves), data.worth).assign(
        arn=arns(data.functions, data.header.partition),
        reasons=_sentences(data.functions["reasons"]),
        warnings=_sentences(data.functions["warnings"]),
    )
    write_frame(functions, COLUMNS, file)


def _sentences(column: pd.Series) -> pd.Series:
    stored = column.tolist()
    written = {
        value: None if value is None else BETWEEN_REMARKS.join(remark_lines(value))
        for value in set(stored)
    }
    return pd.Series([written[value] for value in stored], dtype=object)


def write_frame(frame: pd.DataFrame, columns: Sequence[str], file: TextIO) -> None:
    """Write the named columns of a frame; None becomes an empty cell, true and false are words.

    Open `file` with newline=''.
    """
    # column by column costs a quarter of csv.writer, which looks at every cell
    rows = zip(*(_cells(frame[name].tolist()) for name in columns), strict=True)
    file.write(f"{','.join(columns)}{END}")
    file.writelines(f"{','.join(row)}{END}" for row in rows)


def _cells(values: list[Any]) -> list[str]:
    if len(set(values[:SAMPLE])) * 2 > len(values[:SAMPLE]):
        # one look at the whole column costs a tenth of one look at each cell
        kinds = set(map(type, values))
        if kinds == {int}:
            return list(map(str, values))
        if kinds == {str}:
            column = "\n".join(values) + "\n"
            whole = column.count("\n") == len(values)
            if whole and PLAIN_COLUMN(column):
                return values
            if whole and SAFE_COLUMN(column):
                return [_quoted(value) for value in values]
        return [_written(value) for value in values]
    written = {value: _written(value) for value in set(values)}
    if len(written) == 1:
        return list(written.values()) * len(values)
    return [written[value] for value in values]


def _quoted(text: str) -> str:
    return f'"{text.replace(QUOTE, QUOTE * 2)}"' if NEEDS_QUOTES(text) else text


def _written(value: object) -> str:
    if isinstance(value, str):
        if PLAIN(value):
            return value
        return _quoted(cell(value))
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
