"""Orders of any shape for tests, with the figures a store would state written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import transaction

from connectors.models import Store
from connectors.ports.money import TaxLine, Transaction, TwoPrices
from connectors.ports.orders import (
    Bundle,
    Discount,
    Duty,
    Fee,
    Fulfilment,
    FulfilmentLine,
    FulfilmentOrder,
    OrderLine,
    RemoteOrder,
    ShippingLine,
    WorkLine,
)
from orders import intake, sales
from orders.models import IncomingOrder, SalesOrder
from tests.factories.orders import NOON, blank, price

ORDER = "gid://shopify/Order/1042"


def both(amount: str, currency: str = "RON", shop: str = "") -> TwoPrices:
    """An amount of an order in `currency`; the shop's is in RON, `shop` where it differs."""
    return price(amount, currency, shop=shop, shop_currency="RON" if shop else currency)


def tax(amount: str, currency: str = "RON", rate: str = "0.21", shop: str = "") -> TaxLine:
    return blank(TaxLine, title="TVA", rate=Decimal(rate), price=both(amount, currency, shop))


def line(
    quantity: int = 1,
    unit: str = "100.00",
    *,
    off: Sequence[str] = (),
    taxes: Sequence[str] = (),
    duty: str = "",
    currency: str = "RON",
    ref: str = "line/1",
    **parts: Any,
) -> OrderLine:
    """Goods with their share of each discount, their taxes and a duty."""
    whole = blank(
        OrderLine,
        ref=ref,
        name="Tricou negru / M",
        sku="TS-BLK-M",
        product_ref="product/1",
        variant_ref="variant/1",
        item_ref="item/1",
        quantity=quantity,
        current_quantity=quantity,
        unfulfilled_quantity=quantity,
        requires_shipping=True,
        unit_price=both(unit, currency),
        discounts=tuple(Discount(both(share, currency), "code", "MAI10") for share in off),
        taxes=tuple(tax(amount, currency) for amount in taxes),
        duties=(Duty("duty/1", both(duty, currency), ()),) if duty else (),
    )
    return replace(whole, **parts)


def custom(quantity: int = 1, unit: str = "15.00", **parts: Any) -> OrderLine:
    """A line typed in by hand: the store knows no product behind it."""
    nothing = {"product_ref": "", "variant_ref": "", "item_ref": "", "sku": "", "requires_shipping": False}
    return line(quantity, unit, **{"ref": "line/custom", "name": "Împachetare cadou", **nothing, **parts})


def delivery(amount: str = "15.00", *, after: str = "", taxes: Sequence[str] = (), **parts: Any) -> ShippingLine:
    """A delivery of `amount`, or `after` a discount."""
    currency = parts.pop("currency", "RON")
    whole = blank(
        ShippingLine,
        ref="shipping/1",
        title="Curier rapid",
        code="curier",
        price=both(amount, currency),
        discounted_price=both(after or amount, currency),
        taxes=tuple(tax(share, currency) for share in taxes),
    )
    return replace(whole, **parts)


def fee(amount: str) -> Fee:
    return Fee("fee/1", "Taxă de ambalaj", both(amount), ())


def bundle(quantity: int = 1) -> Bundle:
    return blank(Bundle, ref="group/1", title="Set de iarnă", quantity=quantity, sku="SET-1")


def payment(
    amount: str = "100.00", *, gateway: str = "shopify_payments", ref: str = "transaction/1", **parts: Any
) -> Transaction:
    currency = parts.pop("currency", "RON")
    whole = blank(Transaction, ref=ref, kind="sale", status="success", gateway=gateway, amount=both(amount, currency))
    return replace(whole, **parts)


def work(quantity: int, *, line_ref: str = "line/1", item_ref: str = "item/1") -> FulfilmentOrder:
    """Units still to be sent."""
    left = WorkLine("work-line/1", line_ref, item_ref, quantity, quantity)
    return blank(FulfilmentOrder, ref="work/1", status="open", lines=(left,))


def sent(quantity: int, *, line_ref: str = "line/1", status: str = "success") -> Fulfilment:
    return blank(Fulfilment, ref="sent/1", status=status, lines=(FulfilmentLine("sent-line/1", line_ref, quantity),))


def order(
    *lines: OrderLine, total: str, subtotal: str | None = None, currency: str = "RON", **parts: Any
) -> RemoteOrder:
    """An order whose store states `total`, `subtotal`, and in `parts` what else it states, as text or as the port says."""
    figures = ("total_tax", "total_duties", "total_tip", "total_received", "rounding_paid", "current_total")
    for name in figures:
        if isinstance(parts.get(name), str):
            parts[name] = both(parts[name], currency)
    return blank(
        RemoteOrder,
        **{
            "ref": ORDER,
            "name": "#1042",
            "currency": currency,
            "presentment_currency": currency,
            "lines": lines,
            "total": both(total, currency),
            "subtotal": None if subtotal is None else both(subtotal, currency),
            "total_tip": both("0", currency),
            **parts,
        },
    )


def sold(*lines: OrderLine, **parts: Any) -> RemoteOrder:
    """Two units of one line at 100.00, unless said otherwise."""
    return order(*(lines or (line(2),)), **{"total": "200.00", "subtotal": "200.00", **parts})


def told(store: Store, said: RemoteOrder) -> SalesOrder:
    """The store tells of an order, and it is written as the import writes it."""
    with transaction.atomic():
        intake.keep(store, [said], asked_at=NOON)
        rows = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store")
        return written(rows.get(ref=said.ref, store=store), said)


def written(row: IncomingOrder, said: RemoteOrder) -> SalesOrder:
    """The sales order of one incoming order, brought to this version; raises what it is refused for."""
    for problem in sales.write({row: said}).values():
        raise problem
    return SalesOrder.objects.get(incoming=row)
