"""The omniscient books of a history: every event with its two effects, written from the table in algorithms.md §3.

They know at once what happens in the stores, and nothing of the engine. `on_hand` and `released` are ours by item and
location; what a store booked by itself (e) is kept by shelf. What is left to sell follows from them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from tests.simulation.histories import Setup


class Shelf(NamedTuple):
    """One inventory item at one location of a store."""

    store: int
    item: int
    place: int


Ours = tuple[int, int]
"""Item and location of ours."""
Spot = tuple[int, int, int]
"""Order, line and the store's location."""


@dataclass(slots=True)
class Piles:
    """Units of an order's line that one of our locations has for one location of the store: held for it, shipped here before
    the store knew (`ahead`), let go without leaving (`dispatched`), sent in all, how many of these had been shipped here
    first (`covered`), and how many of those that left a pull of the stock feed has named."""

    held: int = 0
    ahead: int = 0
    dispatched: int = 0
    sent: int = 0
    covered: int = 0
    named: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """What an event in a store does to our stock, and when it happened."""

    store: int
    at: float
    where: Ours
    on_hand: Decimal
    released: int


@dataclass(frozen=True, slots=True)
class Booked:
    """What a store added to what it shows, for an order, and when."""

    at: float
    shelf: Shelf
    quantity: int

    @property
    def store(self) -> int:
        return self.shelf.store


@dataclass(slots=True)
class Rules:
    """What a store's settings make of what is left: units kept back, never below zero, and whether our stock leaves out
    already what the store withholds."""

    buffer: int = 0
    never_below_zero: bool = False
    unavailable_left_out: bool = False


@dataclass(slots=True)
class Books:
    """See the module."""

    setup: Setup
    now: float = 0.0
    on_hand: defaultdict[Ours, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    released: Counter[Ours] = field(default_factory=Counter)
    told: Counter[Shelf] = field(default_factory=Counter)
    """e: units that the store added to available for its orders, by shelf."""
    news: list[Moved] = field(default_factory=list)
    """What happened in the stores to our stock, oldest first."""
    bookings: list[Booked] = field(default_factory=list)
    edits: defaultdict[Shelf, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Units that a person added to what a store shows and nobody decided about, with the second of it."""
    piles: defaultdict[Spot, dict[int, Piles]] = field(default_factory=lambda: defaultdict(dict))
    """By location of ours: first the one that the store's location is sold from, then those where people hold goods of it."""
    mapped: list[dict[int, int]] = field(default_factory=list)
    """Of each store: our location → the store's that it is sold from, those mapped first at the head."""
    rules: tuple[Rules, Rules] = field(default_factory=lambda: (Rules(), Rules()))
    """Of each store."""
    raised: Counter[Shelf] = field(default_factory=Counter)
    """Units that a push of ours put over what is left, and that are still there."""
    overwritten_at: dict[Shelf, float] = field(default_factory=dict)
    misread: set[Shelf] = field(default_factory=set)
    """Shelves of slow stores that were overwritten, or where somebody decided about more than people had edited, over sales
    that nobody had heard of; until they are overwritten again."""
    oversold: int = 0
    """Units sold that were there only because a push of ours had put them."""

    def __post_init__(self) -> None:
        for mapping in self.setup.mappings:
            self.mapped.append({location: place for location, place in enumerate(mapping) if place is not None})
        for item, row in enumerate(self.setup.ours):
            for location, quantity in enumerate(row):
                self.on_hand[item, location] = Decimal(quantity)

    # --- what follows from them

    def group(self, shelf: Shelf) -> list[Ours]:
        """Our levels that are sold from a shelf, the one that holds its orders' goods first."""
        mapped = self.mapped[shelf.store]
        return [(shelf.item, location) for location, place in mapped.items() if place == shelf.place]

    def places(self, store: int) -> list[int]:
        """The store's locations that stand for some of ours."""
        return sorted(set(self.mapped[store].values()))

    def left(self, shelf: Shelf) -> int:
        """Units that can still be sold there, before what the store withholds."""
        return math.floor(sum((self.on_hand[at] - self.released[at] for at in self.group(shelf)), Decimal(0)))

    def right(self, shelf: Shelf, unavailable: int) -> int:
        """What the shelf should show, where the store withholds so many units."""
        rules = self.rules[shelf.store]
        free = self.left(shelf) - (0 if rules.unavailable_left_out else unavailable)
        free = min(free, max(0, free - rules.buffer))
        return max(0, free) if rules.never_below_zero else free

    def undecided(self, shelf: Shelf) -> int:
        """Units by which people changed what the shelf shows."""
        return sum(quantity for _, quantity in self.edits[shelf])

    def edited_by(self, shelf: Shelf, until: float) -> int:
        """The part of them that was edited by then."""
        return sum(quantity for second, quantity in self.edits[shelf] if second <= until)

    def looks_wiped(self, shelf: Shelf, edits: int) -> bool:
        """Edits of so many units look as if the last overwrite had wiped what the store booked within seconds of it; or they
        are mixed with what was wiped by somebody who did not know of it."""
        if shelf in self.misread:
            return True
        at = self.overwritten_at.get(shelf, -math.inf)
        near = [each.quantity for each in self.bookings if each.shelf == shelf and abs(each.at - at) < 5]
        return -edits in {*near, *accumulate(near)}

    # --- stores

    def sold(self, shelf: Shelf, quantity: int, *, taken: int) -> None:
        """A customer takes units; those that were not there although the store showed them are oversold, as far as a
        push of ours is to blame."""
        over = max(0, quantity - max(0, self.left(shelf)))
        self.oversold += min(over, self.raised[shelf])

    def booked(self, shelf: Shelf, quantity: int) -> None:
        """The store moved what it shows for an order."""
        if quantity:
            self.told[shelf] += quantity
            self.bookings.append(Booked(self.now, shelf, quantity))

    def grown(self, shelf: Shelf, spot: Spot, quantity: int) -> None:
        """Rows 1 and 21."""
        home, piles = self._home(shelf, spot)
        piles.held += quantity
        self._move(shelf.store, home, released=quantity)

    def sent(self, shelf: Shelf, spot: Spot, quantity: int, test: bool) -> None:
        """Rows 4, 6 and 13c; a test order's goods stay."""
        for where, piles, (ahead, held, dispatched) in self._take(shelf, spot, quantity, "ahead", "held", "dispatched"):
            piles.sent, piles.covered = piles.sent + ahead + held + dispatched, piles.covered + ahead
            self._move(shelf.store, where, on_hand=0 if test else -held - dispatched, released=-held)

    def unsent(self, shelf: Shelf, spot: Spot, quantity: int, test: bool) -> None:
        """Row 7: only what row 4 booked comes back."""
        for where, piles, (units,) in self._take(shelf, spot, quantity, "sent"):
            booked = min(units, piles.sent + units - piles.covered)
            piles.covered, piles.ahead = piles.covered - (units - booked), piles.ahead + units - booked
            piles.held += booked
            self._move(shelf.store, where, on_hand=0 if test else booked, released=booked)

    def cancelled(self, shelf: Shelf, to: Shelf, spot: Spot, quantity: int, test: bool) -> None:
        """Rows 2, 13b and 14."""
        for where, _, (held, _, _) in self._take(shelf, spot, quantity, "held", "dispatched", "ahead"):
            goods = held if to != shelf and not test else 0
            self._move(shelf.store, where, on_hand=-goods, released=-held)
            self._move(shelf.store, self._arrival(to, (*spot[:2], to.place)), on_hand=goods)

    def lost(self, shelf: Shelf, spot: Spot, quantity: int, test: bool) -> None:
        """Row 3."""
        for where, _, (held, dispatched, _) in self._take(shelf, spot, quantity, "held", "dispatched", "ahead"):
            self._move(shelf.store, where, on_hand=0 if test else -held - dispatched, released=-held)

    def moved(self, shelf: Shelf, to: Shelf, spot: Spot, target: Spot, quantity: int) -> None:
        """Row 11."""
        home, there = self._home(to, target)
        for where, _, (held,) in self._take(shelf, spot, quantity, "held"):
            there.held += held
            self._move(shelf.store, where, released=-held)
            self._move(shelf.store, home, released=held)

    def returned(self, shelf: Shelf, spot: Spot, quantity: int, test: bool) -> None:
        """Row 8; what comes back of a test order had never left."""
        self._move(shelf.store, self._arrival(shelf, spot), on_hand=0 if test else quantity)

    def edited(self, shelf: Shelf, quantity: int, second: int) -> None:
        """Rows 18 and 19, before anybody decided."""
        self.edits[shelf].append((second, quantity))

    def decided(self, shelf: Shelf, until: float, quantity: int, goods: Ours | None) -> int:
        """A person decided about `quantity` units that the shelf was read, at `until`, to show too many: they are there,
        at `goods` (row 18), or are to be taken back (row 19, `goods` None).

        Returns the units that are then shown too many, because the difference was not only what people had edited.
        """
        others = self.edited_by(shelf, until) - quantity
        self.edits[shelf] = [edit for edit in self.edits[shelf] if edit[0] > until]
        if others:
            self.misread.add(shelf)
        if goods is None:
            self.raised[shelf] = max(self.raised[shelf], others)
            return max(0, others)
        self.on_hand[goods] += quantity
        if others:
            self.edits[shelf].append((int(until) + 1, others))
        return 0

    # --- here

    def entered(self, where: Ours, quantity: Decimal) -> None:
        """Row 15."""
        self.on_hand[where] += quantity

    def shipped_here(self, spot: Spot, where: Ours, quantity: int) -> None:
        """Row 5."""
        piles = self.piles[spot][where[1]]
        piles.held, piles.ahead = piles.held - quantity, piles.ahead + quantity
        self._here(where, -quantity, -quantity)

    def let_go(self, spot: Spot, where: Ours, quantity: int) -> None:
        """Row 13."""
        piles = self.piles[spot][where[1]]
        piles.held, piles.dispatched = piles.held - quantity, piles.dispatched + quantity
        self._here(where, 0, -quantity)

    def held_elsewhere(self, spot: Spot, where: Ours, quantity: int, to: int) -> None:
        """Row 12."""
        there = self.piles[spot].setdefault(to, Piles())
        self.piles[spot][where[1]].held -= quantity
        there.held += quantity
        self._here(where, 0, -quantity)
        self._here((where[0], to), 0, quantity)

    def pulled(self, spot: Spot, where: Ours, quantity: int) -> None:
        """Row 16: first it is what left there and no pull has named yet, the rest leaves now."""
        piles = self.piles[spot].setdefault(where[1], Piles())
        leaves = quantity - min(quantity, max(0, piles.sent + piles.ahead - piles.named))
        piles.named += quantity
        for location, others in list(self.piles[spot].items()):
            short = leaves - piles.held
            if short > 0 and others is not piles:
                self.held_elsewhere(spot, (where[0], location), min(short, others.held), where[1])
        self.shipped_here(spot, where, leaves)

    def remapped(self, store: int, wanted: dict[int, int]) -> None:
        """Locations of ours are sold from other places of a store, others from none any more. Orders' goods stay where they
        are held."""
        mapped = self.mapped[store]
        for location in mapped.keys() - wanted.keys():
            del mapped[location]
        mapped.update(wanted)

    # --- pushes of ours

    def overwritten(self, shelf: Shelf, unseen: int) -> int:
        """A shelf was set to a number that leaves out what the store booked and nobody knew: `unseen` units, signed.
        Returns the units that it shows too many for it."""
        self.edits[shelf].clear()
        (self.misread.add if unseen else self.misread.discard)(shelf)
        self.overwritten_at[shelf] = self.now
        self.raised[shelf] = max(0, -unseen)
        return self.raised[shelf]

    def believed(self, shelf: Shelf, until: float, *, ago: float) -> None:
        """What the shelf showed then, so many seconds ago, is what we expect."""
        self.edits[shelf] = [edit for edit in self.edits[shelf] if edit[0] > until]
        self.overwritten_at[shelf] = max(self.now - ago, self.overwritten_at.get(shelf, -math.inf))

    def adjusted(self, shelf: Shelf, quantity: int) -> None:
        """A shelf was moved by what it was owed."""
        if quantity < 0:
            self.raised[shelf] = max(0, self.raised[shelf] + quantity)

    def _home(self, shelf: Shelf, spot: Spot) -> tuple[Ours, Piles]:
        """Where goods of an order's line are held that nobody moved."""
        there = self.piles[spot]
        if not there:
            there[self.group(shelf)[0][1]] = Piles()
        location = next(iter(there))
        return (shelf.item, location), there[location]

    def _arrival(self, shelf: Shelf, spot: Spot) -> Ours:
        """Where goods of an order's line arrive that come back to a location of its store."""
        piles = self.piles.get(spot)
        return (shelf.item, next(iter(piles))) if piles else self.group(shelf)[0]

    def _take(self, shelf: Shelf, spot: Spot, quantity: int, *names: str) -> list[tuple[Ours, Piles, list[int]]]:
        """Take units from the piles in this order; of each pile first what people hold elsewhere."""
        self._home(shelf, spot)
        home, *elsewhere = self.piles[spot].items()
        taken = [((shelf.item, location), piles, [0] * len(names)) for location, piles in (*elsewhere, home)]
        for pile, name in enumerate(names):
            for _, piles, units in taken:
                units[pile] = min(getattr(piles, name), quantity)
                setattr(piles, name, getattr(piles, name) - units[pile])
                quantity -= units[pile]
        assert not quantity, f"{quantity} units more went than waited"
        return taken

    def _here(self, where: Ours, on_hand: int, released: int) -> None:
        self.on_hand[where] += on_hand
        self.released[where] += released

    def _move(self, store: int, where: Ours, *, on_hand: int = 0, released: int = 0) -> None:
        if on_hand or released:
            self._here(where, on_hand, released)
            self.news.append(Moved(store, self.now, where, Decimal(on_hand), released))
