"""The stock of orders, booked: their facts become ledger entries and store bookings, all in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from django.db.models import Exists, OuterRef, Subquery

from connectors.models.stores import OpeningOrders
from connectors.ports.orders import RemoteOrder
from inventory import ledger, store_bookings
from inventory.ledger import Posting
from inventory.models import LedgerEntry
from inventory.models.ledger import EntryKind
from inventory.store_bookings import Shelf, StoreBooking
from orders import places, wave_changes
from orders.effects import Effect, Holding, StockRule, Terms, effects_of, shares
from orders.errors import OrderRefused
from orders.facts import Fact, FactKind, News, Spot, Standing, cancelled_key, news, returned_key
from orders.leaving import Left, Word, dated_back
from orders.models import IncomingOrder, OrderStock, WaveLine, WaveLineState
from orders.places import Place, Shop
from orders.shipping import shipped_key
from orders.told import Refusals, Told, set_aside
from syncconsole.kernel import bulk


def book(told: Told, eligible: Collection[IncomingOrder]) -> Refusals:
    """Book what is new of these orders since the versions booked last. `eligible`: those of them that count as ours.

    Inside the caller's transaction: ledger entries, what the store booked, its open quantities, the orders' stock and the
    waves that pick it, in the order of `told`; what an order means for our stock, and what a person should look at, is noted
    on its row, which the caller saves. Refused, and nothing written of them, are orders of which an item or a location
    is not ours to book yet. The same number of statements whatever the number of orders, but for those in a wave.
    """
    refused: Refusals = {}
    found = _open(told, eligible)
    shop = places.look_up(
        found[0].row.store,
        items={ref for books in found for ref in books.new_items},
        places={ref for books in found for ref in books.place_refs},
    )
    for books in found:
        with set_aside(refused, books.row):
            books.work_through(shop)
    sound = [books for books in found if books.row not in refused]
    if sound:
        _write(sound)
        wave_changes.follow([books.row for books in sound if books.waved])
    for books in sound:
        books.note()
    return refused


def _write(found: Sequence[_Books]) -> None:
    """Everything that the orders book, table by table."""
    bulk.save((stock for books in found for stock in books.changed()), CHANGING)
    bulk.insert(stock for books in found for stock in books.stocks.values() if stock._state.adding)
    bookings = [booking for books in found for booking in books.bookings]
    open_changes: dict[Shelf, int] = {}
    for books in found:
        for shelf, change in books.open_changes.items():
            open_changes[shelf] = open_changes.get(shelf, 0) + change
    shelved = store_bookings.look_up(found[0].row.store, open_changes, bookings)
    postings = [posting for books in found for posting in books.postings]
    ledger.post([*postings, *_dated_back(found)], also=shelved.at.values())
    store_bookings.book(shelved, bookings, open_changes, {shelf for books in found for shelf in books.verify})


def _dated_back(found: Sequence[_Books]) -> Iterator[Posting]:
    """What was booked as gone here after a count, and had gone before the count by its store's word, which came later."""
    covered = [covered for books in found for covered in books.covered]
    if not covered:
        return
    older = LedgerEntry.objects.filter(
        level=OuterRef("level"),
        kind=EntryKind.COUNT,
        effective_at__lte=OuterRef("effective_at"),
        seq__lt=OuterRef("seq"),
    )
    counted = older.order_by("-effective_at").values("effective_at")[:1]
    rows = LedgerEntry.objects.filter(key__in={each.booked_as for each in covered})
    booked = {entry.key: entry for entry in rows.annotate(counted=Subquery(counted)).exclude(counted=None)}
    left = {key: -int(entry.on_hand_delta) for key, entry in booked.items()}
    for each in covered:
        entry = booked.get(each.booked_as)
        if entry and each.told.at < entry.counted and (units := min(each.left.units, left[entry.key])):
            left[entry.key] -= units
            ours = Word(entry.origin, entry.effective_at)
            yield from dated_back(each.left._replace(units=units), each.key, booked=ours, earlier=each.told)


@dataclass(frozen=True, slots=True)
class Covered:
    """Units that were shipped here first, and that their store tells of now; `booked_as`: the key of our own entry."""

    booked_as: str
    key: str
    left: Left
    told: Word


def rule_for(row: IncomingOrder, *, eligible: bool) -> StockRule:
    """What an order seen for the first time means for our stock."""
    if row.test:
        return StockRule.TEST
    left_out = not eligible and row.store.opening_orders == OpeningOrders.LEFT_OUT
    return StockRule.LEFT_OUT if left_out else StockRule.ORDER


@dataclass(slots=True)
class _Books:
    """What is to be written for one order."""

    row: IncomingOrder
    order: RemoteOrder
    terms: Terms
    since: dt.datetime | None
    """Of an order that was there before: what happened until then is not booked."""
    stocks: dict[Spot, OrderStock] = field(default_factory=dict)
    parts: dict[Spot, list[OrderStock]] = field(default_factory=dict)
    """What a person holds elsewhere of a spot; it goes first."""
    variants: dict[str, int] = field(default_factory=dict)
    """Item reference → our variant."""
    waved: bool = False
    """Some of the order's goods were being picked before."""
    before: dict[int, list[Any]] = field(default_factory=dict)
    """What may change of a row, as it was read, by its id."""
    told: News = field(init=False)
    places: dict[str, Place] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    bookings: list[StoreBooking] = field(default_factory=list)
    open_changes: dict[Shelf, int] = field(default_factory=dict)
    """By how much the units that wait at a shelf of the store changed; 0 where they did not."""
    verify: set[Shelf] = field(default_factory=set)
    looks: list[str] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)

    def read(self, stock: OrderStock) -> None:
        """Take in a row of the order's stock, as it is kept."""
        spot = Spot(stock.line_ref, stock.store_location.ref)
        if stock.part_of_id is None:
            self.stocks[spot] = stock
        else:
            self.parts.setdefault(spot, []).append(stock)
        self.variants[stock.item_ref] = stock.variant_id
        self.before[stock.pk] = _changing(stock)
        self.waved = self.waved or vars(stock)["is_picked"]

    def explain(self) -> None:
        """Tell what is new from what the store was last known to say."""
        known = {
            spot: Standing(
                stock.item_ref,
                stock.open_quantity,
                stock.fulfilled + self._sent_elsewhere(spot),
                stock.ordered,
                stock.totals,
            )
            for spot, stock in self.stocks.items()
        }
        self.told = news(self.order, known, since=self.since)

    @property
    def concerned(self) -> set[str]:
        """Lines that hold stock, or would."""
        return {spot.line_ref for spot in self.stocks} | {fact.spot.line_ref for fact in self.told.facts}

    @property
    def new_items(self) -> set[str]:
        """Items behind which no variant of ours is known yet."""
        lines = self.concerned
        items = {standing.item_ref for spot, standing in self.told.now.items() if spot.line_ref in lines}
        return items - self.variants.keys()

    @property
    def place_refs(self) -> set[str]:
        """Locations of the store that the order names."""
        return {spot.location_ref for spot in self.told.now} | {fact.to_ref for fact in self.told.facts if fact.to_ref}

    def work_through(self, shop: Shop) -> None:
        """Note the effects of every fact, and what is held after it. Raises OrderRefused for what is not ours to book."""
        self._learn(shop)
        for spot, standing in self.told.now.items():
            before = self.stocks[spot].open_quantity if spot in self.stocks else 0
            shelf = self._shelf(spot, standing.item_ref)
            self.open_changes[shelf] = self.open_changes.get(shelf, 0) + standing.open - before
        for fact in self.told.facts:
            self._share_out(fact)
        for spot, standing in self.told.now.items():
            stock = self._stock(spot, standing.item_ref)
            stock.ordered, stock.open_quantity = standing.ordered, standing.open
            stock.totals = {**stock.totals, **standing.totals}
            stock.fulfilled = standing.fulfilled - self._sent_elsewhere(spot)

    def changed(self) -> list[OrderStock]:
        """The rows that are kept already and say something else now."""
        kept = [stock for stock in self.stocks.values() if not stock._state.adding]
        kept += [part for parts in self.parts.values() for part in parts]
        return [stock for stock in kept if _changing(stock) != self.before[stock.pk]]

    def note(self) -> None:
        """What is settled of the order by now, noted on its row."""
        self.row.stock_rule, self.row.books_from = self.terms.rule, self.since
        asked = self.row.needs_look  # stays until a person answers it, whatever the next version asks
        fresh = [look for look in self.looks if look not in asked]
        self.row.needs_look = " ".join(filter(None, [asked, *fresh]))[:300]

    def _learn(self, shop: Shop) -> None:
        """Take over what is known of the order's items and places; lines of untracked items hold nothing."""
        untracked: set[str] = set()
        concerned = self.concerned
        for item_ref in sorted(self.new_items):
            if item_ref not in shop.items:
                raise OrderRefused(
                    cause=f"{_label(self.order, item_ref)} is not linked to a variant of ours.",
                    remedy="Import the item, then link the store; the order follows by itself.",
                    waits_for=f"item:{item_ref}",
                )
            self.variants[item_ref], tracked = shop.items[item_ref]
            if not tracked:
                untracked.add(item_ref)
        held = {spot.line_ref for spot in self.stocks}
        now = {
            spot: standing
            for spot, standing in self.told.now.items()
            if spot.line_ref in held or (spot.line_ref in concerned and standing.item_ref not in untracked)
        }
        lines = {spot.line_ref for spot in now}
        self.told = News([fact for fact in self.told.facts if fact.spot.line_ref in lines], now)
        self.places = shop.places
        for spot in self._placeless():
            raise places.not_mapped(self.row.store, spot.location_ref, shop)

    def _placeless(self) -> Iterable[Spot]:
        """Goods at a location of the store that none of ours is mapped to."""
        spots = {*self.told.now, *(Spot(fact.spot.line_ref, fact.to_ref) for fact in self.told.facts if fact.to_ref)}
        return sorted(spot for spot in spots if spot not in self.stocks and spot.location_ref not in self.places)

    def _share_out(self, fact: Fact) -> None:
        """Work through a fact at each of our locations that its units are held at."""
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
        covered = holding.covered - here.covered
        _hold(there, other)
        _hold(here, holding)
        key = f"{self.row.store_id}:{fact.source_ref or fact.spot.line_ref}@{fact.spot.location_ref}:{fact.kind}"
        total = _count(whole, fact)
        if covered > 0:
            self._cover(fact, here, covered, f"{key}:{total}")
        for step, effect in enumerate(effects):
            self._write(fact, effect, f"{key}:{total}:{step}", here)

    def _cover(self, fact: Fact, here: OrderStock, units: int, key: str) -> None:
        left = Left(here.variant_id, here.location_id, self.row.document, units)
        self.covered.append(Covered(shipped_key(self.row, here), key, left, Word(self.row.store.origin, fact.at)))

    def _shelf(self, spot: Spot, item_ref: str) -> Shelf:
        return item_ref, self._place(spot).store_location_id

    def _sent_elsewhere(self, spot: Spot) -> int:
        return sum(part.fulfilled for part in self.parts.get(spot, ()))

    def _place(self, spot: Spot) -> Place:
        """Goods stay where they were held, whatever the mapping says since."""
        stock = self.stocks.get(spot)
        return Place(stock.store_location_id, stock.location_id) if stock else self.places[spot.location_ref]

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
        shelf = self._shelf(spot, fact.item_ref)
        if effect.store:
            self.bookings.append(StoreBooking(shelf, effect.store, key, fact.at, document, fact.within))
        if effect.look:
            self.looks.append(effect.look)
            self.verify.add(shelf)


CHANGING: Final = (
    *("ordered", "open_quantity", "fulfilled", "held", "ahead", "dispatched"),
    *("covered", "in_doubt", "totals"),
)


def _open(told: Told, eligible: Collection[IncomingOrder]) -> list[_Books]:
    """The books of these orders, with what is kept of their stock, and what is new."""
    found = {row.pk: _begin(row, order, eligible=row in eligible) for row, order in told.items()}
    picking = WaveLine.objects.filter(stock=OuterRef("pk"), state=WaveLineState.OPEN)
    stocks = OrderStock.objects.filter(order__in=found).select_related("store_location")
    for stock in stocks.annotate(is_picked=Exists(picking)).order_by("pk"):
        found[stock.order_id].read(stock)
    for books in found.values():
        books.explain()
    return list(found.values())


def _begin(row: IncomingOrder, order: RemoteOrder, *, eligible: bool) -> _Books:
    """An order's rule is settled when its stock is first booked, and kept."""
    if row.stock_rule:
        rule, since = StockRule(row.stock_rule), row.books_from
    else:
        rule, since = rule_for(row, eligible=eligible), None if eligible else order.updated_at
    return _Books(row, order, Terms(rule, keep_goods=row.store.keep_goods), since)


def _changing(stock: OrderStock) -> list[Any]:
    return [dict(value) if isinstance(value, dict) else value for value in (getattr(stock, name) for name in CHANGING)]


def _label(order: RemoteOrder, item_ref: str) -> str:
    line = next((line for line in order.lines if line.item_ref == item_ref), None)
    return f"{line.sku or 'A line without SKU'} ({line.name})" if line else "An item of the order"


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
