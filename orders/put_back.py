"""Goods cancelled in their store without a word of where they are: written off here until a person says (algorithms.md §3,
row 3; a store tells nothing of what it put back where no refund was due)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inventory import ledger, store_bookings
from inventory.ledger import Posting
from inventory.models import LedgerEntry
from inventory.models.ledger import EntryKind
from inventory.store_bookings import Shelf, StoreBooking
from orders.effects import PUT_BACK
from orders.facts import FactKind
from orders.models import IncomingOrder
from orders.shipping import ShippingRefused, Wanted
from orders.written_off import BACK, written_off
from syncconsole.kernel import audit
from syncconsole.kernel.models import User


def asks(row: IncomingOrder) -> bool:
    """Nobody has said yet what became of goods of this order."""
    return bool(PUT_BACK.found_in(row.needs_look))


def in_question(row: IncomingOrder) -> list[LedgerEntry]:
    """What was written off for want of a word, while nobody has said what became of it; costs no query without a
    question."""
    return [entry for entry, _ in _written_off(row)] if asks(row) else []


def asked_about(entries: Iterable[LedgerEntry]) -> dict[int, IncomingOrder]:
    """Write-off → the order that still asks what became of it: that is answered first, since its store may show the goods
    already. One query."""
    asking = {entry.pk: entry.document for entry in entries if f":{FactKind.LOST}:" in entry.key}
    named = [document.split(":", 2) for document in asking.values() if document.count(":") > 1]
    slugs, names = {slug for _, slug, _ in named}, {name for _, _, name in named}
    found = IncomingOrder.objects.filter(store__slug__in=slugs, name__in=names).exclude(needs_look="")
    orders = {order.document: order for order in found.select_related("store").defer("snapshot") if asks(order)}
    return {pk: orders[document] for pk, document in asking.items() if document in orders}


@transaction.atomic
def settle(row: IncomingOrder, came: Wanted, *, reason: str, by: User) -> int:
    """Answer for good, for every write-off in question. Units that came back: the store put them back when it cancelled,
    and they are here: on hand rises, the store, which shows them already, is owed nothing, and the others get them. Of the
    others the write-off is right, and nothing is booked.

    `came`: id of the write-off → units, of as many as were written off when the person looked. Returns the units that came
    back. Raises ShippingRefused where the question was answered meanwhile, a write-off is not answered for, or no reason is
    given; nothing was booked then.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise ShippingRefused("No reason was given.", "Write in a few words how you know.")
    locked = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=row.pk)
    if not asks(locked):
        raise ShippingRefused("These goods were answered for meanwhile.", "Look at the order again.")
    found = _written_off(locked)
    _check([entry for entry, _ in found], came)
    units = _put_back(locked, [(entry, shelf, came[entry.pk].quantity) for entry, shelf in found], reason, by)
    gone = int(-sum(entry.on_hand_delta for entry, _ in found)) - units
    locked.needs_look = PUT_BACK.taken_from(locked.needs_look)
    locked.save(update_fields=["needs_look"])
    after = {"came back": units, "written off for good": gone, "reason": reason}
    audit.record(by, "goods of a cancelled order", f"{locked.store}: {locked.name}", after=after)
    return units


def _check(entries: list[LedgerEntry], came: Wanted) -> None:
    there = {entry.pk: int(-entry.on_hand_delta) for entry in entries}
    if there != {pk: units.of for pk, units in came.items()}:
        raise ShippingRefused(
            "What is written off is not what was answered for.", "Look at the order again, and answer for each row."
        )
    for units in came.values():
        if not 0 <= units.quantity <= units.of:
            raise ShippingRefused(
                f"{units.quantity} of {units.of} units cannot have been put back.", f"Give 0 to {units.of}."
            )


def _put_back(row: IncomingOrder, came: list[tuple[LedgerEntry, Shelf, int]], reason: str, by: User) -> int:
    """Counter what came back of every write-off, and note that the store shows those units already."""
    back = [each for each in came if each[2]]
    postings = [
        Posting(
            variant_id=entry.level.variant_id,
            location_id=entry.level.location_id,
            kind=EntryKind.RESTOCKED,
            key=entry.key + BACK,
            origin=row.store.origin,
            effective_at=timezone.now(),
            on_hand_delta=Decimal(units),
            document=entry.document,
            reason=reason,
            actor=by,
        )
        for entry, _, units in back
    ]
    bookings = [
        StoreBooking(shelf, units, entry.key + BACK, entry.effective_at, entry.document) for entry, shelf, units in back
    ]
    shelved = store_bookings.look_up(row.store, (), bookings)
    recorded = {entry.key for entry in ledger.post(postings, also=shelved.at.values()).recorded}
    store_bookings.book(shelved, [booking for booking in bookings if booking.key in recorded], {})
    return sum(booking.quantity for booking in bookings if booking.key in recorded)


def _written_off(row: IncomingOrder) -> list[tuple[LedgerEntry, Shelf]]:
    """The write-offs that no refund of the order explains and that nobody countered, with the shelf of the store."""
    shelves: dict[str, Shelf] = {}
    for stock in row.stock.select_related("store_location"):
        start = f"{row.store_id}:{stock.line_ref}@{stock.store_location.ref}:{FactKind.LOST}:"
        shelves[start] = (stock.item_ref, stock.store_location_id)
    about = Q(pk__in=[])
    for start in shelves:
        about |= Q(key__startswith=start)
    found = written_off().filter(about).select_related("level__variant__product", "level__location").order_by("pk")
    return [(entry, next(shelf for start, shelf in shelves.items() if entry.key.startswith(start))) for entry in found]
