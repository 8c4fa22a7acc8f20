"""Manual: levels that were never published, mostly of variants that were tagged lately (design §5.4)."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.absolute import AbsoluteRun
from inventory.jobs import Job
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState


class ManualRun(AbsoluteRun):
    """The baseline of single levels. A person approves it, since nothing is known of what the store showed before."""

    job = Job.MANUAL
    always_asks = True

    def scope(self) -> QuerySet[LevelPublication]:
        """Eligible levels without a baseline."""
        return super().scope().filter(state=PublicationState.NO_BASELINE)
