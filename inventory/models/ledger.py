"""The ledger: levels as a projection, entries that the database refuses to change."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F

from catalog.models import Variant
from inventory.models.locations import Location


class InventoryLevel(models.Model):
    """Quantities of one variant at one location: the sum of its entries. Written by `inventory.ledger` only."""

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="levels")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="levels")
    on_hand = models.DecimalField(max_digits=14, decimal_places=3, default=Decimal(0))
    released = models.IntegerField(default=0)
    version = models.IntegerField(default=0, help_text="Number of entries: the seq of the newest one.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["variant", "location"], name="level_once")]
        permissions = [("record_stock", "Can record stock movements")]

    def __str__(self) -> str:
        return f"{self.variant} at {self.location}"

    @property
    def ats(self) -> Decimal:
        """Available to sell: on hand less released."""
        return self.on_hand - self.released


class EntryKind(models.TextChoices):
    OPENING = "opening", "Opening"
    RECEIVED = "received", "Received"
    ISSUED = "issued", "Issued"
    POS_SALE = "pos_sale", "POS sale"
    DAMAGED = "damaged", "Damaged"
    LOST = "lost", "Lost"
    FOUND = "found", "Found"
    COUNT = "count", "Cycle count"
    TRANSFER_IN = "transfer_in", "Transfer in"
    TRANSFER_OUT = "transfer_out", "Transfer out"
    ALLOCATED = "allocated", "Sale allocated"
    RELEASED = "released", "Sale released"
    SHIPPED = "shipped", "Sale shipped"
    RESTOCKED = "restocked", "Refund restocked"
    WRITTEN_OFF = "written_off", "Refund written off"
    BILLING = "billing", "Billing movement"
    CORRECTION = "correction", "Correction"


class LedgerEntry(models.Model):
    """One immutable change of a level: what, where from, why, by whom. `key` names the business fact."""

    level = models.ForeignKey(InventoryLevel, on_delete=models.PROTECT, db_index=False, related_name="entries")
    seq = models.IntegerField()
    on_hand_delta = models.DecimalField(max_digits=14, decimal_places=3, default=Decimal(0))
    released_delta = models.IntegerField(default=0)
    kind = models.CharField(max_length=12, choices=EntryKind.choices)
    origin = models.CharField(max_length=80, help_text="System where it first happened: a store, a feed, a person.")
    document = models.CharField("source document", max_length=200, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    posting = models.CharField(max_length=200, blank=True, help_text="Business fact shared by several entries.")
    key = models.CharField(max_length=255, unique=True)
    effective_at = models.DateTimeField(help_text="When it happened, by the source's clock.")
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [models.UniqueConstraint(fields=["level", "seq"], name="entry_seq_once")]
        indexes = [
            models.Index(fields=["recorded_at", "id"], name="entry_by_time"),
            models.Index(fields=["kind", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on_hand_delta:+f} ({self.key})"


ATS = F("on_hand") - F("released")
