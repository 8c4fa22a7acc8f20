"""Agreements of an order: when which units were ordered, added, taken off and refunded.

By Shopify's schema: an agreement whenever an order is placed, edited or refunded, with a sale per line of it. Units that
are taken off or come back have negative quantities (Shopify's example of the query `order`). Agreements of money alone,
and sales of shipping, tips and fees, are not told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .execution import PageRequest, Run
from .orders import Edit, Line, Order
from .orders_back import Refund
from .orders_pages import listed
from .orders_steps import number_of
from .pages import Page


@dataclass(slots=True)
class Sale:
    """Units of a line."""

    gid: str
    line_item: Line
    quantity: int

    @property
    def action_type(self) -> str:
        """What was done with them."""
        return "ORDER" if self.quantity > 0 else "RETURN"


class GiftSale(Sale):
    """Gift cards."""


@dataclass(slots=True)
class Agreement:
    """One agreement and its sales."""

    gid: str
    happened_at: str
    reason: str
    sales: list[Sale]
    origin: Any
    """The order, edit or refund it came from."""


class Placing(Agreement):
    """The order was placed."""


class Editing(Agreement):
    """It was edited."""


class Refunding(Agreement):
    """Units of it were refunded."""


def agreements(order: Order) -> list[Agreement]:
    """All of an order, oldest first. What an edit put back is the edit's, not the refund's that tells of it too."""
    by_edits = [edit.refund for edit in order.edits]
    refunds = [refund for refund in order.refunds if not any(refund is known for known in by_edits)]
    made = [_placing(order), *map(_editing, order.edits), *map(_refunding, refunds)]
    return sorted(made, key=lambda each: each.happened_at)


def _placing(order: Order) -> Agreement:
    units = {line.gid: line.quantity for line in order.lines}
    for edit in order.edits:
        for line, quantity in edit.units:
            units[line.gid] -= max(0, quantity)
    placed = ((line, units[line.gid]) for line in order.lines)
    gid = f"gid://shopify/OrderAgreement/{number_of(order.gid)}"
    return Placing(gid, order.created_at, "ORDER", _sales(gid, placed), order)


def _editing(edit: Edit) -> Agreement:
    return Editing(edit.gid, edit.at, "ORDER_EDIT", _sales(edit.gid, edit.units), edit)


def _refunding(refund: Refund) -> Agreement:
    gid = f"gid://shopify/RefundAgreement/{refund.number}"
    units = ((entry.line_item, -entry.quantity) for entry in refund.lines)
    return Refunding(gid, refund.created_at, "REFUND", _sales(gid, units), refund)


def _sales(agreement: str, units: Iterable[tuple[Line, int]]) -> list[Sale]:
    found = [(line, quantity) for line, quantity in units if quantity]
    return [
        (GiftSale if line.is_gift_card else Sale)(
            f"gid://shopify/Sale/{number_of(agreement)}{place:03}", line, quantity
        )
        for place, (line, quantity) in enumerate(found)
    ]


def _agreements(order: Order, request: PageRequest, run: Run) -> Page:
    return listed(agreements(order), request)


def _sales_page(row: Agreement, request: PageRequest, run: Run) -> Page:
    return listed(row.sales, request)


_AGREEMENTS = ("OrderAgreement", "OrderEditAgreement", "RefundAgreement")
TYPE_NAMES = {
    "Placing": "OrderAgreement",
    "Editing": "OrderEditAgreement",
    "Refunding": "RefundAgreement",
    "Sale": "ProductSale",
    "GiftSale": "GiftCardSale",
}
PLAIN: dict[tuple[str, str], Callable[[Any], Any]] = {
    **{(name, "id"): lambda row: row.gid for name in (*_AGREEMENTS, "ProductSale", "GiftCardSale")},
    ("OrderAgreement", "order"): lambda row: row.origin,
    ("RefundAgreement", "refund"): lambda row: row.origin,
    ("ProductSale", "lineType"): lambda row: "PRODUCT",
    ("GiftCardSale", "lineType"): lambda row: "GIFT_CARD",
}
FULL: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = {
    ("Order", "agreements"): _agreements,
    **{(name, "sales"): _sales_page for name in _AGREEMENTS},
}
