"""The lines of a run's plan: narrowed by what an operator looks for, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import QuerySet

from connectors.models import RunItem, SyncRun
from connectors.models.runs import Outcome
from connectors.runs import count_outcomes
from syncconsole.kernel.exports import csv_line

SEE_RIGHT: Final = "connectors.view_syncrun"
AT_ONCE: Final = 2000
"""Lines in memory at a time."""
COLUMNS: Final = (
    "Item",
    "Location",
    "Store showed",
    "Will be",
    "Change",
    "Value at cost",
    "Flags",
    "Outcome",
    "Cause",
    "Remedy",
)
FLAGS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "to_zero": ("To zero", {"flags__contains": ["to_zero"]}),
    "large": ("Over 50 %", {"flags__contains": ["large"]}),
    "below_zero": ("Below zero", {"flags__contains": ["below_zero"]}),
    "up": ("Up", {"delta__gt": 0}),
    "down": ("Down", {"delta__lt": 0}),
}
FILTERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "": ("All", {}),
    **FLAGS,
    **{outcome.value: (outcome.label, {"outcome": outcome.value}) for outcome in Outcome},
}
"""Word of an address → its label, and the lines that it lets through."""


def filtered(run: SyncRun, flag: str, search: str) -> QuerySet[RunItem, RunItem]:
    """Lines of the run by a word of `FILTERS` and by words of SKU or title."""
    rows = run.items.filter(**FILTERS.get(flag, FILTERS[""])[1])
    return rows.filter(label__icontains=search) if search else rows


def outcomes_of(run: SyncRun) -> dict[str, int]:
    """Outcome → number of lines; of a run that ended as they were counted then."""
    return run.counts if not run.is_open and run.counts else count_outcomes(run)


def csv_of(rows: QuerySet[RunItem, RunItem]) -> Iterator[str]:
    """These lines as CSV, the riskiest first, read as they are written."""
    yield "\ufeff" + csv_line(COLUMNS)
    for item in rows.order_by("-risk", "id").iterator(AT_ONCE):
        outcome, flags = Outcome(item.outcome).label, ", ".join(item.flags)
        told = (item.label, item.place, item.before, item.after, item.delta, item.value)
        yield csv_line((*told, flags, outcome, item.cause, item.remedy))
