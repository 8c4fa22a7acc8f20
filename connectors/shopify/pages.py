"""Connections inside an object: their first page comes with it, the rest is followed here (reference 10, trap 23)."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

import msgspec

from connectors.shopify.client import ShopifyClient
from connectors.shopify.mapping import PageInfo

Node = TypeVar("Node")

_CHOICES: Final = {
    "order_pages": ("localizedFields", "lineItems", "shippingLines", "returns", "fulfillmentOrders"),
    "refund_pages": ("refundLineItems", "refundShippingLines", "orderAdjustments", "transactions"),
    "return_pages": ("returnLineItems", "exchangeLineItems"),
    "product_pages": ("variants", "media", "metafields", "resourcePublicationsV2"),
}
"""Documents that can follow one of several connections, and the variables that choose it."""


class Connection(msgspec.Struct, Generic[Node], rename="camel"):
    """One page of what hangs on an object; `further_pages` lets it grow until nothing follows."""

    page_info: PageInfo
    nodes: list[Node]


def further_pages(
    client: ShopifyClient, connection: Connection[Node], kind: type[Node], document: str, ref: str, field: str
) -> bool:
    """The further pages of one connection, `field` of the object `ref`, added to it. True when there was one.

    An owner that is gone ends it: what was read of it is another version then.
    """
    followed = False
    choice = {name: name == field for name in _CHOICES.get(document, ())}
    while connection.page_info.has_next_page:
        followed = True
        question: dict[str, Any] = {"id": ref, "after": connection.page_info.end_cursor, **choice}
        reply = client.execute(document, question)
        shape = dict[str, dict[str, Connection[kind]] | None]  # type: ignore[valid-type]
        owner = next(iter(reply.read(shape).values()), None)
        if owner is None:
            break
        page = owner[field]
        connection.nodes += page.nodes
        connection.page_info = page.page_info
    return followed
