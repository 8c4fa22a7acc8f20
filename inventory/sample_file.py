"""The sample of an ATS sheet as a CSV file: handed out to be counted, and taken back with what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import BinaryIO, Final

from django.db import transaction

from catalog.csv_rows import CellRefused, Problems, Row, RowProblem, Table, decimal_cell, read_table, text_cell
from connectors.models import Store
from inventory import validation
from inventory.models import Validation, ValidationSample
from inventory.validation import ValidationRefused
from syncconsole.kernel.exports import csv_line, neutral
from syncconsole.kernel.models import User

COLUMNS: Final = ("sample", "item", "location", "counted", "note")
NOTE: Final = 300


class CountsRefused(ValidationRefused):
    """Rows of the file cannot be used, so nothing of it was kept. `details` lists them."""

    def __init__(self, problems: Problems) -> None:
        first, more = problems.listed[0], problems.total - 1
        others = f" {more} more like it." if more else ""
        super().__init__(f"{first}{others}", "Nothing was kept: mend the file, then give it again.")
        rows = [{"line": row.line, "cause": row.cause, "remedy": row.remedy} for row in problems.listed]
        self.details = {"problems": rows}


def lines(sheet: Validation) -> Iterator[str]:
    """The sheet's sample as CSV, with what was counted so far; our own quantities are left out, so that people count."""
    yield csv_line(COLUMNS)
    named = sheet.samples.select_related("publication__listed__variant__product", "publication__store_location")
    for sample in named:
        item, place = sample.publication.listed.variant.label, sample.publication.store_location.name
        counted = None if sample.counted is None else sample.counted.normalize() + 0
        yield csv_line((sample.pk, item, place, counted, sample.note))


@transaction.atomic
def keep_counts(store: Store, stream: BinaryIO, by: User | None) -> int:
    """Keep the counts and notes of a file that `lines` wrote, all of them or none. A row without count and note leaves its
    sample as it is. Returns how many rows said something.

    Raises FileRefused, CountsRefused, and ValidationRefused as `validation.count` does, or where no sheet is open.
    """
    table = read_table(stream, _columns, needs=(("sample",), ("counted",)))
    sheet = validation.open_sheet(store)
    if sheet is None:
        raise ValidationRefused("No sheet is open.", "Draw one with --sample FILE: its sample is counted first.")
    problems = Problems()
    counts = list(_counts(table, {sample.pk: sample for sample in sheet.samples.all()}, problems))
    if problems.total:
        raise CountsRefused(problems)
    for sample, counted, note in counts:
        validation.count(sample, counted, note, by)
    return len(counts)


@transaction.atomic
def sign(store: Store, stream: BinaryIO, by: User) -> Validation:
    """Keep the counts of such a file and sign the sheet: both, or neither. Raises what `keep_counts` and `validation.sign`
    raise."""
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # first, as whoever signs does
    keep_counts(store, stream, by)
    return validation.sign(store, by)


Count = tuple[ValidationSample, Decimal | None, str]


def _counts(table: Table, samples: Mapping[int, ValidationSample], problems: Problems) -> Iterator[Count]:
    for row in table.rows:
        if isinstance(row, RowProblem):
            problems.add(row.line, row.cause, row.remedy)
            continue
        try:
            if row.cells["counted"] or row.cells.get("note"):
                yield _count(row, samples, table.decimal_mark)
        except CellRefused as refused:
            problems.add(row.line, refused.cause, refused.remedy)


def _count(row: Row, samples: Mapping[int, ValidationSample], mark: str) -> Count:
    number, text = row.cells["sample"], row.cells["counted"]
    sample = samples.get(int(number)) if number.isdecimal() and len(number) < 19 else None
    if sample is None:
        raise CellRefused(
            f"{number or 'Nothing'} is no sample of the open sheet.", "Write the sheet anew: --sample FILE."
        )
    counted = decimal_cell("The count", text, mark=mark, places=3, digits=9) if text else None
    if counted is not None and counted < 0:
        raise CellRefused(f"The count {text} is negative.", "Write how many units are there: zero or more.")
    note = text_cell("The note", row.cells.get("note", ""), NOTE)
    return sample, counted, sample.note if note == neutral(sample.note) else note


def _columns(header: Sequence[str]) -> Mapping[int, str]:
    names = {index: name.strip().casefold() for index, name in enumerate(header)}
    return {index: name for index, name in names.items() if name in COLUMNS}
