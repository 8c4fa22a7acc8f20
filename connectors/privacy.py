"""Requests about a person's data that come through a store: a report of what is held, or its erasure, really done.

What is held of a customer are bodies of deliveries, and what the modules in settings.PERSONAL_DATA keep. Bodies are
found by the texts that name the customer (id, orders, e-mail, phone); an erased one keeps ids and times alone, which is
enough to understand it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import BinaryField, F, Func, IntegerField, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from connectors import pausing, registry
from connectors.models import PrivacyRequest, Store, WebhookDelivery
from connectors.models.webhooks import DeliveryState
from connectors.ports.webhooks import NotUnderstood, WebhookDialect
from syncconsole.kernel import audit

log = structlog.get_logger(__name__)

PERSONAL_RIGHT: Final = "connectors.see_personal_data"
AT_ONCE = 500
SHOP_CAUSE = "Shopify asked to erase the shop's data; its token, its secrets and what it sent are erased."
SHOP_REMEDY = "Connect the shop again if it comes back; otherwise nothing is left to do."


class _Place(Func):
    """Where some bytes stand in others, from 1; 0 when they do not."""

    template = "position(%(expressions)s)"
    arg_joiner = " IN "
    output_field = IntegerField()


def waiting() -> QuerySet[PrivacyRequest, PrivacyRequest]:
    """Requests that nobody has answered, oldest first."""
    return PrivacyRequest.objects.filter(done_at=None).order_by("received_at", "pk")


def answer(request_id: int) -> None:
    """Do what was asked and keep the report. A repeat finds nothing to do.

    Bodies are erased some hundreds at a time; after a crash the rest follows with the next try.
    """
    request = PrivacyRequest.objects.select_related("store", "delivery").filter(pk=request_id, done_at=None).first()
    if request is None:
        return
    if request.kind == PrivacyRequest.Kind.SHOP_REDACT:
        report = _erase_shop(request.store)
    else:
        traces, order_refs = _named(request)
        held = _about_customer(request, traces)
        theirs = (request.customer_ref, order_refs)
        if request.kind == PrivacyRequest.Kind.DATA_REQUEST:
            report = _held(held) | _elsewhere("held", request.store, *theirs)
        else:
            erased = _erase(held)
            report = {"webhook deliveries": erased} | _elsewhere("erase", request.store, *theirs)
    with transaction.atomic():
        request.delivery.refresh_from_db()
        _erase_one(request.delivery, registry.webhooks())
        request.report, request.done_at = report, timezone.now()
        request.save(update_fields=["report", "done_at"])
        audit.record(None, f"privacy: {request}", str(request.store), after={"of": request.customer_ref, **report})
    log.info("privacy_request_done", request=request.pk, kind=request.kind, store=request.store.slug)


def _named(request: PrivacyRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What names the customer in the bodies of deliveries, and the orders that the request says are theirs."""
    try:
        meaning = registry.webhooks().understand(request.delivery.topic, bytes(request.delivery.body))
    except NotUnderstood:
        return (request.customer_ref.rpartition("/")[2],), ()
    return meaning.traces, meaning.order_refs


def _about_customer(request: PrivacyRequest, traces: Sequence[str]) -> QuerySet[WebhookDelivery, WebhookDelivery]:
    """Deliveries of the store whose body names the customer, before or after the request. More may be found than are
    theirs (a number inside another one): such a body loses nothing that is needed."""
    named = Q(pk__in=[])
    for trace in traces:
        named |= Q(GreaterThan(_Place(Value(trace.encode(), output_field=BinaryField()), F("body")), 0))
    others = WebhookDelivery.objects.filter(store=request.store).exclude(pk=request.delivery_id)
    return others.filter(named, redacted_at=None)


def _held(rows: QuerySet[WebhookDelivery, WebhookDelivery]) -> dict[str, Any]:
    topics: dict[str, int] = {}
    for topic in rows.order_by().values_list("topic", flat=True):
        topics[topic] = topics.get(topic, 0) + 1
    objects = rows.exclude(object_ref="").order_by().values_list("object_ref", flat=True).distinct()
    return {
        "webhook deliveries": sum(topics.values()),
        "by topic": dict(sorted(topics.items())),
        "about": sorted(objects)[:AT_ONCE],
        "kept for": "30 days after they were understood",
    }


def _elsewhere(verb: str, store: Store, *theirs: str | tuple[str, ...]) -> dict[str, Any]:
    """What the other places of personal data say to `verb`: name of the place → number of rows."""
    return {
        place: getattr(import_module(module), verb)(store, *theirs) for place, module in settings.PERSONAL_DATA.items()
    }


def _erase(rows: QuerySet[WebhookDelivery, WebhookDelivery]) -> int:
    dialect, erased = registry.webhooks(), 0
    while True:
        with transaction.atomic():
            part = list(rows.select_for_update(of=("self",)).order_by("pk")[:AT_ONCE])
            for row in part:
                _erase_one(row, dialect)
        erased += len(part)
        if len(part) < AT_ONCE:
            return erased


def _erase_one(row: WebhookDelivery, dialect: WebhookDialect) -> None:
    row.body = dialect.ids_only(row.topic, bytes(row.body))
    row.redacted_at = timezone.now()
    row.save(update_fields=["body", "redacted_at"])


def _erase_shop(store: Store) -> dict[str, Any]:
    """The shop is gone for good: nothing of it stays but our own books."""
    pausing.pause_store(store, by=None, reason=f"{SHOP_CAUSE} {SHOP_REMEDY}")
    bodies = WebhookDelivery.objects.filter(store=store).exclude(state=DeliveryState.RECEIVED)
    erased = _erase(bodies.filter(redacted_at=None))
    Store.objects.filter(pk=store.pk).update(
        access_token="",
        client_secret="",
        previous_client_secret="",
        token_expires_at=None,
        secret_replaced_at=None,
        connection_cause=SHOP_CAUSE,
        connection_remedy=SHOP_REMEDY,
        granted_scopes=[],
    )
    return {"webhook deliveries": erased, "token and secrets": "erased"} | _elsewhere("erase_all", store)
