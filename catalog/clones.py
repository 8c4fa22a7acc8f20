"""The clone sentinel: pairs of variants of a store of which nobody can tell whose stock is ours (design §5.5).

A pair is found where linking has the store's variants before it (`matching`): one SKU of ours on two of them, or one
inventory item behind two that are two of ours. It stands until the store shows it no more; then it closes by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

from django.db import connection

from connectors.models import Store

FACTS = """jsonb_build_object('product_ref', {0}.product_ref, 'title', {0}.title, 'handle', {0}.handle, 'options', {0}.options,
                              'sku', {0}.sku, 'barcode', {0}.barcode, 'tracked', {0}.tracked)"""

# Of several variants with one SKU, each makes a pair with the one taken for the original: the linked one, else the oldest,
# whose number is the lowest. Variants that share their inventory item share their stock: no matter, as long as they are
# one of ours.
PAIRS: Final = f"""
CREATE TEMPORARY TABLE linking_pair AS
WITH skus AS (SELECT sku FROM linking_seen WHERE sku <> '' GROUP BY sku HAVING count(*) > 1),
items AS (SELECT item_ref FROM linking_seen GROUP BY item_ref HAVING count(*) > 1),
several AS (SELECT * FROM linking_seen WHERE sku IN (SELECT sku FROM skus) OR item_ref IN (SELECT item_ref FROM items)),
ours AS (SELECT sku, CASE WHEN count(*) = 1 THEN min(id) END AS id FROM catalog_variant
          WHERE sku <> '' AND sku IN (SELECT sku FROM several) GROUP BY sku),
meant AS (
    SELECT s.*, coalesce(b.variant_id, o.id) AS variant_id, b.ref IS NULL AS loose, o.sku IS NOT NULL AS is_ours
      FROM several s LEFT JOIN linking_bound b ON b.ref = s.ref LEFT JOIN ours o ON o.sku = s.sku),
same_sku AS (
    SELECT m.*, first_value(m.ref) OVER (PARTITION BY m.sku ORDER BY m.loose, length(m.ref), m.ref) AS first
      FROM meant m WHERE m.is_ours),
same_item AS (
    SELECT m.*, first_value(m.ref) OVER (PARTITION BY m.item_ref ORDER BY m.loose, length(m.ref), m.ref) AS first
      FROM meant m WHERE m.variant_id IS NOT NULL),
pairs AS (
    SELECT 'same_sku' AS kind, first, ref FROM same_sku WHERE first <> ref
     UNION ALL
    SELECT 'shared_item', first, ref FROM same_item WHERE first <> ref)
SELECT p.kind, a.sku, a.variant_id, a.ref AS original_ref, a.item_ref AS original_item, {FACTS.format("a")} AS original,
       b.ref AS copy_ref, b.item_ref AS copy_item, {FACTS.format("b")} AS copy
  FROM pairs p JOIN meant a ON a.ref = p.first JOIN meant b ON b.ref = p.ref
 WHERE (p.kind = 'same_sku') = (a.item_ref <> b.item_ref) AND (p.kind = 'same_sku' OR a.variant_id <> b.variant_id)
"""

PAIR: Final = "least({0}.original_ref, {0}.copy_ref), greatest({0}.original_ref, {0}.copy_ref)"

KNOWN: Final = f"""k.store_id = %(store)s AND k.closed_at IS NULL AND ({PAIR.format("k")}) = ({PAIR.format("p")})"""

# What was read besides, such as when a product was made, stays.
RENEW: Final = f"""
UPDATE catalog_clonesuspect k
   SET original = k.original || CASE WHEN k.original_ref = p.original_ref THEN p.original ELSE p.copy END,
       original_item = CASE WHEN k.original_ref = p.original_ref THEN p.original_item ELSE p.copy_item END,
       copy = k.copy || CASE WHEN k.copy_ref = p.copy_ref THEN p.copy ELSE p.original END,
       copy_item = CASE WHEN k.copy_ref = p.copy_ref THEN p.copy_item ELSE p.original_item END,
       variant_id = p.variant_id
  FROM linking_pair p WHERE {KNOWN}
"""

OPEN: Final = f"""
INSERT INTO catalog_clonesuspect
       (store_id, kind, sku, variant_id, original_ref, original_item, original, copy_ref, copy_item, copy, first_seen_at,
        decision, outcome)
SELECT %(store)s, p.kind, p.sku, p.variant_id, p.original_ref, p.original_item, p.original, p.copy_ref, p.copy_item, p.copy,
       %(now)s, '', ''
  FROM linking_pair p WHERE NOT EXISTS (SELECT 1 FROM catalog_clonesuspect k WHERE {KNOWN})
"""

# A pair of which neither side was read is left alone; one whose other side cannot have been read without it does not stand.
CLOSE: Final = """
UPDATE catalog_clonesuspect k
   SET closed_at = %(now)s,
       outcome = CASE WHEN a.ref IS NULL THEN 'The original was deleted in the store'
                      WHEN b.ref IS NULL THEN 'The copy was deleted in the store'
                      WHEN k.kind = 'same_sku' AND a.sku <> b.sku THEN 'SKU renamed by the merchant'
                      WHEN k.kind = 'same_sku' AND a.item_ref <> b.item_ref THEN 'No item here has their SKU any more'
                      WHEN a.item_ref <> b.item_ref THEN 'Each has an inventory item of its own now'
                      ELSE 'Both are one item here now' END
  FROM catalog_clonesuspect o
  LEFT JOIN linking_seen a ON a.ref = o.original_ref
  LEFT JOIN linking_seen b ON b.ref = o.copy_ref
 WHERE k.id = o.id AND k.store_id = %(store)s AND k.closed_at IS NULL
   AND (%(products)s::text[] IS NULL
        OR k.original->>'product_ref' = ANY(%(products)s) OR k.copy->>'product_ref' = ANY(%(products)s))
   AND NOT (a.ref IS NOT NULL AND b.ref IS NOT NULL
            AND CASE k.kind WHEN 'same_sku'
                            THEN a.sku = b.sku AND a.item_ref <> b.item_ref
                                 AND EXISTS (SELECT 1 FROM catalog_variant v WHERE v.sku <> '' AND v.sku = a.sku)
                            ELSE EXISTS (SELECT 1 FROM linking_pair p
                                          WHERE p.kind = 'shared_item' AND p.original_item = a.item_ref
                                            AND a.item_ref = b.item_ref) END)
"""


def detect(store: Store, now: dt.datetime, products: Collection[str] | None = None) -> int:
    """Open a row for each pair that stands among the variants read (`matching.match` was called), and close those that
    do not stand any more. `products` as in `linking.bind`. Returns how many were opened and closed."""
    values: dict[str, Any] = {"store": store.pk, "now": now, "products": None if products is None else list(products)}
    with connection.cursor() as cursor:
        cursor.execute(PAIRS)
        cursor.execute(RENEW, values)
        cursor.execute(CLOSE, values)
        changed: int = cursor.rowcount
        cursor.execute(OPEN, values)
        changed += cursor.rowcount
    return changed
