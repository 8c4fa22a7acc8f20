"""A long history of orders, prepared by Shopify as one bulk operation and completed from direct reads.

A bulk query cannot hold all of an order (reference 5: two levels, five connections, none inside a list). It gives the
order with its lines; what hangs below is read for some 250 objects at a time, at the price of one (reference 2.2).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from connectors.ports.errors import RateLimited, ResultLost
from connectors.ports.orders import History, RemoteOrder, Wanted
from connectors.shopify import orders_mapping
from connectors.shopify.bulk import BulkOperations
from connectors.shopify.bulk_rows import Node, joined
from connectors.shopify.client import ShopifyClient
from connectors.shopify.decoding import convert
from connectors.shopify.documents import document
from connectors.shopify.orders import changed_meanwhile, follow, full_lists, search, second
from connectors.shopify.orders_edits import read_agreements
from connectors.shopify.orders_nodes import OrderNode
from connectors.shopify.replies import SERVICE

_Json = dict[str, Any]

BULK_ABOVE: Final = 500
"""Orders above which a history goes by bulk.

25 orders ask for 257 points: 500 are 5,140, on the Standard plan half a minute of all that the store may be asked. By bulk
they cost some 400, but wait in a queue first, for a time that nobody publishes.
"""

WORTH: Final = 4
"""A bulk query gives every order since some time; it is asked for when one in so many is wanted."""

AT_ONCE: Final = 250
"""Objects that one read of branches names."""

_NAME: Final = "bulk_orders"
_LABEL: Final = "history"
_ANY_TIME: Final = "1970-01-01T00:00:00Z"

# Kinds of rows below an order in the file, and the field of an order that they make up.
_CHILDREN: Final = {
    "LineItem": "lineItems",
    "ShippingLine": "shippingLines",
    "Return": "returns",
    "FulfillmentOrder": "fulfillmentOrders",
}


class _Counted(msgspec.Struct):
    count: int


class _Count(msgspec.Struct, rename="camel"):
    orders_count: _Counted


class _Branches(msgspec.Struct):
    nodes: list[dict[str, Any] | None]


class OrderHistory:
    """Histories of one shop's orders. Safe to share between threads."""

    def __init__(self, client: ShopifyClient, bulk: BulkOperations) -> None:
        self._client = client
        self._bulk = bulk

    def prepare(self, since: dt.datetime, wanted: int, patience: float) -> History | None:
        """As the port says. One of the same history that began within the last hour is taken over, also when it has
        ended: so a job that died finds its own again. What changed since is told by its version."""
        if wanted <= BULK_ABOVE or not self._is_worth_it(since, wanted):
            return None
        text = document(_NAME).text.replace(_ANY_TIME, second(since))
        try:
            begun = self._bulk.begun_text(text, label=_LABEL, slot_limit=0.0)
        except RateLimited:
            return None
        operation = self._bulk.watched(begun.id, limit=patience)
        if operation.error_code == "ACCESS_DENIED":
            # The shop withholds something, which ends a bulk query and not a direct read.
            return None
        return History(operation.id, as_of=operation.created_at, ready=not operation.under_way)

    def orders(self, history: History, wanted: Wanted) -> Iterator[list[RemoteOrder]]:
        """As the port says."""
        trunks = joined(self._bulk.result(self._bulk.get(history.ticket)))
        while chunk := {node.id: node for node in islice(trunks, AT_ONCE)}:
            asked = wanted(list(chunk))
            parts = _parts(_order(node) for ref, node in chunk.items() if ref in asked)
            yield [order for part in parts for order in self._completed(part)]

    def _is_worth_it(self, since: dt.datetime, wanted: int) -> bool:
        question = {"query": search(since, None), "limit": wanted * WORTH + 1}
        return self._client.execute("orders_count", question).read(_Count).orders_count.count <= wanted * WORTH

    def _completed(self, trunks: Sequence[_Json]) -> list[RemoteOrder]:
        """These orders with all that hangs on them, but those that changed since Shopify wrote them down."""
        branches = self._branches([_id(owner) for trunk in trunks for owner in _owners(trunk)])
        found = {node.id: node for trunk in trunks if (node := _grown(trunk, branches)) is not None}
        for node in found.values():
            follow(self._client, node)
        read_agreements(self._client, found.values())
        changed = changed_meanwhile(self._client, found, list(found))
        return [orders_mapping.order(node) for ref, node in found.items() if ref not in changed]

    def _branches(self, ids: Sequence[str]) -> dict[str, _Json]:
        """What hangs below these objects, without those that are gone."""
        found: dict[str, _Json] = {}
        for start in range(0, len(ids), AT_ONCE):
            answer = self._client.execute("order_branches", {"ids": ids[start : start + AT_ONCE]}).read(_Branches)
            found |= {_id(node): node for node in answer.nodes if node}
        return found


def _order(root: Node) -> _Json:
    """An order as one page would have held it, but for what hangs below its parts."""
    node: _Json = root.read(dict)
    rows: dict[str, list[_Json]] = {field: [] for field in _CHILDREN.values()}
    for child in root.children:
        below: _Json = child.read(dict)
        rows[_CHILDREN[below["__typename"]]].append(below)
    return node | {field: {"pageInfo": {"hasNextPage": False}, "nodes": below} for field, below in rows.items()}


def _owners(trunk: _Json) -> Iterator[_Json]:
    """The order and its parts that have something below them in branches of their own."""
    yield trunk
    yield from trunk["refunds"]
    yield from trunk["fulfillments"]
    yield from trunk["returns"]["nodes"]
    yield from trunk["fulfillmentOrders"]["nodes"]


def _grown(trunk: _Json, branches: dict[str, _Json]) -> OrderNode | None:
    """The order with its branches; None when a part is gone by now, or when its plain lists may be cut off."""
    for owner in _owners(trunk):
        if (below := branches.get(_id(owner))) is None:
            return None
        owner.update(below)
    try:
        node = convert(trunk, OrderNode)
    except msgspec.ValidationError as exc:
        raise ResultLost(
            service=SERVICE,
            operation="read a history of orders",
            cause=f"An order in Shopify's file has another shape than expected ({exc}).",
            remedy="The orders are read one by one instead. Report it.",
        ) from exc
    return None if full_lists(node) else node


def _parts(trunks: Iterable[_Json]) -> Iterator[list[_Json]]:
    """Orders together as long as one read names what they need; each at least alone."""
    part: list[_Json] = []
    size = 0
    for trunk in trunks:
        more = sum(1 for _ in _owners(trunk))
        if part and size + more > AT_ONCE:
            yield part
            part, size = [], 0
        part.append(trunk)
        size += more
    if part:
        yield part


def _id(node: _Json) -> str:
    return str(node["id"])
