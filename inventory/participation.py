"""Which levels of a store are published, in which groups, and which of them take part: in step with links, mappings, tracking,
clone suspects and the tag filter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Variant
from connectors.models import Store
from inventory.models import LevelPublication
from inventory.models.publications import SET_ASIDE, PublicationState


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What `refresh` changed, in publications."""

    created: int
    closed: int
    regrouped: int
    excluded: int
    included: int


CREATE_LEVELS = """
INSERT INTO inventory_inventorylevel (variant_id, location_id, on_hand, released, version)
SELECT lv.variant_id, lm.location_id, 0, 0, 0
  FROM catalog_listedvariant lv
  JOIN inventory_locationmapping lm ON lm.store_id = lv.store_id
 WHERE lv.store_id = %(store)s
   AND NOT EXISTS (SELECT 1 FROM inventory_inventorylevel x
                    WHERE x.variant_id = lv.variant_id AND x.location_id = lm.location_id)
ON CONFLICT DO NOTHING
"""

# An item behind a variant was replaced in the store, or the variant was bound to another of ours.
CLOSE_RELINKED = """
UPDATE inventory_levelpublication p
   SET state = 'closed', state_cause = 'The store replaced its inventory item.', needs_look = FALSE
  FROM catalog_listedvariant lv
 WHERE p.store_id = %(store)s AND lv.id = p.listed_id AND p.state <> 'closed' AND lv.item_ref <> p.item_ref
   AND p.claim_id IS NULL
"""

CREATE_PUBLICATIONS = """
INSERT INTO inventory_levelpublication
       (store_id, listed_id, item_ref, store_location_id, state, state_cause, excluded, expected_quantity, withheld,
        open_remote, acknowledged_offset, revision, needs_look, verify, stocked, hold_test, hold_cause, hold_remedy)
SELECT DISTINCT lv.store_id, lv.id, lv.item_ref, lm.store_location_id, 'no_baseline', '', '', 0, 0,
       0, 0, 0, TRUE, FALSE, TRUE, '', '', ''
  FROM catalog_listedvariant lv
  JOIN inventory_locationmapping lm ON lm.store_id = lv.store_id
 WHERE lv.store_id = %(store)s
   AND NOT EXISTS (SELECT 1 FROM inventory_levelpublication x
                    WHERE x.store_id = lv.store_id AND x.item_ref = lv.item_ref
                      AND x.store_location_id = lm.store_location_id AND x.state <> 'closed')
ON CONFLICT DO NOTHING
RETURNING id
"""

GROWN_MUCH = 500
"""New publications from which on the tables' statistics are renewed at once, not when autovacuum comes by: tables that it
last saw empty are joined row by row, which takes minutes from some thousand levels on. Renewing takes milliseconds."""

# A table of its own, so that its statistics are known: joined by guesses, 100,000 groups have taken minutes. A publication
# whose item was replaced while a push of it was on its way is closed later, and has left its group.
WANTED_GROUPS = """
CREATE TEMPORARY TABLE wanted_group ON COMMIT DROP AS
SELECT p.id AS publication_id, l.id AS level_id
  FROM inventory_levelpublication p
  JOIN catalog_listedvariant lv ON lv.id = p.listed_id
  JOIN inventory_locationmapping lm ON lm.store_id = p.store_id AND lm.store_location_id = p.store_location_id
  JOIN inventory_inventorylevel l ON l.variant_id = lv.variant_id AND l.location_id = lm.location_id
 WHERE p.store_id = %(store)s AND p.state <> 'closed' AND p.item_ref = lv.item_ref
"""

LEAVE_GROUPS = """
WITH gone AS (
    DELETE FROM inventory_publishedlevel m
     WHERE m.store_id = %(store)s
       AND NOT EXISTS (SELECT 1 FROM wanted_group w
                        WHERE w.publication_id = m.publication_id AND w.level_id = m.level_id)
    RETURNING m.publication_id, m.level_id, m.since)
INSERT INTO inventory_formermember (publication_id, level_id, since, until)
SELECT publication_id, level_id, since, %(now)s FROM gone
RETURNING publication_id
"""

JOIN_GROUPS = """
INSERT INTO inventory_publishedlevel (publication_id, level_id, store_id, since)
SELECT w.publication_id, w.level_id, %(store)s, %(now)s FROM wanted_group w
 WHERE NOT EXISTS (SELECT 1 FROM inventory_publishedlevel m
                    WHERE m.publication_id = w.publication_id AND m.level_id = w.level_id)
RETURNING publication_id
"""

# Items of pairs that nobody has decided yet, and those that a decision leaves without stock of ours.
SUSPECT = """
SELECT k.original_item AS item_ref FROM catalog_clonesuspect k
 WHERE k.store_id = %(store)s AND k.closed_at IS NULL
   AND (k.decision IN ('', 'wait') OR k.decision = 'copy' AND k.original_item <> k.copy_item)
 UNION
SELECT k.copy_item FROM catalog_clonesuspect k
 WHERE k.store_id = %(store)s AND k.closed_at IS NULL
   AND (k.decision IN ('', 'wait') OR k.decision = 'original' AND k.original_item <> k.copy_item)
"""

EXCLUDE = """
UPDATE inventory_levelpublication p SET excluded = wanted.excluded, needs_look = TRUE
  FROM (SELECT p.id,
               CASE WHEN lv.gone_at IS NOT NULL OR lv.item_ref <> p.item_ref THEN 'gone'
                    WHEN p.item_ref IN (SELECT suspect.item_ref FROM suspect) THEN 'clone'
                    WHEN NOT sl.vacated
                         AND NOT EXISTS (SELECT 1 FROM inventory_publishedlevel m WHERE m.publication_id = p.id)
                         THEN 'unmapped'
                    WHEN sl.is_fulfillment_service THEN 'service'
                    WHEN NOT sl.is_active THEN 'inactive'
                    WHEN NOT lv.tracked THEN 'untracked'
                    WHEN NOT p.stocked THEN 'not_stocked'
                    WHEN NOT (lv.variant_id IN (SELECT scope.variant_id FROM scope)) THEN 'out_of_scope'
                    ELSE '' END AS excluded
          FROM inventory_levelpublication p
          JOIN catalog_listedvariant lv ON lv.id = p.listed_id
          JOIN connectors_storelocation sl ON sl.id = p.store_location_id
         WHERE p.store_id = %(store)s AND p.state <> 'closed'
           AND (%(variants)s::bigint[] IS NULL OR lv.variant_id = ANY(%(variants)s))) AS wanted
 WHERE p.id = wanted.id AND p.excluded <> wanted.excluded
RETURNING p.excluded
"""


ALONE = "SELECT pg_advisory_xact_lock(hashtext('publications'), %s)"
"""Publications of a store are brought in step by one transaction at a time."""


@transaction.atomic
def refresh(store: Store, *, new_baseline_for: Iterable[int] = ()) -> RefreshResult:
    """Make publications, their groups and exclusions agree with links, mappings, tracking and the tag filter.

    Set-based: a few statements whatever the number of levels. Publications are never deleted. One whose group changed
    is marked for a look. `new_baseline_for`: ids of publications that nobody followed for a while;
    they lose their baseline, those that are set aside too, which stay so.
    """
    with connection.cursor() as cursor:
        cursor.execute(ALONE, [store.pk])

        def run(sql: str, **more: Any) -> list[tuple[Any, ...]]:
            cursor.execute(sql, {"store": store.pk, **more})
            return cursor.fetchall() if cursor.description else []

        run(CREATE_LEVELS)
        run(CLOSE_RELINKED)
        closed = cursor.rowcount
        created = {row[0] for row in run(CREATE_PUBLICATIONS)}
        grown_much = len(created) >= GROWN_MUCH
        if grown_much:
            run("ANALYZE catalog_listedvariant, inventory_inventorylevel, inventory_levelpublication")
        run(WANTED_GROUPS)
        run("ANALYZE wanted_group")
        now = timezone.now()
        regrouped = {row[0] for row in run(LEAVE_GROUPS, now=now)} | {row[0] for row in run(JOIN_GROUPS, now=now)}
        run("DROP TABLE wanted_group")
        if grown_much:
            run("ANALYZE inventory_publishedlevel")
        LevelPublication.objects.filter(pk__in=regrouped - created).update(needs_look=True)
        left_alone = LevelPublication.objects.filter(pk__in=list(new_baseline_for)).exclude(
            state=PublicationState.CLOSED
        )
        left_alone.update(baseline_at=None)
        left_alone.exclude(state__in=SET_ASIDE).update(
            state=PublicationState.NO_BASELINE, state_cause="Its location was not mapped for a while."
        )
        changed = _exclude(store)
    forget_count(store)
    excluded = sum(1 for reason in changed if reason)
    return RefreshResult(len(created), closed, len(regrouped), excluded, len(changed) - excluded)


def _exclude(store: Store, variant_ids: Collection[int] | None = None) -> list[str]:
    """Bring the exclusions of these variants (None: of all) in step. Returns the new ones of levels that changed."""
    only = None if variant_ids is None else list(variant_ids)
    inside = Variant.objects.in_scope(store) if only is None else Variant.objects.in_scope(store).filter(pk__in=only)
    scope, parameters = inside.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        # Raw statement with the filter's own SQL inside; both parts are parameterised.
        cursor.execute(
            f"WITH scope(variant_id) AS ({scope}), suspect AS ({SUSPECT}) ".replace("%(store)s", "%s")
            + EXCLUDE.replace("%(store)s", "%s").replace("%(variants)s", "%s"),
            [*parameters, store.pk, store.pk, store.pk, only, only],
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def follow_tags(variant_ids: Collection[int]) -> None:
    """The tags of these variants have changed: in every store with a tag filter their levels take part, or do no longer, from
    this transaction on. One that has left is not zeroed; one that comes back is owed what moved meanwhile."""
    filtered = Store.objects.exclude(tags_any=[], tags_all=[], tags_none=[]).order_by("pk")
    for store in filtered:
        with connection.cursor() as cursor:
            cursor.execute(ALONE, [store.pk])
        rows = LevelPublication.objects.filter(store=store, listed__variant__in=variant_ids)
        list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk"))
        if _exclude(store, variant_ids):
            forget_count(store)


HOLD_SUSPECTS = f"""
WITH suspect AS ({SUSPECT}),
held AS MATERIALIZED (
    SELECT p.id FROM inventory_levelpublication p
     WHERE p.store_id = %(store)s AND p.item_ref IN (SELECT item_ref FROM suspect) AND p.state <> 'closed'
     ORDER BY p.id FOR NO KEY UPDATE)
UPDATE inventory_levelpublication p SET excluded = 'clone' FROM held WHERE p.id = held.id AND p.excluded NOT IN ('clone', 'gone')
"""


def hold_suspects(store: Store) -> None:
    """No push of ours is claimed any more for levels of clone suspects. Call it in the transaction that learns of them;
    what was claimed before is settled first. `refresh` lets go of those that are suspects no more."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_SUSPECTS, {"store": store.pk})


COUNTED_FOR = dt.timedelta(hours=1)


def count_live(store: Store) -> int:
    """How many levels deltas may change: what a plan's share is a share of. Counted once an hour, and after whatever
    moves it as a whole, since counting a million takes as long as pushing a thousand."""

    def counted() -> int:
        return LevelPublication.objects.filter(store=store).live().eligible().count()

    return int(cache.get_or_set(_count_key(store), counted, timeout=COUNTED_FOR.total_seconds()) or 0)


def forget_count(store: Store) -> None:
    """Levels came, went or got their baseline: `count_live` counts them again."""
    transaction.on_commit(lambda: cache.delete(_count_key(store)))


def _count_key(store: Store) -> str:
    return f"live-levels:{store.pk}"
