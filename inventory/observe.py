"""Observe: read every level and write nothing to the store; what differs is recorded as drift, with since when."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Count, Sum
from django.db.models.functions import Abs

from connectors.models import SyncRun
from connectors.planning import Line
from inventory import drift, holds
from inventory.absolute import AbsoluteRun
from inventory.jobs import Job


class ObserveRun(AbsoluteRun):
    """Every eligible level, read only."""

    job = Job.OBSERVE

    def chosen(self, lines: list[Line]) -> list[Line]:
        """None: nothing is to be changed."""
        return []

    def verify_slice(self) -> bool:
        """Say what was found."""
        run = self.run
        drifting = drift.undecided().filter(store=run.store)
        found = drifting.aggregate(drift=Count("pk"), units=Sum(Abs("quantity")))
        found["held"] = holds.held().filter(store=run.store).count()
        run.totals = {**run.totals, **found, "summary": _sentence(run.totals.get("read", 0), found)}
        SyncRun.objects.filter(pk=run.pk).update(totals=run.totals)
        return False


def _sentence(read: int, found: Mapping[str, int | None]) -> str:
    drift, held = found["drift"] or 0, found["held"] or 0
    parts = [f"{read:,} levels read, nothing written"]
    parts.append(f"{drift:,} drift by {found['units'] or 0:,} units" if drift else "no drift")
    if held:
        parts.append(f"{held:,} held")
    return f"{', '.join(parts)}."
