"""The only writer of quantities. Every change is an entry; a level is the sum of its entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from inventory import at_once
from inventory.models import InventoryLevel, LedgerEntry
from inventory.models.ledger import EntryKind
from syncconsole.kernel import bulk
from syncconsole.kernel.models import User

LevelKey = tuple[int, int]
"""(variant id, location id)"""


@dataclass(frozen=True, slots=True)
class Posting:
    """One business fact that changes a level. `key` names the fact: the same key is recorded once, ever.

    Give `on_hand_delta` and `released_delta` (units, signed), or `count_to`: what was counted, from which the
    difference to the ledger's number at that moment is recorded. `effective_at` is the source's time of it.
    """

    variant_id: int
    location_id: int
    kind: EntryKind
    key: str
    origin: str
    effective_at: dt.datetime
    on_hand_delta: Decimal = Decimal(0)
    released_delta: int = 0
    count_to: Decimal | None = None
    document: str = ""
    reason: str = ""
    posting: str = ""
    actor: User | None = None

    @property
    def level_key(self) -> LevelKey:
        return self.variant_id, self.location_id


@dataclass(slots=True)
class PostResult:
    """What `post` did: entries written, and postings whose key was known already (nothing happened for them)."""

    recorded: list[LedgerEntry] = field(default_factory=list)
    repeated: list[Posting] = field(default_factory=list)


@transaction.atomic(savepoint=False)
def post(postings: Sequence[Posting], *, also: Iterable[int] = ()) -> PostResult:
    """Record `postings` in their order, all or none; known keys are left out and reported.

    Locks levels by id, then their publications by id, and marks those publications for a look, in one transaction.
    Concurrent calls with the same key: the second waits and finds the key known. Levels are made on first use.
    `also`: further publications that the caller will write to, locked and marked with the others, so that one order of
    locks holds for all.
    """
    result = PostResult()
    if not postings:
        mark_for_look([], also)
        return result
    levels = _lock_levels({posting.level_key for posting in postings})
    known, counted = _recorded([posting.key for posting in postings], [level.pk for level in levels.values()])
    now = timezone.now()
    for posting in postings:
        if posting.key in known:
            result.repeated.append(posting)
            continue
        known.add(posting.key)
        level = levels[posting.level_key]
        result.recorded.append(_append(level, posting, now))
        if posting.kind == EntryKind.COUNT:
            counted[level.pk] = max(posting.effective_at, counted.get(level.pk, posting.effective_at))
        elif posting.on_hand_delta and posting.effective_at < counted.get(level.pk, posting.effective_at):
            result.recorded.append(_append(level, _already_counted(posting, counted[level.pk]), now))
    bulk.insert(result.recorded)
    moved = {entry.level_id: entry.level for entry in result.recorded}
    _save_levels(moved.values())
    mark_for_look(moved.keys(), also)
    return result


# All of them, or none: nothing is locked while one that is missing is made, which may wait for somebody.
LOCK_LEVELS: Final = """
WITH wanted AS MATERIALIZED (
    SELECT x.id FROM inventory_inventorylevel x
      JOIN unnest(%(variants)s::bigint[], %(locations)s::bigint[]) AS w(v, l) ON x.variant_id = w.v AND x.location_id = w.l)
SELECT x.* FROM inventory_inventorylevel x
 WHERE x.id IN (SELECT id FROM wanted) AND (SELECT count(*) FROM wanted) = %(count)s
 ORDER BY x.id FOR NO KEY UPDATE OF x
"""
MAKE_LEVELS: Final = """
INSERT INTO inventory_inventorylevel (variant_id, location_id, on_hand, released, version)
SELECT v, l, 0, 0, 0 FROM unnest(%(variants)s::bigint[], %(locations)s::bigint[]) AS wanted(v, l)
 WHERE NOT EXISTS (SELECT 1 FROM inventory_inventorylevel x WHERE x.variant_id = v AND x.location_id = l)
    ON CONFLICT DO NOTHING
"""


def _lock_levels(keys: set[LevelKey]) -> dict[LevelKey, InventoryLevel]:
    """Levels by key, made where missing, locked in the order of their ids."""
    variants, locations = zip(*keys, strict=True)
    wanted: dict[str, Any] = {"variants": list(variants), "locations": list(locations), "count": len(keys)}
    found = list(InventoryLevel.objects.raw(LOCK_LEVELS, wanted))
    if not found:
        with connection.cursor() as cursor:
            cursor.execute(MAKE_LEVELS, wanted)
        found = list(InventoryLevel.objects.raw(LOCK_LEVELS, wanted))
    return {(level.variant_id, level.location_id): level for level in found}


RECORDED: Final = """
SELECT key, NULL::bigint, NULL::timestamptz FROM inventory_ledgerentry WHERE key = ANY(%s)
 UNION ALL
SELECT NULL, level_id, max(effective_at) FROM inventory_ledgerentry
 WHERE level_id = ANY(%s) AND kind = 'count' GROUP BY level_id
"""


def _recorded(keys: list[str], level_ids: list[int]) -> tuple[set[str], dict[int, dt.datetime]]:
    """Which of these keys are known, and when each level was last counted, by the source's clock."""
    with connection.cursor() as cursor:
        cursor.execute(RECORDED, [keys, level_ids])
        rows = cursor.fetchall()
    return {key for key, _, _ in rows if key is not None}, {level: at for key, level, at in rows if key is None}


def _already_counted(late: Posting, counted_at: dt.datetime) -> Posting:
    """The opposite of a movement from before a count: the count has seen it already."""
    return replace(
        late,
        kind=EntryKind.COUNT,
        key=f"{late.key}:already-counted",
        on_hand_delta=-late.on_hand_delta,
        released_delta=0,
        reason=f"Already in the count of {timezone.localtime(counted_at):%Y-%m-%d %H:%M %Z}",
        posting=late.key,
    )


def _append(level: InventoryLevel, posting: Posting, now: dt.datetime) -> LedgerEntry:
    delta = posting.on_hand_delta if posting.count_to is None else posting.count_to - level.on_hand
    level.on_hand += delta
    level.released += posting.released_delta
    level.version += 1
    return LedgerEntry(
        level=level,
        seq=level.version,
        on_hand_delta=delta,
        released_delta=posting.released_delta,
        kind=posting.kind,
        origin=posting.origin,
        document=posting.document,
        reason=posting.reason,
        posting=posting.posting,
        key=posting.key,
        effective_at=posting.effective_at,
        recorded_at=now,
        actor=posting.actor,
    )


def _save_levels(levels: Iterable[InventoryLevel]) -> None:
    rows = [(level.pk, level.on_hand, level.released, level.version) for level in levels]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_inventorylevel l SET on_hand = n.on_hand, released = n.released, version = n.version "
            "FROM unnest(%s::bigint[], %s::numeric[], %s::int[], %s::int[]) AS n(id, on_hand, released, version) "
            "WHERE l.id = n.id",
            [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []],
        )


def mark_for_look(level_ids: Iterable[int], also: Iterable[int] = ()) -> None:
    """Tell every publication of these levels, and those given, that something moved, and have it sent after the commit
    where changes leave at once. Call inside the transaction that moved it.

    Always writes, also where the mark is set: whoever clears it holds the row's lock, so no wake-up is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH touched AS (SELECT p.id FROM inventory_levelpublication p "
            " WHERE p.id IN (SELECT m.publication_id FROM inventory_publishedlevel m WHERE m.level_id = ANY(%s) "
            "                UNION SELECT unnest(%s::bigint[])) "
            " ORDER BY p.id FOR NO KEY UPDATE)"
            ", marked AS (UPDATE inventory_levelpublication p SET needs_look = TRUE FROM touched "
            "             WHERE p.id = touched.id RETURNING p.store_id) "
            "SELECT store_id, count(*) FROM marked GROUP BY store_id",
            [list(level_ids), list(also)],
        )
        at_once.after_commit(dict(cursor.fetchall()))
