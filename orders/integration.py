"""From which day on orders of a store count, and what another day would change."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from connectors import store_settings
from connectors.models import Store
from connectors.models.stores import ExcludedRefunds
from orders import tasks
from orders.documents import LEFT_OUT
from orders.models import Document, IncomingOrder, IncomingState, Refund, RefundState
from syncconsole.kernel import audit
from syncconsole.kernel.models import User


@dataclass(frozen=True, slots=True)
class Change:
    """How many orders another day concerns."""

    entering: int
    """Become sales orders."""
    leaving: int
    """Are sales orders no more; what they hold stays held."""
    kept: int
    """Lie before the new day and stay sales orders, because refunds of them are booked."""
    documented: int
    """Of those that enter, leave or stay: have documents, which are as they are whatever the day."""
    waiting: int
    """Were read, and are imported once a day is set."""


def preview(store: Store, day: dt.date) -> Change:
    """What `day` as the integration date of `store` would change, of the orders read so far."""
    orders = IncomingOrder.objects.filter(store=store)
    entering, leaving, kept = (
        _entering(store, day),
        _leaving(store, day, booked=False),
        _leaving(store, day, booked=True),
    )
    documents = Document.objects.filter(refund__order=OuterRef("pk"))
    return Change(
        entering=entering.count(),
        leaving=leaving.count(),
        kept=kept.count(),
        documented=(entering | leaving | kept).filter(Exists(documents)).count(),
        waiting=orders.filter(state=IncomingState.PENDING).count() if store.integration_date is None else 0,
    )


@transaction.atomic
def set_day(store: Store, day: dt.date, *, by: User, address: str | None = None) -> Change:
    """Let orders placed from `day` on count. Those that enter or leave are imported again by a worker; stock that is
    booked stays booked, since goods are promised whatever the day."""
    locked = Store.objects.select_for_update().get(pk=store.pk)
    change, before = preview(locked, day), locked.integration_date
    leaving = list(_leaving(locked, day, booked=False).values_list("pk", flat=True))
    entering = list(_entering(locked, day).values_list("pk", flat=True))
    for row in IncomingOrder.objects.filter(pk__in=leaving, sales_order__isnull=False).select_related("sales_order"):
        row.sales_order.delete()
    IncomingOrder.objects.filter(pk__in=[*leaving, *entering]).update(state=IncomingState.PENDING)
    Store.objects.filter(pk=store.pk).update(integration_date=day)
    store.integration_date = day
    audit.record(
        by,
        "set integration date",
        store.name,
        before={"integration_date": str(before)},
        after={"integration_date": str(day), **asdict(change)},
        address=address,
    )
    tasks.import_orders.send(store.pk)
    return change


@transaction.atomic
def set_excluded_refunds(store: Store, rule: ExcludedRefunds, *, by: User) -> int:
    """Say what becomes of refunds of orders that are left out by date. Where documents are made from now on, a worker
    makes those of the refunds listed so far: returns of how many. Documents that are posted stay."""
    store_settings.change(store, "change what refunds of excluded orders become", {"excluded_refunds": rule}, by=by)
    if rule == ExcludedRefunds.LISTED:
        return 0
    listed = Refund.objects.filter(store=store, state=RefundState.LISTED)
    waiting = IncomingOrder.objects.filter(pk__in=listed.values("order"), state__in=LEFT_OUT)
    waiting.update(state=IncomingState.PENDING)
    tasks.import_orders.send(store.pk)
    return listed.count()


def _begin(store: Store, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), store.zone)


def _entering(store: Store, day: dt.date) -> QuerySet[IncomingOrder]:
    left_out = IncomingOrder.objects.filter(store=store, state__in=LEFT_OUT, test=False)
    return left_out.filter(remote_created_at__gte=_begin(store, day))


def _leaving(store: Store, day: dt.date, *, booked: bool) -> QuerySet[IncomingOrder]:
    """Sales orders from before `day`: those with booked refunds, or those without."""
    carried = IncomingOrder.objects.filter(store=store, sales_order__isnull=False)
    refunds = Exists(Refund.objects.filter(order=OuterRef("pk")))
    return carried.filter(refunds if booked else ~refunds, remote_created_at__lt=_begin(store, day))
