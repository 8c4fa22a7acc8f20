"""What a plan adds up to, and which of the store's limits it passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Abs

from connectors.models import Store, SyncRun
from connectors.models.runs import Outcome
from syncconsole.kernel import bulk

LARGE_PERCENT = 50
SNAPSHOT = (
    "tags_any",
    "tags_all",
    "tags_none",
    "buffer",
    "never_below_zero",
    "unavailable_left_out",
    "limit_units",
    "limit_value",
    "limit_to_zero",
    "limit_share",
    "second_person",
    "approval_hours",
    "settle_seconds",
)


def settings_snapshot(store: Store) -> dict[str, Any]:
    """The settings that shape a run, as JSON holds them."""
    values = {name: getattr(store, name) for name in SNAPSHOT}
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def flags(before: int | None, after: int) -> list[str]:
    """What an operator should look at in a change: to_zero, below_zero, large."""
    found = []
    to_zero = before is not None and before > 0 >= after
    if to_zero:
        found.append("to_zero")
    if after < 0:
        found.append("below_zero")
    if before is not None and not to_zero and abs(percent(before, after)) >= LARGE_PERCENT:
        found.append("large")
    return found


def percent(before: int, after: int) -> int:
    """Change in whole percent of the old number; 0 from zero, which has no percent."""
    return round((after - before) * 100 / abs(before)) if before else 0


def risk(before: int | None, after: int) -> int:
    """Sort key, highest first: to zero, then the largest percent, then the most units."""
    was = before or 0
    return (
        (1_000_000_000 if was > 0 >= after else 0)
        + min(abs(percent(was, after)), 9999) * 100_00
        + min(abs(after - was), 9999)
    )


ADD_LINES = """
INSERT INTO connectors_runitem
       (run_id, subject_id, label, place, before, after, delta, value, risk, flags, outcome, cause, remedy)
SELECT %s, l.subject_id, l.label, l.place, l.before, l.after, l.delta, l.value, l.risk, l.flags, l.outcome, l.cause,
       l.remedy
  FROM jsonb_to_recordset(%s) AS l(subject_id bigint, label text, place text, before int, after int, delta int,
                                   value numeric, risk int, flags jsonb, outcome text, cause text, remedy text)
ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class Line:
    """A line to be written: the fields of a `RunItem`. Runs plan them by the hundred thousand."""

    subject_id: int
    label: str
    place: str
    before: int | None
    after: int | None
    delta: int = 0
    value: Decimal | None = None
    risk: int = 0
    flags: list[str] = field(default_factory=list)
    outcome: Outcome = Outcome.PLANNED
    cause: str = ""
    remedy: str = ""


def add_lines(run: SyncRun, lines: Iterable[Line]) -> None:
    """Write lines of the plan in one statement. A subject that has its line already keeps that one."""
    rows = list(lines)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(ADD_LINES, [run.pk, bulk.rows_of(rows)])


def totals(run: SyncRun) -> dict[str, Any]:
    """The plan's sums over lines that change something; `levels` is what it is a share of,
    `read` how many were read from the store (both from its cursor)."""
    changing = run.items.filter(outcome=Outcome.PLANNED).exclude(delta=0)
    up, down = Q(delta__gt=0), Q(delta__lt=0)
    sums = changing.aggregate(
        rows=Count("pk"),
        rows_up=Count("pk", filter=up),
        rows_down=Count("pk", filter=down),
        units_up=Sum("delta", filter=up),
        units_down=Sum("delta", filter=down),
        units=Sum(Abs("delta")),
        net_value=Sum("value"),
        value_moved=Sum(Abs("value")),
        without_cost=Count("pk", filter=Q(value=None)),
        to_zero=Count("pk", filter=Q(flags__contains=["to_zero"])),
        highest_risk=Max("risk"),
    )
    sums["value"] = sums.pop("net_value")
    worst = changing.filter(risk=sums.pop("highest_risk")).first() if sums["rows"] else None
    result: dict[str, Any] = {
        name: str(value) if isinstance(value, Decimal) else value or 0 for name, value in sums.items()
    }
    result["largest_percent"] = percent(worst.before or 0, worst.after or 0) if worst else 0
    levels = run.cursor.get("levels", 0)
    result["levels"] = levels
    result["read"] = run.cursor.get("read", 0)
    result["held"] = run.items.filter(outcome=Outcome.HELD).count()
    result["adopted"] = run.items.filter(outcome=Outcome.PLANNED, delta=0).count()
    result["share"] = round(100 * sums["rows"] / levels, 1) if levels else 0
    return result


def limits_passed(run: SyncRun, sums: dict[str, Any]) -> list[str]:
    """A sentence for each limit of the store that the plan passes. One level is never "a share" worth asking for."""
    limits = run.snapshot
    found = []
    if limits["limit_to_zero"] is not None and sums["to_zero"] > limits["limit_to_zero"]:
        found.append(f"{sums['to_zero']} levels go to zero (limit {limits['limit_to_zero']}).")
    if limits["limit_units"] is not None and sums["units"] > limits["limit_units"]:
        found.append(f"{sums['units']} units move (limit {limits['limit_units']}).")
    if limits["limit_value"] is not None and Decimal(sums["value_moved"]) > Decimal(limits["limit_value"]):
        found.append(f"Stock worth {sums['value_moved']} moves, at cost (limit {limits['limit_value']}).")
    if limits["limit_share"] is not None and sums["rows"] > SMALL_PLAN and sums["share"] > limits["limit_share"]:
        found.append(f"{sums['share']} % of levels change (limit {limits['limit_share']} %).")
    return found


SMALL_PLAN = 10
"""Rows up to which the share of levels is no reason to ask: in a small store each sale is a large share."""
