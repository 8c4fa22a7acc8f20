"""How long orders name who bought: older ones are redacted night by night, documents and amounts stay."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from connectors import store_settings
from connectors.models import Store
from orders import privacy
from orders.models import IncomingOrder, OrderStock
from syncconsole.kernel import audit
from syncconsole.kernel.models import User


@dataclass(frozen=True, slots=True)
class Outdated:
    """Orders that still name somebody although they were placed before `before`, the first day that is kept."""

    before: dt.date
    orders: int
    """Are redacted by the next run."""
    still_open: int
    """Hold goods that are still to be sent, and keep their buyer until they are."""


def preview(store: Store, months: int) -> Outdated:
    """What keeping customers' data for `months` months would redact now."""
    named = _named(store, months)
    still_open = named.filter(_holds_goods()).count()
    return Outdated(_first_day(store, months), named.count() - still_open, still_open)


def set_months(store: Store, months: int | None, *, by: User) -> None:
    """Keep customers' data for so many months, or for ever (None). The next night redacts what is older."""
    store_settings.change(store, "change how long customers' data is kept", {"keep_months": months}, by=by)


def forget(store: Store, *, until: dt.datetime | None = None, by: User | None = None) -> tuple[int, bool]:
    """Redact the orders of `store` that are older than its setting, some hundreds at a time, each part by itself: after a
    crash the next run goes on with the rest. Returns how many, and whether `until` came before the end.

    Nothing happens where data is kept for ever. A version of a redacted order that comes later is redacted as it is kept
    (`orders.intake`), so nobody comes back.
    """
    if store.keep_months is None:
        return 0, False
    outdated = _named(store, store.keep_months).filter(~_holds_goods())
    erased, more = 0, False
    while some := privacy.erase_some(store, outdated):
        erased += some
        if until is not None and timezone.now() >= until:
            more = True
            break
    if erased:
        before = _first_day(store, store.keep_months)
        audit.record(
            by, "redact old orders", store.name, after={"placed before": str(before), "orders": erased, "goes on": more}
        )
    return erased, more


def _first_day(store: Store, months: int) -> dt.date:
    """The day so many calendar months ago, by the store's clock; the last of its month where it has no such day."""
    today = timezone.localdate(timezone=store.zone)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return dt.date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _named(store: Store, months: int) -> QuerySet[IncomingOrder, IncomingOrder]:
    begin = dt.datetime.combine(_first_day(store, months), dt.time(), store.zone)
    return IncomingOrder.objects.filter(store=store, redacted_at=None, remote_created_at__lt=begin)


def _holds_goods() -> Exists:
    return Exists(OrderStock.objects.filter(order=OuterRef("pk"), open_quantity__gt=0))
