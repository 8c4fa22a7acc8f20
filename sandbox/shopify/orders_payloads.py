"""Webhook payloads of orders in their REST shape: integer ids, shop-local times, comma-joined tags (reference §7.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import orders_totals as totals
from .catalogue import Shop
from .events import local_time
from .orders import Line, Order, ShippingLine, Transaction
from .orders_back import Adjustment, Refund, RefundLine, Return
from .orders_money import Bag
from .orders_steps import number_of
from .orders_work import Fulfillment

Payload = dict[str, Any]

_CANCEL_REASONS = {"CUSTOMER": "customer", "FRAUD": "fraud", "INVENTORY": "inventory", "DECLINED": "declined"}
_FULFILLMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}


def _set(bag: Bag) -> Payload:
    return {
        "shop_money": {"amount": str(bag.shop), "currency_code": bag.tender.shop},
        "presentment_money": {"amount": str(bag.buyer), "currency_code": bag.tender.buyer},
    }


def _at(shop: Shop, stamp: str | None) -> str | None:
    return None if stamp is None else local_time(shop.time_zone, stamp)


def _taxes(row: Line | ShippingLine) -> list[Payload]:
    return [
        {"title": t.title, "rate": float(t.rate), "price": str(t.price_set.shop), "price_set": _set(t.price_set)}
        for t in row.tax_lines
    ]


def _line(line: Line) -> Payload:
    left = line.quantity - line.fulfilled - line.cancelled
    return {
        "id": number_of(line.gid),
        "admin_graphql_api_id": line.gid,
        "name": line.name,
        "title": line.title,
        "variant_title": line.variant_title,
        "sku": line.sku,
        "vendor": line.vendor,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": left,
        "fulfillment_status": None if not line.fulfilled else ("partial" if left else "fulfilled"),
        "gift_card": line.is_gift_card,
        "taxable": line.taxable,
        "requires_shipping": line.requires_shipping,
        "price": str(line.unit.shop),
        "price_set": _set(line.unit),
        "product_id": line.variant.product.number if line.variant else None,
        "variant_id": line.variant.number if line.variant else None,
        "properties": [{"name": name, "value": value} for name, value in line.attributes.items()],
        "tax_lines": _taxes(line),
        "discount_allocations": [
            {
                "amount": str(a.allocated_amount_set.shop),
                "amount_set": _set(a.allocated_amount_set),
                "discount_application_index": a.discount_application.index,
            }
            for a in line.discount_allocations
        ],
    }


def _shipping(line: ShippingLine) -> Payload:
    return {
        "id": number_of(line.gid),
        "title": line.title,
        "code": line.code,
        "source": line.source,
        "is_removed": line.is_removed,
        "price": str(line.original_price_set.shop),
        "price_set": _set(line.original_price_set),
        "discounted_price": str(line.discounted_price_set.shop),
        "discounted_price_set": _set(line.discounted_price_set),
        "tax_lines": _taxes(line),
    }


def order_payload(shop: Shop, order: Order) -> Payload:
    """The full REST order with its refunds and fulfilments."""
    money = {
        "total_price": totals.order_total(order),
        "subtotal_price": totals.subtotal(order),
        "total_tax": totals.tax(order),
        "total_discounts": totals.discounts(order),
        "current_total_price": totals.current_total(order),
        "current_subtotal_price": totals.current_subtotal(order),
        "current_total_tax": totals.current_tax(order),
        "total_shipping_price": totals.shipping_total(order),
    }
    status = totals.fulfillment_status(order)
    customer = None
    if order.customer is not None:
        customer = {"id": int(order.customer.get("id", shop.id_base + 700_000_000 + order.number)), **order.customer}
    return {
        "id": number_of(order.gid),
        "admin_graphql_api_id": order.gid,
        "name": order.name,
        "number": order.number - 1000,
        "order_number": order.number,
        "test": order.test,
        "created_at": _at(shop, order.created_at),
        "processed_at": _at(shop, order.processed_at),
        "updated_at": _at(shop, order.updated_at),
        "cancelled_at": _at(shop, order.cancelled_at),
        "cancel_reason": _CANCEL_REASONS.get(order.cancel_reason or "", order.cancel_reason and "other"),
        "closed_at": _at(shop, order.closed_at),
        "currency": order.tender.shop,
        "presentment_currency": order.tender.buyer,
        "taxes_included": order.taxes_included,
        "tax_exempt": order.tax_exempt,
        "financial_status": totals.financial_status(order).lower(),
        "fulfillment_status": _FULFILLMENT.get(status),
        "source_name": order.source_name,
        "note": order.note,
        "po_number": order.po_number,
        "note_attributes": [{"name": name, "value": value} for name, value in order.attributes.items()],
        "tags": ", ".join(order.tags),
        "payment_gateway_names": totals.gateways(order),
        **{name: str(bag.shop) for name, bag in money.items() if name != "total_shipping_price"},
        **{f"{name}_set": _set(bag) for name, bag in money.items()},
        "total_tip_received": str(totals.tip(order).shop),
        "total_outstanding": str(totals.outstanding(order).shop),
        "customer": customer,
        "email": (order.customer or {}).get("email"),
        "shipping_address": order.shipping_address,
        "billing_address": order.billing_address,
        "line_items": [_line(line) for line in order.lines],
        "shipping_lines": [_shipping(line) for line in order.shipping],
        "refunds": [refund_payload(shop, refund) for refund in order.refunds],
        "fulfillments": [fulfillment_payload(shop, parcel) for parcel in order.fulfillments],
    }


def _refund_line(entry: RefundLine) -> Payload:
    return {
        "id": number_of(entry.gid),
        "line_item_id": number_of(entry.line_item.gid),
        "location_id": entry.location.number if entry.location else None,
        "quantity": entry.quantity,
        "restock_type": entry.restock_type.lower(),
        "subtotal": float(entry.subtotal_set.shop),  # a JSON number here, unlike elsewhere (trap 35)
        "subtotal_set": _set(entry.subtotal_set),
        "total_tax": float(entry.total_tax_set.shop),
        "total_tax_set": _set(entry.total_tax_set),
        "line_item": _line(entry.line_item),
    }


def _adjustment(refund: Refund, row: Adjustment) -> Payload:
    return {
        "id": number_of(row.gid),
        "order_id": number_of(refund.order.gid),
        "refund_id": refund.number,
        "kind": "refund_discrepancy",
        "reason": row.reason.replace("_", " ").capitalize(),
        "amount": str(row.amount_set.shop),
        "amount_set": _set(row.amount_set),
        "tax_amount": str(row.tax_amount_set.shop),
        "tax_amount_set": _set(row.tax_amount_set),
    }


def refund_payload(shop: Shop, refund: Refund) -> Payload:
    """A refund with its lines, adjustments and transactions."""
    return {
        "id": refund.number,
        "admin_graphql_api_id": refund.gid,
        "order_id": number_of(refund.order.gid),
        "created_at": _at(shop, refund.created_at),
        "processed_at": _at(shop, refund.processed_at),
        "note": refund.note,
        "restock": any(entry.restocked for entry in refund.lines),
        "return": {"id": refund.origin.number} if refund.origin else None,
        "refund_line_items": [_refund_line(entry) for entry in refund.lines],
        "refund_shipping_lines": [
            {
                "id": number_of(row.gid),
                "shipping_line": _shipping(row.shipping_line),
                "subtotal_amount_set": _set(row.subtotal_amount_set),
                "tax_amount_set": _set(row.tax_amount_set),
            }
            for row in refund.shipping
        ],
        "order_adjustments": [_adjustment(refund, row) for row in refund.adjustments],
        "duties": [
            {"duty_id": number_of(row.original_duty.gid), "amount_set": _set(row.amount_set)} for row in refund.duties
        ],
        "transactions": [transaction_payload(shop, row) for row in refund.transactions],
    }


def transaction_payload(shop: Shop, row: Transaction) -> Payload:
    """A transaction; amounts are in the buyer's currency."""
    return {
        "id": number_of(row.gid),
        "admin_graphql_api_id": row.gid,
        "order_id": number_of(row.order.gid),
        "kind": row.kind.lower(),
        "status": row.status.lower(),
        "gateway": row.gateway,
        "amount": str(row.amount_set.buyer),
        "currency": row.amount_set.tender.buyer,
        "created_at": _at(shop, row.created_at),
        "processed_at": _at(shop, row.processed_at),
        "test": row.test,
        "parent_id": number_of(row.parent_transaction.gid) if row.parent_transaction else None,
        "error_code": row.error_code.lower() if row.error_code else None,
    }


def fulfillment_payload(shop: Shop, row: Fulfillment) -> Payload:
    """A parcel with its lines."""
    first: dict[str, str | None] = row.tracking[0] if row.tracking else {}
    return {
        "id": row.number,
        "admin_graphql_api_id": row.gid,
        "order_id": number_of(row.order.gid),
        "name": row.name,
        "status": row.status.lower(),
        "created_at": _at(shop, row.created_at),
        "updated_at": _at(shop, row.updated_at),
        "location_id": row.location.number,
        "tracking_company": first.get("company"),
        "tracking_number": first.get("number"),
        "tracking_numbers": [each["number"] for each in row.tracking if each.get("number")],
        "line_items": [{**_line(each.line_item), "quantity": each.quantity} for each in row.lines],
    }


def _return(shop: Shop, row: Return) -> Payload:
    return {
        "id": row.number,
        "admin_graphql_api_id": row.gid,
        "name": row.name,
        "status": row.status.lower(),
        "order": {"id": number_of(row.order.gid), "admin_graphql_api_id": row.order.gid},
        "return_line_items": [
            {
                "id": number_of(each.gid),
                "admin_graphql_api_id": each.gid,
                "quantity": each.quantity,
                "fulfillment_line_item": {"line_item": {"id": number_of(each.fulfillment_line_item.line_item.gid)}},
            }
            for each in row.lines
        ],
    }


def _edit(shop: Shop, row: dict[str, Any]) -> Payload:
    order: Order = row["order"]

    def told(rows: list[tuple[Line, int]]) -> list[Payload]:
        return [{"id": number_of(line.gid), "delta": quantity} for line, quantity in rows]

    return {
        "order_edit": {
            "id": number_of(order.gid) * 10 + order.shop.orders.revision % 10,
            "order_id": number_of(order.gid),
            "created_at": _at(shop, row["at"]),
            "committed_at": _at(shop, row["at"]),
            "line_items": {"additions": told(row["additions"]), "removals": told(row["removals"])},
        }
    }


_ORDER_NEWS = ("create", "updated", "cancelled", "paid", "fulfilled", "partially_fulfilled")
_RETURN_NEWS = ("request", "approve", "update", "process", "close", "reopen", "cancel", "decline")

PAYLOADS: dict[str, Callable[[Any, Any], Payload]] = {
    **{f"orders/{what}": order_payload for what in _ORDER_NEWS},
    "orders/edited": _edit,
    "refunds/create": refund_payload,
    "order_transactions/create": transaction_payload,
    "fulfillments/create": fulfillment_payload,
    "fulfillments/update": fulfillment_payload,
    **{f"returns/{what}": _return for what in _RETURN_NEWS},
}
