"""Plain levels: those about which there is nothing to decide, a whole group at a time, in the database.

Most levels of an absolute job pass every test of `settled.judge`, and their reading teaches nothing beyond itself. Their
rows need not travel to Python and back. Whatever is left out here goes level by level through `settled`, which has the
rules; NOTHING_TO_DECIDE only says when they all agree (tests/inventory/test_plain.py holds the two against each other).

Call these inside the transaction that locked the publications (`publications.lock_ids`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from inventory import drift, frozen
from inventory.drift import Residual
from inventory.settled import Reading
from syncconsole.kernel import bulk

READ = """
jsonb_to_recordset(%(read)s::jsonb) AS r(id bigint, revision int, available int, committed int, unavailable int,
                                         moved_at timestamptz, read_at timestamptz)
"""

# Tests (b), (d) and (e) of algorithms.md §6, and nothing that `settled.learn` or `release_hold` would change.
NOTHING_TO_DECIDE = """
p.id = r.id AND p.state IN ('no_baseline', 'live') AND p.excluded = '' AND p.claim_id IS NULL
AND p.revision = r.revision
AND p.open_remote = r.committed AND p.acknowledged_offset = 0 AND p.withheld = r.unavailable
AND NOT p.verify AND p.hold_test = ''
"""

OBSERVE = f"""
UPDATE inventory_levelpublication p
   SET observed_available = r.available, observed_committed = r.committed, observed_unavailable = r.unavailable,
       observed_moved_at = r.moved_at, observed_at = r.read_at, observed_revision = p.revision
  FROM {READ}
 WHERE {NOTHING_TO_DECIDE}
RETURNING p.id, p.state = 'live', p.store_id, p.observed_available, p.observed_available - p.expected_quantity,
          p.revision
"""

UNMOVED = f"""
SELECT p.id, p.item_ref, p.revision
  FROM inventory_levelpublication p, {READ}
 WHERE {NOTHING_TO_DECIDE}
   AND p.observed_available = r.available AND p.observed_committed = r.committed
   AND p.observed_unavailable = r.unavailable AND p.observed_moved_at = r.moved_at
"""


@dataclass(frozen=True, slots=True)
class Unmoved:
    """A plain level that shows what it showed when it was read last; `revision` as it is now."""

    item_ref: str
    revision: int


def observe(found: Mapping[int, Reading]) -> dict[int, bool]:
    """Keep the readings of the plain ones among these levels, and the drift they show. Publication id → the store shows
    what we believe. One that two writers are found to alternate on is plain no more."""
    believed, residuals = {}, {}
    for publication_id, live, store_id, shown, rest, revision in _ask(OBSERVE, found):
        believed[publication_id] = live and not rest
        if live:
            read_at = found[publication_id].read_at
            residuals[publication_id] = Residual(store_id, shown, rest, revision, read_at)
    if paused := drift.note(residuals):
        frozen.freeze_all(paused)
    for publication_id in paused:
        del believed[publication_id]
    return believed


def unmoved(found: Mapping[int, Reading]) -> dict[int, Unmoved]:
    """The plain ones among these levels that have not moved since they were read last, by publication id."""
    return {publication_id: Unmoved(item_ref, revision) for publication_id, item_ref, revision in _ask(UNMOVED, found)}


def _ask(statement: str, found: Mapping[int, Reading]) -> list[tuple[Any, ...]]:
    rows = [_row(publication_id, reading) for publication_id, reading in found.items() if _rests(reading)]
    with connection.cursor() as cursor:
        cursor.execute(statement, {"read": bulk.rows_of(rows)})
        answered: list[tuple[Any, ...]] = cursor.fetchall()
        return answered


def _rests(reading: Reading) -> bool:
    """Tests (a), where the store tells the time, and (c), and what of (e) the store alone knows."""
    level = reading.level
    if level.moved_at is None or level.moved_at > reading.watermark or reading.waits:
        return False
    return level.known and level.tracked and level.exists and level.is_active


def _row(publication_id: int, reading: Reading) -> dict[str, object]:
    level = reading.level
    return {
        "id": publication_id,
        "revision": reading.revision,
        "available": level.available,
        "committed": level.committed,
        "unavailable": level.unavailable,
        "moved_at": level.moved_at,
        "read_at": reading.read_at,
    }
