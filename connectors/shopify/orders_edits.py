"""Which units edits added to an order and took off it, and when: read from its agreements (schema, `SalesAgreement`).

Asked of edited orders alone, for 25 of them at the price of one. Units come with an agreement of any reason but the
placing: an exchange adds its lines under the return or as an edit. They are taken off by edits; refunds tell of theirs.
Shopify's example shows what was taken off with a negative quantity, and the schema does not say so: the action decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.ports.orders import MAX_ORDERS, LineEdit
from connectors.shopify import orders_nodes as nodes
from connectors.shopify.client import ShopifyClient
from connectors.shopify.pages import Connection


def read_agreements(client: ShopifyClient, orders: Iterable[nodes.OrderNode | None]) -> list[str]:
    """Give the orders that may have been edited their agreements. Returns which these are."""
    edited = {order.id: order for order in orders if order is not None and _may_be_edited(order)}
    refs = list(edited)
    for start in range(0, len(refs), MAX_ORDERS):
        question = {"ids": refs[start : start + MAX_ORDERS]}
        for agreed in client.execute("order_agreements", question).read(nodes.AgreementsData).nodes:
            if agreed is not None:
                edited[agreed.id].agreements = agreed.agreements
    return refs


def edits(agreements: Connection[nodes.AgreementNode]) -> tuple[LineEdit, ...]:
    """What edits did to lines, oldest first. Empty where an order has more than one answer holds: a part would mislead."""
    found = sorted(agreements.nodes, key=lambda agreement: agreement.happened_at)
    if agreements.page_info.has_next_page or any(each.sales.page_info.has_next_page for each in found):
        return ()
    return tuple(
        LineEdit(line_ref=sale.line_item.id, quantity=units, at=agreement.happened_at)
        for agreement in found
        for sale in agreement.sales.nodes
        if sale.line_item is not None and (units := _units(agreement.reason, sale))
    )


def _may_be_edited(order: nodes.OrderNode) -> bool:
    return order.edited or any(back.exchange_line_items.nodes for back in order.returns.nodes)


def _units(reason: str, sale: nodes.SaleNode) -> int:
    units = abs(sale.quantity or 0)
    if sale.action_type == "ORDER" and reason != "ORDER":
        return units
    return -units if sale.action_type == "RETURN" and reason == "ORDER_EDIT" else 0
