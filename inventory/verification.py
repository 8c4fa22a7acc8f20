"""Reading back: does the store show what was written?"""

from __future__ import annotations

from connectors.models import SyncRun
from connectors.models.runs import Outcome
from connectors.ports.store import MAX_CHANGES, StorePort
from inventory import readings, sending
from inventory.models import LevelPublication

SAMPLE = 4 * MAX_CHANGES
"""Levels read back at most; the riskiest first. All of a smaller run."""


def read_back(run: SyncRun, port: StorePort) -> None:
    """Read changed levels again and note on the run how many differ from what is expected by now.

    A difference is no fault by itself (a sale may have come in between); it is shown, and the next job explains it.
    """
    changed = run.items.filter(outcome=Outcome.APPLIED).order_by("-risk", "pk").values_list("subject_id", flat=True)
    rows = LevelPublication.objects.filter(pk__in=list(changed[:SAMPLE]))
    checked = different = 0
    for group in readings.groups(rows):
        found = port.read_levels(group.location_ref, [item for _, item, _ in group.members])
        sending.count(run, points=3)
        expected = dict(
            LevelPublication.objects.filter(pk__in=[pk for pk, _, _ in group.members]).values_list(
                "pk", "expected_quantity"
            )
        )
        for (publication_id, _, _), level in zip(group.members, found.levels, strict=True):
            checked += 1
            different += level.available != expected[publication_id]
    run.totals = {**run.totals, "read_back": checked, "read_back_different": different}
    SyncRun.objects.filter(pk=run.pk).update(totals=run.totals)
