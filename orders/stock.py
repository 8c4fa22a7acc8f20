"""The stock of an order, booked: its facts become ledger entries and store bookings, all in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef

from connectors.models import StoreLocation
from connectors.models.stores import OpeningOrders
from connectors.ports.orders import RemoteOrder
from inventory import ledger, store_bookings
from inventory.ledger import Posting
from inventory.store_bookings import Shelf, StoreBooking
from orders.effects import Effect, Holding, StockRule, Terms, effects_of, shares
from orders.errors import OrderRefused
from orders.facts import Fact, FactKind, News, Spot, Standing, cancelled_key, news, returned_key
from orders.models import IncomingOrder, OrderStock, WaveLine, WaveLineState


@dataclass(frozen=True, slots=True)
class Booked:
    """What `book` did. `looks`: what a person should look at, since nothing tells where some units went."""

    entries: int
    looks: list[str]
    waved: bool
    """Some of the order's goods were being picked before."""
    linked: Mapping[str, int]
    """Item reference → our variant, of the items that were looked up for it."""


def book(row: IncomingOrder, order: RemoteOrder) -> Booked:
    """Book what is new of `order` since the version booked last. `row` is locked, and its `stock_rule` is set.

    Inside the caller's transaction: ledger entries, what the store booked, its open quantities and the order's stock, all
    or none. Raises OrderRefused where an item or a location of it is not ours to book yet; nothing is written then.
    """
    books = _open(row)
    told = _of_stock(books, news(order, books.known(), since=row.books_from))
    _check_places(books, told)
    open_changes = books.open_changes(told.now)
    for fact in told.facts:
        books.work_through(fact)
    books.keep(told.now)
    shelves = {books.shelf(spot, standing.item_ref) for spot, standing in told.now.items()}
    shelved = store_bookings.look_up(row.store, shelves, books.bookings)
    posted = ledger.post(books.postings, also=shelved.at.values())
    store_bookings.book(shelved, books.bookings, open_changes, books.verify)
    return Booked(len(posted.recorded), books.looks, books.waved, books.linked)


def rule_for(row: IncomingOrder, *, eligible: bool) -> StockRule:
    """What an order seen for the first time means for our stock."""
    if row.test:
        return StockRule.TEST
    left_out = not eligible and row.store.opening_orders == OpeningOrders.LEFT_OUT
    return StockRule.LEFT_OUT if left_out else StockRule.ORDER


@dataclass(frozen=True, slots=True)
class _Place:
    """A location of the store, and ours that holds goods for it."""

    store_location_id: int
    location_id: int


@dataclass(slots=True)
class _Books:
    """What is to be written for one order."""

    row: IncomingOrder
    terms: Terms
    stocks: dict[Spot, OrderStock]
    parts: dict[Spot, list[OrderStock]]
    """What a person holds elsewhere of a spot; it goes first."""
    variants: dict[str, int]
    """Item reference → our variant."""
    before: dict[int, list[Any]]
    """What may change of a row, as it was read, by its id."""
    places: dict[str, _Place] = field(default_factory=dict)
    """Location reference → where goods of a line that is new there are held."""
    postings: list[Posting] = field(default_factory=list)
    bookings: list[StoreBooking] = field(default_factory=list)
    verify: set[Shelf] = field(default_factory=set)
    looks: list[str] = field(default_factory=list)
    waved: bool = False
    linked: dict[str, int] = field(default_factory=dict)
    """Those of `variants` that were looked up now."""

    def known(self) -> dict[Spot, Standing]:
        """What the store was last known to say."""
        return {
            spot: Standing(
                stock.item_ref,
                stock.open_quantity,
                stock.fulfilled + self._sent_elsewhere(spot),
                stock.ordered,
                stock.totals,
            )
            for spot, stock in self.stocks.items()
        }

    def open_changes(self, now: dict[Spot, Standing]) -> dict[Shelf, int]:
        """By how much the units that wait at a shelf of the store changed."""
        changes: dict[Shelf, int] = {}
        for spot, standing in now.items():
            before = self.stocks[spot].open_quantity if spot in self.stocks else 0
            shelf = self.shelf(spot, standing.item_ref)
            changes[shelf] = changes.get(shelf, 0) + standing.open - before
        return {shelf: change for shelf, change in changes.items() if change}

    def work_through(self, fact: Fact) -> None:
        """Note the effects of a fact, and what is held after it, at each of our locations that its units are held at."""
        whole = self._stock(fact.spot, fact.item_ref)
        rows = [*self.parts.get(fact.spot, ()), whole]
        for row, quantity in zip(rows, shares(fact, [_holding(row) for row in rows]), strict=True):
            if quantity:
                self._work_through(replace(fact, quantity=quantity), row, whole)

    def _work_through(self, fact: Fact, here: OrderStock, whole: OrderStock) -> None:
        """A fact of units that are all held by one row."""
        moves = fact.kind is FactKind.MOVED
        there = self._stock(Spot(fact.spot.line_ref, fact.to_ref), fact.item_ref) if moves else here
        holding = _holding(here)
        other = _holding(there) if moves else holding
        effects = effects_of(fact, self.terms, holding, other)
        _hold(there, other)
        _hold(here, holding)
        key = f"{self.row.store_id}:{fact.source_ref or fact.spot.line_ref}@{fact.spot.location_ref}:{fact.kind}"
        total = _count(whole, fact)
        for step, effect in enumerate(effects):
            self._write(fact, effect, f"{key}:{total}:{step}", here)

    def keep(self, now: dict[Spot, Standing]) -> None:
        """Save what the store says now, beside what is held."""
        for spot, standing in now.items():
            stock = self._stock(spot, standing.item_ref)
            stock.ordered, stock.open_quantity = standing.ordered, standing.open
            stock.fulfilled = standing.fulfilled - self._sent_elsewhere(spot)
        new = [stock for stock in self.stocks.values() if stock._state.adding]
        known = [stock for stock in self.stocks.values() if not stock._state.adding]
        known += [part for parts in self.parts.values() for part in parts]
        OrderStock.objects.bulk_create(new)
        OrderStock.objects.bulk_update([row for row in known if _changing(row) != self.before[row.pk]], CHANGING)

    def shelf(self, spot: Spot, item_ref: str) -> Shelf:
        return item_ref, self._place(spot).store_location_id

    def _sent_elsewhere(self, spot: Spot) -> int:
        return sum(part.fulfilled for part in self.parts.get(spot, ()))

    def _place(self, spot: Spot) -> _Place:
        """Goods stay where they were held, whatever the mapping says since."""
        stock = self.stocks.get(spot)
        return _Place(stock.store_location_id, stock.location_id) if stock else self.places[spot.location_ref]

    def _stock(self, spot: Spot, item_ref: str) -> OrderStock:
        if spot not in self.stocks:
            place = self._place(spot)
            self.stocks[spot] = OrderStock(
                order=self.row,
                line_ref=spot.line_ref,
                item_ref=item_ref,
                store_location_id=place.store_location_id,
                location_id=place.location_id,
                variant_id=self.variants[item_ref],
            )
        return self.stocks[spot]

    def _write(self, fact: Fact, effect: Effect, key: str, here: OrderStock) -> None:
        store, spot = self.row.store, Spot(fact.spot.line_ref, effect.location_ref)
        location_id = here.location_id if spot == fact.spot else self._place(spot).location_id
        document = self.row.document
        if effect.kind is not None and (effect.on_hand or effect.released):
            self.postings.append(
                Posting(
                    variant_id=self.variants[fact.item_ref],
                    location_id=location_id,
                    kind=effect.kind,
                    key=key,
                    origin=store.origin,
                    effective_at=fact.at,
                    on_hand_delta=Decimal(effect.on_hand),
                    released_delta=effect.released,
                    document=document,
                    posting=f"{store.pk}:{fact.source_ref or fact.spot.line_ref}",
                )
            )
        shelf = self.shelf(spot, fact.item_ref)
        if effect.store:
            self.bookings.append(StoreBooking(shelf, effect.store, key, fact.at, document, fact.within))
        if effect.look:
            self.looks.append(effect.look)
            self.verify.add(shelf)


CHANGING: Sequence[str] = (
    *("ordered", "open_quantity", "fulfilled", "held", "ahead", "dispatched"),
    *("covered", "in_doubt", "totals"),
)


def _open(row: IncomingOrder) -> _Books:
    picking = WaveLine.objects.filter(stock=OuterRef("pk"), state=WaveLineState.OPEN)
    found = row.stock.select_related("store_location").annotate(is_picked=Exists(picking)).order_by("pk")
    rows: list[OrderStock] = list(found)
    stocks: dict[Spot, OrderStock] = {}
    parts: dict[Spot, list[OrderStock]] = {}
    for stock in rows:
        spot = Spot(stock.line_ref, stock.store_location.ref)
        if stock.part_of_id is None:
            stocks[spot] = stock
        else:
            parts.setdefault(spot, []).append(stock)
    terms = Terms(StockRule(row.stock_rule), keep_goods=row.store.keep_goods)
    variants = {stock.item_ref: stock.variant_id for stock in rows}
    before = {stock.pk: _changing(stock) for stock in rows}
    return _Books(row, terms, stocks, parts, variants, before, waved=any(vars(stock)["is_picked"] for stock in rows))


def _changing(stock: OrderStock) -> list[Any]:
    return [dict(value) if isinstance(value, dict) else value for value in (getattr(stock, name) for name in CHANGING)]


def _of_stock(books: _Books, told: News) -> News:
    """What is told of lines that hold stock: those known, and those of items whose quantity the store tracks."""
    held = {spot.line_ref for spot in books.stocks}
    concerned = held | {fact.spot.line_ref for fact in told.facts}
    items = {standing.item_ref for spot, standing in told.now.items() if spot.line_ref in concerned}
    places = {spot.location_ref for spot in told.now} | {fact.to_ref for fact in told.facts if fact.to_ref}
    untracked = _learn(books, items - books.variants.keys(), places)
    now = {
        spot: standing
        for spot, standing in told.now.items()
        if spot.line_ref in held or (spot.line_ref in concerned and standing.item_ref not in untracked)
    }
    lines = {spot.line_ref for spot in now}
    return News([fact for fact in told.facts if fact.spot.line_ref in lines], now)


# Where several of ours stand for a location of the store, it is the one mapped first.
LEARN: Final = """
SELECT v.item_ref, v.variant_id, NULL::bigint, v.tracked FROM catalog_listedvariant v
 WHERE v.store_id = %(store)s AND v.item_ref = ANY(%(items)s)
 UNION ALL
(SELECT DISTINCT ON (l.ref) l.ref, m.store_location_id, m.location_id, NULL FROM inventory_locationmapping m
   JOIN connectors_storelocation l ON l.id = m.store_location_id
  WHERE m.store_id = %(store)s AND l.ref = ANY(%(places)s) ORDER BY l.ref, m.id)
"""


def _learn(books: _Books, item_refs: set[str], places: set[str]) -> set[str]:
    """Learn our variants behind these items, and which locations of ours hold goods for these of the store. Returns the
    items whose quantity the store does not track."""
    untracked: set[str] = set()
    with connection.cursor() as cursor:
        cursor.execute(LEARN, {"store": books.row.store_id, "items": list(item_refs), "places": list(places)})
        for ref, first, location_id, tracked in cursor.fetchall():
            if location_id is not None:
                books.places[ref] = _Place(first, location_id)
                continue
            books.variants[ref] = books.linked[ref] = first
            if not tracked:
                untracked.add(ref)
    for item_ref in sorted(item_refs - books.variants.keys()):
        raise OrderRefused(
            cause=f"{_label(books.row, item_ref)} is not linked to a variant of ours.",
            remedy="Import the item, then link the store; the order follows by itself.",
            waits_for=f"item:{item_ref}",
        )
    return untracked


def _label(row: IncomingOrder, item_ref: str) -> str:
    line = next((line for line in row.order.lines if line.item_ref == item_ref), None)
    return f"{line.sku or 'A line without SKU'} ({line.name})" if line else "An item of the order"


def _check_places(books: _Books, told: News) -> None:
    """Raise OrderRefused for goods at a location of the store that none of ours is mapped to."""
    for spot in _placeless(books, told):
        store_location = StoreLocation.objects.filter(store=books.row.store, ref=spot.location_ref).first()
        raise OrderRefused(
            cause=f"The order is assigned to {store_location or spot.location_ref}, which no location of ours is mapped to.",
            remedy="Map one to it on the store's page; the order follows by itself.",
            waits_for=f"location:{spot.location_ref}",
        )


def _placeless(books: _Books, told: News) -> Iterable[Spot]:
    spots = {*told.now, *(Spot(fact.spot.line_ref, fact.to_ref) for fact in told.facts if fact.to_ref)}
    return sorted(spot for spot in spots if spot not in books.stocks and spot.location_ref not in books.places)


def _holding(stock: OrderStock) -> Holding:
    return Holding(stock.held, stock.ahead, stock.dispatched, stock.covered, stock.fulfilled, stock.in_doubt)


def _hold(stock: OrderStock, holding: Holding) -> None:
    stock.held, stock.ahead, stock.dispatched = holding.held, holding.ahead, holding.dispatched
    stock.covered, stock.fulfilled, stock.in_doubt = holding.covered, holding.fulfilled, holding.in_doubt


def _count(stock: OrderStock, fact: Fact) -> int:
    """Count the units of the fact. The number that comes out makes its key: how many units of this kind there were, in
    all or of its refund line."""
    names = [str(fact.kind)]
    if fact.kind is FactKind.CANCELLED:
        names.append(cancelled_key(fact.source_ref))
    elif fact.kind in (FactKind.RETURNED, FactKind.WRITTEN_OFF):
        names.append(returned_key(fact.source_ref))
    for name in names:
        stock.totals[name] = int(stock.totals.get(name, 0)) + abs(fact.quantity)
    return int(stock.totals[names[-1]])
