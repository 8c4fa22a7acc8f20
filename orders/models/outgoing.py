"""Outgoing fulfilments: goods that left here first, told to their store exactly once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from connectors.models import StoreLocation
from orders.models.incoming import IncomingOrder
from orders.models.stock import OrderStock
from syncconsole.kernel.status import Meaning


class OutgoingState(models.TextChoices):
    """How far the store was told."""

    WAITING = "waiting", "Waits to be sent"
    SENT = "sent", "Sent, no answer yet"
    """It may have been carried out: the order is looked at before anything else happens."""
    DONE = "done", "In the store"
    NEEDS_PERSON = "needs_person", "Needs you"
    LEFT = "left", "Not sent"
    """A person decided that the store is not told."""

    @property
    def meaning(self) -> Meaning:
        return {
            OutgoingState.WAITING: Meaning.WAITS,
            OutgoingState.SENT: Meaning.RUNNING,
            OutgoingState.DONE: Meaning.OK,
            OutgoingState.NEEDS_PERSON: Meaning.NEEDS_YOU,
            OutgoingState.LEFT: Meaning.OFF,
        }[self]


ON_ITS_WAY = (OutgoingState.WAITING, OutgoingState.SENT)


class OutgoingFulfilment(models.Model):
    """One parcel of an order from one location of its store, to be told to the store.

    Stored with the ledger entries of its shipment, sent by a worker afterwards. Stores keep no key of a fulfilment, so a
    lost reply is settled by what the order shows: `known` are the fulfilments it had when this one was first sent.
    """

    order = models.ForeignKey(IncomingOrder, on_delete=models.PROTECT, related_name="outgoing")
    store_location = models.ForeignKey(StoreLocation, on_delete=models.PROTECT, related_name="+")
    company = models.CharField(max_length=120, blank=True)
    number = models.CharField("tracking number", max_length=120, blank=True)
    url = models.URLField("tracking page", max_length=500, blank=True)
    notify = models.BooleanField("the store writes to the customer", default=False)
    state = models.CharField(max_length=12, choices=OutgoingState.choices, default=OutgoingState.WAITING)
    body = models.BinaryField(default=b"")
    """The exact bytes of the last try."""
    known = models.JSONField(null=True)
    """None: nothing was sent that may have been carried out."""
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    cause = models.CharField(max_length=400, blank=True)
    remedy = models.CharField(max_length=400, blank=True)
    remote_ref = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    """None: the stock feed."""
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(known__isnull=False, last_sent_at__isnull=False),
                name="outgoing_sent_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["order"], condition=Q(state__in=["waiting", "sent"]), name="outgoing_on_its_way"),
            models.Index(fields=["-id"], condition=Q(state="needs_person"), name="outgoing_needs_person"),
        ]

    def __str__(self) -> str:
        return f"Fulfilment {self.pk} of {self.order}"

    @property
    def standing(self) -> OutgoingState:
        """The state as a member of its enum."""
        return OutgoingState(self.state)

    @property
    def units(self) -> int:
        """How many goods it carries."""
        return sum(line.quantity for line in self.lines.all())

    @property
    def tracking(self) -> str:
        """The parcel in a few words; empty without one."""
        return " ".join(filter(None, [self.company, self.number])) or self.url


class OutgoingLine(models.Model):
    """Units of one row of the order's stock. `after`: how many of the row were ever shipped here first before these, so
    that the same units are in one fulfilment only."""

    outgoing = models.ForeignKey(OutgoingFulfilment, on_delete=models.PROTECT, related_name="lines")
    stock = models.ForeignKey(OrderStock, on_delete=models.PROTECT, related_name="outgoing_lines")
    after = models.PositiveIntegerField()
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stock", "after"], name="outgoing_units_once"),
            models.UniqueConstraint(fields=["outgoing", "stock"], name="outgoing_stock_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="outgoing_units_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.stock}"
