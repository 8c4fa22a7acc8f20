"""What happened to the stock of an order, told from its newest version and what was booked of it (algorithms.md §3).

Pure: no database, no clock. The store tells quantities, not events; these functions find the events that explain the
difference, in the order that the specification gives them. Whatever versions were seen in between, the same units end
in the same places.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from connectors.ports.orders import RemoteOrder
from connectors.ports.refunds import RefundLine
from orders import dating
from orders.dating import Units

SENT = frozenset({"success"})
"""States of a fulfilment whose goods have left; a failed one has sent nothing."""
TAKEN_BACK = "cancelled"
"""That of one whose goods had left, and are back."""


class FactKind(StrEnum):
    """What can happen to units of a line. The numbers are rows of the table in algorithms.md §3."""

    GROWN = "grown"
    """1: placed, or added by an edit."""
    MOVED = "moved"
    """11: assigned to another location."""
    FULFILLED = "fulfilled"
    """4, 6 or 13c."""
    REOPENED = "reopened"
    """7: a fulfilment was cancelled."""
    CANCELLED = "cancelled"
    """2, 13b or 14: not sent any more, and back in the store's stock."""
    LOST = "lost"
    """3: not sent any more, and not back in stock."""
    RETURNED = "returned"
    """8: goods that had left are back in stock."""
    WRITTEN_OFF = "written_off"
    """9: goods that had left were refunded and not put back."""
    UNEXPLAINED = "unexplained"
    """Open units went or came, and nothing says why."""


LEAVING = frozenset({FactKind.MOVED, FactKind.FULFILLED, FactKind.CANCELLED, FactKind.LOST})
"""Units of these wait at their spot no more."""
ARRIVING = frozenset({FactKind.GROWN, FactKind.REOPENED})
"""Units of these wait at their spot from then on."""


class Spot(NamedTuple):
    """A line at a location of the store, by their references."""

    line_ref: str
    location_ref: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store was last known to say of a spot, and how many units of each kind of fact were ever booked there, of
    each refund line, and of each parcel."""

    item_ref: str = ""
    open: int = 0
    fulfilled: int = 0
    ordered: int = 0
    """Units of the line that were assigned here first; over all locations, as many as were ever ordered."""
    totals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """`quantity` units (> 0; signed only when unexplained) at `spot`. `to_ref`: the location they went to."""

    kind: FactKind
    spot: Spot
    item_ref: str
    quantity: int
    at: dt.datetime
    to_ref: str = ""
    source_ref: str = ""
    """The refund line that says so."""
    within: tuple[dt.datetime, dt.datetime] | None = None
    """The store does not tell when: between these two. `at` is the likeliest."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new of an order: the facts in the order they are to be booked, and what the store says now."""

    facts: list[Fact]
    now: dict[Spot, Standing]


def news(order: RemoteOrder, known: Mapping[Spot, Standing], *, since: dt.datetime | None = None) -> News:
    """Explain how `order` differs from what is `known` of it.

    `since`: the order was there before we kept its stock (algorithms.md §3, shadow orders). Of a line that is not known
    only what is still open counts then, and refunds made before count as known.
    """
    now = _standings(order, known)
    facts: list[Fact] = []
    for line_ref in dict.fromkeys(spot.line_ref for spot in now):
        line = _Line(order, line_ref, known, now, since)
        opening = since is not None and not any(spot.line_ref == line_ref for spot in known)
        facts += line.opening() if opening else line.changes()
        facts += line.came_back()
        now |= line.now
    return News(facts, now)


def _standings(order: RemoteOrder, known: Mapping[Spot, Standing]) -> dict[Spot, Standing]:
    """What the store says now of every line that holds stock, by location; the locations it left count 0."""
    items = {spot.line_ref: standing.item_ref for spot, standing in known.items()}
    opened: dict[Spot, int] = dict.fromkeys(known, 0)
    for work in order.fulfilment_orders:
        for entry in work.lines:
            if entry.item_ref or entry.line_ref in items:
                items.setdefault(entry.line_ref, entry.item_ref)
                spot = Spot(entry.line_ref, work.location_ref)
                opened[spot] = opened.get(spot, 0) + entry.remaining_quantity
    homes = {spot.line_ref: spot.location_ref for spot in opened}
    sent: dict[Spot, int] = {}
    parcels: dict[Spot, Counter[str]] = {}
    for fulfilment in order.fulfilments:
        for parcel in fulfilment.lines if fulfilment.status in (*SENT, TAKEN_BACK) else ():
            if parcel.line_ref in items:
                spot = Spot(parcel.line_ref, fulfilment.location_ref or homes[parcel.line_ref])
                back = parcel.quantity * (fulfilment.status == TAKEN_BACK)
                sent[spot] = sent.get(spot, 0) + parcel.quantity - back
                kept = parcels.setdefault(spot, Counter())
                kept[left_key(fulfilment.ref)] += parcel.quantity
                if back:
                    kept[again_key(fulfilment.ref)] += back
    return {
        spot: Standing(items[spot.line_ref], opened.get(spot, 0), sent.get(spot, 0), totals=parcels.get(spot, {}))
        for spot in dict.fromkeys([*opened, *sent])
    }


class _Refunded(NamedTuple):
    """A refund line, when it was made, and how many of its units had left by then."""

    when: dt.datetime
    entry: RefundLine
    had_left: int


class _Line:
    """One line of the order, explained."""

    def __init__(
        self,
        order: RemoteOrder,
        ref: str,
        known: Mapping[Spot, Standing],
        now: Mapping[Spot, Standing],
        since: dt.datetime | None,
    ) -> None:
        self.order, self.ref, self.since = order, ref, since
        self.before = {spot: known.get(spot, Standing()) for spot in now if spot.line_ref == ref}
        self.now = {spot: standing for spot, standing in now.items() if spot.line_ref == ref}
        self.item_ref = next(iter(self.now.values())).item_ref
        self.line = next((line for line in order.lines if line.ref == ref), None)
        self.ordered = sum(standing.ordered for standing in self.before.values())
        for spot, standing in self.before.items():
            self.now[spot] = replace(self.now[spot], ordered=standing.ordered)

    def opening(self) -> Iterator[Fact]:
        """Only what is still to be sent; the rest of the line was there before."""
        self._order_at(self._home, self.line.quantity if self.line else 0)
        for spot, standing in self.now.items():
            if standing.open:
                yield self._fact(FactKind.GROWN, spot, standing.open, self.order.created_at)

    def changes(self) -> Iterator[Fact]:
        """What happened, as it happened; where the times that the store tells cannot be, in the order in which each may
        concern the units of the one before: growth, parcels taken back, moves, fulfilments, what was taken off. Growth is
        last then where what was there before is enough for the others, so that goods shipped here first, or let go, are
        those that its store sends or takes off."""
        came, went = self._flows()
        grown = list(self._growth(came, went))
        moved, taken_off = list(self._moves(went, came)), list(self._taken_off(went))
        sent, back = self._on_the_whole(FactKind.FULFILLED), self._on_the_whole(FactKind.REOPENED)
        others = [*back, *moved, *sent, *taken_off]
        parcels = self._parcels if self._parcels_add_up else [*back, *sent]
        rest = [*parcels, *moved, *taken_off]
        # What happened in the same second as the growth may have come before it or after it.
        mixed = ([*rest, *grown], [*grown, *rest]) if self._history or not grown else ()
        in_time = [sorted(facts, key=lambda fact: fact.at) for facts in mixed]
        likely = (facts for facts in (*in_time, [*others, *grown]) if self._possible(facts))
        yield from next(likely, [*grown, *others])
        for spot, quantity in came.items():
            if quantity:
                yield self._fact(FactKind.UNEXPLAINED, spot, quantity, self.order.updated_at)

    def _growth(self, came: dict[Spot, int], went: dict[Spot, int]) -> Iterator[Fact]:
        grown = max(0, self.line.quantity - self.ordered) if self.line else 0
        for units, at in self._ordered_at(grown):
            left = units
            for spot, quantity in _take(came, units):
                came[spot] -= quantity
                left -= quantity
                yield self._grown(spot, quantity, at)
            if left:  # ordered and taken off again between two versions
                went[self._home] = went.get(self._home, 0) + left
                yield self._grown(self._home, left, at)

    def _ordered_at(self, quantity: int) -> list[Units]:
        """When the line's last `quantity` units were ordered."""
        if self._history:
            return dating.part(self._history, self.ordered, quantity)
        at = self.order.updated_at if self.ordered else self.order.created_at
        return [Units(quantity, at)] if quantity else []

    @cached_property
    def _history(self) -> list[Units]:
        """Since when each unit of the line is ordered, oldest first; empty where the store does not tell."""
        told = self.order.edits or not (self.order.edited or self.ordered)
        return dating.ordered(self.order, self.line) if told and self.line else []

    def _moves(self, went: dict[Spot, int], came: dict[Spot, int]) -> Iterator[Fact]:
        for source, target, quantity in _match(went, came):
            yield self._fact(FactKind.MOVED, source, quantity, self._moved_at(target), to_ref=target.location_ref)

    def _possible(self, facts: Iterable[Fact]) -> bool:
        """One after the other: whatever leaves a spot waited there."""
        left = Counter({spot: standing.open for spot, standing in self.before.items()})
        for fact in facts:
            left[fact.spot] += fact.quantity * (fact.kind in ARRIVING) - fact.quantity * (fact.kind in LEAVING)
            if fact.kind is FactKind.MOVED:
                left[fact.spot._replace(location_ref=fact.to_ref)] += fact.quantity
            if left[fact.spot] < 0:
                return False
        return True

    def came_back(self) -> Iterator[Fact]:
        """Refunded units that had left, each refund line once."""
        for when, entry, had_left in self._refunds:
            new = had_left - self._booked(returned_key(entry.ref))
            if new <= 0:
                continue
            spot = self._left_from
            if entry.restocked:
                to_ref = entry.location_ref or spot.location_ref
                yield self._fact(FactKind.RETURNED, spot, new, when, to_ref=to_ref, source_ref=entry.ref)
            else:
                yield self._fact(FactKind.WRITTEN_OFF, spot, new, when, source_ref=entry.ref)

    def _flows(self) -> tuple[dict[Spot, int], dict[Spot, int]]:
        """Units that came to a spot and went from it beside those that were sent."""
        came: dict[Spot, int] = {}
        went: dict[Spot, int] = {}
        for spot, now in self.now.items():
            before = self.before[spot]
            change = now.open - before.open + now.fulfilled - before.fulfilled
            if change > 0:
                came[spot] = change
            elif change < 0:
                went[spot] = -change
        return came, went

    @cached_property
    def _parcels(self) -> list[Fact]:
        """What was sent and what was taken back since the order was read last, parcel by parcel."""
        found = []
        for parcel in self.order.fulfilments:
            left, again = left_key(parcel.ref), again_key(parcel.ref)
            for spot, now in self.now.items():
                before = self.before[spot].totals
                if (units := now.totals.get(left, 0) - before.get(left, 0)) > 0:
                    found.append(self._fact(FactKind.FULFILLED, spot, units, parcel.created_at))
                if (units := now.totals.get(again, 0) - before.get(again, 0)) > 0:
                    found.append(self._fact(FactKind.REOPENED, spot, units, parcel.updated_at))
        return found

    @property
    def _parcels_add_up(self) -> bool:
        """To what the store says is sent. They do not where a parcel failed, or the order was known before its parcels were."""
        sent = Counter({spot: standing.fulfilled for spot, standing in self.before.items()})
        for fact in self._parcels:
            sent[fact.spot] += fact.quantity if fact.kind is FactKind.FULFILLED else -fact.quantity
        return all(sent[spot] == now.fulfilled for spot, now in self.now.items())

    def _on_the_whole(self, kind: FactKind) -> list[Fact]:
        """Units that were sent, or came back, of all parcels together, since the last of them."""
        times = [fact.at for fact in self._parcels if fact.kind is kind]
        at = min(max(times, default=self.order.updated_at), self.order.updated_at)
        sign = 1 if kind is FactKind.FULFILLED else -1
        changes = {spot: sign * (now.fulfilled - self.before[spot].fulfilled) for spot, now in self.now.items()}
        return [self._fact(kind, spot, change, at) for spot, change in changes.items() if change > 0]

    def _taken_off(self, went: dict[Spot, int]) -> Iterator[Fact]:
        """Units that wait no more: those that refunds put back in stock, then those that nothing put back."""
        for when, entry, had_left in self._refunds:
            new = entry.quantity - had_left - self._booked(cancelled_key(entry.ref)) if entry.restocked else 0
            near = dict(sorted(went.items(), key=lambda each: each[0].location_ref != entry.location_ref))
            for spot, quantity in _take(near, new):
                went[spot] -= quantity
                to_ref = entry.location_ref or spot.location_ref
                yield self._fact(FactKind.CANCELLED, spot, quantity, when, to_ref=to_ref, source_ref=entry.ref)
        lost = self._booked(FactKind.LOST)
        for spot, quantity in went.items():
            if quantity and (self.order.cancelled_at or self._removed):
                for units, at in self._lost_at(lost, quantity):
                    yield self._fact(FactKind.LOST, spot, units, at, source_ref=self._not_put_back)
                lost += quantity
            elif quantity:
                yield self._fact(FactKind.UNEXPLAINED, spot, -quantity, self.order.updated_at)

    def _lost_at(self, known: int, quantity: int) -> list[Units]:
        """When `quantity` units went that were not put back, after those that are known: by edits, or with the order."""
        by_edits = dating.part(dating.left_out(self.order, self.ref), known, quantity)
        others = quantity - dating.total(by_edits)
        at = self.order.cancelled_at or self.order.updated_at
        return [*by_edits, Units(others, at)] if others else by_edits

    @cached_property
    def _refunds(self) -> list[_Refunded]:
        """Refund lines of this line, oldest first; a later one sees what earlier ones consumed. By `created_at`: refunds
        may be dated back by `processed_at`."""
        found = [
            (refund.created_at or refund.updated_at, entry)
            for refund in self.order.refunds
            for entry in refund.lines
            if entry.line_ref == self.ref
        ]
        refunds, returned = [], 0
        for when, entry in sorted(found, key=lambda each: (each[0], each[1].ref)):
            had_left = self._had_left(when, entry, returned)
            returned += had_left
            if self.since is None or when > self.since:
                refunds.append(_Refunded(when, entry, had_left))
        return refunds

    def _had_left(self, when: dt.datetime, entry: RefundLine, returned: int) -> int:
        if entry.restock == "cancel":
            return 0
        if entry.restock == "return" and entry.restocked:
            return entry.quantity
        return max(0, min(entry.quantity, self._sent_by(when) - returned))

    def _sent_by(self, when: dt.datetime) -> int:
        """Units of the line that had left at that moment."""
        return sum(
            parcel.quantity
            for fulfilment in self.order.fulfilments
            if fulfilment.status in SENT and fulfilment.created_at <= when
            for parcel in fulfilment.lines
            if parcel.line_ref == self.ref
        )

    def _booked(self, key: str) -> int:
        return sum(standing.totals.get(key, 0) for standing in self.before.values())

    @property
    def _removed(self) -> int:
        return self.line.quantity - self.line.current_quantity if self.line else 0

    @property
    def _not_put_back(self) -> str:
        """The refund line that says that units that waited were not put back; empty where nothing says so. What it says of
        units that had left is no word about these."""
        said = [entry.ref for _, entry, had_left in self._refunds if not entry.restocked and entry.quantity > had_left]
        return said[-1] if said else ""

    @property
    def _home(self) -> Spot:
        """Where most of the line was to be sent from; of a line that was known, and of one that waits nowhere any more, the
        location that its newest work was assigned to, and where some of it waits: units that were added and taken off again
        unread went there."""
        sizes: dict[Spot, tuple[int, dt.datetime]] = {}
        for work in self.order.fulfilment_orders:
            for entry in work.lines:
                spot = Spot(entry.line_ref, work.location_ref)
                if spot in self.now:
                    size, newest = sizes.get(spot, (0, work.created_at))
                    more = 0 if self.ordered else entry.total_quantity
                    sizes[spot] = (size + more, max(newest, work.created_at))
        return max(sizes, key=lambda spot: (*sizes[spot], self.before[spot].open, spot), default=min(self.now))

    @property
    def _left_from(self) -> Spot:
        """Where most of the line was sent from."""
        most = max(self.now, key=lambda spot: (self.now[spot].fulfilled, spot))
        return most if self.now[most].fulfilled else self._home

    def _moved_at(self, target: Spot) -> dt.datetime:
        times = [work.updated_at for work in self.order.fulfilment_orders if work.location_ref == target.location_ref]
        return min(max(times, default=self.order.updated_at), self.order.updated_at)

    def _grown(self, spot: Spot, quantity: int, at: dt.datetime) -> Fact:
        self._order_at(spot, quantity)
        first, last = (at, self._assigned_by(spot)) if self._history else (self.order.created_at, self._told_by(spot))
        unsure = last > first or (not self._history and self.order.edited)
        return replace(self._fact(FactKind.GROWN, spot, quantity, at), within=(first, last) if unsure else None)

    def _told_by(self, spot: Spot) -> dt.datetime:
        """When units that nothing dates were there at the latest: of an edited order, since any change of it."""
        return self.order.updated_at if self.order.edited else self._assigned_by(spot)

    def _assigned_by(self, spot: Spot) -> dt.datetime:
        """When units that nobody had read before were there at the latest: those of work that was changed may have been
        moved there."""
        work = [work for work in self.order.fulfilment_orders if work.location_ref == spot.location_ref]
        times = [each.updated_at for each in work if any(entry.line_ref == self.ref for entry in each.lines)]
        return max(times, default=self.order.created_at)

    def _order_at(self, spot: Spot, quantity: int) -> None:
        self.now[spot] = replace(self.now[spot], ordered=self.now[spot].ordered + quantity)

    def _fact(
        self, kind: FactKind, spot: Spot, quantity: int, at: dt.datetime, *, to_ref: str = "", source_ref: str = ""
    ) -> Fact:
        return Fact(kind, spot, self.item_ref, quantity, at, to_ref, source_ref)


def left_key(parcel_ref: str) -> str:
    """Under which the units of a parcel that ever left are kept in the totals of a spot."""
    return f"left:{parcel_ref}"


def again_key(parcel_ref: str) -> str:
    """Under which those of them that came back with it are."""
    return f"again:{parcel_ref}"


def returned_key(refund_line_ref: str) -> str:
    """Under which units of a refund line that had left are counted in the totals of a spot."""
    return f"back:{refund_line_ref}"


def cancelled_key(refund_line_ref: str) -> str:
    """Under which units of a refund line that had not left are counted in the totals of a spot."""
    return f"off:{refund_line_ref}"


def _take(piles: Mapping[Spot, int], wanted: int) -> Iterator[tuple[Spot, int]]:
    """Take up to `wanted` units from the piles, in their order. The caller counts them off or drops the piles."""
    for spot, there in list(piles.items()):
        quantity = min(there, wanted)
        if quantity > 0:
            wanted -= quantity
            yield spot, quantity


def _match(went: dict[Spot, int], came: dict[Spot, int]) -> Iterable[tuple[Spot, Spot, int]]:
    """Pair what went with what came; both piles shrink."""
    for source in list(went):
        for target in list(came):
            quantity = min(went[source], came[target])
            if quantity > 0:
                went[source] -= quantity
                came[target] -= quantity
                yield source, target, quantity
