"""What a target is made of besides the ledger, since when: kept by triggers, whoever changes it and how, so that a target
of the past can be explained."""

from __future__ import annotations

from django.db import models

from connectors.models import Store
from inventory.models.publications import LevelPublication


class StoreTerms(models.Model):
    """The settings of a store that make its targets, from `since` on."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="terms")
    buffer = models.IntegerField()
    never_below_zero = models.BooleanField()
    unavailable_left_out = models.BooleanField()
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "store terms"
        indexes = [models.Index(fields=["store", "-since", "-id"], name="store_terms_newest")]

    def __str__(self) -> str:
        return f"{self.store_id} since {self.since:%Y-%m-%d %H:%M}"


class WithheldUnits(models.Model):
    """How many units a store withheld of a level, from `since` on."""

    publication = models.ForeignKey(LevelPublication, on_delete=models.CASCADE, related_name="withheld_history")
    withheld = models.IntegerField()
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "withheld units"
        indexes = [models.Index(fields=["publication", "-since", "-id"], name="withheld_units_newest")]

    def __str__(self) -> str:
        return f"{self.withheld} of {self.publication_id} since {self.since:%Y-%m-%d %H:%M}"
