"""Pulls of the stock feed that name an order: its shipment, once, or a row that waits for it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import Variant
from connectors.models import Store
from inventory.models import Location
from orders.models.incoming import IncomingOrder
from syncconsole.kernel.status import Meaning


class PullState(models.TextChoices):
    WAITING = "waiting", "Waits for its order"
    SHIPPED = "shipped", "Shipped"
    COVERED = "covered", "Had left already"
    """Its goods were booked before: the store, or a person here, was faster."""
    REMOVED = "removed", "Removed"

    @property
    def meaning(self) -> Meaning:
        return {
            PullState.WAITING: Meaning.WAITS,
            PullState.SHIPPED: Meaning.OK,
            PullState.COVERED: Meaning.OK,
            PullState.REMOVED: Meaning.OFF,
        }[self]


class OrderPull(models.Model):
    """One row of the feed (`inventory.pulls.Pull`), by its own key, and what became of it."""

    key = models.CharField(max_length=255, unique=True)
    order_name = models.CharField(max_length=120)
    """As the feed wrote it, without #."""
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()
    happened_at = models.DateTimeField()
    document = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=80)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    state = models.CharField(max_length=12, choices=PullState.choices, default=PullState.WAITING)
    cause = models.CharField(max_length=400, blank=True)
    remedy = models.CharField(max_length=400, blank=True)
    order = models.ForeignKey(IncomingOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="pulls")
    settled_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    """Why it was removed."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="pull_of_units"),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at=None) | (~Q(state="waiting") & Q(settled_at__isnull=False)),
                name="pull_settled_when_not_waiting",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("shipped", "covered")) | Q(order__isnull=False), name="pull_booked_on_order"
            ),
            models.CheckConstraint(condition=~Q(state="removed") | ~Q(reason=""), name="pull_removed_with_reason"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state="waiting"), name="pull_waiting")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant} for {self.order_name}"

    @property
    def standing(self) -> PullState:
        """The state as a member of its enum."""
        return PullState(self.state)
