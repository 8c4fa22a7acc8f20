"""Intake of orders: what the stores say of them is read and kept whole, every version once and never an older one last."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

import msgspec
import structlog
from django.db import connection, transaction
from django.db.models import Count, Min
from django.utils import timezone

from connectors import changes, registry
from connectors.changes import Claimed
from connectors.models import Store
from connectors.models.webhooks import ChangeState
from connectors.ports.buyers import Attribute
from connectors.ports.errors import ConnectorError
from connectors.ports.orders import MAX_FIELDS, MAX_ORDERS, History, RemoteOrder
from orders import pace, tasks
from orders.models import IncomingOrder
from orders.pace import Work
from orders.redaction import without_person
from syncconsole.kernel.locks import sole_worker

log = structlog.get_logger(__name__)

KIND: Final = "order"
A_MOMENT: Final = 5.0
WHOLE_HISTORY: Final = 3600.0
"""Seconds for which a store is waited for while it writes a history down: by a worker, and by a person's command."""
FRESH: Final = dt.timedelta(minutes=10)
"""How far back by our clock the other workers of a store look while one reads its history."""
SLICE: Final = dt.timedelta(seconds=150)
"""Longest that a worker reads from a history before it gives the work back; a task may last twice as long."""

# Versions are dated in whole seconds, so two changes within one second look alike: of these the one asked for later wins.
KEEP: Final = """
INSERT INTO orders_incomingorder AS o
       (store_id, ref, name, remote_created_at, remote_updated_at, cancelled_at, test, total, currency, customer_ref,
        snapshot, revision, applied_revision, received_at, state, stock_rule, cause, remedy, waits_for,
        needs_look)
SELECT %(store)s, n.told ->> 'ref', n.told ->> 'name', (n.told ->> 'created_at')::timestamptz,
       (n.told ->> 'updated_at')::timestamptz, (n.told ->> 'cancelled_at')::timestamptz, (n.told ->> 'test')::boolean,
       (n.told #>> '{current_total,shop,amount}')::numeric, n.told #>> '{current_total,shop,currency}',
       n.told ->> 'customer_ref', n.told, 1, 0, %(asked_at)s, 'pending', '', '', '', '', ''
  FROM jsonb_array_elements(%(orders)s::jsonb) WITH ORDINALITY AS n(told, turn)
 ORDER BY n.turn
    ON CONFLICT (store_id, ref) DO UPDATE
   SET name = excluded.name, remote_created_at = excluded.remote_created_at,
       remote_updated_at = excluded.remote_updated_at, cancelled_at = excluded.cancelled_at, test = excluded.test,
       total = excluded.total, currency = excluded.currency, customer_ref = excluded.customer_ref,
       snapshot = excluded.snapshot, revision = o.revision + 1, received_at = excluded.received_at,
       state = excluded.state, missing_at = NULL
 WHERE (o.redacted_at IS NOT NULL) = %(redacted)s
   AND (o.remote_updated_at < excluded.remote_updated_at
        OR (o.remote_updated_at = excluded.remote_updated_at AND o.received_at <= excluded.received_at
            AND (o.missing_at IS NOT NULL OR o.snapshot <> excluded.snapshot)))
"""


def keep(store: Store, orders: Collection[RemoteOrder], *, asked_at: dt.datetime) -> int:
    """Keep these versions of orders, each once, read from `store` with a question sent at `asked_at`. Returns of how many
    that changed anything: a version that is known, or older than the one kept, changes nothing, whatever the order of
    arrival. An order that was redacted stays so, whatever version comes."""
    # One order everywhere, so that two workers never wait for each other.
    told = sorted(orders, key=lambda order: order.ref)
    with transaction.atomic():
        kept = _keep(store, told, asked_at, redacted=False)
        # From here on their rows are locked: none is redacted meanwhile.
        known = IncomingOrder.objects.filter(store=store, ref__in=[order.ref for order in told])
        redacted = set(known.exclude(redacted_at=None).order_by().values_list("ref", flat=True))
        bare = [without_person(order) for order in told if order.ref in redacted]
        return kept + (_keep(store, bare, asked_at, redacted=True) if bare else 0)


def _keep(store: Store, told: Sequence[RemoteOrder], asked_at: dt.datetime, *, redacted: bool) -> int:
    """Those of them that are kept as redacted, or those that are not."""
    orders = msgspec.json.encode(told).decode()
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"store": store.pk, "orders": orders, "asked_at": asked_at, "redacted": redacted})
        return int(cursor.rowcount)


def read_changes(store: Store, *, at_leisure: bool = False) -> int:
    """Read some of what waits of the orders of `store`, and keep it. Returns how many were settled or failed; 0 when
    nothing waits or the store cannot be asked now.

    A long queue is read from a history that the store writes down, where it does. While it writes, only what the history
    cannot hold is read; `at_leisure` waits for it, and reads it to its end. An order that cannot be read does not hold up
    the others: they are read without it.
    """
    with pace.measured(store, Work.READ) as stint:
        stint.done = _read_some(store, at_leisure)
    return stint.done


def _read_some(store: Store, at_leisure: bool) -> int:
    length, oldest = _queue(store)
    since = None
    if length > MAX_ORDERS:
        with sole_worker("orders.history", store.pk) as mine:
            history = _history(store, oldest, length, WHOLE_HISTORY if at_leisure else A_MOMENT) if mine else None
            if history is not None and history.ready:
                read = _read_history(store, history, None if at_leisure else timezone.now() + SLICE)
                if read:
                    return read
            elif history is not None:
                since = history.as_of
            elif not mine:
                since = timezone.now() - FRESH
    return changes.attempt(changes.claim(store, KIND, MAX_ORDERS, since=since), partial(_read, store))


def _queue(store: Store) -> tuple[int, dt.datetime]:
    """How many orders wait whose version was told, and the oldest such version."""
    waiting = changes.found(store=store.slug, kind=KIND, states=[ChangeState.WAITING])
    found = waiting.exclude(remote_updated_at=None).aggregate(length=Count("pk"), oldest=Min("remote_updated_at"))
    return found["length"], found["oldest"]


def _history(store: Store, since: dt.datetime, wanted: int, patience: float) -> History | None:
    """The history that holds what waits, if the store writes one down for so much."""
    try:
        return registry.store_for(store).prepare_orders(since, wanted=wanted, patience=patience)
    except ConnectorError as exc:
        # What waits is read by reference, which meets the same fault and postpones it, or goes around it.
        log.warning("order_history_not_prepared", store=store.slug, cause=exc.cause)
        return None


def _read_history(store: Store, history: History, until: dt.datetime | None) -> int:
    """Keep the orders of a history for which we wait, some hundreds at a time; what it lacks of them is read by reference.
    Returns how many were settled or failed."""
    taken: dict[str, Claimed] = {}
    asked_at, read = timezone.now(), 0

    def take(refs: Sequence[str]) -> Collection[str]:
        nonlocal asked_at
        asked_at = timezone.now()
        taken.clear()
        taken.update((claim.ref, claim) for claim in changes.claim(store, KIND, len(refs), refs=refs))
        return taken

    try:
        for orders in registry.store_for(store).iter_orders(history, take):
            told = _with_tax_fields(store, orders)
            read += _keep_read(store, [taken.pop(order.ref) for order in orders], told, asked_at)
            read += sum(changes.attempt(claims, partial(_read, store)) for claims in _some(taken.values()))
            if until is not None and timezone.now() >= until:
                break
    except ConnectorError as exc:
        changes.postpone(taken.values(), 0.0, exc.cause, exc.remedy)
        log.warning("order_history_broke_off", store=store.slug, read=read, cause=exc.cause)
    return read


def _read(store: Store, claims: Sequence[Claimed]) -> int:
    asked_at = timezone.now()
    found = registry.store_for(store).read_orders([claim.ref for claim in claims])
    return _keep_read(store, claims, _with_tax_fields(store, found), asked_at)


def _keep_read(
    store: Store, claims: Sequence[Claimed], found: Sequence[RemoteOrder | None], asked_at: dt.datetime
) -> int:
    """Keep what the store gave for these claims, in their order; None is an order that it does not show."""
    missing = [claim.ref for claim, order in zip(claims, found, strict=True) if order is None]
    with transaction.atomic():
        kept = keep(store, [order for order in found if order], asked_at=asked_at)
        _mark_missing(store, missing, asked_at)
        changes.settle(claims)
        if kept:
            tasks.import_orders.send(store.pk)
    log.info("orders_read", store=store.slug, asked=len(claims), kept=kept, missing=len(missing))
    return len(claims)


def _with_tax_fields(store: Store, found: Sequence[RemoteOrder | None]) -> Sequence[RemoteOrder | None]:
    """The orders with what the custom fields say that the store's setting names; costs nothing where it names none."""
    refs = [order.ref for order in found if order]
    if not store.tax_fields or not refs:
        return found
    port = registry.store_for(store)
    said: dict[str, tuple[Attribute, ...]] = {}
    for start in range(0, len(refs), MAX_FIELDS):
        said |= port.read_fields(refs[start : start + MAX_FIELDS], store.tax_fields)
    return [order and dataclasses.replace(order, tax_fields=said.get(order.ref, ())) for order in found]


def _some(claims: Iterable[Claimed]) -> Iterator[list[Claimed]]:
    """As many together as one read may name."""
    rest = iter(list(claims))
    while some := list(islice(rest, MAX_ORDERS)):
        yield some


def _mark_missing(store: Store, refs: Sequence[str], asked_at: dt.datetime) -> None:
    known = IncomingOrder.objects.filter(store=store, ref__in=refs, missing_at=None, received_at__lte=asked_at)
    known.update(missing_at=asked_at, received_at=asked_at)
