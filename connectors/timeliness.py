"""How soon a store tells of its changes, and how surely: measured over the last day, by topic and by kind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from connectors.models import RemoteChange
from syncconsole.kernel.counting import kept

DAY: Final = dt.timedelta(hours=24)

# A clock ahead of ours must not make a delivery arrive before it was sent.
DELAYS: Final = """
SELECT topic, count(*), sum(duplicates),
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
           ORDER BY CASE WHEN triggered_at IS NOT NULL
                         THEN greatest(0, extract(epoch FROM received_at - triggered_at)) END)
  FROM connectors_webhookdelivery
 WHERE store_id = %s AND received_at >= %s
 GROUP BY topic ORDER BY topic
"""


@dataclass(frozen=True, slots=True)
class Delay:
    """Deliveries of one topic: how many, how many of them came again, and the seconds from the event to its first
    arrival that half and 95 % of them took; None where no delivery says when it was triggered."""

    topic: str
    deliveries: int
    duplicates: int
    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """Objects of one kind that webhooks told of, and those that polling found before a webhook had told."""

    kind: str
    told: int
    found: int

    @property
    def share(self) -> float | None:
        """How much of it webhooks told, in percent; None when nothing changed."""
        return 100 * self.told / (self.told + self.found) if self.told + self.found else None


@dataclass(frozen=True, slots=True)
class Timeliness:
    """What the last day shows of one store."""

    delays: tuple[Delay, ...]
    scores: tuple[Score, ...]

    def of(self, topic: str) -> Delay | None:
        """The delays of one topic."""
        return next((delay for delay in self.delays if delay.topic == topic), None)


@kept
def of_store(store_id: int) -> Timeliness:
    """Delays and scores of a store over the last 24 hours."""
    since = timezone.now() - DAY
    return Timeliness(_delays(store_id, since), _scores(store_id, since))


def _delays(store_id: int, since: dt.datetime) -> tuple[Delay, ...]:
    with connection.cursor() as cursor:
        cursor.execute(DELAYS, [store_id, since])
        rows = cursor.fetchall()
    return tuple(Delay(topic, count, int(again), *(shares or (None, None))) for topic, count, again, shares in rows)


def _scores(store_id: int, since: dt.datetime) -> tuple[Score, ...]:
    told, found = Q(webhook_at__gte=since), Q(polling_at__gte=since)
    rows = RemoteChange.objects.filter(told | found, store=store_id).order_by("kind").values_list("kind")
    counted = rows.annotate(told=Count("pk", filter=told), found=Count("pk", filter=found))
    return tuple(Score(*row) for row in counted)
