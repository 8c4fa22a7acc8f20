"""Booking what the store carried out: a whole batch at once, in the database.

A batch that was applied needs no decision row by row, so its rows never travel to Python and back. Call both functions
inside the transaction that took the batch, with its publications locked (`lock_batch`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection
from django.utils import timezone

from inventory.models import PushBatch

# The push of the batch that each statement works on; it was claimed, or its outcome was in doubt.
UNSETTLED = "q.batch_id = %(batch)s AND q.status IN ('claimed', 'unsure')"

LOCK = f"""
SELECT p.id FROM inventory_levelpublication p
 WHERE p.id IN (SELECT q.publication_id FROM inventory_push q WHERE {UNSETTLED})
 ORDER BY p.id FOR NO KEY UPDATE
"""

ADJUSTED_ENTRIES = f"""
INSERT INTO inventory_publicationentry
       (publication_id, seq, kind, quantity, applied, key, cause, recorded_at, push_id)
SELECT p.id, p.revision + 1, 'pushed', q.quantity, TRUE, 'push:' || q.id, '', %(now)s, q.id
  FROM inventory_push q JOIN inventory_levelpublication p ON p.id = q.publication_id
 WHERE {UNSETTLED}
"""

ADJUSTED = f"""
UPDATE inventory_levelpublication p
   SET expected_quantity = p.expected_quantity + q.quantity, revision = p.revision + 1, claim_id = NULL,
       needs_look = TRUE
  FROM inventory_push q
 WHERE p.id = q.publication_id AND {UNSETTLED}
"""

# The one entry that makes the sum right; entries that brought the old sum stay. What the store booked after the
# overwrite, and is known already, counts on top of it; also what may have been booked before, learned since the claim.
OVERWRITTEN_ENTRIES = f"""
INSERT INTO inventory_publicationentry
       (publication_id, seq, kind, quantity, applied, key, cause, effective_at, recorded_at, push_id)
SELECT p.id, p.revision + 1, CASE WHEN p.baseline_at IS NULL THEN 'baseline' ELSE 'overwritten' END,
       q.quantity + late.quantity - p.expected_quantity, TRUE, 'push:' || q.id, '', %(at)s, %(now)s, q.id
  FROM inventory_push q JOIN inventory_levelpublication p ON p.id = q.publication_id
 CROSS JOIN LATERAL (SELECT coalesce(sum(e.quantity), 0) AS quantity FROM inventory_publicationentry e
                      WHERE e.publication_id = p.id AND e.kind = 'store_booked' AND e.applied
                        AND (e.effective_at > %(at)s
                             OR e.effective_at IS NULL AND e.seq > q.revision)) AS late
 WHERE {UNSETTLED}
"""

HOLDS_END = f"""
INSERT INTO inventory_holdchange (publication_id, at, test, cause)
SELECT p.id, %(now)s, '', ''
  FROM inventory_push q JOIN inventory_levelpublication p ON p.id = q.publication_id
 WHERE p.hold_test <> '' AND p.excluded <> 'clone' AND p.state NOT IN ('frozen', 'quarantined') AND {UNSETTLED}
"""

# The answer tells what the store showed then, as a reading does.
# `verify`: whether the overwrite wiped what the store booked at nearly the same time is for the next settled read.
OVERWRITTEN = f"""
UPDATE inventory_levelpublication p
   SET expected_quantity = p.expected_quantity + e.quantity, revision = e.seq, claim_id = NULL, needs_look = TRUE,
       verify = p.verify OR %(at)s::timestamptz IS NULL OR EXISTS (
           SELECT 1 FROM inventory_publicationentry near
            WHERE near.publication_id = p.id AND near.kind = 'store_booked'
              AND (near.effective_at IS NULL AND near.seq > q.revision
                   OR near.effective_at BETWEEN %(at)s::timestamptz - %(close)s AND %(at)s::timestamptz + %(close)s)),
       overwritten_at = coalesce(%(at)s, p.overwritten_at), observed_available = p.expected_quantity + e.quantity,
       observed_revision = e.seq, observed_at = coalesce(%(at)s, p.observed_at),
       observed_moved_at = coalesce(%(at)s, p.observed_moved_at),
       baseline_at = coalesce(p.baseline_at, %(at)s, %(now)s),
       state = CASE WHEN p.state IN ('no_baseline', 'unsure') THEN 'live' ELSE p.state END,
       state_cause = CASE WHEN p.state IN ('no_baseline', 'unsure') THEN '' ELSE p.state_cause END,
       hold_test = '', hold_cause = '', hold_remedy = '', held_since = NULL
  FROM inventory_push q, inventory_publicationentry e
 WHERE p.id = q.publication_id AND e.publication_id = p.id AND e.seq = p.revision + 1 AND {UNSETTLED}
"""

# What the store shows is what we wrote: nothing is unexplained any more.
DRIFT_ENDS = f"""
UPDATE inventory_drift d SET state = 'overwritten', closed_at = %(now)s
  FROM inventory_push q
 WHERE d.publication_id = q.publication_id AND d.state IN ('open', 'ignored') AND {UNSETTLED}
"""

PUBLISHED = f"""
UPDATE inventory_publishedlevel m SET published_version = v.value::int
  FROM inventory_push q, jsonb_each_text(q.versions) AS v
 WHERE m.publication_id = q.publication_id AND m.level_id = v.key::bigint AND {UNSETTLED}
"""

LINES = f"""
UPDATE connectors_runitem i SET outcome = 'applied', cause = '', remedy = '', settled_at = %(now)s
  FROM inventory_push q
 WHERE i.id = q.item_id AND {UNSETTLED}
"""

PUSHES = f"UPDATE inventory_push q SET status = 'settled' WHERE {UNSETTLED}"


def lock_batch(batch: PushBatch) -> None:
    """Lock the publications of the batch's unsettled pushes, in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, {"batch": batch.pk})


def book_adjusted(batch: PushBatch) -> None:
    """Relative pushes that were applied: expected moves by what was sent, the claims are free again."""
    _book(batch, ADJUSTED_ENTRIES, ADJUSTED)


def book_overwritten(batch: PushBatch, at: dt.datetime | None, close: dt.timedelta) -> None:
    """Overwrites that were applied at the store's time `at`, or found nothing to change (None). Publications without
    a baseline get it and go live; frozen and quarantined ones stay so. Times nearer than `close` have no order."""
    _book(batch, OVERWRITTEN_ENTRIES, HOLDS_END, OVERWRITTEN, DRIFT_ENDS, at=at, close=close)


def _book(batch: PushBatch, *effects: str, **more: dt.datetime | dt.timedelta | None) -> None:
    values: dict[str, Any] = {"batch": batch.pk, "now": timezone.now(), **more}
    with connection.cursor() as cursor:
        cursor.execute(";".join((*effects, PUBLISHED, LINES, PUSHES)), values)
