"""What an explanation of the past rests on besides the ledger, since when: settings, withheld and signed units are kept by
triggers, whoever changes them and how, groups by their only writer, `participation.refresh`."""

from __future__ import annotations

from django.db import models

from connectors.models import Store
from inventory.models.ledger import InventoryLevel
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


class SignedUnits(models.Model):
    """How many committed units of a level were signed for as orders not known here, from `since` on."""

    publication = models.ForeignKey(
        LevelPublication, on_delete=models.CASCADE, db_index=False, related_name="signed_history"
    )
    units = models.IntegerField()
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "signed units"
        indexes = [models.Index(fields=["publication", "-since", "-id"], name="signed_units_newest")]

    def __str__(self) -> str:
        return f"{self.units} of {self.publication_id} since {self.since:%Y-%m-%d %H:%M}"


class FormerMember(models.Model):
    """A level that belonged to the group of a publication before `until`: its location was mapped elsewhere then, or its item
    linked anew. `since` empty: before that was kept."""

    publication = models.ForeignKey(LevelPublication, on_delete=models.CASCADE, related_name="former_members")
    level = models.ForeignKey(InventoryLevel, on_delete=models.CASCADE, db_index=False, related_name="+")
    since = models.DateTimeField(null=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.level_id} in {self.publication_id} until {self.until:%Y-%m-%d %H:%M}"
