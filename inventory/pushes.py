"""Pushes: claimed, stored, sent with the same bytes until answered, settled exactly once (algorithms.md §5).

Lock order everywhere: publications by id, then the batch. No call is made inside a transaction.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import WRITING, Outcome
from connectors.ports.errors import OutcomeUnknown
from connectors.ports.store import Adjustment, Overwrite, PreparedWrite, StorePort, WriteOutcome, WriteReply
from inventory.models import LevelPublication, Push, PushBatch
from inventory.models.publications import PublicationState
from inventory.models.pushes import UNSETTLED, BatchStatus, PushStatus, WriteKind
from syncconsole.kernel import bulk

log = structlog.get_logger(__name__)

KEY_LIFE = dt.timedelta(hours=23)
"""The store remembers a key for 24 h (reference: Shopify 3.5); an hour is kept as a margin for clocks."""
TRIES_AT_ONCE = 4
"""Times the same bytes are sent in a row before the run waits and somebody may look."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one publication's push will be. `quantity` relative for ADJUST, else the quantity to show; `before` is what was
    expected (ADJUST) or read. `item_id`: the plan's line. `revision`: of the locked publication. `versions`:
    level id → version that the quantity was computed from."""

    publication_id: int
    item_ref: str
    location_ref: str
    item_id: int | None
    quantity: int
    before: int
    revision: int
    versions: dict[int, int]


def store_batch(
    run: SyncRun, port: StorePort, kind: WriteKind, claims: Sequence[Claim], *, retry_of: PushBatch | None = None
) -> PushBatch:
    """Fix `claims` in a batch with its key and exact bytes, claim the publications and mark the lines as being sent.

    Inside the caller's transaction, publications locked; save before what else has changed on them. A publication that
    has an unsettled push already raises IntegrityError: at most one, whatever the job.
    """
    batch_id = uuid.uuid4()
    batch = PushBatch(id=batch_id, run=run, store=run.store, kind=kind, rows=len(claims), retry_of=retry_of)
    document = f"run/{run.pk}"
    if kind == WriteKind.ADJUST:
        adjustments = [Adjustment(c.item_ref, c.location_ref, c.quantity) for c in claims]
        prepared = port.prepare_adjustment(adjustments, key=batch.key, document=document)
    elif kind == WriteKind.COMPARED:
        compared = [Adjustment(c.item_ref, c.location_ref, c.quantity - c.before, c.before) for c in claims]
        prepared = port.prepare_adjustment(compared, key=batch.key, document=document)
    else:
        overwrites = [Overwrite(c.item_ref, c.location_ref, c.quantity, c.before) for c in claims]
        prepared = port.prepare_overwrite(overwrites, key=batch.key, document=document)
    batch.body = prepared.body
    batch.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute(STORE_PUSHES, [bulk.rows_of(claims), batch_id, timezone.now()])
    return batch


STORE_PUSHES = """
WITH wanted AS (
    SELECT * FROM ROWS FROM (jsonb_to_recordset(%s) AS (publication_id bigint, item_id bigint, quantity int, before int,
                                                        revision int, versions jsonb))
                  WITH ORDINALITY AS c(publication, item, quantity, before, revision, versions, number)),
stored AS (
    INSERT INTO inventory_push
           (batch_id, position, publication_id, item_id, quantity, before, revision, versions, status, created_at,
            owed_since)
    SELECT %s, w.number - 1, w.publication, w.item, w.quantity, w.before, w.revision, w.versions, 'claimed', %s, p.marked_at
      FROM wanted w JOIN inventory_levelpublication p ON p.id = w.publication
    RETURNING id, publication_id, item_id),
claimed AS (
    UPDATE inventory_levelpublication p SET claim_id = s.id FROM stored s WHERE p.id = s.publication_id)
UPDATE connectors_runitem i SET outcome = 'claimed', cause = '', remedy = '', settled_at = NULL
  FROM stored s WHERE i.id = s.item_id
"""


def mark_items(items: Iterable[RunItem], outcome: Outcome, cause: str = "", remedy: str = "") -> None:
    """Set the outcome of plan lines in one statement."""
    ids = [item.pk for item in items]
    if ids:
        settled = None if outcome in (Outcome.PLANNED, Outcome.CLAIMED) else timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE connectors_runitem SET outcome = %s, cause = %s, remedy = %s, settled_at = %s "
                "WHERE id = ANY(%s)",
                [outcome.value, cause[:400], remedy[:400], settled, bulk.ids(ids)],
            )


def versions_of(publication_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Publication id → {level id: version now}."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.publication_id, l.id, l.version FROM inventory_publishedlevel m "
            "JOIN inventory_inventorylevel l ON l.id = m.level_id WHERE m.publication_id = ANY(%s)",
            [bulk.ids(publication_ids)],
        )
        found: dict[int, dict[int, int]] = {}
        for publication_id, level_id, version in cursor.fetchall():
            found.setdefault(publication_id, {})[level_id] = version
        return found


def announce(batch: PushBatch) -> bool:
    """Note, before the first byte leaves, that the batch is being sent. False when it is settled already or its key
    may have been forgotten (then its rows become unsure and nothing is sent)."""
    now = timezone.now()
    key_lives = Q(first_sent_at=None) | Q(first_sent_at__gt=now - KEY_LIFE)
    announced = PushBatch.objects.filter(key_lives, pk=batch.pk, status__in=UNSETTLED).update(
        status=BatchStatus.SENT, first_sent_at=Coalesce(F("first_sent_at"), now), tries=F("tries") + 1
    )
    if announced:
        return True
    batch.refresh_from_db(fields=["status"])
    if batch.status in UNSETTLED:
        make_unsure(batch, "No answer came, and the key is too old to repeat it.")
    return False


def deliver(port: StorePort, body: bytes, rows: int) -> WriteReply:
    """Send the bytes until there is a definite answer; a lost reply and "still running" are asked again with them.

    Touches no database, so it may run in a thread. Raises ConnectorError: OutcomeUnknown when no answer came in the
    end (the batch stays sent), ConnectorUnavailable when it certainly was not executed.
    """
    prepared = PreparedWrite(body=body, rows=rows)
    lost: OutcomeUnknown | None = None
    for attempt in range(TRIES_AT_ONCE):
        if attempt:
            time.sleep(min(4.0, 0.25 * 2**attempt))
        try:
            reply = port.send(prepared)
        except OutcomeUnknown as error:
            lost = error
            continue
        if reply.outcome != WriteOutcome.RUNNING:
            return reply
    raise lost or OutcomeUnknown(
        service="Store",
        operation="write quantities",
        cause="The store is still working on it.",
        remedy="Asked again soon.",
    )


@transaction.atomic
def make_unsure(batch: PushBatch, cause: str) -> None:
    """Whether these rows were applied is not known and may not be asked with the key any more: a settled read decides."""
    pushes = list(batch.pushes.filter(status=PushStatus.CLAIMED))
    taken = PushBatch.objects.filter(pk=batch.pk, status__in=UNSETTLED).update(
        status=BatchStatus.UNSURE, cause=cause, settled_at=timezone.now()
    )
    if not taken:
        return
    Push.objects.filter(pk__in=[push.pk for push in pushes]).update(status=PushStatus.UNSURE)
    claimed = [push.publication_id for push in pushes]
    LevelPublication.objects.filter(pk__in=claimed).update(state=PublicationState.UNSURE, state_cause=cause)
    RunItem.objects.filter(pushes__in=pushes).update(
        outcome=Outcome.UNSURE,
        cause=cause,
        remedy="The next settled read of the level decides by itself.",
        settled_at=timezone.now(),
    )


def give_up(publication: LevelPublication) -> None:
    """Nobody will know what became of the unsure push of this locked publication. In the same transaction the caller
    believes what a settled read showed, whether it was applied or not."""
    if publication.state == PublicationState.UNSURE:
        Push.objects.filter(claimed=publication).update(status=PushStatus.DROPPED)
        decided(publication)


def decided(publication: LevelPublication) -> None:
    """What became of the unsure push of this locked publication is settled: it is free, live, and looked at again, since a
    delta that passed meanwhile left it alone, and took its mark."""
    publication.claim_id = None
    publication.state, publication.state_cause = PublicationState.LIVE, ""
    publication.needs_look = True


def unsettled(store: Store, run: SyncRun) -> list[PushBatch]:
    """Batches to be settled before `run` plans or sends anything: its own, and those of runs that are over."""
    return list(
        PushBatch.objects.filter(store=store, status__in=UNSETTLED)
        .exclude(run__in=store.runs.filter(status__in=WRITING).exclude(pk=run.pk))
        .order_by("created_at")
    )
