"""What happens in our own locations: goods come, go and are counted, and leave for orders before their store knows."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from inventory import ledger
from inventory.ledger import Posting
from inventory.models.ledger import EntryKind
from orders import shipping
from orders.models import IncomingOrder
from orders.shipping import Units
from tests.simulation.books import Ours, Shelf
from tests.simulation.histories import LOCATIONS, Act
from tests.simulation.shops import PLACES

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
    _of_an_order(engine, store, chance, shipping.ship, engine.books.shipped_here)


def dispatch(engine: Engine, store: int, chance: random.Random) -> None:
    _of_an_order(engine, store, chance, shipping.dispatch, engine.books.let_go)


def _of_an_order(
    engine: Engine, store: int, chance: random.Random, act: Callable[..., int], note: Callable[..., None]
) -> None:
    """Goods go that an order holds. Only of one that is known as it is: what left there and here at the same time may be
    the same units, or others."""
    works = {work.order.gid: work for work in engine.shops.works if not work.owes}
    imported = IncomingOrder.objects.filter(
        store=engine.stores[store], state="imported", stock_rule="order", ref__in=works
    )
    rows = [row for row in imported.order_by("pk") if engine.changes_of(row.ref)[-1] == row.remote_updated_at]
    if not rows:
        return
    row = chance.choice(rows)
    work = works[row.ref]
    for stock in shipping.holding(row):
        place = PLACES.index(stock.store_location.name)
        line = next(line for line in work.order.lines if line.gid == stock.line_ref)
        spot = (work.order.number, line.number, place)
        quantity = min(stock.held, engine.books.piles[spot].held)
        if quantity > 0:
            quantity = chance.randint(1, quantity)
            act(row, {stock.pk: Units(quantity, stock.held)}, by=engine.person)
            note(Shelf(store, engine.variants.index(stock.variant), place), spot, quantity)
            work.at_rest = True
            return


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
}
