"""What scopes of the Admin API open which capability (reference 1), and how long a version of it is served."""

from __future__ import annotations

import datetime as dt
from typing import Final

from connectors.ports.access import INVENTORY, ORDERS, SHIPPING, Capability

_WORK: Final = (
    "read_merchant_managed_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "read_third_party_fulfillment_orders",
)

WORK_WRITE: Final = tuple(scope.replace("read_", "write_", 1) for scope in _WORK)
"""One of them tells of shipments; which one depends on who runs the location (reference 1)."""

CAPABILITIES: Final = (
    Capability(
        INVENTORY,
        "Read items and push stock",
        ("read_inventory", "read_locations", "read_products", "write_inventory"),
        without="No inventory job starts.",
    ),
    Capability(
        ORDERS,
        "Follow orders and refunds",
        ("read_orders",),
        without="Orders are neither found nor imported; a level that sells in the store is held.",
    ),
    Capability(
        "order parts",
        "Read orders whole",
        ("read_returns",),
        any_of=_WORK,
        without="Returns, and the location that each order takes its goods from, stay unknown: such orders are not read.",
    ),
    Capability(
        "order history",
        "See orders older than 60 days",
        ("read_all_orders",),
        without="Older orders are left out by Shopify; a first import is refused unless it accepts that.",
    ),
    Capability(
        "buyers",
        "See who bought",
        ("read_customers",),
        without="Orders come without their customer; a request to erase one finds orders by their ids alone.",
    ),
    Capability(
        "shipments",
        "Be told of shipments",
        ("read_fulfillments",),
        without="Shipments are noticed with the order's own webhook, or by polling.",
    ),
    Capability(
        SHIPPING,
        "Tell of shipments",
        ("read_orders",),
        any_of=WORK_WRITE,
        without="What is shipped here first is not marked as fulfilled in Shopify; a person does that there.",
    ),
    Capability(
        "products",
        "Create and update products",
        ("write_products",),
        without="Products are linked, and not exported.",
    ),
    Capability(
        "publications",
        "See and set sales channels",
        ("read_publications", "write_publications"),
        without="Where a product is for sale is neither shown nor changed.",
    ),
)
"""Most needed first."""


def served_until(version: str) -> dt.date:
    """The first day on which Shopify need not serve `version` (written like 2026-10, its month of release) any more: a
    version is served for at least twelve months."""
    year, month = (int(part) for part in version.split("-"))
    return dt.date(year + 1, month, 1)
