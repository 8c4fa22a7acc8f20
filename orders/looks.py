"""What an order asks a person to look at where no answer books anything: closed with what was found."""

from __future__ import annotations

from django.db import transaction

from orders.effects import CAME_BACK, PUT_BACK
from orders.models import IncomingOrder
from orders.shipping import ShippingRefused
from syncconsole.kernel import audit
from syncconsole.kernel.models import User


def open_look(row: IncomingOrder) -> str:
    """What the order asks to look at, less the questions that have an answer of their own (`orders.put_back`,
    `orders.came_back`); empty without any."""
    return CAME_BACK.taken_from(PUT_BACK.taken_from(row.needs_look))


@transaction.atomic
def close(row: IncomingOrder, *, seen: str, reason: str, by: User) -> None:
    """Somebody looked at `seen`, what `open_look` said; questions stay asked. Nothing is booked: levels that the store's
    units vanished from are judged by their next settled read.

    Raises ShippingRefused without a reason, or where the order asks something else by now.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise ShippingRefused("No reason was given.", "Write in a few words what you found.")
    locked = IncomingOrder.objects.select_for_update(of=("self",)).select_related("store").get(pk=row.pk)
    look = open_look(locked)
    if not look or look != seen:
        raise ShippingRefused("The order asks something else by now.", "Look at the order again.")
    locked.needs_look = " ".join(
        asked for question in (PUT_BACK, CAME_BACK) for asked in question.found_in(locked.needs_look)
    )
    locked.save(update_fields=["needs_look"])
    audit.record(
        by, "look at order", f"{locked.store}: {locked.name}", before={"asked": look}, after={"reason": reason}
    )
