"""Goods that refunds wrote off: what was returned or released and is in no stock, until a person puts it back."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from connectors.models import Store
from inventory import ledger
from inventory.ledger import Posting
from inventory.models import LedgerEntry
from inventory.models.ledger import EntryKind
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RETURN_RIGHT: Final = "inventory.record_stock"
BACK: Final = ":back"
"""Ends the key of the entry that puts written-off goods back, so that it is written once."""


class ReturnRefused(Refusal):
    """Nothing was put back. Carries cause and remedy."""


def written_off(store: Store | None = None) -> QuerySet[LedgerEntry, LedgerEntry]:
    """Entries that wrote goods off and of which nothing was put back yet; of all stores, or of one."""
    back = LedgerEntry.objects.filter(key=Concat(OuterRef("key"), Value(BACK)))
    found = LedgerEntry.objects.filter(~Exists(back), kind=EntryKind.WRITTEN_OFF)
    return found.filter(origin=store.origin) if store else found


@transaction.atomic
def return_to_stock(
    entry: LedgerEntry, quantity: int, *, by: User, reason: str, address: str | None = None
) -> LedgerEntry:
    """Put `quantity` units of a write-off back where they were written off; the rest stays written off for good.

    Every store gets them by the next delta, the one they were refunded in, too: it does not know of them. Raises
    `ReturnRefused` without a reason, when they were put back already, or for more units than were written off.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise ReturnRefused("No reason was given.", "Give the reason in a few words.")
    most = -entry.on_hand_delta
    if not 0 < quantity <= most:
        raise ReturnRefused(
            f"{quantity:,} units cannot be put back: {most.normalize():,f} were written off.",
            "Give a quantity of at least 1 and not more than that.",
        )
    posting = Posting(
        variant_id=entry.level.variant_id,
        location_id=entry.level.location_id,
        kind=EntryKind.RESTOCKED,
        key=entry.key + BACK,
        origin="console",
        effective_at=timezone.now(),
        on_hand_delta=Decimal(quantity),
        document=entry.document,
        reason=reason,
        actor=by,
    )
    recorded = ledger.post([posting]).recorded
    if not recorded:
        raise ReturnRefused("These goods were put back already.", "Look at the level's entries in the ledger.")
    after = {"quantity": quantity, "reason": reason}
    audit.record(by, "return to stock", f"{entry.level} {entry.document}", after=after, address=address)
    return recorded[0]
