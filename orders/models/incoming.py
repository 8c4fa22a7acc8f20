"""Incoming orders: what a store last said of each order, whole, before anything is made of it."""

from __future__ import annotations

from typing import Final

import msgspec
from django.db import models
from django.db.models.functions import Upper

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from syncconsole.kernel.status import Meaning

# Two threads that use a shape first at the same moment end the process (msgspec 0.22); an import is one thread's.
SNAPSHOTS: Final = msgspec.json.Decoder(RemoteOrder, strict=False)
"""Reads what `IncomingOrder.snapshot` keeps, as text."""


class IncomingState(models.TextChoices):
    """What became of an incoming order."""

    PENDING = "pending", "Pending"
    IMPORTED = "imported", "Imported"
    SHADOW = "shadow", "Shadow order"
    EXCLUDED = "excluded", "Excluded"
    FAILED = "failed", "Needs you"

    @property
    def meaning(self) -> Meaning:
        return {
            IncomingState.PENDING: Meaning.WAITS,
            IncomingState.IMPORTED: Meaning.OK,
            IncomingState.SHADOW: Meaning.OFF,
            IncomingState.EXCLUDED: Meaning.OFF,
            IncomingState.FAILED: Meaning.NEEDS_YOU,
        }[self]


class IncomingOrder(models.Model):
    """One order of a store in its newest version read. Identity is (store, ref); `name` is what people see, not unique."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="incoming_orders")
    ref = models.CharField(max_length=120)
    name = models.CharField(max_length=120)
    remote_created_at = models.DateTimeField()
    remote_updated_at = models.DateTimeField()
    """The version, by the store's clock in whole seconds."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    test = models.BooleanField(default=False)
    total = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    customer_ref = models.CharField(max_length=120, blank=True)
    snapshot = models.JSONField()
    """The whole `RemoteOrder`."""
    revision = models.PositiveIntegerField(default=1)
    """How many versions were kept, this one included."""
    received_at = models.DateTimeField()
    """Our time just before this version was asked for."""
    state = models.CharField(max_length=12, choices=IncomingState.choices, default=IncomingState.PENDING)
    applied_revision = models.PositiveIntegerField(default=0)
    """The version whose effects are booked; behind `revision` while the newest one waits."""
    applied_at = models.DateTimeField(null=True, blank=True)
    stock_rule = models.CharField(max_length=12, blank=True)
    """What it means for our stock (`orders.effects.StockRule`), settled when that was first booked."""
    books_from = models.DateTimeField(null=True, blank=True)
    """Of an order that was there before: what happened in its store until then is not booked here."""
    cause = models.CharField(max_length=400, blank=True)
    remedy = models.CharField(max_length=400, blank=True)
    waits_for = models.CharField(max_length=200, blank=True)
    """What a failed order lacks, e.g. `item:<ref>`: once it is there, every order that waits for it is tried again."""
    needs_look = models.CharField(max_length=300, blank=True)
    """Why a person should look at it although it was imported."""
    missing_at = models.DateTimeField(null=True, blank=True)
    """Since when the store no longer shows it: deleted there, or older than it lets us read."""
    redacted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-remote_created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["store", "ref"], name="incoming_order_once")]
        indexes = [
            models.Index(fields=["-remote_created_at", "-id"], name="incoming_order_newest"),
            models.Index(Upper("name"), name="incoming_order_name"),
            models.Index(fields=["store", "customer_ref"], name="incoming_order_of_customer"),
            models.Index(
                fields=["store", "remote_updated_at", "id"],
                condition=models.Q(state="pending"),
                name="incoming_order_pending",
            ),
            models.Index(fields=["store", "id"], condition=models.Q(state="failed"), name="incoming_order_failed"),
            models.Index(
                fields=["store", "remote_created_at"],
                condition=models.Q(redacted_at=None),
                name="incoming_order_named",
            ),
            # What the queue's filters show, newest first, of one store and of all.
            models.Index(fields=["store", "-remote_created_at", "-id"], name="incoming_order_of_store"),
            models.Index(
                fields=["state", "-remote_created_at", "-id"],
                condition=~models.Q(state="imported"),
                name="incoming_order_by_state",
            ),
            models.Index(
                fields=["-remote_created_at", "-id"],
                condition=~models.Q(needs_look=""),
                name="incoming_order_to_look_at",
            ),
        ]
        permissions = [("import_orders", "Can ask a store for its orders")]

    def __str__(self) -> str:
        return self.name

    @property
    def status(self) -> IncomingState:
        """The state as a member of its enum."""
        return IncomingState(self.state)

    @property
    def document(self) -> str:
        """How entries of the ledger name it. Reads its store."""
        return f"order:{self.store.slug}:{self.name}"

    @property
    def order(self) -> RemoteOrder:
        """The order as it was read."""
        return msgspec.convert(self.snapshot, type=RemoteOrder, strict=False)
