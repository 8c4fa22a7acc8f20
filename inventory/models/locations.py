"""Our locations, and which location of a store each one stands for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from connectors.models import Store, StoreLocation


class StockMaster(models.TextChoices):
    FEED = "feed", "The ledger's feed"
    BILLING = "billing", "A billing warehouse"


class Location(models.Model):
    """A place that holds our stock. One stock master each: who is believed about on hand."""

    code = models.SlugField(max_length=60, unique=True, help_text="Short name in files, e.g. cluj.")
    name = models.CharField(max_length=255, unique=True)
    stock_master = models.CharField(max_length=8, choices=StockMaster.choices, default=StockMaster.FEED)
    billing_warehouse = models.CharField(
        max_length=200,
        blank=True,
        help_text="Account and warehouse whose stock is believed, where that is the master. One location each.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(stock_master="feed", billing_warehouse="")
                | (Q(stock_master="billing") & ~Q(billing_warehouse="")),
                name="one_stock_master_per_location",
                violation_error_message="Name the billing warehouse where it is the stock master, and only there.",
            ),
            models.UniqueConstraint(
                fields=["billing_warehouse"],
                condition=~Q(billing_warehouse=""),
                name="one_location_per_billing_warehouse",
                violation_error_message="This warehouse is the stock master of another location already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def master(self) -> str:
        """Who is believed about on hand, in words."""
        if self.stock_master == StockMaster.BILLING:
            return f"billing warehouse {self.billing_warehouse}"
        return "the ledger's feed"


class LocationMapping(models.Model):
    """Our location `location` is sold from `store_location`: one to one, many to one, or all to one."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="location_mappings")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="mappings")
    store_location = models.ForeignKey(StoreLocation, on_delete=models.PROTECT, related_name="mappings")
    mapped_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "location"], name="location_mapped_once_per_store")]

    def __str__(self) -> str:
        return f"{self.location} → {self.store_location}"
