"""When holds began and ended: the history behind `LevelPublication.hold_test`."""

from __future__ import annotations

from django.db import models

from inventory.models.publications import LevelPublication


class HoldChange(models.Model):
    """A level began to be held, went on by another test (`test` a to e), or was let go (`test` empty). Append-only."""

    publication = models.ForeignKey(
        LevelPublication, on_delete=models.PROTECT, related_name="hold_changes", db_index=False
    )
    at = models.DateTimeField()
    test = models.CharField(max_length=1, blank=True)
    cause = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["at", "id"], name="hold_change_by_time"),
            models.Index(fields=["publication", "-id"], name="hold_change_of_level"),
        ]

    def __str__(self) -> str:
        return f"{self.test or 'released'} at {self.publication_id}"
