"""The fields of an order's rows, in the words of the API."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import orders_totals as totals
from .execution import PageRequest, Run
from .orders import Discount, Line, Order, ShippingLine, Transaction
from .orders_back import Return
from .orders_money import Bag, total
from .orders_pages import listed
from .orders_refunding import refundable
from .orders_work import Fulfillment, FulfillmentOrder, FulfillmentOrderLine
from .pages import Page
from .search import parse_search

ListField = Callable[[Any, dict[str, Any], Run], list[Any]]


def _first(rows_of: Callable[[Any], list[Any]]) -> ListField:
    """A plain list with `first`, without page info: what is beyond is cut off silently (trap 23)."""
    return lambda row, arguments, run: rows_of(row)[: arguments.get("first")]


def _page(rows_of: Callable[[Any], list[Any]]) -> Callable[[Any, PageRequest, Run], Page]:
    return lambda row, request, run: listed(rows_of(row), request)


def _fulfillments(order: Order, arguments: dict[str, Any], run: Run) -> list[Fulfillment]:
    fields = {"created_at": lambda row: row.created_at, "updated_at": lambda row: row.updated_at}
    search = parse_search(arguments.get("query"), fields, lambda row: row.name)
    rows = [row for row in order.fulfillments if search is None or search.matches(row)]
    return rows[: arguments.get("first")]


def _shipping_lines(order: Order, request: PageRequest, run: Run) -> Page:
    wanted = request.rest.get("includeRemovals")
    return listed([line for line in order.shipping if wanted or not line.is_removed], request)


def _discounted_total(line: Line, arguments: dict[str, Any], run: Run) -> Bag:
    """Without order-level discounts, and without codes unless asked for (reference §6.2)."""
    return line.gross.minus(_own_discount(line, codes=bool(arguments.get("withCodeDiscounts"))))


def _own_discount(line: Line, *, codes: bool) -> Bag:
    counted = [
        a.allocated_amount_set
        for a in line.discount_allocations
        if not a.discount_application.whole_order or (codes and a.discount_application.kind == "code")
    ]
    return total(counted, line.unit.tender)


def _tax(title: str, rate: Decimal, source: str | None, price: Bag) -> dict[str, Any]:
    told = {"title": title, "rate": float(rate), "ratePercentage": float(rate * 100)}
    return {**told, "source": source, "priceSet": price, "channelLiable": None}


def _order_taxes(order: Order) -> list[dict[str, Any]]:
    found: dict[tuple[str, Decimal], Bag] = {}
    for taxes in [line.tax_lines for line in order.lines] + [s.tax_lines for s in totals.shipping_lines(order)]:
        for tax in taxes:
            key = (tax.title, tax.rate)
            found[key] = found.get(key, order.tender.nothing()).plus(tax.price_set)
    return [_tax(title, rate, None, bag) for (title, rate), bag in found.items()]


def _line_taxes(row: Line | ShippingLine) -> list[dict[str, Any]]:
    return [_tax(t.title, t.rate, t.source, t.price_set) for t in row.tax_lines]


def address(order: Order, given: dict[str, Any] | None, kind: str) -> dict[str, Any] | None:
    """An address as `MailingAddress`, from ``first_name``, ``city``, ``country_code`` … of the control call."""
    if given is None:
        return None
    names = [given.get("first_name"), given.get("last_name")]
    return {
        "id": f"gid://shopify/MailingAddress/{order.shop.id_base + order.number}?model_name={kind}",
        "firstName": names[0],
        "lastName": names[1],
        "name": given.get("name") or " ".join(filter(None, names)) or None,
        "provinceCode": given.get("province_code"),
        "countryCodeV2": given.get("country_code"),
        **{k: given.get(k) for k in ("company", "address1", "address2", "city", "zip", "province", "country", "phone")},
    }


def _attributes(row: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in row.attributes.items()]


def _rounding(order: Order) -> dict[str, Bag]:
    zero = order.tender.nothing()
    return {"paymentSet": order.payment_rounding or zero, "refundSet": order.refund_rounding or zero}


def _shipping_refunded(order: Order) -> Bag:
    return totals.shipping_refunded(order)


def _waits(row: FulfillmentOrder) -> dict[str, Any]:
    return {"name": row.location.name, "countryCode": "RO", "location": row.location}


def _tracking(parcel: Fulfillment) -> list[dict[str, Any]]:
    return [{"company": t.get("company"), "number": t.get("number"), "url": t.get("url")} for t in parcel.tracking]


def _refundable_quantity(line: Line) -> int:
    return max(0, line.current_quantity)


def _method(row: Discount) -> str:
    return "ACROSS" if row.whole_order else "ONE"


def _money_of_return(row: Return) -> list[Transaction]:
    return [t for refund in row.order.refunds if refund.origin is row for t in refund.transactions]


def _item_gid(row: FulfillmentOrderLine) -> str | None:
    return row.line_item.item.gid if row.line_item.item else None


def _variant(line: Line, arguments: Any, run: Run) -> Any:
    """None after the variant is deleted."""
    return run.world.shop.by_gid.get(line.variant.gid) if line.variant else None


def _product(line: Line, arguments: Any, run: Run) -> Any:
    return run.world.shop.by_gid.get(line.variant.product.gid) if line.variant else None


def _visible_variant(row: Any, arguments: Any, run: Run) -> Any:
    return _variant(row.line_item, arguments, run)


def _draft_variant(row: Any, arguments: Any, run: Run) -> Any:
    return run.world.shop.by_gid.get(row.item.variant.gid) if row.item else None


IDENTIFIED = [
    "Order",
    "LineItem",
    "ShippingLine",
    "OrderTransaction",
    "Refund",
    "RefundLineItem",
    "RefundShippingLine",
    "OrderAdjustment",
    "Duty",
    "Fulfillment",
    "FulfillmentLineItem",
    "FulfillmentOrder",
    "FulfillmentOrderLineItem",
    "FulfillmentHold",
    "Return",
    "ReturnLineItem",
    "ExchangeLineItem",
    "DraftOrder",
    "DraftOrderLineItem",
]
MANUAL_GATEWAYS = ("bank_deposit", "cash", "cash_on_delivery", "manual", "money_order")
"""Gateways whose money the merchant counts himself; such an order stays PENDING until he says that it came."""
_APPLICATIONS = ("AutomaticDiscountApplication", "DiscountCodeApplication", "ManualDiscountApplication")

PLAIN: dict[tuple[str, str], Callable[[Any], Any]] = {
    **{(name, "id"): lambda row: row.gid for name in IDENTIFIED},
    ("MoneyBag", "shopMoney"): Bag.shop_money,
    ("MoneyBag", "presentmentMoney"): Bag.buyer_money,
    ("Order", "legacyResourceId"): lambda row: row.gid.rpartition("/")[2],
    ("Order", "confirmationNumber"): lambda row: f"C{row.number:08d}",
    ("Order", "closed"): lambda row: row.closed_at is not None,
    ("Order", "confirmed"): lambda row: True,
    ("Order", "currencyCode"): lambda row: row.tender.shop,
    ("Order", "presentmentCurrencyCode"): lambda row: row.tender.buyer,
    ("Order", "displayFinancialStatus"): totals.financial_status,
    ("Order", "displayFulfillmentStatus"): totals.fulfillment_status,
    ("Order", "returnStatus"): totals.return_status,
    ("Order", "email"): lambda row: (row.customer or {}).get("email"),
    ("Order", "phone"): lambda row: (row.customer or {}).get("phone"),
    ("Order", "customAttributes"): _attributes,
    ("Order", "paymentGatewayNames"): totals.gateways,
    ("Order", "shippingAddress"): lambda row: address(row, row.shipping_address, "Address"),
    ("Order", "billingAddress"): lambda row: address(row, row.billing_address, "Address"),
    ("Order", "originalTotalPriceSet"): lambda row: row.original_total,
    ("Order", "totalPriceSet"): totals.order_total,
    ("Order", "currentTotalPriceSet"): totals.current_total,
    ("Order", "subtotalPriceSet"): totals.subtotal,
    ("Order", "currentSubtotalPriceSet"): totals.current_subtotal,
    ("Order", "totalDiscountsSet"): totals.discounts,
    ("Order", "currentTotalDiscountsSet"): totals.current_discounts,
    ("Order", "totalShippingPriceSet"): totals.shipping_total,
    ("Order", "currentShippingPriceSet"): totals.current_shipping,
    ("Order", "totalTaxSet"): totals.tax,
    ("Order", "currentTotalTaxSet"): totals.current_tax,
    ("Order", "totalTipReceivedSet"): totals.tip,
    ("Order", "originalTotalDutiesSet"): lambda row: totals.duties(row) if totals.duties(row).shop else None,
    ("Order", "currentTotalDutiesSet"): lambda row: totals.current_duties(row) if totals.duties(row).shop else None,
    ("Order", "totalRefundedSet"): totals.refunded,
    ("Order", "totalRefundedShippingSet"): _shipping_refunded,
    ("Order", "totalReceivedSet"): totals.received,
    ("Order", "totalOutstandingSet"): totals.outstanding,
    ("Order", "netPaymentSet"): totals.net_payment,
    ("Order", "totalCapturableSet"): totals.capturable,
    ("Order", "totalCashRoundingAdjustment"): _rounding,
    ("Order", "taxLines"): _order_taxes,
    ("Order", "discountCodes"): lambda row: [d.name for d in row.discounts if d.kind == "code"],
    ("Order", "unpaid"): lambda row: totals.received(row).buyer <= 0,
    ("Order", "fullyPaid"): lambda row: totals.outstanding(row).buyer <= 0,
    ("Order", "fulfillable"): lambda row: any(fo.remaining for fo in row.fulfillment_orders),
    ("Order", "refundable"): lambda row: refundable(row).buyer > 0,
    ("Order", "capturable"): lambda row: totals.capturable(row).buyer > 0,
    ("Order", "subtotalLineItemsQuantity"): lambda row: sum(line.quantity for line in row.lines),
    ("Order", "currentSubtotalLineItemsQuantity"): lambda row: sum(line.current_quantity for line in row.lines),
    ("LineItem", "customAttributes"): _attributes,
    ("LineItem", "refundableQuantity"): _refundable_quantity,
    ("LineItem", "unfulfilledQuantity"): lambda row: row.quantity - row.fulfilled - row.cancelled,
    ("LineItem", "nonFulfillableQuantity"): lambda row: row.cancelled + row.fulfilled,
    ("LineItem", "restockable"): lambda row: row.item is not None,
    ("LineItem", "originalUnitPriceSet"): lambda row: row.unit,
    ("LineItem", "originalTotalSet"): lambda row: row.gross,
    ("LineItem", "discountedUnitPriceSet"): lambda row: row.gross.minus(_own_discount(row, codes=False)).share(
        1, row.quantity
    ),
    ("LineItem", "discountedUnitPriceAfterAllDiscountsSet"): lambda row: row.net.share(1, row.quantity),
    ("LineItem", "totalDiscountSet"): lambda row: _own_discount(row, codes=False),
    ("LineItem", "unfulfilledOriginalTotalSet"): lambda row: row.unit.times(
        row.quantity - row.fulfilled - row.cancelled
    ),
    ("LineItem", "unfulfilledDiscountedTotalSet"): lambda row: row.net.share(
        row.quantity - row.fulfilled - row.cancelled, row.quantity
    ),
    ("Duty", "harmonizedSystemCode"): lambda row: None,
    ("Duty", "countryCodeOfOrigin"): lambda row: None,
    ("Duty", "taxLines"): lambda row: [],
    ("ShippingLine", "custom"): lambda row: False,
    ("ShippingLine", "currentDiscountedPriceSet"): lambda row: (
        row.discounted_price_set if row.refunded is None else row.discounted_price_set.minus(row.refunded)
    ),
    ("ShippingLine", "taxLines"): _line_taxes,
    **{(name, "allocationMethod"): _method for name in _APPLICATIONS},
    **{(name, "targetSelection"): lambda row: "ALL" if row.whole_order else "EXPLICIT" for name in _APPLICATIONS},
    **{(name, "targetType"): lambda row: "SHIPPING_LINE" if row.on_shipping else "LINE_ITEM" for name in _APPLICATIONS},
    ("AutomaticDiscountApplication", "title"): lambda row: row.name,
    ("ManualDiscountApplication", "title"): lambda row: row.name,
    ("ManualDiscountApplication", "description"): lambda row: None,
    ("DiscountCodeApplication", "code"): lambda row: row.name,
    ("OrderTransaction", "formattedGateway"): lambda row: row.gateway.replace("_", " ").capitalize(),
    ("OrderTransaction", "manualPaymentGateway"): lambda row: row.gateway in MANUAL_GATEWAYS,
    ("OrderTransaction", "totalUnsettledSet"): lambda row: row.amount_set if row.status == "PENDING" else None,
    ("Refund", "legacyResourceId"): lambda row: str(row.number),
    ("Refund", "return"): lambda row: row.origin,
    ("Fulfillment", "legacyResourceId"): lambda row: str(row.number),
    ("Fulfillment", "displayStatus"): lambda row: "CANCELED" if row.status == "CANCELLED" else "FULFILLED",
    ("Fulfillment", "requiresShipping"): lambda row: any(e.line_item.requires_shipping for e in row.lines),
    ("FulfillmentLineItem", "originalTotalSet"): lambda row: row.line_item.unit.times(row.quantity),
    ("FulfillmentLineItem", "discountedTotalSet"): lambda row: row.line_item.net.share(
        row.quantity, row.line_item.quantity
    ),
    ("FulfillmentOrder", "fulfillAt"): lambda row: row.created_at,
    ("FulfillmentOrder", "orderId"): lambda row: row.order.gid,
    ("FulfillmentOrder", "orderName"): lambda row: row.order.name,
    ("FulfillmentOrder", "assignedLocation"): _waits,
    ("FulfillmentOrderLineItem", "inventoryItemId"): _item_gid,
    ("FulfillmentOrderLineItem", "sku"): lambda row: row.line_item.sku,
    ("FulfillmentOrderLineItem", "productTitle"): lambda row: row.line_item.title,
    ("FulfillmentOrderLineItem", "variantTitle"): lambda row: row.line_item.variant_title,
    ("FulfillmentOrderLineItem", "requiresShipping"): lambda row: row.line_item.requires_shipping,
    ("Return", "totalQuantity"): lambda row: sum(each.quantity for each in row.lines),
    ("ReturnLineItem", "refundableQuantity"): lambda row: row.quantity - row.refunded_quantity,
    ("ReturnLineItem", "processableQuantity"): lambda row: row.unprocessed_quantity if row.unprocessed_quantity else 0,
    ("DraftOrder", "legacyResourceId"): lambda row: str(row.number),
    ("DraftOrder", "reserveInventoryUntil"): lambda row: None,
    ("DraftOrder", "tags"): lambda row: list(row.wanted.about.get("tags", [])),
    ("DraftOrderLineItem", "sku"): lambda row: row.item.sku if row.item else None,
    ("DraftOrderLineItem", "quantity"): lambda row: row.wanted.quantity,
}

FULL: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = {
    ("Order", "lineItems"): _page(lambda row: row.lines),
    ("Order", "shippingLines"): _shipping_lines,
    ("Order", "discountApplications"): _page(lambda row: row.discounts),
    ("Order", "transactions"): _first(lambda row: row.transactions),
    ("Order", "refunds"): _first(lambda row: row.refunds),
    ("Order", "fulfillments"): _fulfillments,
    ("Order", "returns"): _page(lambda row: row.returns),
    ("Order", "fulfillmentOrders"): _page(lambda row: row.fulfillment_orders),
    ("LineItem", "discountedTotalSet"): _discounted_total,
    ("LineItem", "taxLines"): _first(_line_taxes),
    ("LineItem", "variant"): _variant,
    ("LineItem", "product"): _product,
    ("Refund", "refundLineItems"): _page(lambda row: row.lines),
    ("Refund", "refundShippingLines"): _page(lambda row: row.shipping),
    ("Refund", "orderAdjustments"): _page(lambda row: row.adjustments),
    ("Refund", "transactions"): _page(lambda row: row.transactions),
    ("Fulfillment", "trackingInfo"): _first(_tracking),
    ("Fulfillment", "fulfillmentLineItems"): _page(lambda row: row.lines),
    ("Fulfillment", "fulfillmentOrders"): _page(lambda row: [row.fulfillment_order]),
    ("FulfillmentOrder", "lineItems"): _page(lambda row: row.lines),
    ("FulfillmentOrder", "fulfillments"): _page(
        lambda row: [each for each in row.order.fulfillments if each.fulfillment_order is row]
    ),
    ("FulfillmentOrderLineItem", "variant"): _visible_variant,
    ("Return", "returnLineItems"): _page(lambda row: row.lines),
    ("Return", "exchangeLineItems"): _page(lambda row: row.exchange_lines),
    ("Return", "refunds"): _page(lambda row: [each for each in row.order.refunds if each.origin is row]),
    ("Return", "transactions"): _page(_money_of_return),
    ("DraftOrder", "lineItems"): _page(lambda row: row.lines),
    ("DraftOrderLineItem", "variant"): _draft_variant,
}

MAPPINGS = frozenset(
    [
        "Attribute",
        "CashRoundingAdjustment",
        "Customer",
        "CustomerEmailAddress",
        "FulfillmentOrderAssignedLocation",
        "FulfillmentTrackingInfo",
        "MailingAddress",
        "ReturnDecline",
        "ShippingRefund",
        "SuggestedOrderTransaction",
        "SuggestedRefund",
        "TaxLine",
    ]
)
