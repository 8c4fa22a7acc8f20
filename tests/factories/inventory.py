"""Our locations, and levels whose quantity has an entry behind it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from inventory.models import InventoryLevel, LedgerEntry, Location, LocationMapping
from inventory.models.ledger import EntryKind
from tests.factories.catalog import VariantFactory
from tests.factories.connectors import StoreLocationFactory


class LocationFactory(factory.django.DjangoModelFactory[Location]):
    class Meta:
        model = Location

    code = factory.Sequence(lambda n: f"depozit-{n}")
    name = factory.Sequence(lambda n: f"Depozit {n}")


class LocationMappingFactory(factory.django.DjangoModelFactory[LocationMapping]):
    """Our location sold from a location of a store; the store is that of `store_location`."""

    class Meta:
        model = LocationMapping

    location = factory.SubFactory(LocationFactory)
    store_location = factory.SubFactory(StoreLocationFactory)
    store = factory.SelfAttribute("store_location.store")


class InventoryLevelFactory(factory.django.DjangoModelFactory[InventoryLevel]):
    """A level with the one entry that explains its quantities, so that the ledger's invariant holds."""

    class Meta:
        model = InventoryLevel
        skip_postgeneration_save = True

    variant = factory.SubFactory(VariantFactory)
    location = factory.SubFactory(LocationFactory)
    on_hand = Decimal(0)
    released = 0
    version = factory.LazyAttribute(lambda level: 1 if level.on_hand or level.released else 0)

    @factory.post_generation
    def entry(self: InventoryLevel, create: bool, _given: object, **_: Any) -> None:
        """The entry of kind opening that sums to the level."""
        if create and self.version:
            now = timezone.now()
            LedgerEntry.objects.create(
                level=self,
                seq=1,
                kind=EntryKind.OPENING,
                on_hand_delta=self.on_hand,
                released_delta=self.released,
                origin="test",
                key=f"test:opening:{self.pk}",
                effective_at=now,
                recorded_at=now,
            )
