"""Day by day: the orders a store told of, and what became of each here; what is not here yet is named."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection

from connectors.models import Store
from orders.intake import KIND

DAYS: Final = 14
NOT_HERE_SHOWN: Final = 50

# An order belongs to the day it was placed, by the calendar of the store's time zone; one that was not read yet, to the
# day it was first heard of. `told` are all that webhooks and polling noticed: polling lists the store's own feed.
PER_DAY: Final = """
SELECT (coalesce(o.remote_created_at, c.first_noticed_at) AT TIME ZONE %(zone)s)::date AS day,
       count(*) AS told,
       count(*) FILTER (WHERE s.id IS NOT NULL) AS sales,
       count(*) FILTER (WHERE s.id IS NULL AND o.state IN ('shadow', 'excluded')) AS left_out,
       count(*) FILTER (WHERE s.id IS NULL AND o.state IN ('pending', 'imported')) AS waiting,
       count(*) FILTER (WHERE s.id IS NULL AND o.state = 'failed') AS failed,
       count(*) FILTER (WHERE o.id IS NULL) AS not_here
  FROM connectors_remotechange c
  LEFT JOIN orders_incomingorder o ON o.store_id = c.store_id AND o.ref = c.ref
  LEFT JOIN orders_salesorder s ON s.incoming_id = o.id
 WHERE c.store_id = %(store)s AND c.kind = %(kind)s
   AND coalesce(o.remote_created_at, c.first_noticed_at) >= %(since)s
 GROUP BY 1 ORDER BY 1 DESC
"""

NOT_HERE: Final = """
SELECT c.ref, c.first_noticed_at, c.state, c.cause, c.remedy
  FROM connectors_remotechange c
 WHERE c.store_id = %(store)s AND c.kind = %(kind)s AND c.first_noticed_at >= %(since)s
   AND NOT EXISTS (SELECT 1 FROM orders_incomingorder o WHERE o.store_id = c.store_id AND o.ref = c.ref)
 ORDER BY c.first_noticed_at DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Day:
    """Orders of one day. `told` is the sum of the others: each order is in exactly one of them."""

    day: dt.date
    told: int
    sales: int
    left_out: int
    waiting: int
    failed: int
    not_here: int


@dataclass(frozen=True, slots=True)
class NotHere:
    """An order that the store has and we have not: not read yet, or it could not be."""

    ref: str
    heard_at: dt.datetime
    state: str
    cause: str
    remedy: str


def of_store(store: Store, now: dt.datetime) -> list[Day]:
    """The last `DAYS` days of a store that had orders, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(PER_DAY, _asked(store, now))
        return [Day(*row) for row in cursor.fetchall()]


def not_here(store: Store, now: dt.datetime) -> list[NotHere]:
    """Orders of these days that the store has and we have not, newest first, at most `NOT_HERE_SHOWN`."""
    with connection.cursor() as cursor:
        cursor.execute(NOT_HERE, _asked(store, now) | {"limit": NOT_HERE_SHOWN})
        return [NotHere(*row) for row in cursor.fetchall()]


def _asked(store: Store, now: dt.datetime) -> dict[str, str | int | dt.datetime]:
    today = now.astimezone(store.zone).date()
    since = dt.datetime.combine(today - dt.timedelta(days=DAYS - 1), dt.time(), store.zone)
    return {"store": store.pk, "kind": KIND, "since": since, "zone": store.time_zone}
