"""What a store booked by itself: sales, cancellations and returns move what it shows without us (algorithms.md §2–4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from connectors.models import Store
from inventory import level_changes, publications
from inventory.models import LevelPublication, Push
from inventory.models.publications import PublicationKind
from inventory.models.pushes import WriteKind
from inventory.publications import Effect
from inventory.settlement import TOO_CLOSE

Shelf = tuple[str, int]
"""(inventory item's reference, id of the store's location)"""


@dataclass(frozen=True, slots=True)
class StoreBooking:
    """`quantity` units (signed) that the store added to what it shows on `shelf`, at its time `effective_at`."""

    shelf: Shelf
    quantity: int
    key: str
    effective_at: dt.datetime
    cause: str = ""
    within: tuple[dt.datetime, dt.datetime] | None = None
    """Where the store does not tell when: between these two; `effective_at` is the likeliest."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """What `look_up` found: shelf → id of its publication, and the keys that are booked already."""

    at: Mapping[Shelf, int]
    known: set[str]


LOOK_UP: Final = """
SELECT p.item_ref, p.store_location_id, p.id, NULL
  FROM inventory_levelpublication p
  JOIN unnest(%(items)s::text[], %(locations)s::bigint[]) AS w(item, location)
    ON p.item_ref = w.item AND p.store_location_id = w.location
 WHERE p.store_id = %(store)s AND p.state <> 'closed'
 UNION ALL
SELECT NULL, NULL, NULL, e.key FROM inventory_publicationentry e WHERE e.key = ANY(%(keys)s)
"""


def look_up(store: Store, shelves: Iterable[Shelf], bookings: Sequence[StoreBooking] = ()) -> Shelved:
    """The publications of these shelves, and of those of `bookings`, where there are; and which bookings are known. The
    caller holds the lock of the order that they are of: nobody else books them meanwhile."""
    wanted = {*shelves, *(booking.shelf for booking in bookings)}
    asked: dict[str, Any] = {
        "store": store.pk,
        "items": [item for item, _ in wanted],
        "locations": [location for _, location in wanted],
        "keys": [booking.key for booking in bookings],
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, asked)
        rows = cursor.fetchall()
    at = {(item, location): pk for item, location, pk, key in rows if key is None}
    return Shelved(at, {key for *_, key in rows if key is not None})


def book(
    shelved: Shelved,
    bookings: Sequence[StoreBooking],
    open_changes: Mapping[Shelf, int],
    verify: Iterable[Shelf] = (),
) -> list[StoreBooking]:
    """Record what the store booked, and by how much its open quantities changed. Call inside the transaction of the
    facts, after their ledger entries. `shelved`: as `look_up` gives it; a shelf without a publication is not ours to
    push to, and nothing is recorded for it. `verify`: shelves where something moved that nothing explains.

    An effect from before our last overwrite, unknown to it, was wiped by it: it is recorded and not counted, so that the
    next delta repairs the store. Where the two times are too close to tell, or nobody knows on which side of the overwrite
    the effect was, it counts, and the next settled read decides.
    A level that is held may have waited for just this: it is read again. Returns what was recorded now; a key that is known
    is left out.
    """
    at = shelved.at
    locked = {publication.pk: publication for publication in publications.lock(at.values())}
    new = [booking for booking in bookings if booking.key not in shelved.known and booking.shelf in at]
    undated = {at[booking.shelf] for booking in new if booking.within}
    unsettled = _being_overwritten(locked[pk] for pk in undated)
    publications.record([_effect(locked[at[booking.shelf]], booking, unsettled) for booking in new if booking.quantity])
    for shelf, change in open_changes.items():
        if shelf in at:
            locked[at[shelf]].open_remote += change
    for shelf in {*verify, *(booking.shelf for booking in new)} & at.keys():
        locked[at[shelf]].needs_look = True
    for shelf in {*verify} & at.keys():
        locked[at[shelf]].verify = True
    publications.save_all(locked.values())
    if held := [publication.pk for publication in locked.values() if publication.hold_test]:
        level_changes.ask_for_held(held)
    return new


def _being_overwritten(found: Iterable[LevelPublication]) -> set[int]:
    """Those with an overwrite on its way, whose time is not known yet."""
    claims = {publication.claim_id: publication.pk for publication in found if publication.claim_id}
    if not claims:
        return set()
    overwrites = Push.objects.filter(pk__in=claims).exclude(batch__kind=WriteKind.ADJUST)
    return {claims[pk] for pk in overwrites.values_list("pk", flat=True)}


def _effect(publication: LevelPublication, booking: StoreBooking, unsettled: Collection[int]) -> Effect:
    overwritten, at = publication.overwritten_at, booking.effective_at
    first, last = booking.within or (at, at)
    unclear = overwritten is not None and first - TOO_CLOSE <= overwritten <= last + TOO_CLOSE
    unclear = unclear or bool(booking.within and publication.pk in unsettled)
    wiped = overwritten is not None and at <= overwritten and not unclear
    publication.verify = publication.verify or unclear
    return Effect(
        publication,
        PublicationKind.STORE_BOOKED,
        booking.quantity,
        booking.key,
        booking.cause,
        effective_at=None if unclear and booking.within else at,
        applied=not wiped,
    )
