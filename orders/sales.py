"""Sales orders, written from what the stores say: whole, in a fixed number of statements, again and again the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Case, DecimalField, OuterRef, Subquery, When
from django.db.models.functions import Cast
from django.utils import timezone

from catalog.models import ListedVariant
from connectors.ports.money import TwoPrices
from connectors.ports.orders import RemoteOrder
from orders import buyers, lines, mappings, totals
from orders.errors import OrderRefused
from orders.lines import Goods
from orders.models import (
    Buyer,
    EditedField,
    IncomingOrder,
    LocalEdit,
    MappedKind,
    OrderStatus,
    SalesOrder,
    SalesOrderLine,
    SalesOrderPayment,
)
from orders.totals import BUYERS, SHOPS, Totals

LINE_VALUES: Final = [
    field.attname.removesuffix("_id")
    for field in SalesOrderLine._meta.concrete_fields
    if field.name not in ("id", "order", "ref")
]
PAYMENT_VALUES: Final = [
    field.name for field in SalesOrderPayment._meta.concrete_fields if field.name not in ("id", "order", "ref")
]
# Asked for every order, so it is not composed anew each time.
STANDING: Final = """
SELECT s.*,
       EXISTS (SELECT 1 FROM orders_localedit e WHERE e.order_id = s.id AND e.overwritten_at IS NULL) AS is_edited,
       EXISTS (SELECT 1 FROM orders_waveline w JOIN orders_orderstock k ON k.id = w.stock_id
                WHERE k.order_id = s.incoming_id AND w.state = 'open') AS is_waved,
       ARRAY(SELECT l.ref FROM orders_salesorderline l WHERE l.order_id = s.id) AS line_refs
  FROM orders_salesorder s
 WHERE s.incoming_id = %s
"""
AMOUNT: Final[DecimalField[Any, Any]] = DecimalField(max_digits=20, decimal_places=4)


def write(
    incoming: IncomingOrder,
    order: RemoteOrder,
    *,
    linked: Mapping[str, int] | None = None,
    names: mappings.Names | None = None,
) -> SalesOrder:
    """The sales order of an incoming order, brought to the version `order`, which is the one `incoming` holds.

    The caller holds the row lock of `incoming`, inside a transaction. A version that stands already changes nothing; a
    newer one rewrites every value, in eight statements whatever the number of lines (one more where a line has gone or
    the order was taken elsewhere first), and local edits that it overwrites are kept with both values. Raises
    `OrderRefused` before anything is written: for sums that do not add up, values without a name of ours where the
    store stops for them, an unknown currency, and a third-party reference that another order of the store has.
    `linked` (item reference → our variant) and `names` (of the store) are what the caller has looked up already.
    """
    standing = _standing(incoming)
    if standing is not None and standing.revision == incoming.revision:
        return standing
    sums = totals.of_order(order)
    values = mappings.values_of(order)
    buyers_names = values[MappedKind.CUSTOMER]
    mappings.check(names if names and not buyers_names else mappings.of_store(incoming.store, buyers_names), values)
    _check_reference(incoming, standing, order)
    goods = Goods(order)
    is_new, sale = standing is None, standing or SalesOrder(incoming=incoming)
    status = status_of(order, goods, waved=getattr(standing, "is_waved", False))
    for name, value in {"status": status, **_facts(incoming, order, sums, values)}.items():
        setattr(sale, name, value)
    sale.save()
    _write_buyer(sale, incoming, order, is_new=is_new)
    _write_lines(sale, order, sums, goods, linked or {})
    _write_payments(sale, order)
    if getattr(sale, "is_edited", False):
        _overwrite_edits(sale)
    return sale


def status_of(order: RemoteOrder, goods: Goods, *, waved: bool = False) -> OrderStatus:
    """Shipped as soon as nothing is left to send, cancelled when nothing ever was; else released, or waved where some of
    it is being picked."""
    sent = any(goods.shipped.values())
    if order.cancelled_at and not sent:
        return OrderStatus.CANCELLED
    if any(goods.open.values()) and not order.cancelled_at:
        return OrderStatus.WAVED if waved else OrderStatus.RELEASED
    if not sent and order.lines and not any(line.current_quantity for line in order.lines):
        return OrderStatus.CANCELLED
    return OrderStatus.SHIPPED


def _standing(incoming: IncomingOrder) -> SalesOrder | None:
    """The sales order as it stands, with the references of its lines, and whether a person has changed it."""
    return next(iter(SalesOrder.objects.raw(STANDING, [incoming.pk])), None)


def _check_reference(incoming: IncomingOrder, standing: SalesOrder | None, order: RemoteOrder) -> None:
    ref = order.source_identifier
    if not ref or (standing and standing.third_party_ref == ref):
        return
    other = SalesOrder.objects.filter(store=incoming.store, third_party_ref=ref).exclude(incoming=incoming).first()
    if other is not None:
        raise OrderRefused(
            cause=f"Its third-party reference {ref} is that of order {other.number} of the same store.",
            remedy=f"Compare the two: one of them was taken twice. Cancel it in the store, then retry {order.name}.",
            waits_for=f"reference:{ref}"[:200],
        )


def _facts(
    incoming: IncomingOrder, order: RemoteOrder, sums: Totals, values: dict[MappedKind, list[str]]
) -> dict[str, Any]:
    return {
        "store": incoming.store,
        "number": order.name,
        "third_party_ref": order.source_identifier,
        "channel": (order.channel or order.source)[:120],
        "financial_status": order.financial_status,
        "placed_at": order.created_at,
        "cancelled_at": order.cancelled_at,
        "remote_updated_at": order.updated_at,
        "revision": incoming.revision,
        "written_at": timezone.now(),
        "currency": order.presentment_currency,
        "shop_currency": order.currency,
        "taxes_included": order.taxes_included,
        **_amounts(order, sums),
        **{column: values[kind] for kind, column in mappings.COLUMNS.items()},
    }


def _amounts(order: RemoteOrder, sums: Totals) -> dict[str, Any]:
    stated: dict[str, TwoPrices] = {
        "current_total": order.current_total,
        "received": order.total_received,
        "refunded": order.total_refunded,
        "rounding": order.rounding_paid,
    }
    found: dict[str, Any] = {"conversion_shop": sums.shops.conversion}
    for name in ("goods", "shipping", "tax", "duties", "fees", "tips", "discounts", "total"):
        found |= {name: getattr(sums.buyers, name), f"{name}_shop": getattr(sums.shops, name)}
    for name, price in stated.items():
        found |= {name: BUYERS(price).amount, f"{name}_shop": SHOPS(price).amount}
    return found


def _write_buyer(sale: SalesOrder, incoming: IncomingOrder, order: RemoteOrder, *, is_new: bool) -> None:
    told = buyers.facts(order) | {"redacted_at": incoming.redacted_at}
    if is_new:
        Buyer.objects.create(order=sale, **told)
    else:
        Buyer.objects.filter(order=sale).update(**told)


def _write_lines(sale: SalesOrder, order: RemoteOrder, sums: Totals, goods: Goods, linked: Mapping[str, int]) -> None:
    items = {ref for ref in goods.items.values() if ref} - linked.keys()
    listed = ListedVariant.objects.filter(store=sale.store, item_ref__in=items).values_list("item_ref", "variant")
    rows = lines.of_order(order, sums, goods, {**linked, **dict(listed)}, sale)
    if gone := set(getattr(sale, "line_refs", ())) - {row.ref for row in rows}:
        sale.lines.filter(ref__in=gone).delete()
    SalesOrderLine.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["order", "ref"], update_fields=LINE_VALUES
    )


def _write_payments(sale: SalesOrder, order: RemoteOrder) -> None:
    rows = [
        SalesOrderPayment(
            order=sale,
            ref=movement.ref,
            kind=movement.kind,
            status=movement.status,
            gateway=movement.gateway,
            manual=movement.manual,
            test=movement.test,
            amount=BUYERS(movement.amount).amount,
            rounding=BUYERS(movement.rounding).amount if movement.rounding else 0,
            currency=BUYERS(movement.amount).currency,
            amount_shop=SHOPS(movement.amount).amount,
            processed_at=movement.processed_at or movement.created_at,
            parent_ref=movement.parent_ref,
        )
        for movement in order.transactions
    ]
    SalesOrderPayment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["order", "ref"], update_fields=PAYMENT_VALUES
    )


def _overwrite_edits(sale: SalesOrder) -> None:
    """Keep, beside what a person had put in, what the store's update put in its place."""
    line = SalesOrderLine.objects.filter(order=sale, ref=OuterRef("line_ref"))
    quantity = Subquery(line.annotate(as_amount=Cast("quantity", AMOUNT)).values("as_amount"))
    price = Subquery(line.values("unit_price"))
    theirs = Case(When(field=EditedField.QUANTITY, then=quantity), default=price, output_field=AMOUNT)
    standing = LocalEdit.objects.filter(order=sale, overwritten_at=None)
    standing.update(theirs=theirs, overwritten_at=timezone.now())
