"""Daily, the hard sync: every level that differs is made to show its target (algorithms.md §6)."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.absolute import AbsoluteRun
from inventory.jobs import Job
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState


class DailyRun(AbsoluteRun):
    """Levels that have a baseline. One that was never published is taken on by a person, with a manual run."""

    job = Job.DAILY

    def scope(self) -> QuerySet[LevelPublication]:
        """Every eligible level with a baseline."""
        return super().scope().exclude(state=PublicationState.NO_BASELINE)
