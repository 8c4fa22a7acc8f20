"""Outgoing fulfilments: kept with the shipment they tell of, and decided by a person where no store can say what happened."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connectors import scopes, store_settings
from connectors.models import Store
from connectors.ports.access import SHIPPING
from orders.models import IncomingOrder, OrderStock, OutgoingFulfilment, OutgoingLine, OutgoingState
from orders.tracking import Tracking
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

SEE_RIGHT: Final = "orders.view_outgoingfulfilment"


class SendingRefused(Refusal):
    """Nothing was changed."""


class Decision(StrEnum):
    """What a person says of a fulfilment of which nobody can tell whether the store knows it."""

    WAS_SENT = "was_sent"
    AGAIN = "again"
    LEAVE = "leave"


_AFTERWARDS: Final = {
    Decision.WAS_SENT: OutgoingState.DONE,
    Decision.AGAIN: OutgoingState.WAITING,
    Decision.LEAVE: OutgoingState.LEFT,
}
SAID: Final = {
    Decision.WAS_SENT: "noted as sent.",
    Decision.AGAIN: "a worker looks at the order and sends it.",
    Decision.LEAVE: "the store is not told of it.",
}
"""What a person reads after saying so."""


def switch(store: Store, *, on: bool, by: User, address: str | None = None) -> None:
    """Whether goods shipped here first are told to `store`, from now on. Raises SendingRefused without the scopes."""
    if on and (lacks := scopes.missing(store.scopes, SHIPPING)):
        raise SendingRefused(
            f"The token lacks the scope {', '.join(lacks)}.", "Grant it in the store's admin, then test the connection."
        )
    wanted = {"send_fulfilments": on}
    store_settings.change(store, "change sending of fulfilments", wanted, by=by, address=address)


def keep(
    order: IncomingOrder, moved: Mapping[OrderStock, tuple[int, int]], tracking: Tracking, *, by: User | None
) -> None:
    """Goods that left here, to be told to the order's store where it is to be told: one fulfilment for each of its
    locations. `moved`: row of the order's stock → units, and how many of it were ever shipped here before.

    Inside the transaction that books the shipment: both, or none.
    """
    if not order.store.send_fulfilments:
        return
    for location_id in sorted({stock.store_location_id for stock in moved}):
        made = OutgoingFulfilment.objects.create(
            order=order,
            store_location_id=location_id,
            company=tracking.company,
            number=tracking.number,
            url=tracking.url,
            notify=tracking.notify,
            created_by=by,
        )
        OutgoingLine.objects.bulk_create(
            OutgoingLine(outgoing=made, stock=stock, quantity=quantity, after=after)
            for stock, (quantity, after) in moved.items()
            if stock.store_location_id == location_id
        )
    _send_soon(order.store_id)


def listed() -> QuerySet[OutgoingFulfilment, OutgoingFulfilment]:
    """Outgoing fulfilments with all that pages say of them."""
    found = OutgoingFulfilment.objects.select_related("order__store", "order__sales_order", "store_location")
    return found.defer("order__snapshot", "body").select_related("created_by", "decided_by").prefetch_related("lines")


@transaction.atomic
def decide(outgoing: OutgoingFulfilment, decision: Decision, *, by: User, address: str | None = None) -> None:
    """A person says what became of it. Raises SendingRefused where it needs nobody any more."""
    now, state = timezone.now(), _AFTERWARDS[decision]
    again = {"known": None, "settled_at": None} if decision is Decision.AGAIN else {"settled_at": now}
    taken = OutgoingFulfilment.objects.filter(pk=outgoing.pk, state=OutgoingState.NEEDS_PERSON).update(
        state=state, cause="", remedy="", decided_by=by, decided_at=now, **again
    )
    if not taken:
        raise SendingRefused("This fulfilment needs nobody any more.", "Look at how it stands now.")
    order = outgoing.order
    after = {"state": state.label, "units": outgoing.units, "before": f"{outgoing.cause} {outgoing.remedy}"}
    audit.record(by, "decide outgoing fulfilment", f"{order.store}: {order.name}", after=after, address=address)
    _send_soon(order.store_id)


def _send_soon(store_id: int) -> None:
    """A worker sends what waits, once this transaction is committed."""
    from orders.tasks import send_fulfilments  # its module imports all that ships, which imports this one

    send_fulfilments.send(store_id)
