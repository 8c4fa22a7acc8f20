"""When holds began and ended: the history behind `LevelPublication.hold_test`, and of the clone sentinel."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models

from inventory.models.publications import LevelPublication

QUARANTINE: Final = "q"
ASIDE: Final = "s"


class HoldChange(models.Model):
    """A level began to be held, went on by another test, or was let go (`test` empty). Append-only.

    `test` is that of algorithms.md §6 (a to e). It is QUARANTINE from the moment that a level is held for a clone suspect
    until it is let go, whatever else holds it meanwhile: those rows a trigger keeps; and ASIDE from the moment that it is
    frozen, or that its store refused it, until a person lets it go. `by`: whose decision let it go.
    """

    publication = models.ForeignKey(
        LevelPublication, on_delete=models.PROTECT, related_name="hold_changes", db_index=False
    )
    at = models.DateTimeField()
    test = models.CharField(max_length=1, blank=True)
    cause = models.CharField(max_length=400, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["at", "id"], name="hold_change_by_time"),
            models.Index(fields=["publication", "-id"], name="hold_change_of_level"),
        ]

    def __str__(self) -> str:
        return f"{self.test or 'released'} at {self.publication_id}"
