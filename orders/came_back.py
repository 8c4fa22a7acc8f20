"""Goods that left here and that their store cancelled with restock: a person says if they came back (algorithms.md §3,
row 14)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from inventory import ledger
from inventory.models.ledger import EntryKind
from orders.effects import CAME_BACK
from orders.models import IncomingOrder, OrderStock
from orders.shipping import ShippingRefused, Units, posting
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

ACTION = "came back"


def in_doubt(row: IncomingOrder) -> list[OrderStock]:
    """The order's goods of which nobody has said yet if they came back."""
    stocks = row.stock.select_related("variant__product", "location", "store_location")
    return list(stocks.exclude(in_doubt=0).order_by("pk"))


@transaction.atomic
def settle(row: IncomingOrder, came: Mapping[int, Units], *, reason: str, by: User) -> int:
    """So many units of each row in doubt came back: on hand rises where they had left from, and its store, which shows
    them already, is owed nothing more. The others did not: nothing is booked, and its store gets them taken off by the
    next delta. Either way the question is answered for good, and `reason` is kept.

    `came`: id of a stock row → units, of as many as were in doubt when the person looked. Returns the units that came
    back. Raises ShippingRefused; then nothing was booked.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise ShippingRefused("No reason was given.", "Write in a few words how you know.")
    locked = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=row.pk)
    stocks = {stock.pk: stock for stock in locked.stock.order_by("pk")}
    if not came:
        raise ShippingRefused("No units were given.", "Say how many of each line came back; 0 for none.")
    postings = []
    for pk, units in came.items():
        stock = stocks.get(pk)
        if stock is None or not stock.in_doubt or stock.in_doubt != units.of:
            raise ShippingRefused("These units were answered for meanwhile.", "Look at the order again.")
        if not 0 <= units.quantity <= stock.in_doubt:
            raise ShippingRefused(f"{units.quantity} of {stock.in_doubt} units cannot have come back.", "Give fewer.")
        total = stock.totals[ACTION] = int(stock.totals.get(ACTION, 0)) + stock.in_doubt
        stock.in_doubt = 0
        if units.quantity:
            fact = f"{ACTION}:{total}"
            postings.append(posting(locked, stock, EntryKind.RESTOCKED, fact, by, on_hand=units.quantity))
    ledger.post(postings)
    OrderStock.objects.bulk_update([stocks[pk] for pk in came], ["in_doubt", "totals"])
    if not in_doubt(locked):
        locked.needs_look = CAME_BACK.taken_from(locked.needs_look)
        locked.save(update_fields=["needs_look"])
    back = sum(units.quantity for units in came.values())
    gone = sum(units.of for units in came.values()) - back
    after = {"came back": back, "did not": gone, "reason": reason}
    audit.record(by, ACTION, f"{locked.store}: {locked.name}", after=after)
    return back
