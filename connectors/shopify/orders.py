"""Reading orders: what changed, and whole orders many at a time (reference 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from connectors.ports.errors import ConnectorUnavailable, FeatureNotSupported, RequestRejected
from connectors.ports.orders import MAX_ORDERS, ChangedOrder, ChangesPage, OrdersWindow, RemoteOrder
from connectors.shopify import mapping, orders_mapping
from connectors.shopify import orders_buyers as buyers
from connectors.shopify import orders_nodes as nodes
from connectors.shopify.client import ShopifyClient
from connectors.shopify.orders_edits import read_agreements
from connectors.shopify.pages import further_pages
from connectors.shopify.replies import SERVICE

CONNECTION_DEPTH: Final = 25_000
"""Objects one connection can be paged through (reference 2.4)."""

PAGE: Final = 250
"""Orders in one page of the change feed."""

RECENT_DAYS: Final = 60
"""Age of the oldest order shown without the scope read_all_orders (reference 1)."""

SURELY_SHOWN: Final = dt.timedelta(days=RECENT_DAYS - 10)
"""Changes younger than that by our own clock are asked for without looking at the scopes first."""

FULL_LIST: Final = 250
"""What refunds, fulfillments and transactions are asked for; they have no pageInfo (reference 10, trap 23)."""

LINES: Final = 20
"""Lines of each kind in the first page of an order; with it the whole selection costs some 220 points."""

READINGS: Final = 3
"""How often an order that changes while its pages are followed is read from the start."""


class OrderReader:
    """`OrdersPort` for one shop, over its client. Safe to share between threads."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client

    def orders_window(self) -> OrdersWindow:
        """How far back orders are shown: 60 days of age without read_all_orders, which no answer would say."""
        reply = self._client.execute("overview", {})
        scopes = mapping.overview(reply.read(mapping.OverviewData), reply.api_version).scopes
        return OrdersWindow(days=None if "read_all_orders" in scopes else RECENT_DAYS, read_at=reply.answered_at())

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        """As the port says. Beyond `CONNECTION_DEPTH` the listing starts again at the second of the last change."""
        self._check_window(since)
        start, after, listed = since, None, 0
        while True:
            reply = self._client.execute("orders_changed", {"query": search(start, until), "after": after})
            page = reply.read(nodes.ChangedData).orders
            changed = tuple(ChangedOrder(ref=node.id, updated_at=node.updated_at) for node in page.nodes)
            yield ChangesPage(orders=changed, read_at=reply.answered_at())
            if not page.page_info.has_next_page:
                return
            after = page.page_info.end_cursor
            listed += len(changed)
            if listed + PAGE > CONNECTION_DEPTH:
                start, after, listed = _further(start, changed[-1].updated_at), None, 0

    def read_order(self, ref: str) -> RemoteOrder | None:
        """One order, as `read_orders`."""
        return self.read_orders([ref])[0]

    def read_orders(self, refs: Sequence[str]) -> list[RemoteOrder | None]:
        """As the port says. Raises `ConnectorUnavailable` for orders that change faster than they are read."""
        if not 1 <= len(refs) <= MAX_ORDERS:
            raise FeatureNotSupported(
                service=SERVICE,
                operation="read orders",
                cause=f"One request names 1 to {MAX_ORDERS} orders, not {len(refs)}.",
                remedy=f"Split them into requests of {MAX_ORDERS}.",
            )
        read: dict[str, RemoteOrder | None] = {}
        torn = list(dict.fromkeys(refs))
        for _ in range(READINGS):
            found, refused = self._first_pages(torn)
            followed = [ref for ref, node in found.items() if node is not None and follow(self._client, node)]
            followed += read_agreements(self._client, found.values())
            torn = changed_meanwhile(self._client, found, followed)
            for ref, node in found.items():
                read[ref] = orders_mapping.order(node, refused.get(ref, ())) if node else None
            if not torn:
                return [read[ref] for ref in refs]
        raise ConnectorUnavailable(
            service=SERVICE,
            operation="read orders",
            cause=f"{len(torn)} orders changed while their pages were read, {READINGS} times in a row.",
            remedy="Nothing to do: they are read again when they rest.",
        )

    def _check_window(self, since: dt.datetime | None) -> None:
        if since is not None and since > dt.datetime.now(dt.UTC) - SURELY_SHOWN:
            return
        window = self.orders_window()
        if window.since is not None and (since is None or since < window.since):
            raise FeatureNotSupported(
                service=SERVICE,
                operation="list the changed orders",
                cause=f"Without the scope read_all_orders Shopify shows only orders of the last {RECENT_DAYS} days, and "
                "leaves older ones out without saying so.",
                remedy="Ask Shopify to grant the app read_all_orders, then test the connection; or read only the "
                f"orders of the last {RECENT_DAYS} days.",
            )

    def _first_pages(self, refs: Sequence[str]) -> tuple[dict[str, nodes.OrderNode | None], dict[str, set[str]]]:
        """The orders as the first answer has them, and what the shop withheld of them."""
        question = {"ids": list(refs), "lines": LINES}
        reply = self._client.execute("orders_by_ids", question, withholds=buyers.withheld)
        found = reply.read(nodes.OrdersData).nodes
        if len(found) != len(refs):
            raise reply.sent.no_answer(f"Shopify answered for {len(found)} of {len(refs)} orders.")
        for node in found:
            if node is not None:
                _check_lists(node)
        refused = {refs[place]: fields for place, fields in buyers.refused_fields(reply.withheld).items()}
        return dict(zip(refs, found, strict=True)), refused


def changed_meanwhile(
    client: ShopifyClient, found: Mapping[str, nodes.OrderNode | None], followed: Sequence[str]
) -> list[str]:
    """Of the orders whose pages were followed, those that are no longer the version read."""
    if not followed:
        return []
    asked = list(dict.fromkeys(followed))
    versions = client.execute("order_versions", {"ids": asked}).read(nodes.VersionsData).nodes
    now = {version.id: version.updated_at for version in versions if version}
    return [ref for ref in asked if (node := found[ref]) is not None and now.get(ref) != node.updated_at]


def follow(client: ShopifyClient, node: nodes.OrderNode) -> bool:
    """Read what the first page of an order left out, into the node. True when there was any."""
    rest = partial(further_pages, client)
    more = [
        rest(node.localized_fields, nodes.LocalizedNode, "order_pages", node.id, "localizedFields"),
        rest(node.line_items, nodes.Line, "order_pages", node.id, "lineItems"),
        rest(node.shipping_lines, nodes.Shipping, "order_pages", node.id, "shippingLines"),
        rest(node.returns, nodes.ReturnNode, "order_pages", node.id, "returns"),
        rest(node.fulfillment_orders, nodes.Work, "order_pages", node.id, "fulfillmentOrders"),
    ]
    for refund in node.refunds:
        lines, shipping = refund.refund_line_items, refund.refund_shipping_lines
        more += [
            rest(lines, nodes.RefundLineNode, "refund_pages", refund.id, "refundLineItems"),
            rest(shipping, nodes.RefundShippingNode, "refund_pages", refund.id, "refundShippingLines"),
            rest(refund.order_adjustments, nodes.AdjustmentNode, "refund_pages", refund.id, "orderAdjustments"),
            rest(refund.transactions, nodes.Movement, "refund_pages", refund.id, "transactions"),
        ]
    for back in node.returns.nodes:
        more += [
            rest(back.return_line_items, nodes.ReturnLineNode, "return_pages", back.id, "returnLineItems"),
            rest(back.exchange_line_items, nodes.ExchangeNode, "return_pages", back.id, "exchangeLineItems"),
        ]
    for sent in node.fulfillments:
        lines_sent = sent.fulfillment_line_items
        more.append(rest(lines_sent, nodes.SentLine, "fulfillment_pages", sent.id, "fulfillmentLineItems"))
    for work in node.fulfillment_orders.nodes:
        more.append(rest(work.line_items, nodes.WorkLineNode, "fulfillment_order_pages", work.id, "lineItems"))
    return any(more)


def full_lists(node: nodes.OrderNode) -> list[str]:
    """The plain lists of an order that are full: what lies beyond cannot be asked for."""
    lists: dict[str, Sequence[object]] = {
        "refunds": node.refunds,
        "fulfilments": node.fulfillments,
        "transactions": node.transactions,
    }
    return [word for word, rows in lists.items() if len(rows) >= FULL_LIST]


def _check_lists(node: nodes.OrderNode) -> None:
    if full := full_lists(node):
        raise RequestRejected(
            service=SERVICE,
            operation="read orders",
            cause=f"Order {node.name} has {FULL_LIST} {' and '.join(full)} or more, and Shopify shows no more than that.",
            remedy="Check and enter this order by hand; the others are read without it.",
        )


def search(since: dt.datetime | None, until: dt.datetime | None) -> str | None:
    """Bounds of the change feed. Both are inclusive and in whole seconds, so the upper one is rounded up."""
    bounds = []
    if since is not None:
        bounds.append(f"updated_at:>='{second(since)}'")
    if until is not None:
        bounds.append(f"updated_at:<='{second(until + dt.timedelta(microseconds=999_999))}'")
    return " AND ".join(bounds) or None


def second(moment: dt.datetime) -> str:
    """A time as searches want it, its fraction cut off."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _further(start: dt.datetime | None, last: dt.datetime) -> dt.datetime:
    """Where a listing goes on that has reached the depth of a connection. Its last second is listed again."""
    last = last.replace(microsecond=0)
    if start is not None and last <= start:
        raise FeatureNotSupported(
            service=SERVICE,
            operation="list the changed orders",
            cause=f"More than {CONNECTION_DEPTH:,} orders changed within the second {second(last)}, and Shopify pages "
            "no further.",
            remedy="Read the whole history of the store's orders in bulk.",
        )
    return last
