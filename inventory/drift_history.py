"""Is drift growing? How many levels of each store drifted at the end of each of the last days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from connectors.models import Store
from syncconsole.kernel.charts import COLOURS, Chart, chart
from syncconsole.kernel.templatetags.console import plural

DAYS = 30

STOOD = """
SELECT d.store_id, moment.at, count(*)
  FROM unnest(%(moments)s::timestamptz[]) AS moment(at)
  JOIN inventory_drift d ON d.first_seen_at <= moment.at AND (d.closed_at IS NULL OR d.closed_at > moment.at)
 WHERE d.store_id = ANY(%(stores)s) AND (d.closed_at IS NULL OR d.closed_at > %(first)s)
 GROUP BY d.store_id, moment.at
"""


def over_days(stores: Sequence[Store], days: int = DAYS) -> list[tuple[dt.datetime, dict[int, int]]]:
    """The last `days` days, oldest first: the end of the day (now, for today), and store id → levels that drifted then,
    decided or not."""
    now = timezone.localtime()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight - dt.timedelta(days=back) for back in range(days - 2, -1, -1)] + [now]
    with connection.cursor() as cursor:
        cursor.execute(STOOD, {"moments": moments, "first": moments[0], "stores": [store.pk for store in stores]})
        counted = {(store_id, at): count for store_id, at, count in cursor.fetchall()}
    return [(at, {store.pk: counted.get((store.pk, at), 0) for store in stores}) for at in moments]


def drawn(stores: Sequence[Store]) -> Chart:
    """Those days as lines, of the stores that drift most."""
    days = over_days(stores)
    now = days[-1][1]
    most = sorted(stores, key=lambda store: -max(counts[store.pk] for _, counts in days))[: len(COLOURS)]
    rows = [(f"{_day(at):%-d %b}", [counts[store.pk] for store in most]) for at, counts in days]
    return chart(
        "Is drift growing?",
        f"levels, {DAYS} days",
        kind="line",
        axis="Day",
        series=[store.name for store in most],
        rows=rows,
        summary=f"{plural(sum(now.values()), 'level')} now, {sum(days[-8][1].values()):,} a week ago.",
        empty="No drift: every level that was read shows what we expect.",
    )


def _day(at: dt.datetime) -> dt.datetime:
    """The day that ends at `at`."""
    return at - dt.timedelta(seconds=1)
