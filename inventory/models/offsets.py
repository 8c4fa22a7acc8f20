"""Acknowledged offsets: who said that a store's committed units may differ from the orders we know, and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from inventory.models.publications import LevelPublication


class OffsetAcknowledgement(models.Model):
    """A signature (algorithms.md §6): `quantity` committed units of the level belong to orders that nobody here can see.

    The offset itself stands on the level, and shrinks by itself as those orders are fulfilled; this row never changes.
    """

    publication = models.ForeignKey(LevelPublication, on_delete=models.PROTECT, related_name="acknowledgements")
    quantity = models.PositiveIntegerField(help_text="Units that it covers: committed there less open here.")
    committed = models.IntegerField(help_text="Committed in the store, as read.")
    open_here = models.IntegerField(help_text="Units still to be fulfilled of the orders known here.")
    orders = models.JSONField(default=list, help_text="Those orders: number and units.")
    reason = models.CharField(max_length=300)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(quantity__gt=0), name="offset_covers_units")]
        permissions = [("acknowledge_offset", "Can sign that committed units belong to orders not known here")]

    def __str__(self) -> str:
        return f"{self.quantity} at {self.publication_id}"
