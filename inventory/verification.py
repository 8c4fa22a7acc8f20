"""Reading back: does the store show what was written?"""

from __future__ import annotations

from django.db import transaction

from connectors.models import SyncRun
from connectors.models.runs import Outcome
from connectors.ports.store import MAX_CHANGES
from connectors.runs import RunKind
from inventory import publications, readings, sending, settled
from inventory.models import LevelPublication
from inventory.pump import Pump
from inventory.readings import Group
from inventory.settled import Reading

SAMPLE = 4 * MAX_CHANGES
"""Levels read back at most; the riskiest first. All of a smaller run."""


def read_back(kind: RunKind) -> None:
    """Read changed levels of a run again and note on it how many differ from what is expected by now.

    A difference is no fault by itself (a sale may have come in between); it is shown, and the next job explains it.
    What agrees is kept as the newest reading of its level.
    """
    run = kind.run
    changed = run.items.filter(outcome=Outcome.APPLIED).order_by("-risk", "pk").values_list("subject_id", flat=True)
    rows = LevelPublication.objects.filter(pk__in=list(changed[:SAMPLE]))
    different: list[int] = []

    def compare(_: Group, found: dict[int, Reading]) -> None:
        different.extend(_compare(found))

    groups = readings.groups(rows)
    with Pump(sending.width(run.store), kind.tick) as pump:
        readings.Reader(run.store, kind.spend).read(pump, groups, compare)
    checked = sum(len(group.members) for group in groups)
    run.totals = {**run.totals, "read_back": checked, "read_back_different": len(different)}
    SyncRun.objects.filter(pk=run.pk).update(totals=run.totals)


@transaction.atomic
def _compare(found: dict[int, Reading]) -> list[int]:
    """Publications that show something else than expected; the others keep the reading."""
    locked = publications.lock(found)
    agree = [row for row in locked if found[row.pk].level.available == row.expected_quantity]
    for publication in agree:
        settled.observe(publication, found[publication.pk])
        publication.observed_revision = publication.revision
    publications.save_all(agree)
    agreeing = {row.pk for row in agree}
    return [row.pk for row in locked if row.pk not in agreeing]
