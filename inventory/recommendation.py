"""Daily or weekly: which of the two jobs that overwrite fits a store, by what was measured there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.utils import timezone

from connectors.models import Store
from inventory.jobs import Job
from inventory.knowledge import OrderLag, order_books
from inventory.models import LevelPublication
from syncconsole.kernel.counting import kept
from syncconsole.kernel.templatetags.console import duration, n

MEASURED: Final = dt.timedelta(days=7)
LAG_LIMIT: Final = dt.timedelta(minutes=15)
HOLD_LIMIT: Final = dt.timedelta(hours=24)


# From a hold's first row, the one after the release before it, to its own release. A clone waits for a person, and says nothing
# of how quickly orders come in.
ENDED_HOLDS = """
SELECT max(ended.at - began.at)
  FROM inventory_holdchange ended
  JOIN inventory_levelpublication p ON p.id = ended.publication_id AND p.store_id = %s
 CROSS JOIN LATERAL (
       SELECT min(h.at) AS at FROM inventory_holdchange h
        WHERE h.publication_id = ended.publication_id AND h.id < ended.id AND h.test <> 'q'
          AND h.id > coalesce((SELECT max(x.id) FROM inventory_holdchange x
                                WHERE x.publication_id = ended.publication_id AND x.id < ended.id AND x.test = ''), 0)
       ) began
 WHERE ended.test = '' AND ended.at >= %s
"""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The job that fits, with the numbers it rests on: orders come in quickly and nothing is held for long → daily."""

    job: Job
    lag: OrderLag
    longest_hold: dt.timedelta | None
    """The longest hold that stands, or ended while it was measured; None where there was none."""

    @property
    def sentence(self) -> str:
        """What is recommended, and why."""
        if not self.lag.orders:
            return "Weekly fits until orders have been measured: none has come in over the last 7 days."
        late = dt.timedelta(seconds=self.lag.p99_seconds)
        orders = f"99 % of the orders of the last 7 days ({n(self.lag.orders)}) were here within {duration(late)} (limit 15 min)"
        if self.longest_hold is None:
            held = "no level was held"
        else:
            held = f"the longest hold lasted {duration(self.longest_hold)} (limit 24 h)"
        name = "Daily" if self.job is Job.DAILY else "Weekly"
        return f"{name} fits: {orders}, and {held}."


@kept
def of_store(store_id: int) -> Recommendation:
    """The recommendation for a store."""
    store, now = Store.objects.get(pk=store_id), timezone.now()
    # What waited while the store was set up says nothing of how quickly its orders come in.
    since = max(filter(None, [now - MEASURED, store.live_at]))
    lag = order_books().lag(store, since)
    held = LevelPublication.objects.filter(store=store, held_since__isnull=False).exclude(hold_test="").eligible()
    oldest = held.order_by("held_since").values_list("held_since", flat=True).first()
    holds = [now - oldest] if oldest else []
    with connection.cursor() as cursor:
        cursor.execute(ENDED_HOLDS, [store_id, since])
        holds += [ended for (ended,) in cursor.fetchall() if ended is not None]
    hold = max(holds, default=None)
    quick = lag.orders > 0 and lag.p99_seconds < LAG_LIMIT.total_seconds()
    daily = quick and (hold is None or hold <= HOLD_LIMIT)
    return Recommendation(Job.DAILY if daily else Job.WEEKLY, lag, hold)
