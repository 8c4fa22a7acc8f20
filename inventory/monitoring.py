"""Monitoring: levels that should be right and are not, by what went wrong.

Missed: owed something for longer than two deltas take, and nothing says that it waits. Duplicate: the store moved by what
we pushed, twice. Left scope: published once, and outside the tag filter now.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db import connection, models
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus
from connectors.pausing import writes_allowed
from inventory import schedules
from inventory.jobs import Job
from inventory.models import LevelPublication, PushBatch, Schedule
from inventory.models.publications import Exclusion, PublicationState
from inventory.models.pushes import UNSETTLED

DELTA_MINUTES: Final = 15
"""Between deltas, where no schedule says it."""
WORKED_OUT_AT_MOST: Final = 2000
"""Levels marked for so long that are looked at one by one; with more, all of them count."""
TWICE_WITHIN: Final = dt.timedelta(minutes=10)


class Trouble(models.TextChoices):
    """What monitoring looks for."""

    MISSED = "missed", "Missed"
    DUPLICATE = "duplicate", "Duplicate"
    LEFT_SCOPE = "left_scope", "Left scope"


@dataclass(frozen=True, slots=True)
class Told:
    """Why levels of a store are on a list, and what to do."""

    cause: str
    remedy: str


class Watch:
    """What is wrong in one store now. What several answers rest on is asked once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def delta(self) -> Schedule:
        """The schedule of the store's deltas."""
        return schedules.of_store(self.store)[Job.DELTA]

    @property
    def patience(self) -> dt.timedelta:
        """Twice the time between deltas: what is owed for longer was missed."""
        return 2 * dt.timedelta(minutes=self.delta.every_minutes or DELTA_MINUTES)

    def found(self, trouble: Trouble) -> QuerySet[LevelPublication, LevelPublication]:
        """Levels that are in this trouble."""
        match trouble:
            case Trouble.MISSED:
                return self._missed()
            case Trouble.DUPLICATE:
                return LevelPublication.objects.filter(pk__in=_changed_twice(self.store))
            case Trouble.LEFT_SCOPE:
                return LevelPublication.objects.filter(LEFT_SCOPE, store=self.store)

    def counts(self) -> dict[Trouble, int]:
        """How many levels are in each trouble."""
        return {trouble: self.found(trouble).count() for trouble in Trouble}

    def _missed(self) -> QuerySet[LevelPublication, LevelPublication]:
        rows = LevelPublication.objects.filter(store=self.store)
        marked = (
            rows.filter(state=PublicationState.LIVE, needs_look=True, hold_test="")
            .eligible()
            .annotate(since=Coalesce("marked_at", "baseline_at"))
            .filter(since__lt=timezone.now() - self.patience)
        )
        few = list(marked.order_by("pk").values_list("pk", flat=True)[: WORKED_OUT_AT_MOST + 1])
        if len(few) > WORKED_OUT_AT_MOST:
            return marked
        owed = LevelPublication.objects.filter(pk__in=few).owed().values_list("pk", flat=True)
        return rows.filter(pk__in=list(owed))

    def why(self, trouble: Trouble) -> Told:
        """Cause and remedy for the levels on this list."""
        return WHY.get(trouble) or self._why_missed()

    def _why_missed(self) -> Told:
        """The first reason, by order of who has to move, why no delta took them."""
        allowed = writes_allowed(self.store)
        if allowed.cause:
            return Told(allowed.cause, allowed.remedy)
        deltas = SyncRun.objects.filter(store=self.store, kind=Job.DELTA)
        waiting = deltas.filter(status=RunStatus.AWAITING_APPROVAL).first()
        if waiting:
            return Told(
                f"The plan of run #{waiting.pk} waits for approval.", "Approve or reject it; deltas go on then."
            )
        if PushBatch.objects.filter(store=self.store, status__in=UNSETTLED).exists():
            return Told(
                "A push is on its way and has had no answer yet.",
                "Run a delta: it asks for the answer first, with the same key. See the last runs where it fails again.",
            )
        if not self.delta.live:
            return Told("The delta's schedule is off.", "Switch it on under Schedule, or run a delta now.")
        if self.delta.cause:
            return Told(self.delta.cause, self.delta.remedy)
        last = deltas.filter(finished_at__isnull=False).first()
        if last and last.status == RunStatus.FAILED:
            return Told(f"Delta #{last.pk} failed: {last.cause}", last.remedy)
        return Told(
            "No delta has taken them, though nothing is in its way.",
            "Run a delta now and open its lines. If they are not among them, see under Health whether worker and beat are up.",
        )


# Shown less expected is one push once more, and the store moved just after that push. A second push of ours cannot be what
# moved it: it would be in what we expect, or be on its way, and then the level is not settled and no drift is kept.
TWICE: Final = """
SELECT d.publication_id
  FROM inventory_drift d
  JOIN inventory_levelpublication p ON p.id = d.publication_id
 CROSS JOIN LATERAL (
       SELECT q.quantity, b.first_sent_at, b.settled_at
         FROM inventory_push q JOIN inventory_pushbatch b ON b.id = q.batch_id
        WHERE q.publication_id = d.publication_id AND q.status = 'settled' AND b.kind = 'adjust'
        ORDER BY q.id DESC LIMIT 1) AS pushed
 WHERE d.store_id = %(store)s AND d.state = 'open' AND d.quantity = pushed.quantity
   AND p.observed_moved_at BETWEEN pushed.first_sent_at AND pushed.settled_at + %(within)s
"""


def _changed_twice(store: Store) -> list[int]:
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"store": store.pk, "within": TWICE_WITHIN}
        cursor.execute(TWICE, values)
        return [row[0] for row in cursor.fetchall()]


LEFT_SCOPE: Final = Q(excluded=Exclusion.OUT_OF_SCOPE, baseline_at__isnull=False) & ~Q(state=PublicationState.CLOSED)

WHY: Final = {
    Trouble.DUPLICATE: Told(
        "The store moved once more by what we had pushed, within ten minutes, and no second push of ours did it: it was "
        "applied twice there, or another app or person made the same change.",
        "Look at the item's inventory history in the store. Then decide the drift under Held and drift: keep ours, and the "
        "next run corrects it; accept theirs where the goods are there.",
    ),
    Trouble.LEFT_SCOPE: Told(
        "Their tags do not match the store's tag filter any more, so nothing is pushed for them. What the store shows stays as "
        "it was; nothing is set to zero or deleted.",
        "Give the items their tag again, or change the filter in the store's settings; they go on by themselves then.",
    ),
}


def since(row: Any) -> dt.datetime | None:
    """From when on the level is out of date."""
    moment: dt.datetime | None = row.marked_at or row.baseline_at
    return moment
