"""The change log as a CSV file: the same of the page and of the command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from inventory import change_log
from inventory.change_log import Change, Wanted
from syncconsole.kernel.exports import csv_line

COLUMNS: Final = ("Time", "Kind", "Store", "Item", "Location", "What", "Units", "Details", "By")


def lines(wanted: Wanted) -> Iterator[str]:
    """The headings, then every change that is wanted, newest first; a page of them in memory at a time."""
    yield "\ufeff" + csv_line(COLUMNS)
    for change in change_log.every(wanted):
        yield _line(change)


def _line(change: Change) -> str:
    return csv_line(
        (
            change.at.isoformat(timespec="seconds"),
            change.kind.label,
            change.store,
            change.item,
            change.place,
            change.what,
            change.units,
            change.detail,
            change.who,
        )
    )
