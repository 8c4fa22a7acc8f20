"""What happens in our own locations: goods come, go and are counted, and leave for orders before their store knows."""

from __future__ import annotations

import io
import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from inventory import ledger, stock_feed
from inventory.ledger import Posting
from inventory.models.ledger import EntryKind
from orders import allocation, came_back, put_back, shipping, waves
from orders.models import IncomingOrder, OrderStock, Wave, WaveLineState, WaveState
from orders.shipping import Units
from orders.waves import WaveRefused
from tests.simulation.books import Ours, Piles, Spot
from tests.simulation.histories import LOCATIONS, Act
from tests.simulation.shops import PLACES, Work, item_of, sku

if TYPE_CHECKING:
    from tests.simulation.engine import Engine


def receive(engine: Engine, store: int, chance: random.Random) -> None:
    where = _somewhere(engine, chance)
    quantity = Decimal(chance.choice((-3, -1, 1, 2, 4, "0.5", "1.5")))
    post(engine, where, EntryKind.RECEIVED if quantity > 0 else EntryKind.ISSUED, quantity)
    engine.books.entered(where, quantity)


def count(engine: Engine, store: int, chance: random.Random) -> None:
    where = _somewhere(engine, chance)
    difference = chance.choice((-2, -1, 0, 1, 2))
    engine.pass_time(1.5)  # nothing else happens in the second of a count
    engine.books.entered(where, Decimal(difference))
    post(engine, where, EntryKind.COUNT, Decimal(0), count_to=engine.books.on_hand[where])
    engine.pass_time(1.5)


def transfer(engine: Engine, store: int, chance: random.Random) -> None:
    item, source = _somewhere(engine, chance)
    target, quantity = chance.randrange(LOCATIONS), Decimal(chance.randint(1, 3))
    for location, kind, units in (
        (source, EntryKind.TRANSFER_OUT, -quantity),
        (target, EntryKind.TRANSFER_IN, quantity),
    ):
        post(engine, (item, location), kind, units)
        engine.books.entered((item, location), units)


def ship(engine: Engine, store: int, chance: random.Random) -> None:
    """Goods leave for an order before its store knows."""
    if goods := _goods(engine, store, chance):
        shipping.ship(goods.row, goods.wanted, by=engine.person)
        engine.books.shipped_here(goods.spot, goods.where, goods.quantity)
        goods.work.at_rest = True


def dispatch(engine: Engine, store: int, chance: random.Random) -> None:
    """An order is let go without fulfilment."""
    if goods := _goods(engine, store, chance):
        shipping.dispatch(goods.row, goods.wanted, by=engine.person)
        engine.books.let_go(goods.spot, goods.where, goods.quantity)
        goods.work.at_rest = True


def allocate(engine: Engine, store: int, chance: random.Random) -> None:
    """An order's goods are held at another of our locations from now on."""
    goods = _goods(engine, store, chance)
    to = chance.randrange(LOCATIONS)
    if goods and to != goods.where[1]:
        allocation.move(goods.row, goods.wanted, engine.locations[to], by=engine.person)
        engine.books.held_elsewhere(goods.spot, goods.where, goods.quantity, to)
        goods.work.at_rest = goods.work.split = True
        engine.played["goods held elsewhere"] += 1


def pull(engine: Engine, store: int, chance: random.Random) -> None:
    """The stock feed tells that goods left for an order, which may not be here yet, or may have sent them already."""
    works = [work for work in engine.shops.works if work.store == store and _may_be_pulled(work)]
    found = [(work, spot) for work in works for spot in _single_spots(engine, work)]
    if not found:
        return
    work, spot = chance.choice(found)
    piles = engine.books.piles[spot]
    known = _is_read(engine, work)
    there = chance.choice(list(piles)) if known else next(iter(piles))
    if known and chance.random() < 0.2:
        there = chance.randrange(LOCATIONS)
    left = piles.get(there, Piles())
    most = sum(pile.held for pile in piles.values()) + max(0, left.sent + left.ahead - left.named)
    if not most:
        return
    item, quantity = item_of(work.order.line(spot[1])), chance.randint(1, most)
    place, ref, shop = engine.locations[there].code, next(engine.facts), engine.stores[store].slug
    row = f"{sku(item)},{place},{quantity},{ref},{work.order.name},{shop},issued"
    text = f"sku,location,quantity,ref,order,store,reason\n{row}\n"
    told = stock_feed.record_stock(io.BytesIO(text.encode()), actor=None, origin="simulation")
    engine.problems += [f"pull {row}: {problem.cause}" for problem in told.problems]
    engine.books.pulled(spot, (item, there), quantity)
    work.at_rest = True
    work.split = work.split or len(piles) > 1
    work.parcels_stay = work.parcels_stay or Act.FULFIL in work.unread
    if not known:
        work.unread.add(Act.PULL)
    engine.played.update({"pulls": 1, "pulls that waited": told.waiting})


def _may_be_pulled(work: Work) -> bool:
    """Nothing of it was cancelled, and what nobody has read of it is at most that it was placed and sent."""
    unread = work.unread - {Act.BUY, Act.PULL}
    unread -= set() if work.parcels_stay else {Act.FULFIL}
    return not (work.owes or work.test or work.order.cancelled_at or unread or work.awaits_reading)


def _single_spots(engine: Engine, work: Work) -> list[Spot]:
    """Where goods of the order are, of items that one line of it has at one location: the feed names neither of the two."""
    spots = [spot for spot in engine.books.piles if spot[0] == work.order.number]
    items = Counter(item_of(work.order.line(line)) for _, line, _ in spots)
    return [spot for spot in spots if items[item_of(work.order.line(spot[1]))] == 1]


def make_wave(engine: Engine, store: int, chance: random.Random) -> None:
    """Released orders are put in a wave."""
    location = chance.choice(engine.locations)
    sales = [sale.incoming_id for sale in waves.choices(location, parts=chance.random() < 0.5, limit=6)]
    chosen = chance.sample(sales, min(len(sales), chance.randint(1, 4)))
    try:
        waves.create(location, chosen, intent=uuid.UUID(int=chance.getrandbits(128)), by=engine.person)
    except WaveRefused:
        return
    engine.played["waves"] += 1


def end_wave(engine: Engine, store: int, chance: random.Random) -> None:
    """A wave is given back, or picked: its orders as far as they are known as they are, each whole or in part."""
    wave = Wave.objects.filter(state=WaveState.OPEN).order_by("pk").first()
    if wave is None:
        return
    if chance.random() < 0.2:
        waves.void(wave, reason="Nobody picks it.", by=engine.person)
        engine.played["waves given back"] += 1
        return
    picked: dict[int, Units] = {}
    shipped: list[Goods] = []
    for line in wave.lines.filter(state=WaveLineState.OPEN).order_by("pk"):
        goods = _of_stock(engine, line.stock)
        if goods is None or goods.quantity != line.quantity:
            continue
        quantity = line.quantity if chance.random() < 0.7 else chance.randint(0, line.quantity)
        picked[line.pk] = Units(quantity, of=line.quantity)
        shipped.append(replace(goods, quantity=quantity))
    if not picked:
        return
    left_out = waves.complete(wave, picked, by=engine.person).left_out
    engine.problems += [f"wave {wave.pk}: {left} could not be shipped" for left in left_out]
    for goods in shipped:
        engine.books.shipped_here(goods.spot, goods.where, goods.quantity)
        goods.work.at_rest = True
    engine.played["waves picked"] += 1


def come_back(engine: Engine, store: int, chance: random.Random) -> None:
    """Goods that left here were cancelled with restock in their store; somebody says how many are back."""
    rows = IncomingOrder.objects.filter(store=engine.stores[store], stock__in_doubt__gt=0).distinct().order_by("pk")
    for row in rows[:1]:
        for stock in came_back.in_doubt(row):
            units = chance.randint(0, stock.in_doubt)
            came_back.settle(row, {stock.pk: Units(units, of=stock.in_doubt)}, reason="Seen.", by=engine.person)
            where = engine.variants.index(stock.variant), engine.locations.index(stock.location)
            engine.books.entered(where, Decimal(units))
            engine.played["goods that came back"] += units


def answer_for_the_cancelled(engine: Engine) -> None:
    """Of each order that asks, somebody says how many of its units the store put back when it took them off."""
    works = {work.order.gid: work for work in engine.shops.works}
    for row in IncomingOrder.objects.filter(store__in=engine.stores).exclude(needs_look="").order_by("pk"):
        if put_back.asks(row):
            left, came = works[row.ref].put_back, {}
            for entry in put_back.in_question(row):
                line = entry.key.split(":", 1)[1].partition("@")[0]
                units = int(-entry.on_hand_delta)
                came[entry.pk] = Units(min(units, left[line]), of=units)
                left[line] -= came[entry.pk].quantity
            put_back.settle(row, came, reason="Seen.", by=engine.person)
            engine.played["cancelled orders answered for"] += 1


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of an order that one of our locations holds."""

    work: Work
    stock: OrderStock
    spot: Spot
    where: Ours
    quantity: int

    @property
    def row(self) -> IncomingOrder:
        return self.stock.order

    @property
    def wanted(self) -> dict[int, Units]:
        return {self.stock.pk: Units(self.quantity, self.stock.held)}


def _goods(engine: Engine, store: int, chance: random.Random) -> Goods | None:
    """Some that an order of the store holds. Only of one that is known as it is: what left there and here at the same time
    may be the same units, or others."""
    works = {work.order.gid for work in engine.shops.works if not work.owes}
    imported = IncomingOrder.objects.filter(
        store=engine.stores[store], state="imported", stock_rule="order", ref__in=works
    )
    rows = [row for row in imported.order_by("pk") if engine.changes_of(row.ref)[-1] == row.remote_updated_at]
    for stock in shipping.holding(chance.choice(rows)) if rows else ():
        if goods := _of_stock(engine, stock):
            return replace(goods, quantity=chance.randint(1, goods.quantity))
    return None


def _of_stock(engine: Engine, stock: OrderStock) -> Goods | None:
    """What a row of an order's stock holds, where the order is known as it is."""
    work = next(work for work in engine.shops.works if work.order.gid == stock.order.ref)
    if work.owes or not _is_read(engine, work):
        return None
    line = next(line for line in work.order.lines if line.gid == stock.line_ref)
    spot = (work.order.number, line.number, PLACES.index(stock.store_location.name))
    where = engine.variants.index(stock.variant), engine.locations.index(stock.location)
    there = engine.books.piles[spot].get(where[1])
    quantity = min(stock.held, there.held) if there else 0
    return Goods(work, stock, spot, where, quantity) if quantity else None


def _is_read(engine: Engine, work: Work) -> bool:
    """The newest version of an order is known here, and what a pull said of it is booked."""
    if Act.PULL in work.unread:
        return False
    row = IncomingOrder.objects.filter(store=engine.stores[work.store], ref=work.order.gid, state="imported").first()
    return row is not None and row.remote_updated_at == engine.changes_of(row.ref)[-1]


def post(engine: Engine, where: Ours, kind: EntryKind, quantity: Decimal, **more: Any) -> None:
    """One entry at one of our levels."""
    item, location = where
    posting = Posting(
        engine.variants[item].pk,
        engine.locations[location].pk,
        kind,
        f"simulated:{engine.person.pk}:{next(engine.facts)}",
        "simulation",
        timezone.now(),
        on_hand_delta=quantity,
        **more,
    )
    ledger.post([posting])


def _somewhere(engine: Engine, chance: random.Random) -> Ours:
    return chance.randrange(engine.shops.setup.items), chance.randrange(LOCATIONS)


STEPS: dict[Act, Callable[[Engine, int, random.Random], None]] = {
    Act.RECEIVE: receive,
    Act.COUNT: count,
    Act.TRANSFER: transfer,
    Act.SHIP: ship,
    Act.DISPATCH: dispatch,
    Act.ALLOCATE: allocate,
    Act.PULL: pull,
    Act.WAVE: make_wave,
    Act.WAVE_ENDS: end_wave,
    Act.CAME_BACK: come_back,
}
