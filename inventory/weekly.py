"""Weekly: only differences that were there before, unexplained, for longer than the store's buffer (algorithms.md §6)."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from connectors.planning import Line
from inventory.daily import DailyRun
from inventory.jobs import Job
from inventory.models import Drift, HoldChange, Push
from inventory.models.drifts import DriftState


class WeeklyRun(DailyRun):
    """The gentler of the two: what is owed goes by deltas, a new difference gets the time to be explained."""

    job = Job.WEEKLY

    def chosen(self, lines: list[Line]) -> list[Line]:
        """Lines of levels whose difference stood, of the same size, at a read that is old enough, and that were neither pushed
        nor held since."""
        old = self._old_drifts([line.subject_id for line in lines])
        return [line for line in lines if line.subject_id in old]

    def _old_drifts(self, publication_ids: list[int]) -> set[int]:
        store = self.run.store
        before = timezone.now() - dt.timedelta(hours=store.drift_hours)
        level, since = OuterRef("publication"), OuterRef("steady_since")
        pushed = Push.objects.filter(publication=level, created_at__gte=since)
        held = HoldChange.objects.filter(publication=level, at__gte=since).exclude(test="")
        old = Drift.objects.filter(
            ~Exists(pushed),
            ~Exists(held),
            publication__in=publication_ids,
            state=DriftState.OPEN,
            steady_since__lte=before,
            quantity=F("publication__observed_available") - F("publication__expected_quantity"),
        )
        return set(old.values_list("publication_id", flat=True))
