"""Which variant of a store is which of ours: the rules, as statements over a whole listing at once.

The listing is copied to a temporary table of this connection, so memory stays flat and duplicates are seen before
anything is bound. Joins of many tables are estimated badly, so what they give becomes a table with statistics, too.
Order of the rules: remembered remote id, SKU, barcode, handle and option values. A rule that finds more than one
possibility binds nothing: the variant of the store becomes a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection

from catalog.item_rows import DEFAULT_TITLE
from connectors.ports.store import RemoteVariant

COPY_ROWS = 2000

CREATE = """
DROP TABLE IF EXISTS linking_seen, linking_bound, linking_conflict, linking_wanted, linking_pair;
CREATE TEMPORARY TABLE linking_seen (
    ordinal serial, product_ref text, handle text, title text, ref text, item_ref text, sku text, barcode text,
    options text[], tracked boolean);
CREATE TEMPORARY TABLE linking_bound (ref text PRIMARY KEY, variant_id bigint UNIQUE, matched_by text);
CREATE TEMPORARY TABLE linking_conflict (ref text PRIMARY KEY, kind text, there int, variant_ids bigint[])
"""
DROP = "DROP TABLE IF EXISTS linking_seen, linking_bound, linking_conflict, linking_wanted, linking_pair"
COPY = "COPY linking_seen (product_ref, handle, title, ref, item_ref, sku, barcode, options, tracked) FROM STDIN"
# A product that changes while its pages are read may be listed twice; the later page is the newer truth.
INDEX = """
DELETE FROM linking_seen a USING linking_seen b WHERE a.ref = b.ref AND a.ordinal < b.ordinal;
CREATE UNIQUE INDEX ON linking_seen (ref);
CREATE INDEX ON linking_seen (item_ref);
CREATE INDEX ON linking_seen (sku);
CREATE INDEX ON linking_seen (barcode);
ANALYZE linking_seen
"""

# Several variants of the store with one inventory item: none is bound, unless it was before and still has that item.
SHARED = """
INSERT INTO linking_conflict
SELECT s.ref, 'shared_item', (SELECT count(*) FROM linking_seen o WHERE o.item_ref = s.item_ref), '{}'
  FROM linking_seen s
 WHERE s.item_ref IN (SELECT item_ref FROM linking_seen GROUP BY item_ref HAVING count(*) > 1)
   AND NOT EXISTS (SELECT 1 FROM catalog_listedvariant l
                    WHERE l.store_id = %(store)s AND l.remote_ref = s.ref AND l.item_ref = s.item_ref)
"""

REMEMBERED = """
INSERT INTO linking_bound
SELECT s.ref, l.variant_id, 'remote_id'
  FROM linking_seen s
  JOIN catalog_listedvariant l ON l.store_id = %(store)s AND l.remote_ref = s.ref
 WHERE NOT EXISTS (SELECT 1 FROM linking_conflict c WHERE c.ref = s.ref)
"""

TAKEN = """taken AS (
              SELECT variant_id FROM linking_bound
               UNION
              SELECT l.variant_id FROM catalog_listedvariant l JOIN linking_seen s ON s.ref = l.remote_ref
               WHERE l.store_id = %(store)s)"""
UNBOUND = """unbound AS (
                SELECT s.* FROM linking_seen s
                 WHERE NOT EXISTS (SELECT 1 FROM linking_bound b WHERE b.ref = s.ref)
                   AND NOT EXISTS (SELECT 1 FROM linking_conflict c WHERE c.ref = s.ref))"""

# One code (SKU or barcode) against another: bound when it is there once, here once, and free.
BY_CODE = """
WITH {taken}, {unbound},
    here AS (SELECT v.{code} AS code, array_agg(v.id ORDER BY v.id) AS ids FROM catalog_variant v
              WHERE v.{code} <> '' AND v.{code} IN (SELECT {code} FROM unbound) GROUP BY v.{code}),
    there AS (SELECT {code} AS code, count(*) AS n FROM linking_seen
               WHERE {code} IN (SELECT code FROM here) GROUP BY {code}),
    matched AS (SELECT u.ref, there.n, here.ids,
                       CASE WHEN there.n > 1 THEN '{several_there}'
                            WHEN cardinality(here.ids) > 1 THEN '{several_here}'
                            WHEN taken.variant_id IS NOT NULL THEN 'already_linked'
                            ELSE '' END AS kind
                  FROM unbound u
                  JOIN here ON here.code = u.{code}
                  JOIN there ON there.code = u.{code}
                  LEFT JOIN taken ON taken.variant_id = here.ids[1]),
    bound AS (INSERT INTO linking_bound SELECT ref, ids[1], '{code}' FROM matched WHERE kind = '')
INSERT INTO linking_conflict SELECT ref, kind, n, ids FROM matched WHERE kind <> ''
"""

# Same handle and option values. Two different SKUs contradict that: the pair is shown, not bound.
BY_OPTIONS = """
WITH {taken}, {unbound},
    pairs AS (SELECT u.ref, v.id, v.sku <> '' AND u.sku <> '' AND v.sku <> u.sku AS differs
                FROM unbound u
                JOIN catalog_product p ON lower(p.handle) = lower(u.handle)
                JOIN catalog_variant v ON v.product_id = p.id
                 AND u.options = CASE WHEN v.option_values = %(default)s THEN '{}' ELSE v.option_values::text[] END),
    counted AS (SELECT ref, id, differs, count(*) OVER (PARTITION BY id) AS there FROM pairs),
    found AS (SELECT ref, max(there) AS n, array_agg(id ORDER BY id) AS ids,
                     count(*) > 1 OR max(there) > 1 OR bool_or(differs) AS unclear
                FROM counted GROUP BY ref),
    matched AS (SELECT f.ref, f.n, f.ids,
                       CASE WHEN f.unclear THEN 'only_there'
                            WHEN taken.variant_id IS NOT NULL THEN 'already_linked'
                            ELSE '' END AS kind
                  FROM found f LEFT JOIN taken ON taken.variant_id = f.ids[1]),
    bound AS (INSERT INTO linking_bound SELECT ref, ids[1], 'options' FROM matched WHERE kind = '')
INSERT INTO linking_conflict SELECT ref, kind, n, ids FROM matched WHERE kind <> ''
"""

# Who holds an inventory item is told by the links as they will be, not as they were: its holder may leave it in this very
# listing. Judged by what was, the same listing would be judged otherwise the next time.

# An item that another of ours keeps cannot be bound (the database would refuse it). What is let go here keeps the item it
# had, so that those which were to take that over are let go in turn: repeated until nothing is held.
HELD_ITEMS = """
WITH held AS (
    DELETE FROM linking_bound b
     USING linking_seen s, catalog_listedvariant l
     WHERE s.ref = b.ref AND l.store_id = %(store)s AND l.item_ref = s.item_ref
       AND NOT EXISTS (SELECT 1 FROM linking_bound o WHERE o.variant_id = l.variant_id)
    RETURNING b.ref, ARRAY[b.variant_id, l.variant_id] AS ids)
INSERT INTO linking_conflict SELECT ref, 'already_linked', 1, ids FROM held
"""

# Which of ours has the item that several share.
SHARED_WITH = """
WITH holder AS (
    SELECT s.item_ref, b.variant_id FROM linking_bound b JOIN linking_seen s ON s.ref = b.ref
     UNION ALL
    SELECT l.item_ref, l.variant_id FROM catalog_listedvariant l
     WHERE l.store_id = %(store)s AND NOT EXISTS (SELECT 1 FROM linking_bound b WHERE b.variant_id = l.variant_id))
UPDATE linking_conflict c SET variant_ids = ARRAY[holder.variant_id]
  FROM linking_seen s JOIN holder ON holder.item_ref = s.item_ref
 WHERE s.ref = c.ref AND c.kind = 'shared_item'
"""

ONLY_THERE = "WITH {unbound} INSERT INTO linking_conflict SELECT ref, 'only_there', 1, '{}' FROM unbound"


@contextmanager
def listing(variants: Iterable[RemoteVariant]) -> Iterator[int]:
    """Read `variants` to their end into the temporary table; gives how many there are. Outside any transaction,
    since `variants` comes from the network."""
    with connection.cursor() as cursor:
        cursor.execute(CREATE)
        try:
            stream = iter(variants)
            while chunk := list(islice(stream, COPY_ROWS)):
                with cursor.copy(COPY) as copy:
                    for variant in chunk:
                        copy.write_row(_row(variant))
            cursor.execute(INDEX)
            cursor.execute("SELECT count(*) FROM linking_seen")
            yield int(cursor.fetchone()[0])
        finally:
            if not connection.needs_rollback:
                cursor.execute(DROP)


def _row(variant: RemoteVariant) -> tuple[Any, ...]:
    options = [_text(value) for value in variant.option_values]
    return (
        variant.product_ref,
        _text(variant.product_handle)[:255],
        _text(variant.product_title),
        variant.ref,
        variant.item_ref,
        _text(variant.sku),
        _text(variant.barcode),
        [] if options == [DEFAULT_TITLE] else options,
        variant.tracked,
    )


def _text(value: str) -> str:
    """As our own columns hold it: trimmed, and without the one character that the database cannot store."""
    return value.replace("\0", "").strip()


def match(store_id: int) -> None:
    """Fill the temporary tables of bound variants and conflicts; every variant seen is in one of them."""
    parameters: dict[str, Any] = {"store": store_id, "default": [DEFAULT_TITLE]}
    rules = (
        SHARED,
        REMEMBERED,
        _by_code("sku", "duplicate_sku_there", "duplicate_sku_here"),
        _by_code("barcode", "duplicate_barcode", "duplicate_barcode"),
        BY_OPTIONS,
        HELD_ITEMS,
        SHARED_WITH,
        ONLY_THERE,
    )
    with connection.cursor() as cursor:
        for rule in rules:
            cursor.execute(rule.replace("{taken}", TAKEN).replace("{unbound}", UNBOUND), parameters)
            while rule == HELD_ITEMS and cursor.rowcount:
                cursor.execute(rule, parameters)


def _by_code(code: str, several_there: str, several_here: str) -> str:
    rule = BY_CODE.replace("{code}", code)
    return rule.replace("{several_there}", several_there).replace("{several_here}", several_here)
