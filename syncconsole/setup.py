"""Setting up: the steps from nothing to a live store, ticked by facts in the database."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from catalog.models import ListedVariant, Variant
from connectors.models import Store
from inventory.models import InventoryLevel, LevelPublication, Location, LocationMapping
from inventory.models.publications import PublicationState
from syncconsole.kernel.templatetags.console import plural


@dataclass(frozen=True)
class SetupStep:
    """One step. Only the first that is not done is open."""

    label: str
    why: str
    done: bool
    open: bool
    url: str
    verb: str


@dataclass(frozen=True)
class Setup:
    """All steps and how many are done."""

    steps: list[SetupStep]

    @property
    def done(self) -> int:
        return sum(1 for step in self.steps if step.done)


def setup(store: Store | None) -> Setup:
    """The steps for `store`, or for the first one when there is none yet."""
    items, locations = Variant.objects.count(), Location.objects.count()
    slug = [store.slug] if store else []
    tested = bool(store and store.connection_checked_at and not store.connection_cause)
    mapped = LocationMapping.objects.filter(store=store).count() if store else 0
    linked = ListedVariant.objects.filter(store=store).count() if store else 0
    based = bool(store) and LevelPublication.objects.filter(store=store, state=PublicationState.LIVE).exists()
    stocked = InventoryLevel.objects.filter(version__gt=0).exists()
    facts = [
        (
            "Connect a store" + (f" ({store})" if tested else ""),
            "its address and token, then a test · about 5 min",
            tested,
            reverse("admin:connectors_store_change", args=[store.pk])
            if store
            else reverse("admin:connectors_store_add"),
            "Test the connection" if store else "Connect a store",
        ),
        (
            "Load items" + (f" ({plural(items, 'variant')})" if items else ""),
            "our own CSV or Shopify's product export · about 2 min",
            items > 0,
            reverse("admin:import_items"),
            "Import items",
        ),
        (
            "Name our locations" + (f" ({locations})" if locations else ""),
            "the places that hold stock · about 2 min",
            locations > 0,
            reverse("admin:inventory_location_add"),
            "Add location",
        ),
        (
            "Record opening stock",
            "what is on hand, from the store or a file · about 2 min",
            stocked,
            reverse("admin:openings"),
            "Plan opening stock",
        ),
        (
            "Map locations" + (f" ({mapped} of {locations})" if mapped else ""),
            "so that each location is sold from one in the store · about 2 min",
            mapped > 0,
            reverse("admin:store_mappings", args=slug) if slug else "",
            "Map locations",
        ),
        (
            "Link items" + (f" ({plural(linked, 'variant')})" if linked else ""),
            "binds variants by SKU, barcode or handle, never by a guess · about 2 min",
            linked > 0,
            reverse("admin:links"),
            "Link items",
        ),
        (
            "Full sync: the baseline",
            "tells us what the store shows; its plan is yours to approve · about 10 min",
            based,
            reverse("admin:start_full", args=slug) if slug else "",
            "Plan the full sync",
        ),
    ]
    first = next((index for index, fact in enumerate(facts) if not fact[2]), len(facts))
    return Setup(
        [
            SetupStep(label, why, done, index == first, url, verb)
            for index, (label, why, done, url, verb) in enumerate(facts)
        ]
    )
