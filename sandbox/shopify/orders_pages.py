"""The feed of orders and the small connections of one: search, sort, pages, and the 60 days without read_all_orders."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.clock import iso

from . import orders_totals as totals
from .execution import PageRequest, Run
from .orders import Order
from .orders_shelf import Shelf, by_change, by_creation, by_processing
from .orders_steps import number_of
from .orders_work import FulfillmentOrder
from .pages import Page, take_page
from .search import Search, parse_search
from .world import World

WINDOW_DAYS = 60
FEW = 8  # so many times fewer rows are worth sorting anew

Value = Callable[[Any], Any]

_FIELDS: dict[str, Value] = {
    "cancelled_at": lambda row: row.cancelled_at,
    "closed_at": lambda row: row.closed_at,
    "created_at": lambda row: row.created_at,
    "financial_status": lambda row: totals.financial_status(row).lower(),
    "fulfillment_status": lambda row: totals.fulfillment_status(row).lower(),
    "id": lambda row: number_of(row.gid),
    "name": lambda row: [row.name, str(row.number)],
    "po_number": lambda row: row.po_number,
    "processed_at": lambda row: row.processed_at,
    "return_status": lambda row: totals.return_status(row).lower(),
    "sku": lambda row: [line.sku for line in row.lines if line.sku],
    "source_name": lambda row: row.source_name,
    "status": lambda row: (
        [_open_or_closed(row), "any", "not_closed"] if not row.closed_at else [_open_or_closed(row), "any"]
    ),
    "tag": lambda row: row.tags,
    "test": lambda row: row.test,
    "updated_at": lambda row: row.updated_at,
}
_BOUND = re.compile(r"(?<![-\w])(updated_at|created_at|processed_at|id):(>=|>|<=|<)'?([0-9][0-9T:Z+.\-]*)'?")
_SORTS: dict[str, Value] = {
    "CURRENT_TOTAL_PRICE": lambda row: str(totals.current_total(row).shop).rjust(20),
    "CUSTOMER_NAME": lambda row: (row.customer or {}).get("display_name", ""),
    "DESTINATION": lambda row: (row.shipping_address or {}).get("city", ""),
    "FINANCIAL_STATUS": lambda row: totals.financial_status(row),
    "FULFILLMENT_STATUS": lambda row: totals.fulfillment_status(row),
    "PO_NUMBER": lambda row: row.po_number or "",
    "TOTAL_ITEMS_QUANTITY": lambda row: sum(line.quantity for line in row.lines),
    "TOTAL_PRICE": lambda row: str(totals.order_total(row).shop).rjust(20),
}


def _open_or_closed(order: Order) -> str:
    if order.cancelled_at is not None:
        return "cancelled"
    return "closed" if order.closed_at is not None else "open"


def visible(run: Run, order: Order) -> bool:
    """Without read_all_orders an order older than 60 days does not exist for the app; no error tells."""
    return "read_all_orders" in run.scopes or order.created_at >= _horizon(run)


def _horizon(run: Run) -> str:
    return iso(datetime.fromtimestamp(run.world.clock.seconds(), UTC) - timedelta(days=WINDOW_DAYS))


def orders_page(world: World, request: PageRequest, run: Run) -> Page:
    """`orders`: searched and sorted. A bound on updated_at, created_at or id is found by halving, not by looking at all."""
    query = request.rest.get("query")
    search = parse_search(query, _FIELDS, lambda row: row.name)
    if search is not None and search.warnings:
        world.searches.append({"path": ["orders"], "query": query, "warnings": search.warnings})
    shelf, sort = world.shop.orders, request.rest.get("sortKey", "PROCESSED_AT")
    rows, key_of = _sorted(shelf, sort)
    named = _named(shelf, search)
    if named is not None:
        rows = sorted(named, key=key_of)
    else:
        rows = _narrowed(shelf, _bounded(rows, key_of, query or "", sort), key_of, query or "")
    return take_page(rows, request, key_of, _turn(search, run))


def orders_found(world: World, query: str | None, run: Run) -> int:
    """How many orders a search finds. Without one they are counted by halving, however many there are."""
    shelf, everything = world.shop.orders, "read_all_orders" in run.scopes
    if not (query or "").strip():
        hidden = 0 if everything else bisect_left(shelf.created, (_horizon(run), 0), key=by_creation)
        return len(shelf.created) - hidden
    search = parse_search(query, _FIELDS, lambda row: row.name)
    rows, key_of = _sorted(shelf, "UPDATED_AT")
    turn = _turn(search, run)
    return sum(turn(row) is not None for row in _bounded(rows, key_of, query or "", "UPDATED_AT"))


def _named(shelf: Shelf, search: Search | None) -> list[Order] | None:
    """The orders of a search for nothing but names, looked up by number; None for any other search."""
    if search is None or search.equal is None or search.equal[0] != "name":
        return None
    numbers = [text.lstrip("#") for text in search.equal[1]]
    found = (shelf.numbered(int(number)) for number in dict.fromkeys(numbers) if number.isdigit())
    return [order for order in found if order is not None]


def _turn(search: Search | None, run: Run) -> Callable[[Order], Order | None]:
    horizon = None if "read_all_orders" in run.scopes else _horizon(run)

    def turn(row: Order) -> Order | None:
        if horizon is not None and row.created_at < horizon:
            return None
        return row if search is None or search.matches(row) else None

    return turn


def _sorted(shelf: Shelf, sort: str) -> tuple[list[Any], Value]:
    if sort == "UPDATED_AT":
        return shelf.feed, by_change
    if sort == "CREATED_AT":
        return shelf.created, by_creation
    if sort == "PROCESSED_AT":
        return shelf.processed, by_processing
    value_of = _SORTS.get(sort)
    if value_of is None:  # ID, ORDER_NUMBER, RELEVANCE
        return shelf.rows, lambda row: (0, row.number)

    def key_of(row: Any) -> tuple[Any, int]:
        return (value_of(row), row.number)

    kept = shelf.sorted_rows.get(sort)
    if kept is None or kept[0] != shelf.revision:
        kept = shelf.sorted_rows[sort] = (shelf.revision, sorted(shelf.rows, key=key_of))
    return kept[1], key_of


def _bounded(rows: list[Any], key_of: Value, query: str, sort: str) -> list[Any]:
    """The part of sorted rows that a bound of the query on the sort key leaves; the search still looks at each of them."""
    if re.search(r"\b(OR|NOT)\b|(^|[\s(])-", query):
        return rows
    start, stop = 0, len(rows)
    for name, op, text in _BOUND.findall(query):
        if name == "id" and sort in ("ID", "ORDER_NUMBER", "RELEVANCE") and text.isdigit():
            at_left = bisect_left(rows, int(text), key=lambda row: number_of(row.gid))
            at_right = bisect_right(rows, int(text), key=lambda row: number_of(row.gid))
        elif name.upper() == sort and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
            at_left = bisect_left(rows, (text, 0), key=key_of)
            at_right = bisect_left(rows, (text + "~", 0), key=key_of)
        else:
            continue
        if op in (">", ">="):
            start = max(start, at_left if op == ">=" else at_right)
        else:
            stop = min(stop, at_right if op == "<=" else at_left)
    return rows if (start, stop) == (0, len(rows)) else rows[start:stop]


def _narrowed(shelf: Shelf, rows: list[Any], key_of: Value, query: str) -> list[Any]:
    """The few rows that a bound on another date than the sort's leaves, sorted; the given rows where they are not few."""
    for sort, (dated, key) in {
        "UPDATED_AT": (shelf.feed, by_change),
        "CREATED_AT": (shelf.created, by_creation),
        "PROCESSED_AT": (shelf.processed, by_processing),
    }.items():
        part = _bounded(dated, key, query, sort) if sort.lower() in query else rows
        if len(part) * FEW < len(rows):
            rows = sorted(part, key=key_of)
    return rows


def fulfillment_orders_page(world: World, request: PageRequest, run: Run) -> Page:
    """`fulfillmentOrders`: open ones, and closed ones on request."""
    closed = request.rest.get("includeClosed")

    def turn(row: FulfillmentOrder) -> FulfillmentOrder | None:
        return row if (closed or row.status not in ("CLOSED", "CANCELLED")) and visible(run, row.order) else None

    return take_page(world.shop.orders.fulfillment_orders, request, lambda row: (0, number_of(row.gid)), turn)


def drafts_page(world: World, request: PageRequest, run: Run) -> Page:
    """`draftOrders` in the order of their ids."""
    return listed(world.shop.orders.drafts, request)


def listed(rows: list[Any], request: PageRequest) -> Page:
    """A page of an order's own rows, which stand in the order of their ids."""
    keyed = {id(row): index for index, row in enumerate(rows)}
    return take_page(rows, request, lambda row: (0, keyed[id(row)]))
