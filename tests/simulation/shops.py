"""Two shops of the sandbox in this process: what customers and staff do there, and what each step moves."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.app import Sandbox
from sandbox.shopify.orders import Order
from sandbox.shopify.rows import AVAILABLE, COMMITTED, ON_HAND
from sandbox.wire import Request
from tests.simulation.books import Books, Shelf
from tests.simulation.histories import LOCATIONS, Act, Setup, Step

PLACES = tuple(f"Depozit {name}" for name in ("Cluj", "Iași", "Arad"))


class Shown(NamedTuple):
    """The quantities of one level."""

    available: int
    committed: int
    unavailable: int
    on_hand: int


@dataclass(slots=True)
class Work:
    """An order of a shop as the simulation needs it: what nobody may do to it any more."""

    order: Order
    store: int
    test: bool
    at_rest: bool = False
    """Goods of it went without its store: it stays where it is."""
    paid_back: bool = False
    """Units were paid back and not put back: they wait again where their parcel is taken back."""
    owes: bool = False
    """Units that wait were paid back: it is not put back as a whole."""
    changed: list[int] = field(default_factory=list)
    """Seconds at which it changed."""
    unread: set[Act] = field(default_factory=set)
    """What was done to it since it was read last, of what cannot be told apart together: the store says how many units wait
    where, and neither that some went from one location to another and were taken off there, nor that they were taken off
    first."""
    parcels_stay: bool = False
    """Before anybody had read that goods were sent, a pull named them: if their parcel is taken back, too, nothing tells that
    they are here again."""
    put_back: Counter[str] = field(default_factory=Counter)
    """Units by line that its store put back where they waited, and that no refund tells of."""
    split: bool = False
    """Goods of it are held elsewhere than its store knows: which of them an event means depends on the order of events."""

    @property
    def awaits_reading(self) -> bool:
        """What happens next could concern other units than those it is said to: some are held apart, or some that nobody has
        read of were added to those that went here."""
        return (self.split and bool(self.unread)) or (self.at_rest and Act.EDIT in self.unread)


class Shops:
    """The stores. Every step tells the books what moved; nothing here knows of the engine."""

    def __init__(self, setup: Setup, books: Books) -> None:
        self.sandbox = Sandbox(plan="plus", sleep=lambda _: None)
        self.setup, self.books = setup, books
        self.shops = [self._open(store) for store in range(2)]
        self.works: list[Work] = []
        self.drafts: list[tuple[Shelf, int, int]] = []
        """Shelf, units and number of those that are open."""
        self.withheld: defaultdict[Shelf, set[int]] = defaultdict(lambda: {0})
        """Units that a shelf withheld at any time."""
        self.damaged: Counter[Shelf] = Counter()
        """Units set aside as damaged."""
        self.untold: list[Work] = []
        """What webhooks have to tell of orders."""
        self.untold_levels: list[Shelf] = []
        """What they have to tell of levels: those that people edited."""
        self.said: list[str] = []

    def _open(self, store: int) -> Any:
        shop, _ = self.sandbox.add_shop(f"shop-{store}", locations=PLACES)
        self.sandbox.fill(shop, self.setup.items, 1, 0)
        for item, places in enumerate(self.setup.theirs[store]):
            for place, quantity in enumerate(places):
                edit = {"sku": sku(item), "location": PLACES[place], "set": quantity, "active": True}
                self.ask("levels/edit", shop=shop.domain, **edit)
        return shop

    def shown(self, shelf: Shelf) -> Shown:
        """What a level shows."""
        level = self.level(shelf)
        available, committed, on_hand = (level.quantity(index) for index in (AVAILABLE, COMMITTED, ON_HAND))
        return Shown(available, committed, on_hand - available - committed, on_hand)

    def level(self, shelf: Shelf) -> Any:
        shop = self.shops[shelf.store]
        item = shop.items_by_sku[sku(shelf.item).casefold()][0]
        return item.level_at(shop.locations[shelf.place])

    def ask(self, path: str, method: str = "POST", **body: Any) -> dict[str, Any] | None:
        """A control call; None where the shop cannot do it now."""
        data = json.dumps(body).encode() if body else b""
        reply = self.sandbox.answer(Request(method, f"/_control/{path}", {}, {}, data))
        if reply.status in (404, 409):
            return None
        told: dict[str, Any] = json.loads(reply.body)
        if reply.status != 200:
            raise AssertionError(f"{path} {body}: {told}")
        return told

    # --- steps

    def happen(self, step: Step) -> None:
        """Carry the step out, as far as the shop can."""
        chance = random.Random(step.seed)
        STEPS[step.act](self, step.store, chance)

    def buy(self, store: int, chance: random.Random) -> None:
        lines = []
        for _ in range(chance.choice((1, 1, 1, 2))):
            shelf = self._shelf(store, chance)
            wanted = chance.randint(1, 6)
            quantity = min(wanted, self.shown(shelf).available - sum(q for at, q in lines if at == shelf))
            if quantity > 0:
                lines.append((shelf, quantity))
        if not lines:
            return
        test = chance.random() < 0.05
        body = [
            {"sku": sku(at.item), "quantity": quantity, "location": PLACES[at.place], "price": "10"}
            for at, quantity in lines
        ]
        for at, quantity in lines:
            self.books.sold(at, quantity, taken=0)
        told = self._moving(store, lambda: self.ask("orders", shop=self.shops[store].domain, lines=body, test=test))
        self._placed(store, told, test)

    def _placed(self, store: int, told: dict[str, Any] | None, test: bool = False) -> None:
        if told is None:
            return
        work = Work(self.sandbox.orders.find(told["id"]), store, test)
        self.works.append(work)
        for line, place, quantity in waiting(work.order):
            at = self._spot(work, line, place)
            self.books.grown(at, (told["id"], line, place), quantity)
        self._note(work, Act.BUY)

    def edit(self, store: int, chance: random.Random) -> None:
        work = self._some(store, chance, lambda w: w.order.cancelled_at is None and not w.owes)
        if work is None:
            return
        line = chance.choice(work.order.lines)
        unsent = work.order.unfulfilled(line)
        change = chance.choice((-2, -1, 1, 2))
        if change < 0:
            change = -min(-change, unsent)
            restock = work.at_rest or chance.random() < 0.6
            if change:
                body = {"set": [{"line": line.number, "quantity": line.current_quantity + change, "restock": restock}]}
                self._take_off(work, f"orders/{work.order.number}/edit", body, restock=restock)
                work.unread |= set() if restock or Act.CANCEL not in work.unread else {Act.EDIT}
            return
        place = next(
            (fo.location for fo in work.order.fulfillment_orders if any(e.line_item is line for e in fo.lines)), None
        )
        if place is None or place.index not in self.books.places(store):
            return
        at = Shelf(store, item_of(line), place.index)
        change = min(change, max(0, self.shown(at).available))
        if not change:
            return
        self.books.sold(at, change, taken=0)
        before = Counter({(n, p): q for n, p, q in waiting(work.order)})
        body = {"set": [{"line": line.number, "quantity": line.current_quantity + change}]}
        if self._moving(store, lambda: self.ask(f"orders/{work.order.number}/edit", **body)):
            for number, index, quantity in waiting(work.order):
                more = quantity - before[number, index]
                if more:
                    spot = (work.order.number, number, index)
                    self.books.grown(self._spot(work, number, index), spot, more)
            self._note(work, Act.EDIT)

    def fulfil(self, store: int, chance: random.Random) -> None:
        work = self._some(store, chance, lambda w: any(waiting(w.order)), pulled=True)
        if work is None:
            return
        body: dict[str, Any] = {}
        if chance.random() < 0.6:
            number, _, quantity = chance.choice(list(waiting(work.order)))
            body = {"lines": [{"line": number, "quantity": chance.randint(1, quantity)}]}
        before = Counter({(n, p): q for n, p, q in waiting(work.order)})
        if self._moving(store, lambda: self.ask(f"orders/{work.order.number}/fulfill", **body)):
            after = Counter({(n, p): q for n, p, q in waiting(work.order)})
            for (number, place), quantity in before.items():
                if gone := quantity - after[number, place]:
                    self.books.sent(
                        self._spot(work, number, place), (work.order.number, number, place), gone, work.test
                    )
            self._note(work, Act.FULFIL)

    def unfulfil(self, store: int, chance: random.Random) -> None:
        work = self._some(
            store,
            chance,
            lambda w: (
                any(f.status == "SUCCESS" for f in w.order.fulfillments)
                and not (w.parcels_stay or (w.at_rest and Act.FULFIL in w.unread))
            ),
        )
        if work is None:
            return
        before = Counter({(n, p): q for n, p, q in waiting(work.order)})
        if self._moving(store, lambda: self.ask(f"orders/{work.order.number}/unfulfill")):
            for number, place, quantity in waiting(work.order):
                if back := quantity - before[number, place]:
                    self.books.unsent(
                        self._spot(work, number, place), (work.order.number, number, place), back, work.test
                    )
            work.owes = work.owes or work.paid_back
            self._note(work, Act.UNFULFIL)

    def refund(self, store: int, chance: random.Random) -> None:
        kind = chance.choice(("CANCEL", "RETURN", "RETURN", "NO_RESTOCK"))
        work = self._some(store, chance, lambda w: w.order.cancelled_at is None or kind != "CANCEL")
        if work is None:
            return
        line = chance.choice(work.order.lines)
        unsent, back = work.order.unfulfilled(line), line.fulfilled - line.returned
        most = {"CANCEL": unsent, "RETURN": back}.get(kind, line.current_quantity)
        most = min(most, line.current_quantity)
        if most <= 0:
            return
        row = {"line": line.number, "quantity": chance.randint(1, min(2, most)), "restock_type": kind}
        if kind != "NO_RESTOCK" and chance.random() < 0.3:
            row["location"] = PLACES[chance.choice(self.books.places(store))]
        path = f"orders/{work.order.number}/refund"
        if kind == "CANCEL":
            if not work.owes:
                self._take_off(work, path, {"lines": [row]}, restock=True)
            return
        if kind == "NO_RESTOCK":
            if back < row["quantity"]:
                work.owes = True
            if self.ask(path, lines=[row]):
                work.paid_back = True
                self._note(work, Act.REFUND)
            return
        was = self._all(store)
        if self._moving(store, lambda: self.ask(path, lines=[row])):
            for at, now in self._all(store).items():
                if back := now.available - was[at].available:
                    self.books.returned(at, (work.order.number, line.number, at.place), back, work.test)
            self._note(work, Act.REFUND)

    def cancel(self, store: int, chance: random.Random) -> None:
        work = self._some(store, chance, lambda w: w.order.cancelled_at is None)
        if work is None:
            return
        restock = (work.at_rest or chance.random() < 0.6) and not work.owes
        if work.owes and work.at_rest:
            return
        self._take_off(work, f"orders/{work.order.number}/cancel", {"restock": restock}, restock=restock)

    def _take_off(self, work: Work, path: str, body: dict[str, Any], *, restock: bool) -> None:
        """Units that waited wait no more."""
        if Act.MOVE in work.unread:
            return
        before = Counter({(n, p): q for n, p, q in waiting(work.order)})
        was, refunds = self._all(work.store), len(work.order.refunds)
        if not self._moving(work.store, lambda: self.ask(path, **body)):
            return
        after = Counter({(n, p): q for n, p, q in waiting(work.order)})
        now = self._all(work.store)
        back = {at: now[at].available - was[at].available for at in now}
        made = [entry for refund in work.order.refunds[refunds:] for entry in refund.lines]
        told = {
            entry.line_item.gid: sum(each.quantity for each in made if each.line_item is entry.line_item)
            for entry in made
        }
        for (number, place), quantity in before.items():
            if gone := quantity - after[number, place]:
                at = self._spot(work, number, place)
                spot = (work.order.number, number, place)
                if not restock:
                    self.books.lost(at, spot, gone, work.test)
                    continue
                to = at if back[at] > 0 else next(other for other in back if other.item == at.item and back[other] > 0)
                self.books.cancelled(at, to, spot, gone, work.test)
                back[to] -= gone
                line = work.order.line(number).gid
                told[line] = told.get(line, 0) - gone
                work.put_back[line] += min(gone, max(0, -told[line]))
        self._note(work, Act.CANCEL)

    def move(self, store: int, chance: random.Random) -> None:
        work = self._some(
            store, chance, lambda w: not w.at_rest and Act.CANCEL not in w.unread and any(waiting(w.order))
        )
        if work is None:
            return
        before = Counter({(n, p): q for n, p, q in waiting(work.order)})
        to = chance.choice(self.books.places(store))
        if not self._moving(store, lambda: self.ask(f"orders/{work.order.number}/move", to=PLACES[to])):
            return
        after = Counter({(n, p): q for n, p, q in waiting(work.order)})
        for (number, place), quantity in before.items():
            if (gone := quantity - after[number, place]) and place != to:
                at, there = self._spot(work, number, place), self._spot(work, number, to)
                order = work.order.number
                self.books.moved(at, there, (order, number, place), (order, number, to), gone)
        self._note(work, Act.MOVE)

    def draft(self, store: int, chance: random.Random) -> None:
        shelf = self._shelf(store, chance)
        quantity = min(chance.randint(1, 3), self.shown(shelf).available)
        if quantity <= 0:
            return
        if not self._is_told_apart(shelf, withheld=quantity):
            return
        lines = [{"sku": sku(shelf.item), "quantity": quantity, "location": PLACES[shelf.place], "price": "10"}]
        told = self._moving(store, lambda: self.ask("drafts", shop=self.shops[store].domain, lines=lines), orders=False)
        if told:
            self.drafts.append((shelf, quantity, told["id"]))

    def end_draft(self, store: int, chance: random.Random) -> None:
        open_drafts = [draft for draft in self.drafts if draft[0].store == store]
        if not open_drafts:
            return
        draft = chance.choice(open_drafts)
        shelf, quantity, number = draft
        if not self._is_told_apart(shelf, withheld=-quantity):
            return
        self.drafts.remove(draft)
        domain, path = self.shops[store].domain, f"drafts/{number}"
        if chance.random() < 0.5:
            self._moving(store, lambda: self.ask(path, "DELETE", shop=domain), orders=False)
            return
        told = self._moving(store, lambda: self.ask(f"{path}/complete", shop=domain))
        self._placed(store, told)

    def damage(self, store: int, chance: random.Random) -> None:
        mended = [shelf for shelf, units in self.damaged.items() if shelf.store == store and units]
        shelf = self._shelf(store, chance)
        if mended and chance.random() < 0.5:
            shelf = chance.choice(mended)
            self._set_aside(shelf, -1)
        elif self.shown(shelf).available > 0:
            self._set_aside(shelf, chance.randint(1, min(2, self.shown(shelf).available)))

    def _set_aside(self, shelf: Shelf, units: int) -> None:
        if self._is_told_apart(shelf, withheld=units):
            self._edit(shelf, damaged=units)
            self.damaged[shelf] += units

    def by_hand(self, store: int, chance: random.Random) -> None:
        shelf = self._shelf(store, chance)
        change = chance.choice((-2, -1, 1, 2, 3))
        if not self._is_told_apart(shelf, edited=change):
            return
        self._edit(shelf, delta=change)
        self.books.edited(shelf, change, int(self.sandbox.clock.seconds()))
        self.untold_levels.append(shelf)

    def _is_told_apart(self, shelf: Shelf, *, edited: int = 0, withheld: int = 0) -> bool:
        """Units edited by as many as were withheld meanwhile look like units that were added to those withheld; by as
        many as were booked within seconds of an overwrite, like those."""
        unavailable, edits = self.shown(shelf).unavailable + withheld, self.books.undecided(shelf) + edited
        if edits and edits in {unavailable - before for before in self.withheld[shelf]}:
            return False
        if edited and self.books.looks_wiped(shelf, edits):
            return False
        self.withheld[shelf].add(unavailable)
        return True

    def _edit(self, shelf: Shelf, **what: int) -> None:
        place = PLACES[shelf.place]
        self.ask("levels/edit", shop=self.shops[shelf.store].domain, sku=sku(shelf.item), location=place, **what)

    # --- inside

    def _shelf(self, store: int, chance: random.Random) -> Shelf:
        return Shelf(store, chance.randrange(self.setup.items), chance.choice(self.books.places(store)))

    def _spot(self, work: Work, line: int, place: int) -> Shelf:
        return Shelf(work.store, item_of(work.order.line(line)), place)

    def _some(
        self, store: int, chance: random.Random, fits: Callable[[Work], bool], *, pulled: bool = False
    ) -> Work | None:
        """`pulled`: also one that a pull of the stock feed named before we knew it."""
        found = [work for work in self.works if work.store == store and fits(work)]
        found = [work for work in found if not work.awaits_reading]
        found = [work for work in found if Act.PULL not in work.unread or pulled]
        return chance.choice(found) if found else None

    def _all(self, store: int) -> dict[Shelf, Shown]:
        shelves = [Shelf(store, item, place) for item in range(self.setup.items) for place in range(LOCATIONS)]
        return {shelf: self.shown(shelf) for shelf in shelves}

    def _moving(self, store: int, act: Callable[[], Any], *, orders: bool = True) -> Any:
        """Carry out `act`, and tell the books what the store booked by itself: e of algorithms.md §3. What is reserved or
        set aside moves available too, and is learned from a settled read, not from orders."""
        before = self._all(store)
        told = act()
        for shelf, now in self._all(store).items() if orders else ():
            was = before[shelf]
            self.books.booked(shelf, now.available - was.available + now.unavailable - was.unavailable)
        return told

    def _note(self, work: Work, act: Act) -> None:
        work.unread.add(act)
        work.changed.append(int(self.sandbox.clock.seconds()))
        self.untold.append(work)


STEPS: dict[Act, Callable[[Shops, int, random.Random], None]] = {
    Act.BUY: Shops.buy,
    Act.EDIT: Shops.edit,
    Act.FULFIL: Shops.fulfil,
    Act.UNFULFIL: Shops.unfulfil,
    Act.REFUND: Shops.refund,
    Act.CANCEL: Shops.cancel,
    Act.MOVE: Shops.move,
    Act.DRAFT: Shops.draft,
    Act.DRAFT_ENDS: Shops.end_draft,
    Act.DAMAGE: Shops.damage,
    Act.HAND: Shops.by_hand,
}


def sku(item: int) -> str:
    """The SKU of an item."""
    return f"SYN-{item + 1:07d}"


def item_of(line: Any) -> int:
    """The number of a line's item."""
    return int(line.item.sku[4:]) - 1


def waiting(order: Order) -> Sequence[tuple[int, int, int]]:
    """Line, place and units that wait there."""
    units: Counter[tuple[int, int]] = Counter()
    for fo in order.fulfillment_orders:
        for entry in fo.lines:
            units[entry.line_item.number, fo.location.index] += entry.remaining_quantity
    return [(line, place, quantity) for (line, place), quantity in units.items() if quantity]
