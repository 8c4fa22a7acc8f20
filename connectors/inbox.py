"""The inbox of webhooks: a delivery is checked, kept as it came, and answered at once; it is understood later.

A delivery is a hint: what it is about is read again from the store, so its order, its repeats and its age do no harm. What
only the headers say (topic, shop, time) is not signed; a replayed body therefore tells nothing that is not looked up.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from connectors import changes, lags, lifecycle, registry
from connectors.models import PrivacyRequest, Store, WebhookDelivery
from connectors.models.webhooks import DeliveryState
from connectors.ports.webhooks import Envelope, NotUnderstood, Subject, Understood, WebhookDialect
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

log = structlog.get_logger(__name__)

HANDLE_RIGHT: Final = "connectors.handle_delivery"
OLD_SECRET_LIVES: Final = dt.timedelta(hours=1)
"""After its secret was replaced a store may sign with the old one for so long (reference 7.2)."""
OLDEST: Final = dt.timedelta(hours=24)
"""Stores give up after four hours of tries; what says it is older is not one of them."""
KEPT: Final = dt.timedelta(days=30)
"""Settled deliveries are kept for so long."""
REMEMBERED: Final = 5.0
"""Seconds a process remembers whom an address belongs to, and by which secrets they sign."""
BATCH: Final = 200
_WORK_IS_ANNOUNCED: Final = "webhooks-to-understand"
_ANNOUNCED_FOR: Final = 30
TRUSTED: Final = 0.1
"""Seconds a process trusts that work is announced since it last saw so; asking costs a quarter of a delivery."""
GATHERED: Final = 2 * TRUSTED
"""Seconds a worker gathers what arrives after it has begun: longer than anybody still trusts the announcement that it
has taken down, so that whatever came without one is there when the worker looks."""
_FAULTS: Final = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading a body of a shape nobody foresaw may raise: that delivery fails, the others go on."""

KEEP = """
INSERT INTO connectors_webhookdelivery AS d
       (store_id, topic, delivery_ref, event_ref, api_version, triggered_at, received_at, body, duplicates, state,
        object_ref, attempts, cause, remedy)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, 'received', '', 0, '', '')
    ON CONFLICT (store_id, topic, delivery_ref) DO UPDATE SET duplicates = d.duplicates + 1
"""

SETTLE = """
UPDATE connectors_webhookdelivery d
   SET state = s.state, object_ref = s.object_ref, cause = s.cause, remedy = s.remedy, settled_at = %s, not_before = NULL,
       attempts = d.attempts + 1
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) AS s(id, state, object_ref, cause, remedy)
 WHERE d.id = s.id
"""


class DeliveryRefused(Exception):
    """Nothing was kept. `status` is the HTTP status the sender gets; the cause goes to the log."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause


@dataclass(frozen=True, slots=True)
class _Sender:
    """Whose address it is. `secrets` sign now."""

    store_id: int
    domain: str
    secrets: tuple[str, ...]
    known_until: float


_senders: dict[str, _Sender] = {}
_announced: Final = {"until": 0.0}


def receive(webhook_key: str, headers: Mapping[str, str], body: bytes) -> None:
    """Keep a delivery, or count that it came again. One statement; it is there before this returns.

    Raises DeliveryRefused: 404 for an address that is nobody's, 400 for what is no delivery, 401 for a signature,
    a shop or a time that does not fit.
    """
    sender = _sender(webhook_key)
    dialect = registry.webhooks()
    try:
        envelope = dialect.envelope(headers, body)
    except NotUnderstood as exc:
        raise DeliveryRefused(400, exc.cause) from exc
    if not dialect.is_signed(body, envelope.signature, sender.secrets):
        # The secret may have been replaced a moment ago.
        sender = _sender(webhook_key, anew=True)
        if not dialect.is_signed(body, envelope.signature, sender.secrets):
            raise DeliveryRefused(401, "The signature is not by the app's client secret.")
    if envelope.domain != sender.domain:
        raise DeliveryRefused(401, f"It is for {envelope.domain or 'no shop'}, not for {sender.domain}.")
    now = timezone.now()
    if envelope.triggered_at and now - envelope.triggered_at > OLDEST:
        raise DeliveryRefused(401, f"It was triggered at {envelope.triggered_at.isoformat()}, more than a day ago.")
    _keep(sender, envelope, body, now, webhook_key)
    announce()


def announce() -> None:
    """Have the inbox worked through soon: one message for all that arrive until a worker begins."""
    from connectors.webhook_tasks import understand_deliveries

    if time.monotonic() < _announced["until"]:
        return
    seen = time.monotonic()
    try:
        first = cache.add(_WORK_IS_ANNOUNCED, 1, timeout=_ANNOUNCED_FOR)
    except RedisError as exc:
        log.warning("cache_unreachable", error=str(exc))  # the sweep finds the delivery
        return
    if first:
        understand_deliveries.send()
    _announced["until"] = seen + TRUSTED


def begin_work() -> None:
    """A worker begins: what arrives from now on is announced again, or there when this returns."""
    cache.delete(_WORK_IS_ANNOUNCED)
    time.sleep(GATHERED)


def forget_announcement() -> None:
    """Drop what this process remembers of announced work."""
    _announced["until"] = 0.0


def understand(*, limit: int = BATCH) -> int:
    """Understand the oldest deliveries that wait, up to `limit`; returns how many were settled.

    All in one transaction: a worker that dies has done nothing, and two workers never hold the same delivery. What
    follows of them (notices of changes, a pause, a privacy request) is kept in the same transaction.
    """
    dialect = registry.webhooks()
    with transaction.atomic():
        now = timezone.now()
        due = WebhookDelivery.objects.filter(Q(not_before=None) | Q(not_before__lte=now), state=DeliveryState.RECEIVED)
        rows = list(due.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:limit])
        stores = Store.objects.in_bulk({row.store_id for row in rows})
        told: dict[tuple[int, str], dict[str, dt.datetime | None]] = defaultdict(dict)
        for row in rows:
            meaning = _settle(row, dialect)
            if meaning is None:
                continue
            if meaning.subject == Subject.CHANGE:
                _add(told[row.store_id, meaning.kind], meaning)
            elif (act := _ACTS.get(meaning.subject)) is not None:
                act(stores[row.store_id], row, meaning)
        for (store_id, kind), refs in sorted(told.items()):
            lags.heard(stores[store_id], kind, refs, at=now)
            changes.notice(stores[store_id], kind, refs, by="webhook")
        _write(rows, now)
    if rows:
        log.info("deliveries_understood", deliveries=len(rows), failed=sum(row.state == "failed" for row in rows))
    return len(rows)


def retry(delivery: WebhookDelivery, *, by: User | None) -> bool:
    """Have a failed or ignored delivery understood again. False when it is neither any more."""
    with transaction.atomic():
        ended = WebhookDelivery.objects.filter(
            pk=delivery.pk, state__in=(DeliveryState.FAILED, DeliveryState.IGNORED)
        ).update(state=DeliveryState.RECEIVED, cause="", remedy="", not_before=None, settled_at=None, settled_by=None)
        if ended:
            audit.record(by, "retry webhook", f"{delivery.store}: {delivery}")
            transaction.on_commit(announce)
    return bool(ended)


def ignore(delivery: WebhookDelivery, *, by: User | None, reason: str) -> bool:
    """Leave a failed delivery for good, with the reason. False when it is not failed any more.

    Raises ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("A reason is missing.")
    with transaction.atomic():
        ignored = WebhookDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.FAILED).update(
            state=DeliveryState.IGNORED,
            cause=f"Ignored: {reason.strip()}"[:300],
            remedy="",
            settled_at=timezone.now(),
            settled_by=by,
        )
        if ignored:
            audit.record(by, "ignore webhook", f"{delivery.store}: {delivery}", after={"reason": reason.strip()[:250]})
    return bool(ignored)


def prune() -> int:
    """Delete deliveries settled longer than `KEPT` ago, failed ones excepted: those wait for a person."""
    settled = (DeliveryState.UNDERSTOOD, DeliveryState.IGNORED)
    old = WebhookDelivery.objects.filter(state__in=settled, settled_at__lt=timezone.now() - KEPT, privacy_request=None)
    deleted = 0
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:5000]):
        deleted += WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
    if deleted:
        log.info("deliveries_pruned", deliveries=deleted)
    return deleted


def forget_senders() -> None:
    """Drop what this process remembers of addresses and secrets."""
    _senders.clear()


def _sender(webhook_key: str, *, anew: bool = False) -> _Sender:
    known = _senders.get(webhook_key)
    if known is not None and not anew and known.known_until > time.monotonic():
        return known
    _senders.pop(webhook_key, None)
    store = Store.objects.filter(webhook_key=webhook_key).first()
    if store is None:
        raise DeliveryRefused(404, "The address belongs to no store.")
    secrets = [store.client_secret]
    if store.secret_replaced_at and timezone.now() - store.secret_replaced_at < OLD_SECRET_LIVES:
        secrets.append(store.previous_client_secret)
    sender = _Sender(
        store.pk, store.shop_domain, tuple(each for each in secrets if each), time.monotonic() + REMEMBERED
    )
    _senders[webhook_key] = sender
    return sender


def _keep(sender: _Sender, envelope: Envelope, body: bytes, now: dt.datetime, webhook_key: str) -> None:
    values: list[Any] = [
        sender.store_id,
        envelope.topic,
        envelope.delivery_ref,
        envelope.event_ref,
        envelope.api_version,
        envelope.triggered_at,
        now,
        body,
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, values)
    except IntegrityError as exc:
        _senders.pop(webhook_key, None)
        raise DeliveryRefused(404, "The store was removed a moment ago.") from exc


def _settle(row: WebhookDelivery, dialect: WebhookDialect) -> Understood | None:
    """Give a row its new state; None when nothing can be made of it."""
    try:
        meaning = dialect.understand(row.topic, bytes(row.body))
    except NotUnderstood as exc:
        row.state, row.cause, row.remedy = DeliveryState.FAILED, exc.cause[:300], exc.remedy[:300]
    except _FAULTS as exc:
        log.exception("delivery_of_unforeseen_shape", delivery=row.pk, topic=row.topic)
        row.state, row.cause = DeliveryState.FAILED, f"The body has a shape nobody foresaw: {exc!r}"[:300]
        row.remedy = "Report it with the number of the delivery; retry it after the correction."
    else:
        row.state, row.object_ref, row.cause, row.remedy = DeliveryState.UNDERSTOOD, meaning.ref[:120], "", ""
        return meaning
    return None


def _write(rows: list[WebhookDelivery], now: dt.datetime) -> None:
    values: list[Any] = [
        now,
        [row.pk for row in rows],
        [str(row.state) for row in rows],
        [row.object_ref for row in rows],
        [row.cause for row in rows],
        [row.remedy for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, values)


def _add(refs: dict[str, dt.datetime | None], meaning: Understood) -> None:
    """Several deliveries of one object are one notice: of the newest version, or of an unknown one."""
    said = meaning.updated_at
    before = refs.get(meaning.ref, said)
    refs[meaning.ref] = None if before is None or said is None else max(before, said)


def _keep_request(store: Store, row: WebhookDelivery, meaning: Understood) -> None:
    """A privacy request is kept now, and answered by a task of its own."""
    from connectors.webhook_tasks import answer_privacy_requests

    kinds = {
        Subject.DATA_REQUEST: PrivacyRequest.Kind.DATA_REQUEST,
        Subject.CUSTOMER_REDACT: PrivacyRequest.Kind.CUSTOMER_REDACT,
        Subject.SHOP_REDACT: PrivacyRequest.Kind.SHOP_REDACT,
    }
    PrivacyRequest.objects.get_or_create(
        delivery=row,
        defaults={
            "store": store,
            "kind": kinds[meaning.subject],
            "customer_ref": meaning.customer_ref,
            "received_at": row.received_at,
        },
    )
    answer_privacy_requests.send()


_ACTS: Final[dict[Subject, Callable[[Store, WebhookDelivery, Understood], None]]] = {
    Subject.UNINSTALLED: lifecycle.uninstalled,
    Subject.SCOPES: lifecycle.scopes_changed,
    Subject.DATA_REQUEST: _keep_request,
    Subject.CUSTOMER_REDACT: _keep_request,
    Subject.SHOP_REDACT: _keep_request,
}
