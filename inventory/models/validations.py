"""ATS validations: a person says that the quantities of a store were checked, and a sample was counted."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from connectors.models import Store
from inventory.models.publications import LevelPublication


class Validation(models.Model):
    """A sheet from its draw to its signature, and the signature until something withdraws it.

    A store has one sheet that is being confirmed and one signature that stands, at most.
    """

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="validations")
    drawn_at = models.DateTimeField()
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    signed_zone = models.CharField(max_length=60, blank=True, help_text="Time zone in which the signature is dated.")
    counts = models.JSONField(default=dict, help_text="Levels, equal, differ, held and samples, when it was signed.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_cause = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["store"],
                condition=Q(signed_at__isnull=False, withdrawn_at=None),
                name="one_standing_signature_per_store",
            ),
            models.UniqueConstraint(
                fields=["store"], condition=Q(signed_at=None, withdrawn_at=None), name="one_open_sheet_per_store"
            ),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None) | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="signature_has_a_person",
            ),
        ]
        permissions = [("validate_ats", "Can confirm and sign the ATS of a store")]

    def __str__(self) -> str:
        return f"ATS of {self.store}, {self.drawn_at:%Y-%m-%d}"


class ValidationSample(models.Model):
    """A level drawn at random, and what somebody counted there. `on_hand` is ours at that moment."""

    validation = models.ForeignKey(Validation, on_delete=models.CASCADE, db_index=False, related_name="samples")
    publication = models.ForeignKey(LevelPublication, on_delete=models.PROTECT, related_name="+")
    counted = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    on_hand = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    note = models.CharField(max_length=300, blank=True, help_text="Why the count is not ours, where it is not.")
    counted_at = models.DateTimeField(null=True)
    counted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["validation", "publication"], name="level_sampled_once"),
            models.CheckConstraint(
                condition=Q(counted=None, on_hand=None) | Q(counted__isnull=False, on_hand__isnull=False),
                name="count_beside_ours",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id} of {self.validation_id}"

    @property
    def matches(self) -> bool:
        """What was counted is what we had on hand."""
        return self.counted is not None and self.counted == self.on_hand

    @property
    def confirmed(self) -> bool:
        """Counted, and equal or explained."""
        return self.matches or (self.counted is not None and bool(self.note))

    @property
    def difference(self) -> Decimal | None:
        """Counted less ours; None before it was counted."""
        return None if self.counted is None or self.on_hand is None else self.counted - self.on_hand
