"""What stores are believed to show: which publications exist, and the only writer of their entries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Variant
from connectors.models import Store
from inventory.models import LevelPublication, PublicationEntry
from inventory.models.publications import PublicationKind, PublicationState


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
        open_remote, acknowledged_offset, revision, needs_look, verify, hold_test, hold_cause, hold_remedy)
SELECT DISTINCT lv.store_id, lv.id, lv.item_ref, lm.store_location_id, 'no_baseline', '', '', 0, 0,
       0, 0, 0, TRUE, FALSE, '', '', ''
  FROM catalog_listedvariant lv
  JOIN inventory_locationmapping lm ON lm.store_id = lv.store_id
 WHERE lv.store_id = %(store)s
   AND NOT EXISTS (SELECT 1 FROM inventory_levelpublication x
                    WHERE x.store_id = lv.store_id AND x.item_ref = lv.item_ref
                      AND x.store_location_id = lm.store_location_id AND x.state <> 'closed')
ON CONFLICT DO NOTHING
"""

WANTED_GROUPS = """
WITH wanted AS (
    SELECT p.id AS publication_id, l.id AS level_id
      FROM inventory_levelpublication p
      JOIN catalog_listedvariant lv ON lv.id = p.listed_id
      JOIN inventory_locationmapping lm ON lm.store_id = p.store_id AND lm.store_location_id = p.store_location_id
      JOIN inventory_inventorylevel l ON l.variant_id = lv.variant_id AND l.location_id = lm.location_id
     WHERE p.store_id = %(store)s AND p.state <> 'closed')
"""

LEAVE_GROUPS = (
    WANTED_GROUPS
    + """
DELETE FROM inventory_publishedlevel m
 WHERE m.store_id = %(store)s
   AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.publication_id = m.publication_id AND w.level_id = m.level_id)
RETURNING m.publication_id
"""
)

JOIN_GROUPS = (
    WANTED_GROUPS
    + """
INSERT INTO inventory_publishedlevel (publication_id, level_id, store_id)
SELECT w.publication_id, w.level_id, %(store)s FROM wanted w
 WHERE NOT EXISTS (SELECT 1 FROM inventory_publishedlevel m
                    WHERE m.publication_id = w.publication_id AND m.level_id = w.level_id)
RETURNING publication_id
"""
)

EXCLUDE = """
UPDATE inventory_levelpublication p SET excluded = wanted.excluded, needs_look = TRUE
  FROM (SELECT p.id,
               CASE WHEN lv.gone_at IS NOT NULL THEN 'gone'
                    WHEN NOT EXISTS (SELECT 1 FROM inventory_publishedlevel m WHERE m.publication_id = p.id)
                         THEN 'unmapped'
                    WHEN sl.is_fulfillment_service THEN 'service'
                    WHEN NOT sl.is_active THEN 'inactive'
                    WHEN NOT lv.tracked THEN 'untracked'
                    WHEN NOT (lv.variant_id IN (SELECT scope.variant_id FROM scope)) THEN 'out_of_scope'
                    ELSE '' END AS excluded
          FROM inventory_levelpublication p
          JOIN catalog_listedvariant lv ON lv.id = p.listed_id
          JOIN connectors_storelocation sl ON sl.id = p.store_location_id
         WHERE p.store_id = %(store)s AND p.state <> 'closed') AS wanted
 WHERE p.id = wanted.id AND p.excluded <> wanted.excluded
RETURNING p.excluded
"""


@transaction.atomic
def refresh(store: Store, *, new_baseline_for: Iterable[int] = ()) -> RefreshResult:
    """Make publications, their groups and exclusions agree with links, mappings, tracking and the tag filter.

    Set-based: a few statements whatever the number of levels. Publications are never deleted. One whose group changed
    is marked for a look. `new_baseline_for`: ids of publications whose mapping changed; they lose their baseline.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publications'), %s)", [store.pk])

        def run(sql: str, **more: Any) -> list[tuple[Any, ...]]:
            cursor.execute(sql, {"store": store.pk, **more})
            return cursor.fetchall() if cursor.description else []

        run(CREATE_LEVELS)
        run(CLOSE_RELINKED)
        closed = cursor.rowcount
        run(CREATE_PUBLICATIONS)
        created = cursor.rowcount
        regrouped = {row[0] for row in run(LEAVE_GROUPS)} | {row[0] for row in run(JOIN_GROUPS)}
        LevelPublication.objects.filter(pk__in=regrouped).update(needs_look=True)
        LevelPublication.objects.filter(pk__in=list(new_baseline_for)).exclude(
            state__in=[PublicationState.CLOSED, PublicationState.QUARANTINED]
        ).update(state=PublicationState.NO_BASELINE, state_cause="The location mapping changed.", baseline_at=None)
        scope, parameters = Variant.objects.in_scope(store).order_by().values("pk").query.sql_with_params()
        # Raw statement with the filter's own SQL inside; both parts are parameterised.
        cursor.execute(
            f"WITH scope(variant_id) AS ({scope}) " + EXCLUDE.replace("%(store)s", "%s"),
            [*parameters, store.pk],
        )
        changed = [row[0] for row in cursor.fetchall()]
    excluded = sum(1 for reason in changed if reason)
    return RefreshResult(created, closed, len(regrouped), excluded, len(changed) - excluded)


@dataclass(frozen=True, slots=True)
class Effect:
    """A change of what the store is believed to show, for one locked publication. `quantity` in units, signed."""

    publication: LevelPublication
    kind: PublicationKind
    quantity: int
    key: str
    cause: str = ""
    effective_at: dt.datetime | None = None
    applied: bool = True
    push_id: int | None = None


def record(effects: Sequence[Effect]) -> None:
    """Append `effects` to publications that the caller has locked, and bring their expected quantity along.

    Inside the caller's transaction. Changes `expected_quantity` and `revision` of the given instances; the caller
    saves them with `save_all`, together with what else changed. A key that is known already raises IntegrityError.
    """
    now = timezone.now()
    entries = []
    for effect in effects:
        publication = effect.publication
        publication.revision += 1
        if effect.applied:
            publication.expected_quantity += effect.quantity
        entries.append(
            PublicationEntry(
                publication=publication,
                seq=publication.revision,
                kind=effect.kind,
                quantity=effect.quantity,
                applied=effect.applied,
                key=effect.key,
                cause=effect.cause,
                effective_at=effect.effective_at,
                recorded_at=now,
                push_id=effect.push_id,
            )
        )
    PublicationEntry.objects.bulk_create(entries, batch_size=2000)


def lock(ids: Iterable[int]) -> list[LevelPublication]:
    """These publications, locked in the order of their ids."""
    return list(LevelPublication.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).order_by("pk"))


WRITABLE = (
    ("state", "text"),
    ("state_cause", "text"),
    ("expected_quantity", "int"),
    ("withheld", "int"),
    ("acknowledged_offset", "int"),
    ("revision", "int"),
    ("claim_id", "bigint"),
    ("needs_look", "boolean"),
    ("verify", "boolean"),
    ("observed_available", "int"),
    ("observed_committed", "int"),
    ("observed_unavailable", "int"),
    ("observed_moved_at", "timestamptz"),
    ("observed_at", "timestamptz"),
    ("observed_revision", "int"),
    ("baseline_at", "timestamptz"),
    ("overwritten_at", "timestamptz"),
    ("hold_test", "text"),
    ("hold_cause", "text"),
    ("hold_remedy", "text"),
    ("held_since", "timestamptz"),
)
SAVE = (
    "UPDATE inventory_levelpublication p SET "
    + ", ".join(f"{column} = n.{column}" for column, _ in WRITABLE)
    + " FROM unnest(%s::bigint[], "
    + ", ".join(f"%s::{kind}[]" for _, kind in WRITABLE)
    + ") AS n(id, "
    + ", ".join(column for column, _ in WRITABLE)
    + ") WHERE p.id = n.id"
)


def save_all(publications: Iterable[LevelPublication]) -> None:
    """Write every column that work on a locked publication may change, in one statement."""
    rows = list({publication.pk: publication for publication in publications}.values())
    if not rows:
        return
    columns = [[row.pk for row in rows]] + [[getattr(row, column) for row in rows] for column, _ in WRITABLE]
    with connection.cursor() as cursor:
        cursor.execute(SAVE, columns)


def hold(publication: LevelPublication, test: str, cause: str, remedy: str) -> None:
    """Mark a locked publication as held; the time of its first hold in a row is kept."""
    if not publication.hold_test:
        publication.held_since = timezone.now()
    publication.hold_test, publication.hold_cause, publication.hold_remedy = test, cause[:400], remedy[:400]


def release_hold(publication: LevelPublication) -> None:
    """The reason to hold is gone."""
    publication.hold_test = publication.hold_cause = publication.hold_remedy = ""
    publication.held_since = None
