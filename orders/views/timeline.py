"""The timeline of an order: from the first word of it to its last ledger entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse

from connectors.models import RemoteChange, WebhookDelivery
from inventory.models import LedgerEntry
from inventory.views.why_figures import Event
from orders import waves
from orders.intake import KIND
from orders.models import IncomingOrder, LocalEdit, SalesOrder, WaveLine
from syncconsole.kernel.currencies import written

AT_MOST = 100
"""Rows shown of one kind; an order with more is looked at in the ledger."""

AROUND = dt.timedelta(hours=1)
"""Deliveries are looked for this long after the first and the last notice of a change: that is when they come."""


def of_order(incoming: IncomingOrder, sale: SalesOrder | None = None) -> list[Event]:
    """What is known of an order, newest first; `sale` is its sales order, where it became one. Days are the store's."""
    zone = incoming.store.zone
    happened = [*_told(incoming, zone), *_booked(incoming, zone), *_sent_on(incoming, zone), *_picked(incoming, zone)]
    if sale is not None:
        happened += _made(sale, zone)
    # Of what happened at one moment, what comes later here is what followed.
    return sorted(happened, key=lambda event: event.at)[::-1]


def entries_of(incoming: IncomingOrder) -> list[LedgerEntry]:
    """The ledger entries that an order caused, oldest first: by their keys, which begin with the store and what of the
    order they are about (`orders.stock`)."""
    refs = {line.line_ref for line in incoming.stock.all()}
    refs |= {line.ref for refund in incoming.order.refunds for line in refund.lines}
    about = Q()
    for ref in sorted(refs)[:AT_MOST]:
        about |= Q(key__startswith=f"{incoming.store_id}:{ref}@")
    if not about:
        return []
    rows = LedgerEntry.objects.filter(about).select_related("level__variant__product", "level__location", "actor")
    return list(rows.order_by("pk")[:AT_MOST])


def _told(incoming: IncomingOrder, zone: ZoneInfo) -> Iterator[Event]:
    """What happened in the store, and how we heard of it."""
    order, store = incoming.order, incoming.store
    by = f" by {order.channel}" if order.channel else ""
    yield _event(zone, order.created_at, "Placed", f"in {store}{by}")
    if order.cancelled_at:
        yield _event(zone, order.cancelled_at, "Cancelled", f"in {store}")
    for sent in order.fulfilments:
        units = sum(line.quantity for line in sent.lines)
        yield _event(zone, sent.created_at, f"{units:,} sent", f"{sent.name}: {sent.status}")
    for refund in order.refunds:
        amount = written(refund.total.presentment.amount, refund.total.presentment.currency)
        yield _event(zone, refund.created_at or refund.processed_at, f"Refunded {amount}", f"in {store}")
    for row in _deliveries(incoming):
        url = reverse("admin:webhook", args=[row.pk])
        yield _event(zone, row.received_at, f"Webhook {row.topic}", row.get_state_display(), url=url)
    yield _event(zone, incoming.received_at, f"Version {incoming.revision} read")


def _made(sale: SalesOrder, zone: ZoneInfo) -> Iterator[Event]:
    """What was made of it here."""
    total = f"total {written(sale.total, sale.currency)}"
    yield _event(zone, sale.written_at, f"Version {sale.revision} became the sales order", total)
    for edit in sale.edits.all():
        yield from _of_edit(edit, sale.currency, zone)
    for refund in sale.incoming.refunds.all():
        url = reverse("admin:refund", args=[refund.pk])
        yield _event(zone, refund.settled_at, f"Refund {refund.standing.label.lower()}", refund.sentence, url=url)
        for document in refund.documents.all():
            if document.posted_at:
                detail = written(document.total, document.currency)
                url = reverse("admin:document", args=[document.pk])
                yield _event(zone, document.posted_at, f"{document.label} posted", detail, url=url)


def _booked(incoming: IncomingOrder, zone: ZoneInfo) -> Iterator[Event]:
    for entry in entries_of(incoming):
        yield _event(
            zone,
            entry.recorded_at,
            f"{entry.get_kind_display()}: {entry.level.variant.label}",
            " · ".join(filter(None, [entry.level.location.name, entry.reason])),
            str(entry.actor or ""),
            reverse("admin:why_level", args=[entry.level_id]),
            entry.on_hand_delta - entry.released_delta,
        )


def _sent_on(incoming: IncomingOrder, zone: ZoneInfo) -> Iterator[Event]:
    """What the store was told of shipments made here."""
    store, url = incoming.store, reverse("admin:outgoing")
    for row in incoming.outgoing.all():
        units, who = f"{row.units:,}", str(row.created_by or "")
        yield _event(zone, row.created_at, f"{units} shipped here, {store} is told", row.standing.label, who, url)
        if row.first_sent_at:
            tries = "" if row.tries == 1 else f"{row.tries:,} tries"
            yield _event(zone, row.first_sent_at, f"Fulfilment of {units} sent to {store}", tries, url=url)
        if row.decided_at:
            yield _event(zone, row.decided_at, "Decided about the fulfilment", row.standing.label, str(row.decided_by))
        elif row.settled_at:
            yield _event(zone, row.settled_at, f"{store} has the fulfilment", row.remote_ref.rpartition("/")[2])


def _picked(incoming: IncomingOrder, zone: ZoneInfo) -> Iterator[Event]:
    """What waves did with it."""
    for line in waves.waves_of(incoming):
        url = reverse("admin:wave", args=[line.wave_id])
        what = f"{line.quantity:,} × {line.stock.variant.label}"
        detail = "made again" if hasattr(line, "replaces") else ""
        yield _event(zone, line.made_at, f"In {line.wave}: {what}", detail, str(line.wave.created_by), url)
        if line.closed_at:
            yield _event(zone, line.closed_at, f"{line.wave}: {what}", _end_of(line), url=url)


def _end_of(line: WaveLine) -> str:
    """What became of a settled line, in words."""
    if line.picked is not None:
        return f"{line.picked:,} picked and shipped"
    instead = f"{line.replaced_by.quantity:,} instead" if line.replaced_by else ""
    return " · ".join(filter(None, [line.standing.label, line.reason, instead]))


def _of_edit(edit: LocalEdit, currency: str, zone: ZoneInfo) -> Iterator[Event]:
    """A value changed here, and its overwrite with both values."""
    before, ours = (edit.shown(value, currency) for value in (edit.before, edit.ours))
    yield _event(
        zone, edit.edited_at, f"{edit} changed", f"{before} → {ours} · {edit.reason}", str(edit.edited_by or "")
    )
    if edit.overwritten_at and edit.theirs is not None:
        theirs = edit.shown(edit.theirs, currency)
        detail = f"ours {ours} → the store's {theirs}"
        yield _event(zone, edit.overwritten_at, f"{edit} overwritten by the store", detail)


def _event(
    zone: ZoneInfo,
    at: dt.datetime,
    what: str,
    detail: str = "",
    who: str = "",
    url: str = "",
    quantity: Decimal | None = None,
) -> Event:
    return Event(at, f"{at.astimezone(zone):%-d %b %Y}", what, detail, who, quantity, url=url)


def _deliveries(incoming: IncomingOrder) -> list[WebhookDelivery]:
    """The webhooks that told of the order around the first and the last notice of a change of it."""
    change = RemoteChange.objects.filter(store=incoming.store_id, kind=KIND, ref=incoming.ref).first()
    if change is None or not change.by_webhook:
        return []
    first = Q(received_at__gte=change.first_noticed_at - AROUND, received_at__lte=change.first_noticed_at + AROUND)
    last = Q(received_at__gte=change.noticed_at - AROUND, received_at__lte=change.noticed_at + AROUND)
    rows = WebhookDelivery.objects.filter(first | last, store=incoming.store_id, object_ref=incoming.ref).defer("body")
    return list(rows.order_by("pk")[:AT_MOST])
