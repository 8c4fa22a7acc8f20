"""Figures of what was pushed: how many levels, and how long after a change here its store was right."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from connectors.models import Store

HOURS: Final = 24

# A level is marked in the transaction of the entry that moves it (`LevelPublication.marked_at`), and keeps that time until
# it is looked at and owed nothing, or its push is settled. So a push's lag counts from the oldest change that it carries.
PER_HOUR: Final = """
SELECT date_trunc('hour', b.settled_at, %(zone)s), count(*),
       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM b.settled_at - q.owed_since)::float)
               FILTER (WHERE b.kind = 'adjust' AND q.owed_since IS NOT NULL)
  FROM inventory_pushbatch b JOIN inventory_push q ON q.batch_id = b.id AND q.status = 'settled'
 WHERE b.status = 'settled' AND b.settled_at >= %(since)s AND (%(store)s::bigint IS NULL OR b.store_id = %(store)s)
 GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour from `start`: levels pushed, and the seconds from a change here to the answer of its relative push within
    which half, 95 % and 99 % of them were carried out; None where none was."""

    start: dt.datetime
    levels: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


def per_hour(store: Store | None = None) -> list[Hour]:
    """The last 24 hours, oldest first, the current one last; of one store, or of all. In the zone of the store, or of the
    installation. One query."""
    zone = store.zone if store else timezone.get_default_timezone()
    this_hour = timezone.now().astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(dt.UTC)
    since = this_hour - dt.timedelta(hours=HOURS - 1)
    values: dict[str, Any] = {"zone": str(zone), "since": since, "store": store.pk if store else None}
    with connection.cursor() as cursor:
        cursor.execute(PER_HOUR, values)
        found = {hour.astimezone(dt.UTC): Hour(hour, levels, *(lags or ())) for hour, levels, lags in cursor.fetchall()}
    starts = [since + dt.timedelta(hours=step) for step in range(HOURS)]
    return [found.get(start) or Hour(start.astimezone(zone)) for start in starts]
