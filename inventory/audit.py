"""The ledger check: every kept number is the sum of its entries (algorithms.md §2, invariants I1 to I7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from inventory import signatures
from inventory.knowledge import order_books
from inventory.models import LevelPublication
from inventory.models.publications import PublicationState

LATEST = "ledger-check"
SHOWN = 100
"""Differences listed in a result; all are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that is not what its entries say."""

    invariant: str
    subject: str
    subject_id: int
    kept: str
    summed: str


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What one check found. `differences` holds the first `SHOWN` of `found`."""

    checked_at: dt.datetime
    levels: int
    entries: int
    publications: int
    found: int
    differences: list[Difference]

    @property
    def green(self) -> bool:
        return not self.found

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


LEVELS = """
SELECT l.id, l.on_hand, l.released, l.version, coalesce(s.on_hand, 0), coalesce(s.released, 0), coalesce(s.n, 0),
       coalesce(s.newest, 0)
  FROM inventory_inventorylevel l
  LEFT JOIN (SELECT level_id, sum(on_hand_delta) AS on_hand, sum(released_delta) AS released, count(*) AS n,
                    max(seq) AS newest
               FROM inventory_ledgerentry GROUP BY level_id) s ON s.level_id = l.id
 WHERE l.on_hand <> coalesce(s.on_hand, 0) OR l.released <> coalesce(s.released, 0)
    OR l.version <> coalesce(s.n, 0) OR l.version <> coalesce(s.newest, 0)
"""
PUBLICATIONS = """
SELECT p.id, p.expected_quantity, p.revision, coalesce(s.total, 0), coalesce(s.n, 0)
  FROM inventory_levelpublication p
  LEFT JOIN (SELECT publication_id, sum(quantity) FILTER (WHERE applied) AS total, count(*) AS n
               FROM inventory_publicationentry GROUP BY publication_id) s ON s.publication_id = p.id
 WHERE p.expected_quantity <> coalesce(s.total, 0) OR p.revision <> coalesce(s.n, 0)
"""
# I3 holds the store's number against ours; here: a level of which that is not believed says so, and why.
STATES = """
SELECT p.id, p.state, p.baseline_at IS NOT NULL, p.state_cause, q.status
  FROM inventory_levelpublication p
  LEFT JOIN inventory_push q ON q.id = p.claim_id
 WHERE (p.state = 'live' AND (p.baseline_at IS NULL OR q.status = 'unsure'))
    OR (p.state = 'unsure' AND q.status IS DISTINCT FROM 'unsure')
    OR (p.state IN ('unsure', 'frozen', 'quarantined') AND p.state_cause = '')
 ORDER BY p.id
"""
CLAIMS = """
SELECT p.id, p.claim_id, q.id
  FROM inventory_levelpublication p
  FULL JOIN inventory_push q ON q.id = p.claim_id AND q.status IN ('claimed', 'unsure')
 WHERE (p.claim_id IS NOT NULL AND q.id IS NULL) OR (p.id IS NULL AND q.status IN ('claimed', 'unsure'))
"""


def audit_ledger() -> AuditResult:
    """Check all invariants in one consistent view of the database and keep the result for the console's badge. A ledger
    that does not add up ends every ATS signature."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY" if _outermost() else "SELECT 1")
        differences = [*_levels(cursor), *_publications(cursor), *_states(cursor), *_claims(cursor), *_unmarked()]
        differences += order_books().differences()
        counts = []
        for table in ("inventorylevel", "ledgerentry", "levelpublication"):
            cursor.execute(f"SELECT count(*) FROM inventory_{table}")  # noqa: S608 - names are constants
            counts.append(cursor.fetchone()[0])
    levels, entries, publications = counts
    result = AuditResult(timezone.now(), levels, entries, publications, len(differences), differences[:SHOWN])
    cache.set(LATEST, result, timeout=None)
    if not result.green:
        signatures.withdraw(f"The ledger check found {result.found:,} differences.")
    return result


def latest() -> AuditResult | None:
    """The last check's result, or None when there was none."""
    found: AuditResult | None = cache.get(LATEST)
    return found


def _outermost() -> bool:
    return len(connection.savepoint_ids) == 0 and not connection.needs_rollback and connection.in_atomic_block


def _levels(cursor: Any) -> list[Difference]:
    cursor.execute(LEVELS)
    return [
        Difference(
            "I1 level = sum of entries",
            "level",
            row[0],
            f"on hand {row[1]}, released {row[2]}, version {row[3]}",
            f"on hand {row[4]}, released {row[5]}, {row[6]} entries, newest {row[7]}",
        )
        for row in cursor.fetchall()
    ]


def _publications(cursor: Any) -> list[Difference]:
    cursor.execute(PUBLICATIONS)
    return [
        Difference(
            "I2 expected = sum of applied entries",
            "publication",
            row[0],
            f"expected {row[1]}, revision {row[2]}",
            f"sum {row[3]}, {row[4]} entries",
        )
        for row in cursor.fetchall()
    ]


def _states(cursor: Any) -> list[Difference]:
    cursor.execute(STATES)
    return [
        Difference(
            "I3 at rest, or in a state that says why",
            "publication",
            pk,
            f"{state}: {cause}" if cause else str(state),
            f"{'with' if baseline else 'without'} a baseline, its push {push or 'settled'}",
        )
        for pk, state, baseline, cause, push in cursor.fetchall()
    ]


def _claims(cursor: Any) -> list[Difference]:
    cursor.execute(CLAIMS)
    return [
        Difference("I4 one unsettled push each, and each claimed", "publication", row[0] or 0, str(row[1]), str(row[2]))
        for row in cursor.fetchall()
    ]


def _unmarked() -> list[Difference]:
    rows = (
        LevelPublication.objects.filter(state=PublicationState.LIVE, claim=None, needs_look=False)
        .eligible()
        .owed()[:SHOWN]
    )
    return [
        Difference(
            "I7 what is owed is marked",
            "publication",
            row.pk,
            f"expected {row.expected_quantity}, not marked",
            f"target {row.target}",
        )
        for row in rows
    ]
