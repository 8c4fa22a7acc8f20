"""What each line of an order holds and has sent, location by location."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Variant
from connectors.models import StoreLocation
from inventory.models import Location
from orders.models.incoming import IncomingOrder


class OrderStock(models.Model):
    """One order line at one location of the store: what the store last said of it, and what is booked here for it.

    `open_quantity` and `fulfilled` are the store's (algorithms.md §1, *open*); `held`, `ahead` and `dispatched` are
    ours. Usually held = open; they part where goods left here first (`ahead`), or were let go without being sent
    (`dispatched`).

    Units that a person holds at another of our locations than the one the store's location stands for have a row of their
    own there, which is a part of this one: what the store says stays with the whole, `fulfilled` is divided by where the
    units left from.
    """

    order = models.ForeignKey(IncomingOrder, on_delete=models.PROTECT, related_name="stock")
    line_ref = models.CharField(max_length=120)
    item_ref = models.CharField(max_length=120)
    store_location = models.ForeignKey(StoreLocation, on_delete=models.PROTECT, related_name="+")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="order_stock")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    """Ours, where the goods are held."""
    part_of = models.ForeignKey(
        "self", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="parts"
    )
    """The row of the same line at the same location of the store, which holds what nobody moved."""

    ordered = models.PositiveIntegerField(default=0, help_text="Units of the line that were assigned here first.")
    open_quantity = models.PositiveIntegerField("open", default=0)
    fulfilled = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    ahead = models.PositiveIntegerField(default=0, help_text="Shipped here, not yet fulfilled in the store.")
    dispatched = models.PositiveIntegerField(default=0, help_text="Let go here without being sent; open in the store.")
    in_doubt = models.PositiveIntegerField(
        default=0,
        help_text="Shipped here, then cancelled with restock in the store; nobody has said if they came back.",
    )
    covered = models.PositiveIntegerField(default=0, help_text="Fulfilled in the store after they were shipped here.")
    totals = models.JSONField(default=dict)
    """Kind of fact → units of it ever booked: what makes the key of the next one."""

    class Meta:
        verbose_name_plural = "order stock"
        constraints = [
            models.UniqueConstraint(
                fields=["order", "line_ref", "store_location"], condition=Q(part_of=None), name="order_stock_once"
            ),
            models.UniqueConstraint(fields=["part_of", "location"], name="order_stock_part_once"),
            models.CheckConstraint(
                condition=Q(part_of=None) | Q(ordered=0, open_quantity=0), name="order_stock_part_tells_nothing"
            ),
        ]
        indexes = [
            models.Index(fields=["variant", "location"], condition=Q(held__gt=0), name="order_stock_held"),
            models.Index(fields=["location", "order"], condition=Q(held__gt=0), name="order_stock_to_pick"),
            models.Index(
                fields=["store_location", "item_ref"], condition=Q(open_quantity__gt=0), name="order_stock_open"
            ),
        ]
        permissions = [("ship_orders", "Can say that goods of an order left, or were let go")]

    def __str__(self) -> str:
        return f"{self.order} {self.line_ref}"
