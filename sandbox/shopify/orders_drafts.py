"""Drafts: they may reserve stock (reserved +q, available −q), and become orders (reserved −q, committed +q)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .bundles import with_components
from .catalogue import Shop
from .orders import Order, OrderRefused
from .orders_money import Bag, Tender, total
from .orders_placing import Wanted, WantedLine, check, place
from .orders_shelf import OrderBook
from .orders_steps import keep, move_stock, new_gid, number_of, stocked_place
from .rows import AVAILABLE, COMMITTED, RESERVED, Item, Location


@dataclass(slots=True)
class DraftLine:
    """A line of a draft with the place that holds its goods."""

    gid: str
    wanted: WantedLine
    name: str
    original_unit_price_set: Bag
    location: Location

    @property
    def item(self) -> Item | None:
        """The item, None for a custom line."""
        return self.wanted.item


@dataclass(slots=True)
class Draft:
    """An order that is not placed yet."""

    gid: str
    number: int
    shop: Shop
    wanted: Wanted
    reserves: bool
    created_at: str
    updated_at: str
    status: str = "OPEN"
    completed_at: str | None = None
    order: Order | None = None
    lines: list[DraftLine] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"#D{self.number % 1_000_000_000}"

    @property
    def total_price_set(self) -> Bag:
        """Its lines at their prices."""
        tender = Tender(self.shop.currency, self.shop.currency)
        return total([line.original_unit_price_set.times(line.wanted.quantity) for line in self.lines], tender)

    def as_json(self) -> dict[str, Any]:
        """The draft as the control API shows it."""
        number = self.number - self.shop.id_base
        order = self.order.number if self.order else None
        return {"id": number, "gid": self.gid, "name": self.name, "status": self.status, "order": order}


def open_draft(shop: Shop, wanted: Wanted, stamp: str, *, reserve: bool) -> Draft:
    """A new draft. Raises `OrderRefused` for what could not be an order either."""
    check(wanted)
    with shop.lock:
        wanted.lines = with_components(shop, wanted.lines)
        gid = new_gid(shop, "DraftOrder")
        made = Draft(gid, number_of(gid), shop, wanted, reserve, stamp, stamp)
        tender = Tender(shop.currency, shop.currency)
        for each in wanted.lines:
            location = each.location or stocked_place(shop, each.item, each.quantity)
            price = each.price
            if price is None:
                price = Decimal(each.item.variant.price) if each.item else Decimal(0)
            name = each.title or (each.item.variant.product.title if each.item else "")
            made.lines.append(DraftLine(new_gid(shop, "DraftOrderLineItem"), each, name, tender.bag(price), location))
            if reserve:
                move_stock(shop, each.item, location, stamp, (AVAILABLE, -each.quantity), (RESERVED, each.quantity))
        shop.orders.drafts.append(made)
        keep(shop, made)
        return made


def complete(book: OrderBook, draft: Draft, stamp: str) -> Order:
    """The draft becomes an order, allocated where it reserved. Raises `OrderRefused`."""
    shop = draft.shop
    with shop.lock:
        _check_open(draft)
        for line in draft.lines:
            line.wanted.location = line.location
            if draft.reserves:
                quantity = line.wanted.quantity
                move_stock(shop, line.item, line.location, stamp, (RESERVED, -quantity), (COMMITTED, quantity))
        draft.wanted.about.setdefault("source_name", "shopify_draft_order")
        draft.order = place(book, shop, draft.wanted, stamp, reserved=draft.reserves)
        draft.status, draft.completed_at, draft.updated_at = "COMPLETED", stamp, stamp
        return draft.order


def drop(draft: Draft, stamp: str) -> None:
    """Delete a draft; what it reserved is available again. Raises `OrderRefused`."""
    shop = draft.shop
    with shop.lock:
        _check_open(draft)
        for line in draft.lines if draft.reserves else ():
            quantity = line.wanted.quantity
            move_stock(shop, line.item, line.location, stamp, (RESERVED, -quantity), (AVAILABLE, quantity))
        shop.orders.drafts.remove(draft)
        shop.by_gid.pop(draft.gid)
        draft.status = "DELETED"


def _check_open(draft: Draft) -> None:
    if draft.status != "OPEN":
        raise OrderRefused(f"Draft {draft.name} is {draft.status}.")
