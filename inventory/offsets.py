"""Acknowledged offsets: a person signs that committed units of a level belong to orders that nobody here can see
(algorithms.md §6). Then the level is held for them no more, and may be lowered, not raised, while they are open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connectors.models import Store
from inventory import level_changes, publications
from inventory.knowledge import OpenOrder, order_books
from inventory.models import LevelPublication, OffsetAcknowledgement
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

SIGN_RIGHT: Final = "inventory.acknowledge_offset"
OLD_ORDERS: Final = "read_all_orders"


class OffsetRefused(Refusal):
    """Nothing was signed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a level's committed units: `committed` in the store as read, `open_here` of the `orders` that are
    known, `signed` already; `missing` is what nobody explains."""

    committed: int
    open_here: int
    signed: int
    orders: list[OpenOrder]

    @property
    def missing(self) -> int:
        """Units committed there beyond the orders that are known here."""
        return self.committed - self.open_here


def older_orders_hidden(store: Store) -> bool:
    """Orders older than 60 days are hidden from the app: the usual cause of units that nobody explains."""
    return OLD_ORDERS not in store.scopes


def known(publication: LevelPublication) -> Known:
    """What may be signed about `publication`, by its last read."""
    orders = order_books().open_at(publication.store, publication.item_ref, publication.store_location.ref)
    return Known(
        publication.observed_committed or 0, publication.open_remote, publication.acknowledged_offset, list(orders)
    )


def listed(store: Store) -> QuerySet[LevelPublication, LevelPublication]:
    """Levels held while the store has more units committed than the orders known here explain, and those signed for."""
    unexplained = Q(hold_test="b", observed_committed__gt=F("open_remote"))
    found = LevelPublication.objects.filter(unexplained | Q(acknowledged_offset__gt=0), store=store)
    return found.select_related("listed__variant__product", "store_location", "store").order_by("pk")


def acknowledge(
    publication_id: int, *, committed: int, open_here: int, by: User | None, reason: str
) -> OffsetAcknowledgement | None:
    """Sign that the difference between `committed` and `open_here`, the numbers that the person saw, belongs to orders not
    known here. None where just this is signed already.

    Raises OffsetRefused without a reason, where the numbers have changed, or where nothing is missing.
    """
    if not reason.strip():
        raise OffsetRefused("The reason is missing.", "Say what is known of those orders; nothing was signed.")
    with transaction.atomic():
        (publication,) = publications.lock([publication_id])
        seen = known(publication)
        if (seen.committed, seen.open_here) != (committed, open_here):
            raise OffsetRefused(
                f"The store has {seen.committed} committed and {seen.open_here} are open here by now.",
                "Look at the numbers again; nothing was signed.",
            )
        if seen.missing <= 0:
            raise OffsetRefused("No committed unit is unexplained.", "Nothing is to be signed.")
        if seen.missing == seen.signed:
            return None
        publication.acknowledged_offset = seen.missing
        publications.save_all([publication])
        signed = OffsetAcknowledgement.objects.create(
            publication=publication,
            quantity=seen.missing,
            committed=committed,
            open_here=open_here,
            orders=[[order.number, order.units] for order in seen.orders],
            reason=reason.strip()[:300],
            signed_by=by,
            signed_at=timezone.now(),
        )
        after = {"reason": reason.strip()[:250], "units": seen.missing, "committed": committed, "open here": open_here}
        level_changes.ask_for([publication])
        audit.record(by, "acknowledge offset", f"{publication}", before={"units": seen.signed}, after=after)
    return signed


def withdraw(publication_id: int, *, by: User | None, reason: str) -> int:
    """Take back what is signed at a level: from its next read on it is held for those units again. The signatures stay as
    they were given. Returns the units.

    Raises OffsetRefused without a reason, or where nothing is signed (any more).
    """
    if not reason.strip():
        raise OffsetRefused("The reason is missing.", "Say why the signature does not hold; nothing was withdrawn.")
    with transaction.atomic():
        (publication,) = publications.lock([publication_id])
        units = publication.acknowledged_offset
        if not units:
            raise OffsetRefused("Nothing is signed at this level.", "Nothing is to be withdrawn.")
        publication.acknowledged_offset = 0
        publications.save_all([publication])
        level_changes.ask_for([publication])
        after = {"reason": reason.strip()[:250], "units": 0}
        audit.record(by, "withdraw offset", f"{publication}", before={"units": units}, after=after)
    return units
