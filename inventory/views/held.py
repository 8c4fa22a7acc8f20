"""Held and drift: levels that wait or differ, grouped by cause, oldest first; the group carries the remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Case, Count, Max, Min, Sum, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from connectors.models import Store
from inventory import deciding, drift, drift_history, frozen, holds, two_writers
from inventory.models import Drift
from inventory.models.drifts import DriftCause, DriftState
from inventory.offsets import SIGN_RIGHT, older_orders_hidden
from inventory.standing import Standing
from inventory.views.levels import LevelRow, publication_rows
from syncconsole.kernel.admin import ConsolePage, Tab

BUSY = "busy"
TESTS = {
    "a": "Moved in the store moments ago",
    BUSY: "Busy: they sell too fast to rest",
    "b": "The store has orders that are not known here",
    "c": "An order or a message waits to be imported",
    "d": "A push of the level is on its way",
    "e": "Not ours to fix",
}
REMEDIES = {
    DriftCause.UNKNOWN: "Shopify does not tell who changed a quantity. Look at the level's history there, then decide.",
    DriftCause.UNANSWERED: "Nobody can tell how much of the difference is our push. Keep ours, and the store gets our number.",
    DriftCause.TWO_WRITERS: "Nothing is written to these levels. Find the app that sets them, switch that off, then resume.",
}
SAMPLES = 5
SHOWN_GROUPS = 4
"""Groups opened on one page: each costs two queries."""


@dataclass(frozen=True)
class Group:
    """Held levels of one store with one cause. `rows` are the first few."""

    store: Store
    title: str
    remedy: str
    count: int
    since: dt.datetime | None
    url: str
    rows: Sequence[LevelRow] = field(default_factory=list)


@dataclass(frozen=True)
class DriftGroup:
    """Drifts of one store with one cause and writer; `decide` is the address of the decision about all of them."""

    store: Store
    title: str
    writer: str
    remedy: str
    count: int
    units: int
    since: dt.datetime
    decide: str
    rows: Sequence[Drift]
    pairs: Sequence[two_writers.Pair] = field(default_factory=list)


class HeldPage(ConsolePage):
    """Both tabs; each is some counts and a few rows a group."""

    permission = "inventory.view_levelpublication"
    title = "Held and drift"
    template_name = "inventory/held.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        on_drift = request.GET.get("tab") == "drift"
        ignored = on_drift and bool(request.GET.get("ignored"))
        tabs = tabs_of("drift" if on_drift else "held")
        if not on_drift:
            return self.page(tabs=tabs, groups=held_groups(), may_sign=self.can(SIGN_RIGHT))
        return self.page(
            template="inventory/drift.html",
            tabs=tabs,
            groups=drift_groups(DriftState.IGNORED if ignored else DriftState.OPEN),
            chart=drift_history.drawn(list(Store.objects.all())),
            ignored=ignored,
            left_alone=drift.left_alone().count(),
            may_decide=self.can(deciding.RIGHT),
            may_resume=self.can(frozen.RIGHT),
        )


def tabs_of(current: str) -> list[Tab]:
    """Held, drift and set aside, each with its number of levels; three counts."""
    page = reverse("admin:held")
    return [
        Tab("Held", f"{page}?tab=held", current == "held", f"{holds.held().count():,}"),
        Tab("Drift", f"{page}?tab=drift", current == "drift", f"{drift.undecided().count():,}"),
        Tab("Set aside", reverse("admin:set_aside"), current == "aside", f"{frozen.set_aside().count():,}"),
    ]


def held_groups() -> list[Group]:
    """Held levels by store and failed test, oldest first; busy ones by themselves, last."""
    rows = holds.held().order_by().annotate(test=Case(When(holds.BUSY, then=Value(BUSY)), default="hold_test"))
    grouped = rows.values("store", "test", "hold_remedy").annotate(n=Count("pk"), since=Min("held_since"))
    stores = Store.objects.in_bulk()
    groups = []
    for group in sorted(grouped, key=lambda each: (each["test"] == BUSY, each["since"] is None, each["since"])):
        store, busy = stores[group["store"]], group["test"] == BUSY
        word = Standing.BUSY if busy else Standing.HELD
        few = rows.filter(store=store, test=group["test"], hold_remedy=group["hold_remedy"])
        ids = list(few.order_by("held_since").values_list("pk", flat=True)[:SAMPLES])
        remedy = "Deltas keep them right; no overwrite is needed." if busy else group["hold_remedy"]
        if group["test"] == "b" and older_orders_hidden(store):
            remedy = (
                "The app may not see orders older than 60 days, the usual cause: grant it read_all_orders in Shopify, or "
                f"sign for what is known. {remedy}"
            )
        groups.append(
            Group(
                store,
                TESTS.get(group["test"], "Held"),
                remedy,
                group["n"],
                group["since"],
                f"{reverse('admin:levels')}?{urlencode({'store': store.slug, 'state': word.value})}",
                publication_rows(ids),
            )
        )
        if len(groups) == SHOWN_GROUPS:
            break
    return groups


def drift_groups(state: DriftState) -> list[DriftGroup]:
    """Drifts in `state` by store, cause and writer, oldest first."""
    rows = drift.in_state(state).order_by()
    grouped = rows.values("store", "cause", "writer").annotate(
        n=Count("pk"), units=Sum("quantity"), since=Min("first_seen_at"), last=Max("pk")
    )
    stores = Store.objects.in_bulk()
    groups = []
    for group in sorted(grouped, key=lambda each: each["since"])[:SHOWN_GROUPS]:
        store, cause = stores[group["store"]], DriftCause(group["cause"])
        few = rows.filter(store=store, cause=cause, writer=group["writer"]).order_by("first_seen_at", "pk")[:SAMPLES]
        sample = list(few.select_related("publication__listed__variant__product", "publication__store_location"))
        about = {"store": store.slug, "cause": cause.value, "writer": group["writer"], "last": group["last"]}
        about |= {"ignored": "1"} if state == DriftState.IGNORED else {}
        groups.append(
            DriftGroup(
                store,
                str(cause.label),
                group["writer"],
                REMEDIES[cause],
                group["n"],
                group["units"],
                group["since"],
                f"{reverse('admin:decide_drift')}?{urlencode(about)}",
                sample,
                two_writers.pairs(sample) if cause is DriftCause.TWO_WRITERS else [],
            )
        )
    return groups
