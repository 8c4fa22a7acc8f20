"""Setting up: the steps from nothing to a live store, ticked by facts in the database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from django.urls import reverse
from django.utils import timezone

from catalog.models import ListedVariant, Variant
from connectors.models import Store
from inventory import schedules
from inventory.jobs import Job
from inventory.models import InventoryLevel, LevelPublication, Location, LocationMapping, Validation
from inventory.models.publications import PublicationState
from syncconsole.kernel.admin import opens
from syncconsole.kernel.models import User
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

    title: str
    steps: list[SetupStep]

    @property
    def done(self) -> int:
        return sum(1 for step in self.steps if step.done)


@dataclass(frozen=True, slots=True)
class Fact:
    """What one step rests on. `url` empty: it cannot be opened yet."""

    label: str
    why: str
    done: bool
    url: str
    verb: str


LINGERS: Final = dt.timedelta(days=30)
"""So long after the first full sync a store's page still names the steps that were left out."""


def setup(store: Store | None, person: User) -> Setup:
    """The steps for `store`, or for the first one when there is none yet, as this person can take them."""
    return _opened("Set up Sync Console", [*_until_live(store), *_once_live(store)], person)


def left_to_do(store: Store, person: User) -> Setup | None:
    """What the page of `store` shows: every step until it is live; the last ones a while longer, where some are left."""
    if store.live_at is None:
        return setup(store, person)
    if timezone.now() - store.live_at > LINGERS:
        return None
    last = _once_live(store)
    return None if all(fact.done for fact in last) else _opened(f"Finish setting up {store}", last, person)


def _opened(title: str, facts: list[Fact], person: User) -> Setup:
    first = next((fact for fact in facts if not fact.done), None)
    if first and first.url and not opens(person, first.url):
        theirs = replace(first, url="", why=f"{first.why} · another role than yours does this")
        facts, first = [theirs if fact is first else fact for fact in facts], theirs
    steps = [SetupStep(fact.label, fact.why, fact.done, fact is first, fact.url, fact.verb) for fact in facts]
    return Setup(title, steps)


def _until_live(store: Store | None) -> list[Fact]:
    items, locations = Variant.objects.count(), Location.objects.count()
    slug = [store.slug] if store else []
    tested = bool(store and store.connection_checked_at and not store.connection_cause)
    mapped = LocationMapping.objects.filter(store=store).count() if store else 0
    linked = ListedVariant.objects.filter(store=store).count() if store else 0
    based = bool(store) and LevelPublication.objects.filter(store=store, state=PublicationState.LIVE).exists()
    stocked = InventoryLevel.objects.filter(version__gt=0).exists()
    return [
        Fact(
            "Connect a store" + (f" ({store})" if tested else ""),
            "its address and token, then a test · about 5 min",
            tested,
            reverse("admin:connectors_store_change", args=[store.pk])
            if store
            else reverse("admin:connectors_store_add"),
            "Test the connection" if store else "Connect a store",
        ),
        Fact(
            "Load items" + (f" ({plural(items, 'variant')})" if items else ""),
            "our own CSV or Shopify's product export · about 2 min",
            items > 0,
            reverse("admin:import_items"),
            "Import items",
        ),
        Fact(
            "Name our locations" + (f" ({locations})" if locations else ""),
            "the places that hold stock · about 2 min",
            locations > 0,
            reverse("admin:inventory_location_add"),
            "Add location",
        ),
        Fact(
            "Record opening stock",
            "what is on hand, from the store or a file · about 2 min",
            stocked,
            reverse("admin:openings"),
            "Plan opening stock",
        ),
        Fact(
            "Map locations" + (f" ({mapped} of {locations})" if mapped else ""),
            "so that each location is sold from one in the store · about 2 min",
            mapped > 0,
            reverse("admin:store_mappings", args=slug) if slug else "",
            "Map locations",
        ),
        Fact(
            "Link items" + (f" ({plural(linked, 'variant')})" if linked else ""),
            "binds variants by SKU, barcode or handle, never by a guess · about 2 min",
            linked > 0,
            reverse("admin:links"),
            "Link items",
        ),
        Fact(
            "Full sync: the baseline",
            "tells us what the store shows; its plan is yours to approve · about 10 min",
            based,
            reverse("admin:start_full", args=slug) if slug else "",
            "Plan the full sync",
        ),
    ]


def _once_live(store: Store | None) -> list[Fact]:
    """Steps that open with the baseline. A signature that was withdrawn later is the gates' to name, not set-up's."""
    signed = bool(store) and Validation.objects.filter(store=store, signed_at__isnull=False).exists()
    planned = schedules.of_store(store) if store else {}
    corrects = next((planned[job] for job in schedules.OVERWRITING if planned and planned[job].live), None)
    delta = planned.get(Job.DELTA)
    return [
        Fact(
            "Confirm ATS",
            "somebody counts twenty levels and signs, which unlocks daily and weekly · about 20 min",
            signed,
            reverse("admin:validation", args=[store.slug]) if store else "",
            "Open the sheet",
        ),
        Fact(
            "Turn on schedules" + (f" ({corrects.get_job_display()}: {corrects.rhythm.sentence})" if corrects else ""),
            "delta sends what changes; daily or weekly, the page says which fits, corrects what differs · about 2 min",
            corrects is not None and delta is not None and delta.live,
            reverse("admin:store_schedule", args=[store.slug]) if store else "",
            "Open schedules",
        ),
    ]
