"""What a fact does to our stock and to what its store shows (algorithms.md §3, the table row by row).

Pure. Every fact has two independent effects: on our levels (on hand, released) and on what the store where it happened
shows (`store`). Usually they cancel out and nothing is sent anywhere but to the other stores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from inventory.models.ledger import EntryKind
from orders.facts import Fact, FactKind
from syncconsole.kernel.templatetags.console import plural


@dataclass(frozen=True)
class Question:
    """What a person is asked about units: how it is written, and how it is found again in what an order asks."""

    words: str
    """With `{units}` ("2 units") and `{were}`."""

    def of(self, units: int) -> str:
        """Asked about so many units."""
        return self.words.format(units=plural(units, "unit"), were="was" if units == 1 else "were")

    def found_in(self, asked: str) -> list[str]:
        """Every time that it is asked there, about however many units."""
        return [found[0].strip() for found in self._pattern.finditer(asked)]

    def taken_from(self, asked: str) -> str:
        """What is asked there besides."""
        return self._pattern.sub("", asked).strip()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        start, end = map(re.escape, self.words.format(units="", were="{were}").split("{were}"))
        return re.compile(rf"[\d,]+ units?{start}(?:was|were){end}\s?")


CAME_BACK: Final = Question("{units} shipped here {were} cancelled in the store: did they come back?")
"""Of units that left here and that their store puts back in stock (row 14)."""
PUT_BACK: Final = Question("{units} {were} cancelled and no refund says whether they were put back.")
"""Of units that their store cancelled without a word of where they are (row 3)."""


class StockRule(StrEnum):
    """What an order means for our stock; settled when its stock is first booked, and kept."""

    ORDER = "order"
    """All rows of the table in full; also an older order still open whose goods are to be reserved."""
    TEST = "test"
    """Holds its goods until it is fulfilled; nothing ever leaves."""
    LEFT_OUT = "left_out"
    """An older order whose goods our stock leaves out already."""


@dataclass(slots=True)
class Holding:
    """What is booked here for a line at one location of the store; changed as facts are worked through."""

    held: int = 0
    ahead: int = 0
    dispatched: int = 0
    covered: int = 0
    fulfilled: int = 0
    in_doubt: int = 0

    def give(self, quantity: int, *, first: str = "held") -> tuple[int, int, int]:
        """Take `quantity` units from held, dispatched and ahead, in this order, or from ahead first. Returns how many
        came from each; less than asked for where more went than was ever known."""
        taken = {"held": 0, "dispatched": 0, "ahead": 0}
        for pile in sorted(taken, key=lambda name: name != first):
            taken[pile] = min(getattr(self, pile), quantity)
            quantity -= taken[pile]
            setattr(self, pile, getattr(self, pile) - taken[pile])
        return taken["held"], taken["dispatched"], taken["ahead"]


@dataclass(frozen=True, slots=True)
class Effect:
    """Units at one location of the store: `on_hand` and `released` on our level there, `store` on what it shows.

    `look`: what a person should look at, since the table leaves the goods' whereabouts open.
    """

    location_ref: str
    kind: EntryKind | None = None
    on_hand: int = 0
    released: int = 0
    store: int = 0
    look: str = ""

    @property
    def says_anything(self) -> bool:
        return bool(self.on_hand or self.released or self.store or self.look)


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which an order's facts are booked. `keep_goods`: units cancelled without restock stay sellable here."""

    rule: StockRule
    keep_goods: bool = False


def effects_of(fact: Fact, terms: Terms, here: Holding, there: Holding) -> list[Effect]:
    """The effects of one fact. `here`: what is held at its spot, `there`: at the location that its units went to; both
    are brought along."""
    return [effect for effect in ROWS[fact.kind](fact, terms, here, there) if effect.says_anything]


def shares(fact: Fact, holdings: Sequence[Holding]) -> list[int]:
    """How many of the fact's units concern each of several holdings of its spot: pile after pile in the order in which
    `Holding.give` takes from them, and within a pile one holding after the other. The last gets what is in none."""
    left, found = fact.quantity, [0] * len(holdings)
    for pile in PILES.get(fact.kind, ()):
        for place, holding in enumerate(holdings):
            taken = min(getattr(holding, pile), left)
            found[place] += taken
            left -= taken
    found[-1] += left
    return found


def _grown(fact: Fact, terms: Terms, here: Holding, _: Holding) -> Iterator[Effect]:
    if terms.rule is not StockRule.LEFT_OUT:
        here.held += fact.quantity
        yield Effect(_at(fact), EntryKind.ALLOCATED, released=fact.quantity, store=-fact.quantity)


def _moved(fact: Fact, terms: Terms, here: Holding, there: Holding) -> Iterator[Effect]:
    q = fact.quantity
    if terms.rule is StockRule.LEFT_OUT:  # what was left out there is free now, and the goods are taken here
        yield Effect(_at(fact), EntryKind.CORRECTION, on_hand=q, store=q)
        yield Effect(fact.to_ref, EntryKind.CORRECTION, on_hand=-q, store=-q)
        return
    held, dispatched, ahead = here.give(q)
    there.held, there.dispatched, there.ahead = there.held + held, there.dispatched + dispatched, there.ahead + ahead
    yield Effect(_at(fact), EntryKind.RELEASED, released=-held, store=q)
    yield Effect(fact.to_ref, EntryKind.ALLOCATED, released=held, store=-q)


def _fulfilled(fact: Fact, terms: Terms, here: Holding, _: Holding) -> Iterator[Effect]:
    here.fulfilled += fact.quantity
    if terms.rule is StockRule.LEFT_OUT:
        return
    held, dispatched, ahead = here.give(fact.quantity, first="ahead")
    here.covered += ahead
    if terms.rule is StockRule.TEST:
        yield Effect(_at(fact), EntryKind.RELEASED, released=-held)
        return
    yield Effect(_at(fact), EntryKind.SHIPPED, on_hand=-held, released=-held)
    yield Effect(_at(fact), EntryKind.SHIPPED, on_hand=-dispatched)
    if unknown := fact.quantity - held - dispatched - ahead:
        yield Effect(_at(fact), look=f"{unknown} units were fulfilled that were never known to wait.")


def _reopened(fact: Fact, terms: Terms, here: Holding, _: Holding) -> Iterator[Effect]:
    booked = min(fact.quantity, max(0, here.fulfilled - here.covered))
    here.fulfilled -= fact.quantity
    if terms.rule is StockRule.LEFT_OUT:
        return
    again = min(fact.quantity - booked, here.covered)
    here.covered, here.ahead = here.covered - again, here.ahead + again
    here.held += booked
    back = booked if terms.rule is StockRule.ORDER else 0
    yield Effect(_at(fact), EntryKind.ALLOCATED, on_hand=back, released=booked)


def _cancelled(fact: Fact, terms: Terms, here: Holding, _: Holding) -> Iterator[Effect]:
    q, to_ref = fact.quantity, fact.to_ref
    if terms.rule is StockRule.LEFT_OUT:
        yield Effect(to_ref, EntryKind.RESTOCKED, on_hand=q, store=q)
        return
    held, dispatched, ahead = here.give(q)
    if to_ref == _at(fact):
        yield Effect(to_ref, EntryKind.RELEASED, released=-held, store=held)
    elif terms.rule is StockRule.TEST:
        yield Effect(_at(fact), EntryKind.RELEASED, released=-held)
        yield Effect(to_ref, store=held)
    else:
        yield Effect(_at(fact), EntryKind.RELEASED, on_hand=-held, released=-held)
        yield Effect(to_ref, EntryKind.RESTOCKED, on_hand=held, store=held)
    yield Effect(to_ref, store=q - held)
    if ahead:
        here.in_doubt += ahead
        yield Effect(to_ref, look=CAME_BACK.of(ahead))
    if unknown := q - held - dispatched - ahead:
        yield Effect(to_ref, look=f"{unknown} units were cancelled that were never known to wait.")


def _lost(fact: Fact, terms: Terms, here: Holding, _: Holding) -> Iterator[Effect]:
    if terms.rule is StockRule.LEFT_OUT:
        return
    held, dispatched, _ahead = here.give(fact.quantity)
    yield Effect(_at(fact), EntryKind.RELEASED, released=-held)
    if terms.rule is StockRule.ORDER and not terms.keep_goods:
        yield Effect(_at(fact), EntryKind.WRITTEN_OFF, on_hand=-(held + dispatched))
    if not fact.source_ref:
        yield Effect(_at(fact), look=PUT_BACK.of(fact.quantity))


def _returned(fact: Fact, terms: Terms, _here: Holding, _there: Holding) -> Iterator[Effect]:
    q = fact.quantity
    if terms.rule is StockRule.TEST:
        yield Effect(fact.to_ref, store=q)
    else:
        yield Effect(fact.to_ref, EntryKind.RESTOCKED, on_hand=q, store=q)


def _written_off(fact: Fact, terms: Terms, _here: Holding, _there: Holding) -> Iterator[Effect]:
    if terms.rule is not StockRule.TEST:
        yield Effect(_at(fact), EntryKind.RESTOCKED, on_hand=fact.quantity)
        yield Effect(_at(fact), EntryKind.WRITTEN_OFF, on_hand=-fact.quantity)


def _unexplained(fact: Fact, _terms: Terms, _here: Holding, _there: Holding) -> Iterator[Effect]:
    way = "more" if fact.quantity > 0 else "fewer"
    yield Effect(_at(fact), look=f"The store shows {abs(fact.quantity)} {way} units waiting, and nothing says why.")


def _at(fact: Fact) -> str:
    return fact.spot.location_ref


PILES: Final[dict[FactKind, tuple[str, ...]]] = {
    FactKind.MOVED: ("held", "dispatched", "ahead"),
    FactKind.FULFILLED: ("ahead", "held", "dispatched"),
    FactKind.REOPENED: ("fulfilled",),
    FactKind.CANCELLED: ("held", "dispatched", "ahead"),
    FactKind.LOST: ("held", "dispatched", "ahead"),
}
"""What kinds of facts take from, and in which order."""

Row = Callable[[Fact, Terms, Holding, Holding], Iterator[Effect]]

ROWS: Final[dict[FactKind, Row]] = {
    FactKind.GROWN: _grown,
    FactKind.MOVED: _moved,
    FactKind.FULFILLED: _fulfilled,
    FactKind.REOPENED: _reopened,
    FactKind.CANCELLED: _cancelled,
    FactKind.LOST: _lost,
    FactKind.RETURNED: _returned,
    FactKind.WRITTEN_OFF: _written_off,
    FactKind.UNEXPLAINED: _unexplained,
}
