"""The rule that everybody begins with: once a day, write what our books say over whatever the store shows.

The same steps, the same stores, the same orders brought in, and deltas of target less expected; only the overwrite asks
nothing. What it sells that is not there is what the tests of algorithms.md §6 are for.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TypeVar

from tests.simulation.books import Booked, Books, Moved, Shelf
from tests.simulation.histories import LOCATIONS, Act, History, Step
from tests.simulation.shops import PLACES, STEPS, Shops, sku

T = TypeVar("T", Moved, Booked)


def oversold(history: History) -> int:
    """Units sold that were there only because a blind overwrite had put them."""
    books = Books(history.setup)
    shops = Shops(history.setup, books)
    naive = Naive(shops, books)
    for step in history.steps:
        naive.pass_time(step.wait)
        if step.act in STEPS:
            shops.happen(step)
        else:
            naive.happen(step)
    return books.oversold


class Naive:
    """Our side of it, without a database."""

    def __init__(self, shops: Shops, books: Books) -> None:
        self.shops, self.books = shops, books
        self.known: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal, books.on_hand)
        """On hand less released, as far as orders are brought in."""
        self.expected: dict[Shelf, int] = {}
        self.seen: Counter[Shelf] = Counter()

    def pass_time(self, seconds: float) -> None:
        self.shops.sandbox.clock.advance(seconds)
        self.books.now += seconds

    def happen(self, step: Step) -> None:
        """A step of ours, as the naive rule takes it."""
        chance = random.Random(step.seed)
        match step.act:
            case Act.RECEIVE | Act.COUNT:
                item, location = chance.randrange(self.shops.setup.items), chance.randrange(LOCATIONS)
                choices = (-3, -1, 1, 2, 4, "0.5", "1.5") if step.act is Act.RECEIVE else (-2, -1, 0, 1, 2)
                self._enter(item, location, Decimal(chance.choice(choices)))
            case Act.IMPORT | Act.WEBHOOKS:
                self._bring_in(step.store)
            case Act.FULL | Act.DAILY | Act.WEEKLY:
                for meanwhile in step.meanwhile:
                    self.shops.happen(meanwhile)
                self._overwrite(step.store)
            case Act.DELTA | Act.RECENT:
                self._delta(step.store)

    def _enter(self, item: int, location: int, quantity: Decimal) -> None:
        self.books.entered((item, location), quantity)
        self.known[item, location] += quantity

    def _bring_in(self, store: int) -> None:
        """Everything that the feed shows by now."""
        until = self.books.now - self.shops.setup.lags[store]
        for moved in self._heard(self.books.news, store, until):
            self.known[moved.where] += moved.on_hand - moved.released
        for booked in self._heard(self.books.bookings, store, until):
            self.seen[booked.shelf] += booked.quantity
            if booked.shelf in self.expected:
                self.expected[booked.shelf] += booked.quantity
        for work in self.shops.works:
            if work.store == store:
                work.unread.clear()

    def _heard(self, news: list[T], store: int, until: float) -> list[T]:
        """Take from the news of a store what happened until then."""
        heard = [one for one in news if one.store == store and one.at <= until]
        news[:] = [one for one in news if one.store != store or one.at > until]
        return heard

    def _shelves(self, store: int) -> list[Shelf]:
        items = range(self.shops.setup.items)
        return [Shelf(store, item, place) for item in items for place in self.books.places(store)]

    def _target(self, shelf: Shelf) -> int:
        return math.floor(sum((self.known[at] for at in self.books.group(shelf)), Decimal(0)))

    def _overwrite(self, store: int) -> None:
        for shelf in self._shelves(store):
            unseen = self.books.told[shelf] - self.seen[shelf]
            self._write(shelf, set=self._target(shelf))
            self.books.overwritten(shelf, unseen)
            self.expected[shelf] = self._target(shelf)

    def _delta(self, store: int) -> None:
        for shelf in self._shelves(store):
            owed = self._target(shelf) - self.expected.get(shelf, self._target(shelf))
            if owed:
                self._write(shelf, delta=owed)
                self.books.adjusted(shelf, owed)
                self.expected[shelf] += owed

    def _write(self, shelf: Shelf, **what: int) -> None:
        shop, place = self.shops.shops[shelf.store], PLACES[shelf.place]
        self.shops.ask("levels/edit", shop=shop.domain, sku=sku(shelf.item), location=place, **what)
