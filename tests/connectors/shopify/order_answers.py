"""Orders as the Admin API answers them: a plain one, and how tests change it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.connectors.shopify.answers import answer

ORDER = "gid://shopify/Order/1"
BUCHAREST, CLUJ = "gid://shopify/Location/55", "gid://shopify/Location/56"
NINE = "2026-11-21T09:00:00Z"


def bag(amount: str, currency: str = "RON", presentment: tuple[str, str] | None = None) -> dict[str, Any]:
    other, other_currency = presentment or (amount, currency)
    return {
        "shopMoney": {"amount": amount, "currencyCode": currency},
        "presentmentMoney": {"amount": other, "currencyCode": other_currency},
    }


def page(*nodes: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": more is not None, "endCursor": more}, "nodes": list(nodes)}


def tax(amount: str, rate: float | None = 0.21, currency: str = "RON") -> dict[str, Any]:
    return {"title": "TVA", "rate": rate, "channelLiable": None, "priceSet": bag(amount, currency)}


def line(number: int = 1, *, price: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    quantity = parts.get("quantity", 1)
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "name": "Căciulă - M",
        "title": "Căciulă",
        "variantTitle": "M",
        "vendor": "Bucovina",
        "sku": f"SKU-{number}",
        "quantity": quantity,
        "currentQuantity": quantity,
        "refundableQuantity": quantity,
        "unfulfilledQuantity": quantity,
        "isGiftCard": False,
        "taxable": True,
        "requiresShipping": True,
        "product": {"id": "gid://shopify/Product/7"},
        "variant": {"id": f"gid://shopify/ProductVariant/{number}", "inventoryItem": {"id": f"item/{number}"}},
        "lineItemGroup": None,
        "originalUnitPriceSet": price or bag("100.00"),
        "discountedTotalSet": price or bag("100.00"),
        "discountAllocations": [],
        "taxLines": [],
        "duties": [],
        "customAttributes": [],
        **parts,
    }


def movement(number: int = 1, kind: str = "SALE", status: str = "SUCCESS", **parts: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": kind,
        "status": status,
        "gateway": "manual",
        "formattedGateway": "Manual",
        "manualPaymentGateway": False,
        "errorCode": None,
        "createdAt": NINE,
        "processedAt": NINE,
        "test": False,
        "amountSet": bag("100.00"),
        "amountRoundingSet": None,
        "parentTransaction": None,
        **parts,
    }


def refund_line(restock: str, *, restocked: bool, location: str | None, number: int = 1) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/RefundLineItem/{number}",
        "quantity": 1,
        "restockType": restock,
        "restocked": restocked,
        "location": {"id": location} if location else None,
        "lineItem": {"id": "gid://shopify/LineItem/1"},
        "priceSet": bag("100.00"),
        "subtotalSet": bag("90.00"),
        "totalTaxSet": bag("15.62"),
    }


def refund(number: int = 1, **parts: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Refund/{number}",
        "createdAt": NINE,
        "processedAt": NINE,
        "updatedAt": NINE,
        "note": None,
        "return": None,
        "totalRefundedSet": bag("0.00"),
        "duties": [],
        "refundLineItems": page(),
        "refundShippingLines": page(),
        "orderAdjustments": page(),
        "transactions": page(),
        **parts,
    }


def work(number: int, location: str, *lines: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/FulfillmentOrder/{number}",
        "status": "OPEN",
        "requestStatus": "UNSUBMITTED",
        "createdAt": NINE,
        "updatedAt": NINE,
        "fulfillmentHolds": [],
        "assignedLocation": {"name": "Depozit", "location": {"id": location}},
        "lineItems": page(*lines, more=more),
    }


def work_line(number: int, *, total: int, remaining: int, item: str | None = "item/1") -> dict[str, Any]:
    return {
        "id": f"gid://shopify/FulfillmentOrderLineItem/{number}",
        "inventoryItemId": item,
        "totalQuantity": total,
        "remainingQuantity": remaining,
        "lineItem": {"id": "gid://shopify/LineItem/1"},
    }


def order(number: int = 1, **parts: Any) -> dict[str, Any]:
    money = (
        "originalTotalPriceSet",
        "totalPriceSet",
        "currentTotalPriceSet",
        "subtotalPriceSet",
        "currentSubtotalPriceSet",
        "currentTotalTaxSet",
        "totalReceivedSet",
        "totalCapturableSet",
        "totalDiscountsSet",
        "totalShippingPriceSet",
        "totalTaxSet",
        "totalTipReceivedSet",
        "totalRefundedSet",
        "totalOutstandingSet",
    )
    return {
        "__typename": "Order",
        "id": f"gid://shopify/Order/{number}",
        "number": 1000 + number,
        "name": f"#{1000 + number}",
        "confirmationNumber": "ABC",
        "sourceName": "web",
        "app": {"name": "Online Store"},
        "retailLocation": None,
        "test": False,
        "edited": False,
        "poNumber": None,
        "tags": [],
        "customer": None,
        "email": None,
        "phone": None,
        "billingAddress": None,
        "shippingAddress": None,
        "purchasingEntity": None,
        "note": None,
        "customAttributes": [],
        "additionalFees": [],
        "localizedFields": page(),
        "createdAt": NINE,
        "processedAt": NINE,
        "updatedAt": NINE,
        "cancelledAt": None,
        "closedAt": None,
        "cancelReason": None,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "NO_RETURN",
        "currencyCode": "RON",
        "presentmentCurrencyCode": "RON",
        "taxesIncluded": False,
        "taxExempt": False,
        "dutiesIncluded": False,
        "paymentGatewayNames": ["manual"],
        **{name: bag("0.00") for name in money},
        "originalTotalDutiesSet": None,
        "totalCashRoundingAdjustment": {"paymentSet": bag("0.00"), "refundSet": bag("0.00")},
        "taxLines": [],
        "lineItems": page(line()),
        "shippingLines": page(),
        "transactions": [movement()],
        "refunds": [],
        "returns": page(),
        "fulfillments": [],
        "fulfillmentOrders": page(),
        **parts,
    }


def orders(*nodes: dict[str, Any] | None) -> httpx.Response:
    return answer({"nodes": list(nodes)}, requested=218, actual=40)


def sale(units: int, number: int = 1, **parts: Any) -> dict[str, Any]:
    """Units of a line: ordered, or taken off where they are negative."""
    line_item = {"id": f"gid://shopify/LineItem/{number}"}
    return {"actionType": "ORDER" if units > 0 else "RETURN", "quantity": units, "lineItem": line_item} | parts


def agreement(reason: str, *sales: dict[str, Any], at: str = NINE, more: str | None = None) -> dict[str, Any]:
    return {"happenedAt": at, "reason": reason, "sales": page(*sales, more=more)}


def agreements(*found: dict[str, Any], number: int = 1, more: str | None = None) -> httpx.Response:
    node = {"__typename": "Order", "id": f"gid://shopify/Order/{number}", "agreements": page(*found, more=more)}
    return answer({"nodes": [node]}, requested=192, actual=12)


def versions(*numbers: int, at: str = NINE) -> httpx.Response:
    nodes = [{"__typename": "Order", "id": f"gid://shopify/Order/{number}", "updatedAt": at} for number in numbers]
    return answer({"nodes": nodes}, requested=1, actual=1)


def overview(*scopes: str) -> httpx.Response:
    shop = {
        "name": "B",
        "myshopifyDomain": "b.myshopify.com",
        "currencyCode": "RON",
        "ianaTimezone": "Europe/Bucharest",
    }
    return answer(
        {
            "shop": {**shop, "plan": {"publicDisplayName": "Basic"}},
            "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]},
        }
    )
