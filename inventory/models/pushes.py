"""Pushes: what is on its way to a store. Stored before it is sent, settled exactly once (algorithms.md §5)."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from connectors.models import RunItem, Store, SyncRun

KEY_NAMESPACE = uuid.UUID("5b0f6a5e-0d0f-5f63-9d6e-1d2f3b7d8a10")


class WriteKind(models.TextChoices):
    ADJUST = "adjust", "Relative"
    SET = "set", "Compare and swap"
    COMPARED = "compared", "Relative, compared"
    """By the difference, only where the store shows what was read: settled as an overwrite."""


class BatchStatus(models.TextChoices):
    STORED = "stored", "Stored"
    SENT = "sent", "Sent, no answer yet"
    SETTLED = "settled", "Settled"
    REFUSED = "refused", "Refused"
    UNSURE = "unsure", "Unsure"


UNSETTLED = (BatchStatus.STORED, BatchStatus.SENT)


class PushBatch(models.Model):
    """Up to 250 pushes in one call. `body` holds the exact bytes; every try sends them unchanged, with one key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, related_name="batches")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="batches")
    kind = models.CharField(max_length=8, choices=WriteKind.choices)
    body = models.BinaryField()
    rows = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=8, choices=BatchStatus.choices, default=BatchStatus.STORED)
    first_sent_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="retries")
    cause = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "push batches"
        indexes = [
            models.Index(fields=["store"], condition=Q(status__in=UNSETTLED), name="batch_unsettled"),
            models.Index(fields=["settled_at"], condition=Q(status="settled"), name="batch_settled_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.rows} rows, {self.get_status_display()}"

    @property
    def key(self) -> uuid.UUID:
        """The idempotency key: made from the batch, so it is the same on every try."""
        return uuid.uuid5(KEY_NAMESPACE, str(self.id))


class PushStatus(models.TextChoices):
    CLAIMED = "claimed", "On its way"
    UNSURE = "unsure", "Unsure"
    SETTLED = "settled", "Applied"
    DROPPED = "dropped", "Not applied"


class Push(models.Model):
    """One publication's change in a batch. The quantity was fixed when the publication was claimed."""

    batch = models.ForeignKey(PushBatch, on_delete=models.PROTECT, db_index=False, related_name="pushes")
    position = models.PositiveSmallIntegerField(help_text="Index of its row in the batch's body.")
    publication = models.ForeignKey(
        "inventory.LevelPublication", on_delete=models.PROTECT, db_index=False, related_name="pushes"
    )
    # Without an index: lines are found by their push, never the other way, and each push writes it twice.
    item = models.ForeignKey(RunItem, null=True, on_delete=models.SET_NULL, db_index=False, related_name="pushes")
    quantity = models.IntegerField(help_text="Relative: units to add. Otherwise: the quantity to show.")
    before = models.IntegerField(help_text="Expected (relative) or read before it.")
    revision = models.IntegerField(help_text="The publication's revision when it was claimed.")
    owed_since = models.DateTimeField(null=True, help_text="When the level was marked that it was claimed for.")
    versions = models.JSONField(help_text="Level id → version when it was claimed.")
    status = models.CharField(max_length=8, choices=PushStatus.choices, default=PushStatus.CLAIMED)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "pushes"
        constraints = [
            models.UniqueConstraint(fields=["batch", "publication"], name="publication_once_per_batch"),
            models.UniqueConstraint(
                fields=["publication"],
                condition=Q(status__in=(PushStatus.CLAIMED, PushStatus.UNSURE)),
                name="one_unsettled_push_per_publication",
            ),
        ]
        indexes = [models.Index(fields=["publication", "-id"])]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.publication_id}"
