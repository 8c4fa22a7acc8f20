"""CSV that a spreadsheet can open without running what is in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(value: str | int | Decimal | None) -> str | int | Decimal:
    """A cell as data: text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def csv_line(values: Iterable[str | int | Decimal | None]) -> str:
    """One line of CSV, every cell neutralised; numbers stay numbers."""
    line = io.StringIO()
    csv.writer(line).writerow([neutral(value) for value in values])
    return line.getvalue()
