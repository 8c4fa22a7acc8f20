"""Sales orders: the list, found by what people know of them, and one order with everything that proves it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from connectors.privacy import PERSONAL_RIGHT
from orders import edits, looks, mappings, outgoing, put_back
from orders.mappings import Names
from orders.models import Buyer, MappedKind, OrderStatus, OrderStock, SalesOrder, SalesOrderLine
from orders.search import day, elsewhere, orders_found
from orders.shipping import SHIP_RIGHT
from orders.views import timeline
from syncconsole.kernel.admin import ConsolePage, Crumb
from syncconsole.kernel.currencies import written
from syncconsole.kernel.keyset import about, page_of

SEE_RIGHT: Final = "orders.view_salesorder"
FILTERS: Final = ("store", "status", "from", "to", "q")


class SalesPage(ConsolePage):
    """Every sales order, newest first, each beside its store."""

    permission = SEE_RIGHT
    title = "Orders"
    template_name = "orders/sales.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = self.found().select_related("store", "buyer", "incoming").defer("incoming__snapshot")
        page = page_of(request, found, "-placed_at", "-id")
        return self.page(
            rows=page.rows,
            keyset=page,
            elsewhere=elsewhere({row.pk: row.incoming for row in page.rows}),
            stores=Store.objects.all(),
            statuses=OrderStatus,
            filtered=any(request.GET.get(name) for name in FILTERS),
            personal=self.can(PERSONAL_RIGHT),
            total=about(SalesOrder),
        )

    def found(self) -> QuerySet[SalesOrder, SalesOrder]:
        """Orders by the filters in the address: store, status, days placed, and what names one."""
        asked = self.request.GET
        rows = SalesOrder.objects.all()
        if slug := asked.get("store"):
            rows = rows.filter(store__slug=slug)
        if asked.get("status") in OrderStatus.values:
            rows = rows.filter(status=asked["status"])
        if words := asked.get("q", "").strip():
            rows = rows.filter(pk__in=orders_found(words))
        if since := day(asked.get("from", "")):
            rows = rows.filter(placed_at__gte=since)
        if until := day(asked.get("to", "")):
            rows = rows.filter(placed_at__lt=until + dt.timedelta(days=1))
        return rows


@dataclass(frozen=True)
class SumRow:
    """One term of the proof that an order's parts come to its total."""

    label: str
    amount: Decimal
    shop: Decimal
    is_sum: bool = False


class SalePage(ConsolePage):
    """One order: who bought, what was charged and that it adds up, money, goods, and how it came about."""

    permission = SEE_RIGHT
    template_name = "orders/sale.html"
    sale: SalesOrder

    def crumbs(self) -> list[Crumb]:
        store = self.sale.store
        orders = reverse("admin:sales")
        return [Crumb("Orders", orders), Crumb(store.name, f"{orders}?store={store.slug}"), Crumb(self.sale.number)]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.sale = sale = get_object_or_404(whole_sales(), pk=pk)
        names = mappings.of_store(sale.store, [sale.buyer.business])
        order, lines = sale.incoming.order, list(sale.lines.all())
        personal = self.can(PERSONAL_RIGHT)
        difference = difference_of(sale, lines)
        return self.page(
            sale=sale,
            lines=lines,
            sums=sums_of(sale),
            difference=difference,
            why_apart=f"{written(difference, sale.currency)} apart: a person changed a value here.",
            two_currencies=sale.currency != sale.shop_currency,
            facts=facts_of(sale, order, names),
            buyer=buyer_facts(sale.buyer, names) if personal else [],
            personal=personal,
            may_edit=self.can(edits.EDIT_RIGHT),
            elsewhere=elsewhere({sale.pk: sale.incoming}).get(sale.pk, []),
            problem=problem_of(sale),
            look=looks.open_look(sale.incoming),
            may_ship=self.can(SHIP_RIGHT),
            unsaid=put_back.asks(sale.incoming),
            gateways={value: names.ours(MappedKind.GATEWAY, value) for value in sale.gateways},
            taxes=taxes_of(lines, names),
            payments=sale.payments.all(),
            held=sale.incoming.stock.all(),
            refunds=sale.incoming.refunds.all(),
            outgoing=sale.incoming.outgoing.all(),
            shipments=shipments_of(order),
            events=timeline.of_order(sale.incoming, sale),
            zone=sale.store.zone,
        )


def problem_of(sale: SalesOrder) -> str:
    """What of the store's newest version is not carried yet; empty when all of it is."""
    if sale.revision != sale.incoming.revision:
        return "A newer version waits"
    return "Not all of it is carried yet" if sale.incoming.cause else ""


def whole_sales() -> QuerySet[SalesOrder, SalesOrder]:
    """Sales orders with all that their page shows, in a fixed number of statements."""
    found = SalesOrder.objects.select_related("store", "buyer", "incoming__store")
    stock = OrderStock.objects.select_related("variant__product", "location").order_by("pk")
    return found.prefetch_related(
        *("lines", "payments", "edits__edited_by", "incoming__refunds__documents"),
        Prefetch("incoming__stock", stock),
        Prefetch("incoming__outgoing", outgoing.listed()),
    )


def facts_of(sale: SalesOrder, order: RemoteOrder, names: Names) -> list[tuple[str, str]]:
    """What tells the order from every other, and how the store sees it."""
    methods = ", ".join(names.ours(MappedKind.SHIPPING, value) for value in sale.shipping_methods)
    return [
        ("Store", str(sale.store)),
        ("Third-party reference", sale.third_party_ref or "–"),
        ("Id in the store", sale.incoming.ref),
        ("Taken by", sale.channel or "–"),
        ("Payment in the store", sale.payment or "–"),
        ("Delivery", methods or "–"),
        ("Prices", "contain tax" if sale.taxes_included else "without tax"),
        ("Version", f"{sale.revision:,}{', edited in the store' if order.edited else ''}"),
    ]


def sums_of(sale: SalesOrder) -> list[SumRow]:
    """The terms of the total in the order a person adds them up; those that are zero are left out."""
    terms = [
        SumRow("Goods after discounts", sale.goods, sale.goods_shop),
        SumRow("Delivery", sale.shipping, sale.shipping_shop),
        SumRow("Duties", sale.duties, sale.duties_shop),
        SumRow("Fees", sale.fees, sale.fees_shop),
        SumRow("Tip", sale.tips, sale.tips_shop),
    ]
    if not sale.taxes_included:
        terms.append(SumRow("Tax", sale.tax, sale.tax_shop))
    terms.append(SumRow("Rounding of the conversion", Decimal(0), sale.conversion_shop))
    shown = [term for term in terms if term.amount or term.shop]
    return [*shown, SumRow("Total, as the store states it", sale.total, sale.total_shop, is_sum=True)]


def difference_of(sale: SalesOrder, lines: list[SalesOrderLine]) -> Decimal:
    """The store's total less what the lines come to: zero until a person changes a value here."""
    charged = sum((line.net for line in lines if not line.removed), Decimal(0))
    return sale.total - charged - (Decimal(0) if sale.taxes_included else sale.tax)


def buyer_facts(buyer: Buyer, names: Names) -> list[tuple[str, str]]:
    """What is known of the buyer, empty facts left out."""
    facts = [
        ("Name", buyer.name),
        ("Company", buyer.company),
        ("Tax id", buyer.tax_id),
        ("Customer here", names.ours(MappedKind.CUSTOMER, buyer.business)),
        ("E-mail", buyer.email),
        ("Phone", buyer.phone),
        ("Bill to", _address(buyer.billing_address)),
        ("Ship to", _address(buyer.shipping_address)),
        ("Note", buyer.note),
    ]
    return [(name, value) for name, value in facts if value]


def _address(address: dict[str, str] | None) -> str:
    if not address:
        return ""
    parts = ("name", "company", "address1", "address2", "zip", "city", "province", "country", "phone")
    return ", ".join(address[part] for part in parts if address.get(part))


@dataclass(frozen=True)
class Shipment:
    """Goods that the store says were sent."""

    name: str
    status: str
    units: int
    tracking: str
    at: dt.datetime


def shipments_of(order: RemoteOrder) -> list[Shipment]:
    """What was sent, or meant to be, oldest first."""
    return [
        Shipment(
            name=sent.name,
            status=sent.status,
            units=sum(line.quantity for line in sent.lines),
            tracking=", ".join(" ".join(filter(None, [parcel.company, parcel.number])) for parcel in sent.tracking),
            at=sent.created_at,
        )
        for sent in order.fulfilments
    ]


def taxes_of(lines: list[SalesOrderLine], names: Names) -> list[dict[str, Any]]:
    """Each tax of the order by its own name and ours."""
    found: dict[str, Decimal] = {}
    for line in lines:
        for one in line.taxes if not line.removed else ():
            found[one["name"]] = found.get(one["name"], Decimal(0)) + Decimal(one["amount"])
    return [
        {"name": name, "ours": names.ours(MappedKind.TAX, name), "amount": amount} for name, amount in found.items()
    ]
