"""Outgoing fulfilments are told to their store exactly once.

A store keeps no key of a fulfilment, so nothing is sent again alone: before every try the order is read, and what a try
of before may have done is looked for in it. No call is made inside a transaction; every change of state is a conditional
update, so that of two workers that hold one row, one goes on.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, Final

import structlog
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from connectors import pausing, registry, scopes
from connectors.models import Store
from connectors.ports.access import SHIPPING
from connectors.ports.errors import (
    ConnectorError,
    ConnectorUnavailable,
    CredentialsRejected,
    FeatureNotSupported,
    OutcomeUnknown,
    RequestRejected,
)
from connectors.ports.shipments import Shipment
from connectors.ports.store import StorePort
from orders import sendable
from orders.models import OutgoingFulfilment, OutgoingState
from orders.models.outgoing import ON_ITS_WAY
from orders.sendable import NotSendable, Parcel
from syncconsole.kernel.locks import sole_worker

log = structlog.get_logger(__name__)

STILL_RUNNING: Final = dt.timedelta(minutes=5)
"""A request may still be on its way, or be carried out, for so long: a minute it waits for points, half a minute for an
answer, and no store works on one for longer than some seconds (reference: Shopify 2.3). Only then does an order that
does not show it prove that it was lost."""
AT_ONCE: Final = 50
"""Fulfilments that a worker sends before it gives the work back."""


def send_waiting(store: Store) -> bool:
    """Tell `store` what left here and is not told yet; look for what a lost reply was about. True when there is more.

    A store that cannot be asked now keeps what waits; so does one whose writes are paused, or that rests. Stores are
    independent; within one, a second worker finds nothing to do.
    """
    with sole_worker("orders.sending", store.pk) as mine:
        if not mine or store.rests or not _may_write(store):
            return False
        rows = list(due(store)[: AT_ONCE + 1])
        for row in rows[:AT_ONCE]:
            try:
                _advance(registry.store_for(store), row)
            except CredentialsRejected as refused:
                pausing.pause_for_credentials(store, refused)
                return False
            except ConnectorError as unavailable:
                log.warning("fulfilments_not_sent", store=store.slug, cause=unavailable.cause)
                return False
        return len(rows) > AT_ONCE


def due(store: Store) -> QuerySet[OutgoingFulfilment, OutgoingFulfilment]:
    """What waits to be sent or to be looked for, oldest first."""
    rows = OutgoingFulfilment.objects.filter(order__store=store, state__in=ON_ITS_WAY).order_by("pk")
    return rows.select_related("order", "store_location").defer("order__snapshot", "body")


def _may_write(store: Store) -> bool:
    """Whether the store is to be told anything now; what waits says why not."""
    allowed = pausing.writes_allowed(store)
    cause, remedy = allowed.cause, allowed.remedy
    if allowed.ok and (lacks := scopes.missing(store.scopes, SHIPPING)):
        cause = f"The token lacks the scope {', '.join(lacks)}."
        remedy = "Grant it in the store's admin, then test the connection; it goes on by itself."
    waiting = OutgoingFulfilment.objects.filter(order__store=store, state=OutgoingState.WAITING)
    if cause:
        waiting.exclude(cause=cause[:400]).update(cause=cause[:400], remedy=remedy[:400])
    return not cause


def _advance(port: StorePort, row: OutgoingFulfilment) -> None:
    """One row: found in the store, or sent, or waiting on. One reading of the order answers both questions, so nothing
    can come between them. Raises ConnectorErrors that concern the store, not the row."""
    parcel = _parcel(row)
    try:
        order = port.read_order(row.order.ref)
        if row.known is not None:
            if ref := sendable.told(order, parcel):
                _settle(row, ref)
                return
            if _may_still_run(row):
                return
        lines = sendable.lines_of(order, parcel)
        shipment = Shipment(lines, row.company, row.number, row.url, row.notify)
        body, in_doubt = port.prepare_shipment(shipment), row.known
        known = [one.ref for one in order.fulfilments] if order else []
        if _announce(row, body, known if in_doubt is None else in_doubt):
            _send(port, row, body, in_doubt)
    except (NotSendable, RequestRejected, FeatureNotSupported) as refused:
        _ask_person(row, refused.cause, refused.remedy)


def _may_still_run(row: OutgoingFulfilment) -> bool:
    sent = row.last_sent_at if row.state == OutgoingState.SENT else None
    return sent is not None and timezone.now() < sent + STILL_RUNNING


def _parcel(row: OutgoingFulfilment) -> Parcel:
    units: Counter[str] = Counter()
    for line in row.lines.select_related("stock"):
        units[line.stock.line_ref] += line.quantity
    return Parcel(row.store_location.ref, units, row.number, row.known or ())


def _announce(row: OutgoingFulfilment, body: bytes, known: list[str]) -> bool:
    """Keep, before the first byte leaves, what is sent and what the order had until then. False when another worker came
    first."""
    now = timezone.now()
    mine = _as_it_was(row).update(
        state=OutgoingState.SENT,
        body=body,
        known=known,
        first_sent_at=Coalesce(F("first_sent_at"), now),
        last_sent_at=now,
        tries=F("tries") + 1,
        cause="",
        remedy="",
    )
    if mine:
        row.refresh_from_db(fields=["state", "known", "last_sent_at", "tries"])
    return bool(mine)


def _send(port: StorePort, row: OutgoingFulfilment, body: bytes, in_doubt: list[str] | None) -> None:
    """`in_doubt`: what was known before a try of before that may have been carried out; None without one."""
    try:
        ref = port.send_shipment(body)
    except OutcomeUnknown as lost:
        _as_it_was(row).update(cause=lost.cause[:400], remedy=lost.remedy[:400])
    except (ConnectorUnavailable, CredentialsRejected) as refused:
        _change(row, state=OutgoingState.WAITING, known=in_doubt, cause=refused.cause, remedy=refused.remedy)
        raise
    except (RequestRejected, FeatureNotSupported) as refused:
        _change(row, state=OutgoingState.NEEDS_PERSON, known=in_doubt, cause=refused.cause, remedy=refused.remedy)
    else:
        _settle(row, ref)


def _settle(row: OutgoingFulfilment, ref: str) -> None:
    """The store has it. Its own word of it comes with the order's next version and is covered by what was booked here."""
    _change(row, state=OutgoingState.DONE, remote_ref=ref, settled_at=timezone.now(), cause="", remedy="")
    log.info("fulfilment_sent", order=row.order.ref, fulfilment=ref, tries=row.tries)


def _ask_person(row: OutgoingFulfilment, cause: str, remedy: str) -> None:
    _change(row, state=OutgoingState.NEEDS_PERSON, cause=cause, remedy=remedy)


def _change(row: OutgoingFulfilment, *, cause: str, remedy: str, **fields: Any) -> None:
    _as_it_was(row).update(cause=cause[:400], remedy=remedy[:400], **fields)


def _as_it_was(row: OutgoingFulfilment) -> QuerySet[OutgoingFulfilment, OutgoingFulfilment]:
    """The row, if nobody took it further since it was read."""
    return OutgoingFulfilment.objects.filter(pk=row.pk, state=row.state, tries=row.tries)
