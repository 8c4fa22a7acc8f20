"""Reading CSV files that people and other systems made: which rows they hold, and what is wrong with the others.

A file is copied to a temporary one and checked whole (size, UTF-8, length of lines) before its first row is used, so
nothing is done for a file that cannot be read to its end. After that one bad row never stops the rest.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, BinaryIO

from syncconsole.kernel.refusals import Refusal

MAX_FILE_BYTES = 500 * 1024 * 1024
MAX_LINE = 1_000_000
"""Characters of one line; also of one cell. A product description may hold 512 KB."""
MAX_PROBLEMS = 10_000
"""Problems kept with their text; more are only counted, so that no file can fill the memory."""
CHUNK = 256 * 1024
DELIMITERS = (",", ";", "\t")

csv.field_size_limit(MAX_LINE)


class FileRefused(Refusal):
    """The file as a whole cannot be read; nothing of it was used."""


class CellRefused(Refusal):
    """A cell cannot be understood. Becomes the problem of its row."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why the row that begins on `line` (1 = header) was not used, and what a person does about it."""

    line: int
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.cause} {self.remedy}"


@dataclass(slots=True)
class Problems:
    """Problems in the order found: the first `MAX_PROBLEMS` with their text, all of them counted."""

    listed: list[RowProblem] = field(default_factory=list)
    total: int = 0

    def add(self, line: int, cause: str, remedy: str) -> None:
        self.total += 1
        if len(self.listed) < MAX_PROBLEMS:
            self.listed.append(RowProblem(line, cause, remedy))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on, and its cells (trimmed) by canonical column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A checked file: its columns, and its rows as a stream that can be taken once.

    `decimal_mark` follows from the delimiter: programs that write `;` do so because their decimal mark is the comma.
    """

    header: list[str]
    columns: frozenset[str]
    ignored: list[str]
    decimal_mark: str
    rows: Iterator[Row | RowProblem]


ColumnNames = Callable[[Sequence[str]], Mapping[int, str]]
"""Header cells → position of each known column and its canonical name."""


def read_table(stream: BinaryIO | IO[bytes], known: ColumnNames, needs: Sequence[Sequence[str]] = ()) -> Table:
    """The rows of a CSV file in UTF-8 (byte order mark or not) with `,`, `;` or tab between cells.

    The delimiter is the one that makes most header cells known. `needs`: columns without which no row makes sense,
    each with its alternatives. `stream` needs only `read`; it is read to its end here. Raises FileRefused, before any
    row is given, when the file as a whole cannot be read.
    """
    copy = tempfile.SpooledTemporaryFile(max_size=4 * CHUNK)  # noqa: SIM115 - lives as long as its rows are read
    try:
        table = _table(_checked_text(_spooled(stream, copy)), known, needs)
        _refuse_missing(table.columns, needs)
        return table
    except BaseException:
        copy.close()
        raise


def _table(text: io.TextIOWrapper, known: ColumnNames, needs: Sequence[Sequence[str]]) -> Table:
    header_line, delimiter, names = _header(text, known, needs)
    header = _cells(header_line, delimiter)
    return Table(
        header=header,
        columns=frozenset(names.values()),
        ignored=[name for index, name in enumerate(header) if index not in names and name],
        decimal_mark="," if delimiter == ";" else ".",
        rows=_rows(text, delimiter, names, len(header), _line_of_header(text, header_line)),
    )


def _refuse_missing(columns: frozenset[str], needs: Sequence[Sequence[str]]) -> None:
    missing = [" or ".join(alternatives) for alternatives in needs if not columns.intersection(alternatives)]
    if missing:
        raise FileRefused(
            f"The header has no column {', '.join(missing)}.", f"{_first_row(needs)} Add what is missing."
        )


def _first_row(needs: Sequence[Sequence[str]]) -> str:
    named = ", ".join(" or ".join(alternatives) for alternatives in needs)
    return f"The first row names the columns: {named}." if named else "The first row names the columns."


def _spooled(stream: BinaryIO | IO[bytes], copy: IO[bytes]) -> IO[bytes]:
    """`copy`, filled; small ones stay in memory."""
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > MAX_FILE_BYTES:
            raise FileRefused(
                f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MB.",
                "Split it into smaller files, each with the header row, and load them one after another.",
            )
        copy.write(chunk)
    if not size:
        raise FileRefused("The file is empty.", "Save it again with a header row and at least one row below it.")
    copy.seek(0)
    return copy


def _checked_text(copy: IO[bytes]) -> io.TextIOWrapper:
    """The copy as text from its start, after one pass over all of it."""
    start = copy.read(4)
    copy.seek(0)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileRefused("This is a workbook or an archive, not a CSV file.", "Save the sheet as CSV UTF-8.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileRefused("The file is in UTF-16.", "Save it again as CSV UTF-8.")
    text = io.TextIOWrapper(copy, encoding="utf-8-sig", newline="")
    line = 1
    try:
        while piece := text.readline(MAX_LINE):
            if len(piece) == MAX_LINE and not piece.endswith(("\n", "\r")):
                raise FileRefused(
                    f"Line {line} is longer than {MAX_LINE:,} characters.",
                    "Check that the file is a CSV file, and that the quotation marks of its long texts are closed.",
                )
            line += 1
    except UnicodeDecodeError:
        raise FileRefused(
            "The file is not in UTF-8, so letters like ă or é cannot be read.",
            "Save it again as CSV UTF-8 (in a spreadsheet program: Save as, CSV UTF-8). The encoding is not guessed.",
        ) from None
    _rewind(text)
    return text


def _rewind(text: io.TextIOWrapper) -> None:
    text.seek(0)


def _header(
    text: io.TextIOWrapper, known: ColumnNames, needs: Sequence[Sequence[str]]
) -> tuple[str, str, Mapping[int, str]]:
    """The header line, its delimiter and its known columns."""
    line = text.readline()
    while line and not line.strip():
        line = text.readline()
    declared = re.fullmatch(r"sep=(.)", line.strip())  # a spreadsheet's own hint, not a row
    if declared:
        line = text.readline()
    line = line.rstrip("\r\n")
    if "\0" in line:
        raise FileRefused(
            "The header holds NUL bytes: the file is not UTF-8 text.", "Save it again as CSV UTF-8, then load it."
        )
    best = max(DELIMITERS, key=lambda delimiter: len(known(_cells(line, delimiter))))
    names = known(_cells(line, best))
    if not names:
        raise FileRefused("No column of the header is known.", _first_row(needs))
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    if twice:
        raise FileRefused(
            f"The header names {', '.join(sorted(twice))} more than once.", "Keep one column of each name."
        )
    return line, best, names


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _line_of_header(text: io.TextIOWrapper, header_line: str) -> int:
    """Number of the header's line; leaves `text` just behind it."""
    _rewind(text)
    number = 1
    while (line := text.readline()) and line.rstrip("\r\n") != header_line:
        number += 1
    return number


def _rows(
    text: io.TextIOWrapper, delimiter: str, names: Mapping[int, str], width: int, header_line: int
) -> Iterator[Row | RowProblem]:
    with text:
        # strict: a stray quotation mark is a problem of its row, instead of a cell that silently reads differently.
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            first = header_line + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _broken(first, error)
                if _nothing_follows(error):
                    return
                continue
            if any(cell.strip() for cell in cells):
                yield _row(first, cells, names, width)


def _nothing_follows(error: csv.Error) -> bool:
    """An open quotation mark takes in everything up to the end, or up to the limit of a cell."""
    return "unexpected end of data" in str(error) or "field larger" in str(error)


def _broken(line: int, error: csv.Error) -> RowProblem:
    if _nothing_follows(error):
        return RowProblem(
            line,
            "A cell of this row opens a quotation mark that is never closed, so nothing below it could be read.",
            'Close it, or write a quotation mark inside a text twice (""), then load the file again.',
        )
    return RowProblem(
        line,
        "A quotation mark stands in the middle of a quoted cell.",
        'Write a quotation mark inside a text twice (""), and put the whole text in quotation marks.',
    )


def _row(line: int, cells: list[str], names: Mapping[int, str], width: int) -> Row | RowProblem:
    extra = cells[width:]
    if len(cells) < width or any(cell.strip() for cell in extra):
        return RowProblem(
            line,
            f"The row has {len(cells)} cells, the header has {width}.",
            "Give every column a cell, empty ones too, and put texts that hold the delimiter in quotation marks.",
        )
    if any("\0" in cell for cell in cells):
        return RowProblem(line, "A cell holds a NUL byte.", "Remove it; it is no character of a text.")
    return Row(line, {name: cells[index].strip() for index, name in names.items()})


GROUPED = {
    ",": re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]+)?"),
    ".": re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?"),
}
PLAIN = re.compile(r"[+-]?[0-9]{1,18}([.,][0-9]{1,9})?")
SPACED = re.compile(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}(?![0-9]))")


def decimal_cell(name: str, text: str, *, mark: str, places: int, digits: int = 11) -> Decimal:
    """A number with `,` or `.` as decimal mark, at most `places` decimals and `digits` digits before them.

    `mark` is the file's own decimal mark; the other mark followed by exactly three digits could be either decimals or
    a thousands separator and is refused, never guessed. Raises CellRefused.
    """
    number = SPACED.sub("", text.strip())
    other = "." if mark == "," else ","
    separators = {character for character in number if character in ".,"}
    if len(separators) == 2 or number.count(",") > 1 or number.count(".") > 1:
        last = max(separators, key=number.rfind)
        decimal_mark = last if len(separators) == 2 else ({",", "."} - separators).pop()
        if not GROUPED[decimal_mark].fullmatch(number):
            raise _not_a_number(name, text)
        number = number.replace("," if decimal_mark == "." else ".", "").replace(decimal_mark, ".")
    elif not PLAIN.fullmatch(number):
        raise _not_a_number(name, text)
    elif GROUPED[mark].fullmatch(number):
        head, _, tail = number.partition(other)
        raise CellRefused(
            f"{name} {text} can be read in two ways.", f"Write {head}{tail}, or {head}{mark}{tail}0 for a fraction."
        )
    value = Decimal(number.replace(",", "."))
    return _within(name, text, value, places=places, digits=digits)


def _within(name: str, text: str, value: Decimal, *, places: int, digits: int) -> Decimal:
    if value and value.adjusted() >= digits:
        raise CellRefused(f"{name} {text} is too large.", f"Write at most {digits} digits before the decimal mark.")
    if value != round(value, places):
        raise CellRefused(f"{name} {text} has too many decimals.", f"Write at most {places} decimals.")
    return round(value, places)


def _not_a_number(name: str, text: str) -> CellRefused:
    return CellRefused(f"{name} {text[:40]} is not a number.", "Write digits with one decimal mark, e.g. 12,50.")


TRUE = frozenset({"true", "yes", "y", "1", "on", "da"})
FALSE = frozenset({"false", "no", "n", "0", "off", "nu"})


def boolean_cell(name: str, text: str) -> bool:
    """True or False from the usual words. Raises CellRefused for any other."""
    word = text.casefold()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise CellRefused(f"{name} {text[:40]} is neither yes nor no.", "Write true or false.")


def text_cell(name: str, text: str, limit: int) -> str:
    """The text itself. Raises CellRefused when it is longer than `limit` characters."""
    if len(text) > limit:
        raise CellRefused(f"{name} has {len(text):,} characters.", f"Shorten it to at most {limit:,}.")
    return text
