"""Levels: what we have, and for a chosen store what it should show, is believed to show, and showed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from catalog.models import ListedVariant, Variant
from catalog.search import variants_found
from connectors.models import Store
from inventory import standing
from inventory.models import InventoryLevel, LevelPublication, Location, LocationMapping, PublishedLevel
from inventory.models.publications import PublicationState
from inventory.standing import Standing, Stands
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import KeysetPage, about, page_of

FEW_VARIANTS = 1000
"""Up to so many variants are named one by one in a query; more are met soon enough by reading in order."""


@dataclass(frozen=True)
class LevelRow:
    """A line of the list: of one level, or of one publication with its levels summed."""

    variant: Variant
    place: str
    on_hand: Decimal
    released: int
    url: str
    stands: Stands | None = None
    target: int | None = None
    expected: int | None = None
    observed: int | None = None
    read_at: dt.datetime | None = None
    since: dt.datetime | None = None
    out_since: dt.datetime | None = None
    """Since when it takes no part for the reason that stands beside its state, where that was kept."""
    sign_url: str = ""
    """Where a person may sign for the orders that it waits for."""

    @property
    def ats(self) -> Decimal:
        """Available to sell."""
        return self.on_hand - self.released


class LevelsPage(ConsolePage):
    """The list. With a store: its publications; without, or for what it does not list: our levels."""

    permission = "inventory.view_inventorylevel"
    title = "Levels"
    template_name = "inventory/levels.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        stores = list(Store.objects.all())
        asked = request.GET.get("store", stores[0].slug if stores else "")
        store = next((each for each in stores if each.slug == asked), None)
        state = request.GET.get("state", "")
        listed = store is not None and state != Standing.NOT_LISTED
        page, rows = self.publications(store) if store and listed else self.levels(store)
        filters = ("location", "state", "q", "zero", "tag")
        return self.page(
            rows=rows,
            keyset=page,
            store=store,
            listed=listed,
            stores=stores,
            locations=list(Location.objects.all()),
            states=list(Standing),
            total=about(LevelPublication if listed else InventoryLevel),
            filtered=any(request.GET.get(name) for name in filters),
            zone=store.zone if store else None,
        )

    def publications(self, store: Store) -> tuple[KeysetPage[LevelPublication], list[LevelRow]]:
        """Fifty publications of the store; targets are worked out for those fifty only."""
        asked = self.request.GET
        found = LevelPublication.objects.filter(store=store).exclude(state=PublicationState.CLOSED)
        if code := asked.get("location"):
            mapped = LocationMapping.objects.filter(store=store, location__code=code).values("store_location")
            found = found.filter(store_location__in=mapped)
        if words := asked.get("q", "").strip():
            found = found.filter(listed__variant__in=variants_found(words))
        if tag := asked.get("tag", "").strip():
            found = found.filter(listed__variant__tag_keys__contains=[tag.casefold()])
        if asked.get("zero"):
            found = found.filter(standing.at_zero())
        page = page_of(self.request, standing.found(found, asked.get("state", "")), "id")
        return page, publication_rows([row.pk for row in page.rows])

    def levels(self, store: Store | None) -> tuple[KeysetPage[InventoryLevel], list[LevelRow]]:
        """Fifty of our levels; with a store, of those it does not list."""
        asked = self.request.GET
        found = InventoryLevel.objects.select_related("variant__product", "location")
        if code := asked.get("location"):
            found = found.filter(location__code=code)
        if words := asked.get("q", "").strip():
            found = found.filter(variant__in=variants_found(words))
        if tag := asked.get("tag", "").strip():
            found = found.filter(variant__tag_keys__contains=[tag.casefold()])
        if asked.get("zero"):
            found = found.filter(on_hand__lte=F("released"))
        if store:
            found = not_listed(found, store)
        page = page_of(self.request, found, "id")
        word = Stands(Standing.NOT_LISTED) if store else None
        rows = [
            LevelRow(
                row.variant,
                row.location.name,
                row.on_hand,
                row.released,
                reverse("admin:why_level", args=[row.pk]),
                word,
            )
            for row in page.rows
        ]
        return page, rows


def not_listed(
    levels: QuerySet[InventoryLevel, InventoryLevel], store: Store
) -> QuerySet[InventoryLevel, InventoryLevel]:
    """Levels that belong to no publication of `store`: the item is not linked, or the location not mapped.

    Few of them among a million are found by their variants, many by reading levels in order.
    """
    listed = ListedVariant.objects.filter(store=store, variant=OuterRef("pk"))
    variants = list(Variant.objects.filter(~Exists(listed)).order_by().values_list("pk", flat=True)[: FEW_VARIANTS + 1])
    unmapped = list(Location.objects.exclude(mappings__store=store).values_list("pk", flat=True))
    if unmapped or len(variants) > FEW_VARIANTS:
        return levels.filter(~Exists(PublishedLevel.objects.filter(store=store, level=OuterRef("pk"))))
    return levels.filter(variant__in=variants)


def publication_rows(ids: list[int]) -> list[LevelRow]:
    """Lines for these publications, in the order of their ids."""
    found = (
        LevelPublication.objects.filter(pk__in=ids)
        .with_target()
        .annotate(
            on_hand=Sum("members__level__on_hand"),
            released=Sum("members__level__released"),
            is_drifting=standing.IN_DRIFT,
        )
        .select_related("listed__variant__product", "store_location", "store")
        .order_by("pk")
    )
    return [publication_row(row) for row in found]


def publication_row(row: Any) -> LevelRow:
    """A line for one publication annotated `with_target`, `on_hand`, `released` and `is_drifting`."""
    known = row.baseline_at is not None
    return LevelRow(
        variant=row.listed.variant,
        place=row.store_location.name,
        on_hand=row.on_hand or Decimal(0),
        released=row.released or 0,
        url=reverse("admin:why", args=[row.pk]),
        stands=standing.stands(row, row.pending or 0, drifts=row.is_drifting),
        target=row.target,
        expected=row.expected_quantity if known else None,
        observed=row.observed_available,
        read_at=row.observed_at,
        since=row.held_since,
        out_since=row.excluded_at,
        sign_url=reverse("admin:sign_offset", args=[row.pk]) if row.hold_test == "b" else "",
    )
