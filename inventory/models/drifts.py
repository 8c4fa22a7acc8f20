"""Drift: what a store shows, settled, and we cannot explain."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from connectors.models import Store
from inventory.models.publications import LevelPublication
from syncconsole.kernel.status import Meaning


class DriftState(models.TextChoices):
    """What became of a drift."""

    OPEN = "open", "Undecided"
    IGNORED = "ignored", "Ignored"
    ACCEPTED = "accepted", "Theirs accepted"
    REJECTED = "rejected", "Ours kept"
    CLEARED = "cleared", "Gone by itself"
    OVERWRITTEN = "overwritten", "Overwritten"

    @property
    def meaning(self) -> Meaning:
        return {DriftState.OPEN: Meaning.ATTENTION}.get(self, Meaning.OFF)


class DriftCause(models.TextChoices):
    """Where it comes from, as far as can be told."""

    UNKNOWN = "unknown", "No order, refund or push explains it"
    UNANSWERED = "unanswered", "Something else moved, and a push was never answered"
    TWO_WRITERS = "two_writers", "Two writers alternate"


STANDING = (DriftState.OPEN, DriftState.IGNORED)
"""The store still shows it."""


class Drift(models.Model):
    """A level whose settled read differs from what was expected: r = shown − expected ≠ 0 (algorithms.md §1).

    One row stands per publication, from the first settled read that shows it to the read, push or decision that ends it.
    A difference of another size is another drift: the row before is cleared, a new one begins.
    """

    publication = models.ForeignKey(LevelPublication, on_delete=models.PROTECT, related_name="drifts")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="drifts")
    quantity = models.IntegerField(help_text="Shown less expected, in units.")
    shown = models.IntegerField(help_text="What the store showed.")
    first_seen_at = models.DateTimeField(help_text="The settled read that showed it first, by the store's clock.")
    seen_at = models.DateTimeField(help_text="The last one.")
    steady_since = models.DateTimeField(
        null=True,
        editable=False,
        help_text="The first of them, by our clock, after which it was neither pushed nor held.",
    )
    revision = models.IntegerField(
        default=0, help_text="Of the publication at the first one: which entries came before."
    )
    state = models.CharField(max_length=12, choices=DriftState.choices, default=DriftState.OPEN)
    cause = models.CharField(max_length=12, choices=DriftCause.choices, default=DriftCause.UNKNOWN)
    writer = models.CharField(max_length=255, blank=True, help_text="Person or app that changed it, where readable.")
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was decided so.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    resumed_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person let the level go on that two writers had paused."
    )

    class Meta:
        ordering = ["first_seen_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["publication"], condition=Q(state__in=("open", "ignored")), name="one_standing_drift_per_level"
            ),
            models.CheckConstraint(condition=~Q(quantity=0), name="drift_is_a_difference"),
        ]
        indexes = [
            models.Index(fields=["store", "first_seen_at", "id"], condition=Q(state="open"), name="drift_open"),
            models.Index(fields=["publication", "-id"], name="drift_of_level"),
            models.Index(fields=["first_seen_at", "id"], name="drift_in_time"),
        ]
        permissions = [("decide_drift", "Can decide what becomes of a drift")]

    def __str__(self) -> str:
        return f"{self.quantity:+d} at {self.publication_id}"
