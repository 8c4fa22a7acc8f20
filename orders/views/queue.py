"""The order queue: what stores told and what became of it; orders that wait, by what they wait for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Min, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from connectors.models import Store
from connectors.privacy import PERSONAL_RIGHT
from orders import imports, looks, outgoing, pace, put_back, tasks
from orders.models import IncomingOrder, IncomingState, MappedKind, OrderStock
from orders.search import elsewhere, incoming_found
from orders.shipping import SHIP_RIGHT
from orders.views import timeline
from orders.views.told import told
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.keyset import page_of

SEE_RIGHT: Final = "orders.view_incomingorder"
RETRY_RIGHT: Final = "orders.import_orders"
LOOK: Final = "look"
"""The filter for orders that were imported and still want a person's eye."""
GROUPS: Final = 20


class Fix(NamedTuple):
    """Where a person ends what orders wait for."""

    verb: str
    url: str


@dataclass(frozen=True)
class WaitingGroup:
    """Orders of one store that wait for the same thing."""

    store: Store
    waits_for: str
    cause: str
    remedy: str
    orders: int
    oldest: dt.datetime

    @property
    def query(self) -> str:
        """The address of these orders."""
        return urlencode({"store": self.store.slug, "state": IncomingState.FAILED.value, "waits_for": self.waits_for})

    @property
    def fix(self) -> Fix | None:
        """The page that ends it."""
        return fix_of(self.store, self.waits_for)


def fix_of(store: Store, waits_for: str) -> Fix | None:
    """The page on which what an order waits for is settled; None where that is done in the store."""
    kind = waits_for.partition(":")[0]
    if kind == "item":
        return Fix("Open listings and links", reverse("admin:links"))
    if kind == "location":
        return Fix("Map the location", reverse("admin:store_mappings", args=[store.slug]))
    if kind in MappedKind.values:
        return Fix(f"Name the {MappedKind(kind).label.lower()}", reverse("admin:order_names", args=[store.slug]))
    return None


def found_orders(asked: Any) -> QuerySet[IncomingOrder, IncomingOrder]:
    """Incoming orders by the filters in the address: store, state, what they wait for, and number or id."""
    rows = IncomingOrder.objects.all()
    if slug := asked.get("store"):
        rows = rows.filter(store__slug=slug)
    state = asked.get("state", "")
    if state in IncomingState.values:
        rows = rows.filter(state=state)
    elif state == LOOK:
        rows = rows.exclude(needs_look="")
    if key := asked.get("waits_for"):
        rows = rows.filter(waits_for=key)
    if words := asked.get("q", "").strip():
        rows = rows.filter(pk__in=incoming_found(words))
    return rows


def waiting_groups(store_slug: str = "") -> list[WaitingGroup]:
    """What failed orders wait for, where one fix frees most first."""
    failed = IncomingOrder.objects.filter(state=IncomingState.FAILED).order_by()
    if store_slug:
        failed = failed.filter(store__slug=store_slug)
    counted = failed.values("store", "waits_for").annotate(n=Count("pk"), oldest=Min("received_at"), one=Min("pk"))
    groups = list(counted.order_by("-n", "oldest")[:GROUPS])
    first = IncomingOrder.objects.select_related("store").defer("snapshot").in_bulk([group["one"] for group in groups])
    return [
        WaitingGroup(row.store, group["waits_for"], row.cause, row.remedy, group["n"], group["oldest"])
        for group in groups
        if (row := first.get(group["one"]))
    ]


class QueuePage(ConsolePage):
    """What waits first; then every order that a store told of."""

    permission = SEE_RIGHT
    title = "Order queue"
    template_name = "orders/queue.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = found_orders(request.GET).select_related("store", "sales_order").defer("snapshot")
        page = page_of(request, rows, "-remote_created_at", "-id")
        open_ones = found_orders({"store": request.GET.get("store")})
        counts = open_ones.filter(state__in=(IncomingState.PENDING, IncomingState.FAILED)).aggregate(
            pending=Count("pk", filter=Q(state=IncomingState.PENDING)),
            failed=Count("pk", filter=Q(state=IncomingState.FAILED)),
        )
        stores, chosen = list(Store.objects.all()), request.GET.get("store", "")
        return self.page(
            rows=page.rows,
            elsewhere=elsewhere({row.pk: row for row in page.rows}),
            keyset=page,
            groups=waiting_groups(request.GET.get("store", "")),
            chips=self.chips(counts),
            stores=stores,
            long=pace.waiting({store.pk: store for store in stores if chosen in ("", store.slug)}),
            filtered=any(request.GET.get(name) for name in ("q", "store", "state", "waits_for")),
            unset=[store for store in stores if store.integration_date is None],
            may_retry=self.can(RETRY_RIGHT),
        )

    def chips(self, counts: dict[str, int]) -> list[dict[str, Any]]:
        """Every state as a link; those that somebody waits for with their number."""
        here = self.request.GET
        kept = [(name, here.get(name)) for name in ("q", "store")]
        labels = [("", "All"), *IncomingState.choices, (LOOK, "To look at")]
        return [
            {
                "label": label,
                "count": counts.get(state),
                "current": here.get("state", "") == state,
                "url": "?" + urlencode({name: value for name, value in (*kept, ("state", state)) if value}),
            }
            for state, label in labels
        ]


class RetryOrders(ConsolePage):
    """Have failed orders tried again: those that the form's filters name."""

    permission = RETRY_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        failed = found_orders(request.POST).filter(state=IncomingState.FAILED)
        if request.POST.get("order", "").isdigit():
            failed = failed.filter(pk=int(request.POST["order"]))
        stores = list(failed.order_by().values_list("store", flat=True).distinct())
        retried = imports.retry(failed)
        for store in stores:
            tasks.import_orders.send(store)
        if retried:
            messages.success(request, f"{retried:,} {'order is' if retried == 1 else 'orders are'} tried again now.")
        else:
            messages.info(request, "None of them has failed any more, so there is nothing to try again.")
        return redirect("admin:order_queue")


class IncomingPage(ConsolePage):
    """One order as the store told it, where no sales order shows it: it waits, is a shadow, or is left out."""

    permission = SEE_RIGHT
    template_name = "orders/incoming.html"
    incoming: IncomingOrder

    def crumbs(self) -> list[Crumb]:
        queue = reverse("admin:order_queue")
        store = self.incoming.store
        return [
            Crumb("Order queue", queue),
            Crumb(store.name, f"{queue}?store={store.slug}"),
            Crumb(self.incoming.name),
        ]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = IncomingOrder.objects.select_related("store", "sales_order")
        found = found.prefetch_related("stock", Prefetch("outgoing", outgoing.listed()))
        self.incoming = incoming = get_object_or_404(found, pk=pk)
        return self.page(
            incoming=incoming,
            fix=fix_of(incoming.store, incoming.waits_for),
            elsewhere=elsewhere({incoming.pk: incoming}).get(incoming.pk, []),
            sale=getattr(incoming, "sales_order", None),
            facts=facts_of(incoming),
            look=looks.open_look(incoming),
            may_ship=self.can(SHIP_RIGHT),
            unsaid=put_back.asks(incoming),
            told=told(incoming.order, personal=self.can(PERSONAL_RIGHT)),
            lines=incoming.order.lines,
            held=OrderStock.objects.filter(order=incoming)
            .select_related("variant__product", "location")
            .order_by("pk"),
            outgoing=incoming.outgoing.all(),
            personal=self.can(PERSONAL_RIGHT),
            events=timeline.of_order(incoming),
            may_retry=self.can(RETRY_RIGHT),
            zone=incoming.store.zone,
        )


def facts_of(incoming: IncomingOrder) -> list[tuple[str, str]]:
    """What tells the order from every other, and why it is no sales order."""
    since = incoming.store.integration_date
    return [
        ("Store", str(incoming.store)),
        ("Id in the store", incoming.ref),
        ("Version", f"{incoming.revision:,}, carried up to {incoming.applied_revision:,}"),
        ("Changed there", f"{incoming.remote_updated_at.astimezone(incoming.store.zone):%-d %b %Y %H:%M:%S}"),
        ("Test order", "yes" if incoming.test else "no"),
        ("Orders count from", f"{since:%-d %b %Y}" if since else "no day yet: set the integration date"),
        ("To look at", incoming.needs_look or "–"),
    ]
