"""The queue of objects to be read again from a store: webhooks and polling notice, readers claim and settle.

One row per object, so notices coalesce. Its `noticed` grows with every notice; a reader remembers the number it claimed,
and settling with it leaves the row waiting when another notice came meanwhile. So no notice is lost, whatever the order,
and a worker that dies gives its rows back when the lease ends.

Who reads a kind stands in `settings.CHANGE_READERS`: a function that takes the store, claims, reads, settles, and returns
how many it settled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.module_loading import import_string

from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from connectors.ports.errors import ConnectorError, CredentialsRejected, RateLimited, RequestRejected
from syncconsole.kernel import audit
from syncconsole.kernel.models import User

log = structlog.get_logger(__name__)

LEASE: Final = dt.timedelta(minutes=6)
"""Longer than a task may last: a row claimed for so long has lost its worker."""
MOST_ATTEMPTS: Final = 10
FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 3600.0
ACCOUNT_WAIT: Final = 600.0
"""Seconds until a store that refused our account is asked again."""
OUTAGE_WAIT: Final = 60.0
SAME_SECOND: Final = dt.timedelta(seconds=1)
"""Stores date their objects to the second: a version read within the second of its date may have been followed by another
change of the same date, so it is read once more when it is heard of again."""
MANY: Final = 1000

By = Literal["webhook", "polling"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """An object to read now. Hand it back by `settle`, `fail` or `postpone`."""

    id: int
    ref: str
    noticed: int
    """How many notices this reading answers."""
    claimed_until: dt.datetime
    attempts: int
    remote_updated_at: dt.datetime | None


# Nothing new: an older version than one heard of before, or the same one, read after the second of its date. Who told of
# a version first is kept: the other one's word of the same version does not count.
NOTICE = """
INSERT INTO connectors_remotechange AS c
       (store_id, kind, ref, state, noticed, read, by_webhook, by_polling, webhook_at, polling_at, first_noticed_at,
        noticed_at, remote_updated_at, attempts, cause, remedy)
SELECT %(store)s, %(kind)s, n.ref, 'waiting', 1, 0, %(webhook)s, %(polling)s, %(webhook_at)s, %(polling_at)s, %(now)s,
       %(now)s, n.updated_at, 0, '', ''
  FROM unnest(%(refs)s::text[], %(times)s::timestamptz[]) AS n(ref, updated_at) ORDER BY n.ref
    ON CONFLICT (store_id, kind, ref) DO UPDATE
   SET noticed = c.noticed + 1,
       by_webhook = c.by_webhook + excluded.by_webhook, by_polling = c.by_polling + excluded.by_polling,
       webhook_at = CASE WHEN excluded.remote_updated_at <= c.remote_updated_at THEN c.webhook_at
                         ELSE coalesce(excluded.webhook_at, c.webhook_at) END,
       polling_at = CASE WHEN excluded.remote_updated_at > c.remote_updated_at
                         THEN coalesce(excluded.polling_at, c.polling_at) ELSE c.polling_at END,
       remote_updated_at = greatest(c.remote_updated_at, excluded.remote_updated_at),
       noticed_at = CASE WHEN c.state = 'waiting' AND coalesce(c.claimed_until, '-infinity') < %(now)s
                         THEN c.noticed_at ELSE excluded.noticed_at END,
       attempts = CASE WHEN c.state = 'waiting' THEN c.attempts ELSE 0 END,
       not_before = CASE WHEN c.state = 'waiting' THEN c.not_before END,
       cause = CASE WHEN c.state = 'waiting' THEN c.cause ELSE '' END,
       remedy = CASE WHEN c.state = 'waiting' THEN c.remedy ELSE '' END,
       state = 'waiting'
 WHERE c.remote_updated_at IS NULL OR excluded.remote_updated_at IS NULL
    OR excluded.remote_updated_at > c.remote_updated_at
    OR (excluded.remote_updated_at = c.remote_updated_at
        AND (c.read_at IS NULL OR c.read_at < c.remote_updated_at + %(same_second)s))
RETURNING c.ref
"""

# Materialized: a plan may run a subselect once for each row, and each time it takes the next ones that are not locked.
CLAIM = """
WITH longest AS MATERIALIZED (
    SELECT w.id FROM connectors_remotechange w
     WHERE w.store_id = %(store)s AND w.kind = %(kind)s AND w.state = 'waiting'
       AND (w.not_before IS NULL OR w.not_before <= %(now)s)
       AND (w.claimed_until IS NULL OR w.claimed_until < %(now)s)
       AND (%(refs)s::text[] IS NULL OR w.ref = ANY(%(refs)s))
       AND (%(since)s::timestamptz IS NULL OR coalesce(w.remote_updated_at, 'infinity') >= %(since)s)
     ORDER BY w.noticed_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE connectors_remotechange c
   SET claimed_until = %(until)s, attempts = c.attempts + 1
  FROM longest WHERE c.id = longest.id
RETURNING c.id, c.ref, c.noticed, c.claimed_until, c.attempts, c.remote_updated_at, c.noticed_at
"""

# The rows are locked in one order everywhere, so that two workers never wait for each other.
SETTLE = """
WITH settled AS MATERIALIZED (
    SELECT c.id, s.noticed, s.claimed_until
      FROM unnest(%(ids)s::bigint[], %(noticed)s::int[], %(until)s::timestamptz[]) AS s(id, noticed, claimed_until)
      JOIN connectors_remotechange c ON c.id = s.id ORDER BY c.id FOR NO KEY UPDATE OF c)
UPDATE connectors_remotechange c
   SET read = greatest(c.read, s.noticed), read_at = coalesce(%(read_at)s, s.claimed_until - %(lease)s),
       state = CASE WHEN c.noticed > s.noticed THEN c.state ELSE 'done' END,
       claimed_until = CASE WHEN c.claimed_until = s.claimed_until THEN NULL ELSE c.claimed_until END,
       attempts = 0, not_before = NULL, cause = '', remedy = ''
  FROM settled s WHERE c.id = s.id
"""


def notice(store: Store, kind: str, refs: Mapping[str, dt.datetime | None], *, by: By) -> list[str]:
    """Keep that these objects changed: ref → the store's own time of the version heard of, None when it is not said.

    Returns the refs that were news; the others had been heard of in this version or a later one, and nothing was kept
    of them. May be called inside a transaction; a reader sees the notices when it commits.
    """
    news: list[str] = []
    ordered, now = sorted(refs.items()), timezone.now()
    for start in range(0, len(ordered), MANY):
        part = ordered[start : start + MANY]
        values: dict[str, Any] = {
            "store": store.pk,
            "kind": kind,
            "webhook": int(by == "webhook"),
            "polling": int(by == "polling"),
            "webhook_at": now if by == "webhook" else None,
            "polling_at": now if by == "polling" else None,
            "now": now,
            "refs": [ref for ref, _ in part],
            "times": [updated_at for _, updated_at in part],
            "same_second": SAME_SECOND,
        }
        with connection.cursor() as cursor:
            cursor.execute(NOTICE, values)
            news += [row[0] for row in cursor.fetchall()]
    return news


def unheard(store: Store, kind: str, versions: Mapping[str, dt.datetime]) -> dict[str, dt.datetime]:
    """Those of these versions that nobody has told of, nor of a later one."""
    known = RemoteChange.objects.filter(store=store, kind=kind, ref__in=list(versions))
    told = dict(known.values_list("ref", "remote_updated_at"))
    return {
        ref: updated_at
        for ref, updated_at in versions.items()
        if ref not in told or ((before := told[ref]) is not None and before < updated_at)
    }


def claim(
    store: Store, kind: str, limit: int, *, refs: Collection[str] | None = None, since: dt.datetime | None = None
) -> list[Claimed]:
    """Take up to `limit` objects that wait, longest waiting first, for `LEASE`; no two workers get the same one. Only
    those of `refs`, or those whose last version was not dated before `since`, where that is asked.

    Call it outside a transaction that lasts. An object that was claimed `MOST_ATTEMPTS` times and never handed back is
    failed instead: reading it ends the worker.
    """
    now = timezone.now()
    _fail_fatal(store, kind, now)
    with connection.cursor() as cursor:
        limits = {"limit": limit, "refs": None if refs is None else list(refs), "since": since}
        cursor.execute(CLAIM, {"store": store.pk, "kind": kind, "now": now, "until": now + LEASE, **limits})
        rows = sorted(cursor.fetchall(), key=lambda row: (row[6], row[0]))
    return [Claimed(*row[:6]) for row in rows]


def settle(claims: Collection[Claimed], *, read_at: dt.datetime | None = None) -> None:
    """These objects were read to the end. One that was noticed again since it was claimed goes on waiting.

    `read_at` is the store's own time when it answered, the earliest if it was asked more than once; without it our time
    of the claim stands in. Call it inside the transaction that keeps what was read, or after it.
    """
    values: dict[str, Any] = {
        "ids": [one.id for one in claims],
        "noticed": [one.noticed for one in claims],
        "until": [one.claimed_until for one in claims],
        "read_at": read_at,
        "lease": LEASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, values)


def fail(claims: Collection[Claimed], cause: str, remedy: str, *, lasting: bool = False) -> None:
    """Reading these failed: another try later, each time later; after `MOST_ATTEMPTS`, or at once when `lasting`, they
    stay failed until a person retries them or the store tells of another change."""
    now = timezone.now()
    for one in _by_id(claims):
        wait = min(FIRST_WAIT * 2.0 ** (one.attempts - 1), LONGEST_WAIT)
        over = lasting or one.attempts >= MOST_ATTEMPTS
        failed = Case(When(noticed=one.noticed, then=Value(ChangeState.FAILED)), default=F("state"))
        RemoteChange.objects.filter(pk=one.id, claimed_until=one.claimed_until, state=ChangeState.WAITING).update(
            state=failed if over else F("state"),
            not_before=now + dt.timedelta(seconds=wait),
            claimed_until=None,
            cause=cause[:300],
            remedy=remedy[:300],
        )
    log.warning("changes_not_read", changes=len(claims), cause=cause, lasting=lasting)


def postpone(claims: Collection[Claimed], seconds: float, cause: str, remedy: str) -> None:
    """The store cannot be asked now, which says nothing about these objects: try again then; it does not count."""
    later = timezone.now() + dt.timedelta(seconds=seconds)
    for one in _by_id(claims):
        RemoteChange.objects.filter(pk=one.id, claimed_until=one.claimed_until, state=ChangeState.WAITING).update(
            not_before=later,
            claimed_until=None,
            attempts=one.attempts - 1,
            cause=cause[:300],
            remedy=remedy[:300],
        )


def attempt(claims: Sequence[Claimed], read: Callable[[Sequence[Claimed]], int]) -> int:
    """Let `read` read these and settle them; what the store answers decides what becomes of them otherwise. One that
    cannot be read does not hold up the others: they are read without it. Returns how many were settled or failed."""
    if not claims:
        return 0
    try:
        return read(claims)
    except RequestRejected as refused:
        if len(claims) > 1:
            return sum(attempt([claim], read) for claim in claims)
        fail(claims, refused.cause, refused.remedy, lasting=True)
        return 1
    except ConnectorError as exc:
        postpone(claims, _wait(exc), exc.cause, exc.remedy)
        return 0


def _wait(error: ConnectorError) -> float:
    if isinstance(error, RateLimited):
        return error.retry_after
    return ACCOUNT_WAIT if isinstance(error, CredentialsRejected) else OUTAGE_WAIT


def found(*, store: str = "", kind: str = "", states: Collection[str] = ()) -> QuerySet[RemoteChange, RemoteChange]:
    """The queue's rows of a store (by its slug), a kind and some states; an empty one means all."""
    asked = {"store__slug": store, "kind": kind, "state__in": tuple(states)}
    return RemoteChange.objects.filter(**{name: value for name, value in asked.items() if value})


def retry(rows: QuerySet[RemoteChange, RemoteChange], *, by: User | None, what: str) -> int:
    """A person saw to the cause: of these rows those that failed or were ignored wait again, and are read soon. Returns
    how many; `what` names them in the audit log."""
    ended = (ChangeState.FAILED, ChangeState.IGNORED)
    with transaction.atomic():
        again = {"attempts": 0, "not_before": None, "noticed_at": timezone.now()}
        retried = _decide(rows, ended, state=ChangeState.WAITING, cause="", remedy="", **again)
        if retried:
            audit.record(by, "retry changes", what, after={"changes": retried})
            transaction.on_commit(_have_them_read, robust=True)
    return retried


def read_again(store: Store, kind: str, since: dt.datetime) -> int:
    """Whatever of this kind was read since then waits again: something older was kept over it. Returns how many."""
    rows = found(store=store.slug, kind=kind).filter(read_at__gte=since)
    with transaction.atomic():
        again = _decide(rows, (ChangeState.DONE,), state=ChangeState.WAITING, noticed_at=timezone.now())
        if again:
            transaction.on_commit(_have_them_read, robust=True)
    return again


def ignore(change: RemoteChange, *, by: User | None, reason: str) -> bool:
    """Leave a failed object unread, with the reason, until the store tells of another change. False when it is not
    failed any more. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("A reason is missing.")
    said = f"Ignored: {reason.strip()}"[:300]
    this = RemoteChange.objects.filter(pk=change.pk)
    with transaction.atomic():
        ignored = _decide(this, (ChangeState.FAILED,), state=ChangeState.IGNORED, cause=said, remedy="")
        if ignored:
            after = {"reason": reason.strip()[:250]}
            audit.record(by, "ignore change", f"{change.store}: {change}", after=after)
    return bool(ignored)


def _decide(rows: QuerySet[RemoteChange, RemoteChange], states: Collection[str], **values: Any) -> int:
    """Update those of `rows` that are in one of `states`, locked in the order in which notices lock them."""
    these = rows.filter(state__in=states).order_by("store_id", "kind", "ref").values("pk")
    return RemoteChange.objects.filter(pk__in=these.select_for_update(of=("self",), no_key=True)).update(**values)


def _have_them_read() -> None:
    from connectors.webhook_tasks import have_changes_read

    have_changes_read()


def readers() -> dict[str, Callable[[Store], int]]:
    """Kind → who reads it. A kind that nobody reads keeps its rows."""
    return {kind: import_string(path) for kind, path in settings.CHANGE_READERS.items()}


def waiting() -> list[tuple[int, str]]:
    """Store and kind of what may be read now by a reader that exists."""
    now = timezone.now()
    ready = RemoteChange.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now),
        Q(claimed_until=None) | Q(claimed_until__lt=now),
        state=ChangeState.WAITING,
        kind__in=settings.CHANGE_READERS,
    )
    return list(ready.order_by("store_id", "kind").values_list("store_id", "kind").distinct())


def _fail_fatal(store: Store, kind: str, now: dt.datetime) -> None:
    stuck = RemoteChange.objects.filter(
        store=store, kind=kind, state=ChangeState.WAITING, attempts__gte=MOST_ATTEMPTS, claimed_until__lt=now
    )
    failed = stuck.update(
        state=ChangeState.FAILED,
        claimed_until=None,
        cause=f"Reading it began {MOST_ATTEMPTS} times and never ended.",
        remedy="Look into the workers' log for what ended them, then retry it.",
    )
    if failed:
        log.error("changes_end_their_worker", store=store.slug, kind=kind, changes=failed)


def _by_id(claims: Collection[Claimed]) -> list[Claimed]:
    """In one order everywhere, so that two workers never wait for each other."""
    return sorted(claims, key=lambda one: one.id)
