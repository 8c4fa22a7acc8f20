"""Sales orders, written from what the stores say: whole, in a fixed number of statements, again and again the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Case, DecimalField, OuterRef, Q, Subquery, When
from django.db.models.functions import Cast
from django.utils import timezone

from catalog.models import ListedVariant
from connectors.models import Store
from connectors.ports.money import Transaction, TwoPrices
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
from orders.told import Refusals, Told, set_aside
from orders.totals import BUYERS, SHOPS, Totals
from syncconsole.kernel import bulk

# Asked for every import, so it is not composed anew each time.
STANDING: Final = """
SELECT s.*,
       EXISTS (SELECT 1 FROM orders_localedit e WHERE e.order_id = s.id AND e.overwritten_at IS NULL) AS is_edited,
       ARRAY(SELECT l.ref FROM orders_salesorderline l WHERE l.order_id = s.id) AS line_refs,
       EXISTS (SELECT 1 FROM orders_waveline w JOIN orders_orderstock k ON k.id = w.stock_id
                WHERE k.order_id = s.incoming_id AND w.state = 'open') AS is_waved
  FROM orders_salesorder s
 WHERE s.incoming_id = ANY(%s)
"""
AMOUNT: Final[DecimalField[Any, Any]] = DecimalField(max_digits=20, decimal_places=4)


@dataclass(slots=True)
class _Sale:
    """A sales order on its way to a new version. `standing`: as it stands, None where there is none."""

    row: IncomingOrder
    order: RemoteOrder
    standing: SalesOrder | None
    sums: Totals
    values: dict[MappedKind, list[str]]
    goods: Goods
    sale: SalesOrder = field(init=False)

    @property
    def new_reference(self) -> str:
        """Its third-party reference, where it did not have that one before."""
        ref = self.order.source_identifier
        return "" if self.standing and self.standing.third_party_ref == ref else ref


def write(told: Told) -> Refusals:
    """The sales orders of these incoming orders, brought to the versions told.

    Inside the caller's transaction. A version that stands already changes nothing; a newer one rewrites every value, in
    eight statements whatever the number of orders and lines (two more where lines have gone or orders were taken
    elsewhere first), and local edits that it overwrites are kept with both values. Refused, and nothing written of them,
    are orders whose sums do not add up, with values without a name of ours where the store stops for them, in an
    unknown currency, and with a third-party reference that another order of the store has.
    """
    refused: Refusals = {}
    standing = _standing(told)
    newer = {row: order for row, order in told.items() if _revision(standing.get(row.pk)) != row.revision}
    found: list[_Sale] = []
    for row, order in newer.items():
        with set_aside(refused, row):
            sums, values = totals.of_order(order), mappings.values_of(order)
            found.append(_Sale(row, order, standing.get(row.pk), sums, values, Goods(order)))
    found = _acceptable(found, refused)
    if found:
        _write(found)
    return refused


def _acceptable(found: Sequence[_Sale], refused: Refusals) -> list[_Sale]:
    """Those whose values have names, and whose references are their own."""
    if not found:
        return []
    store = found[0].row.store
    names = mappings.of_store(store, {value for each in found for value in each.values[MappedKind.CUSTOMER]})
    references = _References(store, found)
    for each in found:
        with set_aside(refused, each.row):
            mappings.check(names, each.values)
            references.take(each)
    return [each for each in found if each.row not in refused]


def _write(found: Sequence[_Sale]) -> None:
    """Everything of these sales orders, table by table."""
    for each in found:
        each.sale = each.standing or SalesOrder(incoming=each.row)
        for name, value in _facts(each).items():
            setattr(each.sale, name, value)
    bulk.insert([each.sale for each in found], unique=("incoming",))
    told = [Buyer(order=each.sale, redacted_at=each.row.redacted_at, **buyers.facts(each.order)) for each in found]
    bulk.insert(told, unique=("order",))
    _write_lines(found)
    _write_payments(found)
    if edited := [each.sale for each in found if getattr(each.standing, "is_edited", False)]:
        _overwrite_edits(edited)


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


def _standing(told: Told) -> dict[int, SalesOrder]:
    """By their incoming orders: sales orders as they stand, with what `STANDING` knows of them."""
    return {sale.incoming_id: sale for sale in SalesOrder.objects.raw(STANDING, [[row.pk for row in told]])}


def _revision(standing: SalesOrder | None) -> int | None:
    return standing.revision if standing else None


class _References:
    """Whose the third-party references are that these orders newly bring; taken one after the other."""

    def __init__(self, store: Store, found: Sequence[_Sale]) -> None:
        asked = {each.new_reference for each in found} - {""}
        known = SalesOrder.objects.filter(store=store, third_party_ref__in=asked)
        self.holders: dict[str, tuple[int, str]] = {
            ref: (incoming, number)
            for ref, incoming, number in known.values_list("third_party_ref", "incoming", "number")
        }

    def take(self, each: _Sale) -> None:
        """Raise OrderRefused where the order's reference is another's."""
        ref = each.new_reference
        holder, number = self.holders.get(ref, (each.row.pk, "")) if ref else (each.row.pk, "")
        if holder != each.row.pk:
            raise OrderRefused(
                cause=f"Its third-party reference {ref} is that of order {number} of the same store.",
                remedy=f"Compare the two: one of them was taken twice. Cancel it in the store, then retry {each.order.name}.",
                waits_for=f"reference:{ref}"[:200],
            )
        if each.standing and each.standing.third_party_ref != each.order.source_identifier:
            self.holders.pop(each.standing.third_party_ref, None)
        if ref:
            self.holders[ref] = each.row.pk, each.order.name


def _facts(each: _Sale) -> dict[str, Any]:
    incoming, order = each.row, each.order
    return {
        "store": incoming.store,
        "number": order.name,
        "third_party_ref": order.source_identifier,
        "channel": (order.channel or order.source)[:120],
        "status": status_of(order, each.goods, waved=getattr(each.standing, "is_waved", False)),
        "financial_status": order.financial_status,
        "placed_at": order.created_at,
        "cancelled_at": order.cancelled_at,
        "remote_updated_at": order.updated_at,
        "revision": incoming.revision,
        "written_at": timezone.now(),
        "currency": order.presentment_currency,
        "shop_currency": order.currency,
        "taxes_included": order.taxes_included,
        **_amounts(order, each.sums),
        **{column: each.values[kind] for kind, column in mappings.COLUMNS.items()},
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


def _write_lines(found: Sequence[_Sale]) -> None:
    items = {ref for each in found for ref in each.goods.items.values() if ref}
    listed = ListedVariant.objects.filter(store=found[0].row.store, item_ref__in=items)
    variants = dict(listed.values_list("item_ref", "variant"))
    rows = [line for each in found for line in lines.of_order(each.order, each.sums, each.goods, variants, each.sale)]
    kept: dict[int, set[str]] = {}
    for row in rows:
        kept.setdefault(row.order_id, set()).add(row.ref)
    gone = Q()
    for each in found:
        if refs := set(getattr(each.standing, "line_refs", ())) - kept.get(each.sale.pk, set()):
            gone |= Q(order=each.sale, ref__in=refs)
    if gone:
        SalesOrderLine.objects.filter(gone).delete()
    bulk.insert(rows, unique=("order", "ref"))


def _write_payments(found: Sequence[_Sale]) -> None:
    rows = [_payment(each.sale, movement) for each in found for movement in each.order.transactions]
    bulk.insert(rows, unique=("order", "ref"))


def _payment(sale: SalesOrder, movement: Transaction) -> SalesOrderPayment:
    return SalesOrderPayment(
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


def _overwrite_edits(sales: Sequence[SalesOrder]) -> None:
    """Keep, beside what a person had put in, what the store's update put in its place."""
    line = SalesOrderLine.objects.filter(order=OuterRef("order"), ref=OuterRef("line_ref"))
    quantity = Subquery(line.annotate(as_amount=Cast("quantity", AMOUNT)).values("as_amount"))
    price = Subquery(line.values("unit_price"))
    theirs = Case(When(field=EditedField.QUANTITY, then=quantity), default=price, output_field=AMOUNT)
    standing = LocalEdit.objects.filter(order__in=sales, overwritten_at=None)
    standing.update(theirs=theirs, overwritten_at=timezone.now())
