"""Orders as one part of the API: root fields, scopes, types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import orders_agreements as agreements
from . import orders_buyers as buyers
from .execution import Run
from .keyed import keyed, unkeyed
from .orders import Order
from .orders_back import Refund, Return
from .orders_drafts import Draft
from .orders_fields import FULL, MAPPINGS, PLAIN
from .orders_mutations import (
    cancel_order,
    create_fulfillment,
    create_refund,
    move_fulfillment_order,
    suggested_refund,
    undo_fulfillment,
)
from .orders_pages import drafts_page, fulfillment_orders_page, orders_found, orders_page, visible
from .orders_payloads import PAYLOADS
from .orders_work import Fulfillment, FulfillmentOrder
from .topics import Topic
from .world import World

_ORDERS = frozenset({"read_orders"})
_RETURNS = frozenset({"read_returns"})
_FULFILLMENTS = frozenset({"read_fulfillments", "read_orders"})
_KINDS = ("assigned", "merchant_managed", "third_party")
_WORK = frozenset(f"read_{kind}_fulfillment_orders" for kind in _KINDS)
_WORK_WRITE = frozenset(f"write_{kind}_fulfillment_orders" for kind in _KINDS)
_PRODUCTS = frozenset({"read_products"})


def _one(kind: type[Any], argument: str = "id") -> Callable[[World, dict[str, Any], Run], Any]:
    def resolve(world: World, arguments: dict[str, Any], run: Run) -> Any:
        row = world.shop.by_gid.get(arguments[argument])
        world.rows += 1
        if not isinstance(row, kind):
            return None
        order = row if isinstance(row, Order) else getattr(row, "order", None)
        return row if order is None or visible(run, order) else None

    return resolve


def _count(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    number, limit = orders_found(world, arguments.get("query"), run), arguments.get("limit")
    if limit is not None and number > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": number, "precision": "EXACT"}


ORDERS = Topic(
    full={
        **FULL,
        **buyers.FULL,
        **agreements.FULL,
        ("Order", "suggestedRefund"): suggested_refund,
        ("QueryRoot", "order"): _one(Order),
        ("QueryRoot", "orders"): orders_page,
        ("QueryRoot", "ordersCount"): _count,
        ("QueryRoot", "refund"): _one(Refund),
        ("QueryRoot", "return"): _one(Return),
        ("QueryRoot", "fulfillment"): _one(Fulfillment),
        ("QueryRoot", "fulfillmentOrder"): _one(FulfillmentOrder),
        ("QueryRoot", "fulfillmentOrders"): fulfillment_orders_page,
        ("QueryRoot", "draftOrder"): _one(Draft),
        ("QueryRoot", "draftOrders"): drafts_page,
        ("Mutation", "refundCreate"): keyed("refundCreate", create_refund, "refund", with_code=False),
        ("Mutation", "orderCancel"): unkeyed(cancel_order),
        ("Mutation", "fulfillmentCreate"): unkeyed(create_fulfillment),
        ("Mutation", "fulfillmentCancel"): unkeyed(undo_fulfillment),
        ("Mutation", "fulfillmentOrderMove"): unkeyed(move_fulfillment_order),
    },
    plain={**PLAIN, **buyers.PLAIN, **agreements.PLAIN},
    access={
        **{("QueryRoot", name): _ORDERS for name in ("order", "orders", "ordersCount", "refund")},
        ("QueryRoot", "return"): _RETURNS,
        ("Order", "returns"): _RETURNS,
        ("Refund", "return"): _RETURNS,
        ("QueryRoot", "fulfillment"): _FULFILLMENTS,
        ("Order", "fulfillments"): _FULFILLMENTS | _WORK,
        **{("QueryRoot", name): _WORK for name in ("fulfillmentOrder", "fulfillmentOrders")},
        ("Order", "fulfillmentOrders"): _WORK,
        ("Fulfillment", "fulfillmentOrders"): _WORK,
        **{("QueryRoot", name): frozenset({"read_draft_orders"}) for name in ("draftOrder", "draftOrders")},
        ("Order", "customer"): frozenset({"read_customers"}),
        ("LineItem", "product"): _PRODUCTS,
        ("LineItem", "variant"): _PRODUCTS,
        ("Mutation", "refundCreate"): frozenset({"write_orders"}),
        ("Mutation", "orderCancel"): frozenset({"write_orders"}),
        ("Mutation", "fulfillmentCreate"): _WORK_WRITE,
        ("Mutation", "fulfillmentCancel"): _WORK_WRITE | {"write_fulfillments"},
        ("Mutation", "fulfillmentOrderMove"): _WORK_WRITE,
    },
    type_names={
        **buyers.TYPE_NAMES,
        **agreements.TYPE_NAMES,
        "Order": "Order",
        "Refund": "Refund",
        "Return": "Return",
        "ReturnLine": "ReturnLineItem",
        "Fulfillment": "Fulfillment",
        "FulfillmentOrder": "FulfillmentOrder",
        "Draft": "DraftOrder",
        "CodeDiscount": "DiscountCodeApplication",
        "AutomaticDiscount": "AutomaticDiscountApplication",
        "ManualDiscount": "ManualDiscountApplication",
    },
    visible={
        "Order": visible,
        **dict.fromkeys(
            ("Refund", "Return", "Fulfillment", "FulfillmentOrder"), lambda run, row: visible(run, row.order)
        ),
    },
    node_scopes={
        "Order": _ORDERS,
        "Refund": _ORDERS,
        "Return": _RETURNS,
        "Fulfillment": _FULFILLMENTS,
        "FulfillmentOrder": _WORK,
        "DraftOrder": frozenset({"read_draft_orders"}),
    },
    mappings=MAPPINGS
    | buyers.MAPPINGS
    | {
        "FulfillmentCancelPayload",
        "FulfillmentCreatePayload",
        "FulfillmentOrderMoveFulfillmentOrderMoveUserError",
        "FulfillmentOrderMovePayload",
        "OrderCancelPayload",
        "OrderCancelUserError",
        "RefundCreatePayload",
    },
    payloads=PAYLOADS,
)
