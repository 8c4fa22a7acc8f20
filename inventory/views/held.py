"""Held and drift: levels that wait or differ, grouped by cause, oldest first; the group carries the remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, Min, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from connectors.models import Store
from inventory import standing
from inventory.models import LevelPublication
from inventory.standing import Standing
from inventory.views.levels import LevelRow, publication_rows
from syncconsole.kernel.admin import ConsolePage, Tab

TESTS = {
    "a": "Moved in the store moments ago",
    "b": "The store has orders that are not known here",
    "c": "An order or a message waits to be imported",
    "d": "A push of the level is on its way",
    "e": "Not ours to fix",
}
SAMPLES = 5


@dataclass(frozen=True)
class Group:
    """Levels of one store with one cause. `rows` are the first few."""

    store: Store
    title: str
    remedy: str
    count: int
    since: dt.datetime | None
    units: int | None
    url: str
    rows: Sequence[LevelRow] = field(default_factory=list)


class HeldPage(ConsolePage):
    """Both tabs; each is some counts and a few rows a group."""

    permission = "inventory.view_levelpublication"
    title = "Held and drift"
    template_name = "inventory/held.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        drift = request.GET.get("tab") == "drift"
        held_rows = standing.found(LevelPublication.objects.all(), Standing.HELD)
        drift_rows = standing.found(LevelPublication.objects.all(), Standing.DRIFT)
        counts = (held_rows.count(), drift_rows.count())
        tabs = [
            Tab("Held", "?tab=held", not drift, f"{counts[0]:,}"),
            Tab("Drift", "?tab=drift", drift, f"{counts[1]:,}"),
        ]
        return self.page(groups=drift_groups() if drift else held_groups(), tabs=tabs, drift=drift)


def held_groups() -> list[Group]:
    """Held levels by store and failed test, oldest first."""
    rows = standing.found(LevelPublication.objects.all(), Standing.HELD).order_by()
    grouped = rows.values("store", "hold_test", "hold_remedy").annotate(n=Count("pk"), since=Min("held_since"))
    stores = Store.objects.in_bulk()
    groups = []
    for group in sorted(grouped, key=lambda each: (each["since"] is None, each["since"])):
        store = stores[group["store"]]
        few = rows.filter(store=store, hold_test=group["hold_test"], hold_remedy=group["hold_remedy"])
        ids = list(few.order_by("held_since").values_list("pk", flat=True)[:SAMPLES])
        title = TESTS.get(group["hold_test"], "Held")
        groups.append(
            Group(
                store,
                title,
                group["hold_remedy"],
                group["n"],
                group["since"],
                None,
                _list(store, Standing.HELD),
                publication_rows(ids),
            )
        )
        if len(groups) == SHOWN_GROUPS:
            break
    return groups


SHOWN_GROUPS = 4
"""Groups opened on one page: each costs two queries."""


def drift_groups() -> list[Group]:
    """Levels whose store showed something else than expected, by store."""
    rows = standing.found(LevelPublication.objects.all(), Standing.DRIFT).order_by()
    grouped = rows.values("store").annotate(
        n=Count("pk"), since=Min("observed_at"), units=Sum(F("observed_available") - F("expected_quantity"))
    )
    stores = Store.objects.in_bulk()
    groups = []
    for group in sorted(grouped, key=lambda each: -each["n"])[:SHOWN_GROUPS]:
        store = stores[group["store"]]
        ids = list(rows.filter(store=store).order_by("observed_at").values_list("pk", flat=True)[:SAMPLES])
        groups.append(
            Group(
                store,
                "No push of ours and no known order explains it",
                "Open Why for the sums of a level. A full sync compares and overwrites settled levels.",
                group["n"],
                group["since"],
                group["units"],
                _list(store, Standing.DRIFT),
                publication_rows(ids),
            )
        )
    return groups


def _list(store: Store, word: Standing) -> str:
    return f"{reverse('admin:levels')}?{urlencode({'store': store.slug, 'state': word.value})}"
