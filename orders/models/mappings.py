"""What a store's payment gateways, shipping methods, taxes and business buyers are called here."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import MD5

from connectors.models import Store


class MappedKind(models.TextChoices):
    """Values of a store that need a name of ours."""

    GATEWAY = "gateway", "Payment gateway"
    SHIPPING = "shipping", "Shipping method"
    TAX = "tax", "Tax"
    CUSTOMER = "customer", "Business buyer"

    @property
    def plural(self) -> str:
        """The heading over values of this kind."""
        return "Taxes" if self is MappedKind.TAX else f"{self.label}s"


class Unmapped(models.TextChoices):
    """What a value without a name of ours does to its order."""

    DEFAULT = "default", "Use the default"
    STOP = "stop", "Stop the order"


class MappingRule(models.Model):
    """What values of one kind are called while they have no name of their own. Without a row: as the store calls them."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="mapping_rules")
    kind = models.CharField(max_length=10, choices=MappedKind.choices)
    unmapped = models.CharField(max_length=8, choices=Unmapped.choices, default=Unmapped.DEFAULT)
    default = models.CharField(max_length=120, blank=True, help_text="Empty: as the store calls it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind"], name="mapping_rule_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.store}"


class ValueMapping(models.Model):
    """One value of a store and our name for it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="value_mappings")
    kind = models.CharField(max_length=10, choices=MappedKind.choices)
    value = models.CharField(max_length=255, help_text="As the store writes it.")
    ours = models.CharField("our name", max_length=120)
    mapped_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "value"]
        constraints = [models.UniqueConstraint(fields=["store", "kind", "value"], name="value_mapped_once")]
        indexes = [models.Index(F("store"), MD5("value"), name="value_mapping_digest")]
        permissions = [("map_values", "Can name gateways, shipping methods, taxes and business buyers of a store")]

    def __str__(self) -> str:
        return f"{self.value} → {self.ours}"
