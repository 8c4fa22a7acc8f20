"""Goods that leave here before their store knows, or are let go without leaving (algorithms.md §3, rows 5 and 13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone

from inventory import ledger
from inventory.ledger import Posting
from inventory.models.ledger import EntryKind
from orders import outgoing, wave_changes
from orders.effects import StockRule
from orders.models import IncomingOrder, OrderStock
from orders.tracking import UNTRACKED, Tracking
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

SHIP_RIGHT: Final = "orders.ship_orders"
SHIPPED_HERE: Final = "ship here"


class ShippingRefused(Refusal):
    """Nothing was booked."""


@dataclass(frozen=True, slots=True)
class Units:
    """`quantity` of the goods that a row of the order's stock holds. `of`: how many the person saw held there, so that
    the same form sent twice books once."""

    quantity: int
    of: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where the word of it comes from, and when it happened (None: now)."""

    origin: str = "console"
    at: dt.datetime | None = None


CONSOLE: Final = Source()

Wanted = Mapping[int, Units]
"""Id of an `OrderStock` → what of it."""


@transaction.atomic
def ship(
    row: IncomingOrder,
    wanted: Wanted,
    *,
    by: User | None,
    tracking: Tracking = UNTRACKED,
    source: Source = CONSOLE,
) -> int:
    """These goods have left. On hand and released fall together, so nothing is owed to any store; what the store fulfils
    later is covered by it. Where the store is told of shipments, that is kept here to be sent (`orders.outgoing`).
    Returns the units booked. Raises ShippingRefused; then nothing was."""
    locked, moved = _book(row, wanted, by, SHIPPED_HERE, _shipped, source)
    before = {stock: (units, stock.totals[SHIPPED_HERE] - units) for stock, units in moved.items()}
    outgoing.keep(locked, before, tracking, by=by)
    return sum(moved.values())


def dispatch(row: IncomingOrder, wanted: Wanted, *, by: User) -> int:
    """The order's goods are let go although its store was not told: they stay here and can be sold again, in every store.
    Returns the units booked. Raises ShippingRefused; then nothing was."""
    _, moved = _book(row, wanted, by, "dispatch without fulfilment", _let_go)
    return sum(moved.values())


def _shipped(stock: OrderStock, quantity: int) -> tuple[EntryKind, int]:
    stock.ahead += quantity
    return EntryKind.SHIPPED, -quantity


def _let_go(stock: OrderStock, quantity: int) -> tuple[EntryKind, int]:
    stock.dispatched += quantity
    return EntryKind.RELEASED, 0


Step = Callable[[OrderStock, int], tuple[EntryKind, int]]
"""Moves units of a stock row to another pile. Returns the kind of the entry, and what on hand moves by."""


@transaction.atomic
def _book(
    row: IncomingOrder, wanted: Wanted, by: User | None, action: str, step: Step, source: Source = CONSOLE
) -> tuple[IncomingOrder, dict[OrderStock, int]]:
    """The order as it was locked, and the units that were moved of each row of its stock."""
    locked, moved = lock(row, wanted)
    postings = []
    for stock, quantity in moved.items():
        stock.held -= quantity
        kind, on_hand = step(stock, quantity)
        total = stock.totals[action] = int(stock.totals.get(action, 0)) + quantity
        postings.append(
            posting(locked, stock, kind, f"{action}:{total}", by, source, on_hand=on_hand, released=-quantity)
        )
    ledger.post(postings)
    OrderStock.objects.bulk_update(moved, ["held", "ahead", "dispatched", "totals"])
    wave_changes.follow([locked], because=f"Booked beside the wave: {action}.")
    audit.record(by, action, f"{locked.store}: {locked.name}", after={"units": sum(moved.values())})
    return locked, moved


def lock(row: IncomingOrder, wanted: Wanted) -> tuple[IncomingOrder, dict[OrderStock, int]]:
    """The order, locked, and the rows of its stock with the units wanted of each. Raises ShippingRefused unless it holds
    them now. Call it inside the transaction that books."""
    locked = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=row.pk)
    if locked.stock_rule != StockRule.ORDER:
        raise ShippingRefused("Only goods of an order that holds stock here can leave.", "Choose another order.")
    stocks = {stock.pk: stock for stock in locked.stock.order_by("pk")}
    chosen = {pk: units for pk, units in wanted.items() if units.quantity}
    _check(stocks, chosen)
    return locked, {stocks[pk]: units.quantity for pk, units in chosen.items()}


def _check(stocks: Mapping[int, OrderStock], wanted: Wanted) -> None:
    if not wanted:
        raise ShippingRefused("No units were given.", "Say how many of which line.")
    for pk, units in wanted.items():
        held = stocks[pk].held if pk in stocks else 0
        if held != units.of:
            raise ShippingRefused(
                f"The order holds {held} there now, not {units.of}.", "Look again, then say how many."
            )
        if not 0 < units.quantity <= held:
            raise ShippingRefused(f"{units.quantity} of {held} held units cannot go.", f"Say 1 to {held}.")


def posting(
    row: IncomingOrder,
    stock: OrderStock,
    kind: EntryKind,
    fact: str,
    by: User | None,
    source: Source = CONSOLE,
    *,
    on_hand: int = 0,
    released: int = 0,
) -> Posting:
    """An entry of the level that a stock row is held at, not by its store's word. `fact` names what happened and its cumulative
    quantity there."""
    return Posting(
        variant_id=stock.variant_id,
        location_id=stock.location_id,
        kind=kind,
        key=key_of(row, stock, fact),
        origin=source.origin,
        effective_at=source.at or timezone.now(),
        on_hand_delta=Decimal(on_hand),
        released_delta=released,
        document=row.document,
        reason=fact.partition(":")[0].capitalize(),
        actor=by,
    )


def key_of(row: IncomingOrder, stock: OrderStock, fact: str) -> str:
    """The key of that entry."""
    part = f"/{stock.location_id}" if stock.part_of_id else ""
    return f"{row.store_id}:{stock.line_ref}@{stock.store_location_id}{part}:{fact}"


def shipped_key(row: IncomingOrder, stock: OrderStock) -> str:
    """The key of the newest entry by which goods of a stock row were shipped here."""
    return key_of(row, stock, f"{SHIPPED_HERE}:{stock.totals.get(SHIPPED_HERE, 0)}")


def holding(row: IncomingOrder) -> Sequence[OrderStock]:
    """What the order holds, line by line, for people to choose from."""
    stocks = row.stock.select_related("variant__product", "location", "store_location")
    return list(stocks.exclude(held=0, ahead=0, dispatched=0).order_by("pk"))
