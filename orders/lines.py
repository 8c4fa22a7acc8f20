"""The lines of a sales order: everything that was charged, so that they sum to the order's total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connectors.ports.money import TaxLine, TwoPrices
from connectors.ports.orders import Bundle, Duty, Fee, OrderLine, RemoteOrder, ShippingLine
from orders import totals
from orders.facts import SENT
from orders.mappings import method_of, tax_name
from orders.models import LineKind, SalesOrder, SalesOrderLine
from orders.totals import BUYERS, SHOPS, Totals


@dataclass(frozen=True)
class Goods:
    """What became of the goods of an order, by line, as the store says."""

    order: RemoteOrder

    @cached_property
    def items(self) -> dict[str, str]:
        """Line → inventory item: that of its fulfilment order, which outlives the variant (algorithms.md §3)."""
        of_work = {line.line_ref: line.item_ref for work in self.order.fulfilment_orders for line in work.lines}
        return {line.ref: of_work.get(line.ref) or line.item_ref for line in self.order.lines}

    @cached_property
    def open(self) -> Counter[str]:
        """Line → units still to be sent. A store that hides its fulfilment orders still tells the line's own figure."""
        if not self.order.fulfilment_orders:
            return Counter({line.ref: line.unfulfilled_quantity for line in self.order.lines})
        found: Counter[str] = Counter()
        for work in self.order.fulfilment_orders:
            for line in work.lines:
                found[line.line_ref] += line.remaining_quantity
        return found

    @cached_property
    def shipped(self) -> Counter[str]:
        """Line → units sent."""
        found: Counter[str] = Counter()
        for sent in self.order.fulfilments:
            if sent.status in SENT:
                for line in sent.lines:
                    found[line.line_ref] += line.quantity
        return found


def of_order(
    order: RemoteOrder, sums: Totals, goods: Goods, variants: Mapping[str, int], sale: SalesOrder
) -> list[SalesOrderLine]:
    """Unsaved lines of `sale`, numbered in the order a person reads them. `variants`: inventory item → our variant."""
    facts = list(_facts(order, sums, goods, variants))
    return [SalesOrderLine(order=sale, position=place, **fact) for place, fact in enumerate(facts, 1)]


def _facts(order: RemoteOrder, sums: Totals, goods: Goods, variants: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    heads: set[str] = set()
    for line in order.lines:
        if line.bundle and line.bundle.ref not in heads:
            heads.add(line.bundle.ref)
            yield _head(line.bundle)
        yield _line(line, sums, goods, variants)
    for place, shipping in enumerate(order.shipping, 1):
        yield _delivery(shipping, place, counted=shipping in sums.shipping)
    if not order.duties_included:
        yield from _duties(order)
    yield from (_fee(fee) for fee in order.fees)
    if sums.tip is None and BUYERS(order.total_tip).amount:
        yield _charge("tip", LineKind.TIP, "Tip", order.total_tip)


def _line(line: OrderLine, sums: Totals, goods: Goods, variants: Mapping[str, int]) -> dict[str, Any]:
    item_ref = goods.items[line.ref]
    return {
        "ref": line.ref,
        "kind": _kind(line, sums),
        "parent_ref": line.bundle.ref if line.bundle else "",
        "variant_id": variants.get(item_ref),
        "item_ref": item_ref,
        "sku": line.sku,
        "title": (line.name or line.title or line.sku)[:512],
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "open_quantity": goods.open[line.ref],
        "shipped_quantity": goods.shipped[line.ref],
        "unit_price": BUYERS(line.unit_price).amount,
        "unit_price_shop": SHOPS(line.unit_price).amount,
        "discount": totals.discount(line, BUYERS),
        "discount_shop": totals.discount(line, SHOPS),
        "net": totals.net(line, BUYERS),
        "net_shop": totals.net(line, SHOPS),
        **_taxes(line.taxes),
    }


def _kind(line: OrderLine, sums: Totals) -> LineKind:
    if line is sums.tip:
        return LineKind.TIP
    if line.is_gift_card:
        return LineKind.GIFT_CARD
    if line.bundle:
        return LineKind.COMPONENT
    return LineKind.GOODS if line.product_ref or line.variant_ref else LineKind.CUSTOM


def _head(bundle: Bundle) -> dict[str, Any]:
    """The bundle that parts belong to. Its price is that of its parts, so it is worth nothing itself."""
    return {
        "ref": bundle.ref,
        "kind": LineKind.BUNDLE,
        "sku": bundle.sku,
        "title": bundle.title[:512],
        "quantity": bundle.quantity,
        "current_quantity": bundle.quantity,
    }


def _delivery(line: ShippingLine, place: int, *, counted: bool) -> dict[str, Any]:
    return {
        **_charge(line.ref or f"shipping:{place}", LineKind.SHIPPING, line.title or line.code, line.discounted_price),
        "method": method_of(line),
        "removed": not counted,
        "current_quantity": 0 if line.is_removed else 1,
        "unit_price": BUYERS(line.price).amount,
        "unit_price_shop": SHOPS(line.price).amount,
        "discount": totals.discount(line, BUYERS),
        "discount_shop": totals.discount(line, SHOPS),
        **_taxes(line.taxes),
    }


def _duties(order: RemoteOrder) -> Iterator[dict[str, Any]]:
    of_lines = [(line, duty) for line in order.lines for duty in line.duties]
    for line, duty in of_lines:
        yield _duty(line, duty)
    if not of_lines and order.total_duties and BUYERS(order.total_duties).amount:
        yield _charge("duties", LineKind.DUTY, "Duties", order.total_duties)


def _duty(line: OrderLine, duty: Duty) -> dict[str, Any]:
    charge = _charge(duty.ref, LineKind.DUTY, f"Duty on {line.name or line.title}", duty.price)
    return {**charge, "parent_ref": line.ref, **_taxes(duty.taxes)}


def _fee(fee: Fee) -> dict[str, Any]:
    return {**_charge(fee.ref, LineKind.FEE, fee.name, fee.price), **_taxes(fee.taxes)}


def _charge(ref: str, kind: LineKind, title: str, price: TwoPrices) -> dict[str, Any]:
    """One of something that is no goods."""
    buyers, shops = BUYERS(price).amount, SHOPS(price).amount
    return {
        "ref": ref,
        "kind": kind,
        "title": title[:512],
        "quantity": 1,
        "current_quantity": 1,
        "unit_price": buyers,
        "unit_price_shop": shops,
        "net": buyers,
        "net_shop": shops,
    }


def _taxes(taxes: Iterable[TaxLine]) -> dict[str, Any]:
    rows = list(taxes)
    return {
        "tax": totals.tax(rows, BUYERS),
        "tax_shop": totals.tax(rows, SHOPS),
        "taxes": [
            {
                "name": tax_name(one),
                "title": one.title,
                "rate": None if one.rate is None else str(one.rate),
                "amount": str(BUYERS(one.price).amount),
                "amount_shop": str(SHOPS(one.price).amount),
            }
            for one in rows
        ],
    }
