"""Rows by the million, straight into the tables, and sound: the ledger check finds nothing in them.

One catalogue serves several stores, as a merchant's does. Everything is made by INSERT … SELECT; nothing is random.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.simulators import SHOWN, Shop
from connectors.models import Store, StoreLocation
from connectors.shopify.capabilities import CAPABILITIES
from inventory.models import Location, LocationMapping

PER_PRODUCT = 10


ITEMS = """
INSERT INTO catalog_product
       (handle, title, description, vendor, product_type, status, option_names, tags, created_at, updated_at)
SELECT %(code)s || '-' || n, 'Tricou ' || n, '', 'Atelier', 'Tricou', 'active', '{Number}', '{}', now(), now()
  FROM generate_series(1, (%(levels)s + %(each)s - 1) / %(each)s) AS n;
INSERT INTO catalog_variant
       (product_id, item_number, sku, barcode, option_values, price, cost, tracked, tags, tag_keys, bin, supplier,
        created_at, updated_at)
SELECT p.id, %(code)s || '-' || to_char(n, 'FM0000000'), %(code)s || '-' || to_char(n, 'FM0000000'), '',
       ARRAY[n::text], 10, 4, TRUE, '{}', '{}', '', '', now(), now()
  FROM generate_series(1, %(levels)s) AS n
  JOIN catalog_product p ON p.handle = %(code)s || '-' || ((n - 1) / %(each)s + 1)
 ORDER BY n;
"""

STOCK = """
INSERT INTO inventory_inventorylevel (variant_id, location_id, on_hand, released, version)
SELECT v.id, %(location)s, %(on_hand)s, 0, 1
  FROM catalog_variant v WHERE v.item_number LIKE %(code)s || '-%%' ORDER BY v.id;
INSERT INTO inventory_ledgerentry
       (level_id, seq, on_hand_delta, released_delta, kind, origin, document, reason, posting, key, effective_at,
        recorded_at)
SELECT l.id, 1, l.on_hand, 0, 'opening', 'benchmark', '', '', '', 'opening:' || l.id, now(), now()
  FROM inventory_inventorylevel l WHERE l.location_id = %(location)s ORDER BY l.id;
"""

LINKS = """
INSERT INTO catalog_listing (product_id, store_id, remote_ref, handle, linked_at)
SELECT p.id, %(store)s, 'gid://shopify/Product/' || p.id, p.handle, now()
  FROM catalog_product p WHERE p.handle LIKE %(code)s || '-%%' ORDER BY p.id;
ANALYZE catalog_variant, catalog_listing;
INSERT INTO catalog_listedvariant
       (listing_id, store_id, variant_id, remote_ref, item_ref, sku, barcode, tracked, matched_by, linked_at)
SELECT g.id, %(store)s, v.id,
       'gid://shopify/ProductVariant/' || (%(first_variant)s + v.option_values[1]::bigint - 1),
       'gid://shopify/InventoryItem/' || (%(first_item)s + v.option_values[1]::bigint - 1), v.sku, '',
       TRUE, 'sku', now()
  FROM catalog_variant v
  JOIN catalog_listing g ON g.product_id = v.product_id AND g.store_id = %(store)s
 WHERE v.item_number LIKE %(code)s || '-%%' ORDER BY v.id;
"""

PUBLICATIONS = """
INSERT INTO inventory_levelpublication
       (store_id, listed_id, item_ref, store_location_id, state, state_cause, excluded, expected_quantity, withheld,
        open_remote, acknowledged_offset, revision, needs_look, verify, stocked, hold_test, hold_cause, hold_remedy,
        baseline_at, overwritten_at, observed_available, observed_committed, observed_unavailable, observed_at,
        observed_revision)
SELECT lv.store_id, lv.id, lv.item_ref, %(store_location)s,
       CASE WHEN %(live)s THEN 'live' ELSE 'no_baseline' END, '', '', CASE WHEN %(live)s THEN %(shown)s ELSE 0 END, 0,
       0, 0, %(live)s::int, NOT %(live)s, FALSE, TRUE, '', '', '',
       CASE WHEN %(live)s THEN now() END, CASE WHEN %(live)s THEN now() END, CASE WHEN %(live)s THEN %(shown)s END,
       CASE WHEN %(live)s THEN 0 END, CASE WHEN %(live)s THEN 0 END, CASE WHEN %(live)s THEN now() END,
       CASE WHEN %(live)s THEN 1 END
  FROM catalog_listedvariant lv WHERE lv.store_id = %(store)s ORDER BY lv.id;
INSERT INTO inventory_publishedlevel (publication_id, level_id, store_id, published_version)
SELECT p.id, l.id, p.store_id, CASE WHEN %(live)s THEN l.version END
  FROM inventory_levelpublication p
  JOIN catalog_listedvariant lv ON lv.id = p.listed_id
  JOIN inventory_inventorylevel l ON l.variant_id = lv.variant_id AND l.location_id = %(location)s
 WHERE p.store_id = %(store)s ORDER BY p.id;
INSERT INTO inventory_publicationentry
       (publication_id, seq, kind, quantity, applied, key, cause, effective_at, recorded_at)
SELECT p.id, 1, 'baseline', p.expected_quantity, TRUE, 'baseline:' || p.id, '', now(), now()
  FROM inventory_levelpublication p WHERE p.store_id = %(store)s AND %(live)s ORDER BY p.id;
"""

TABLES = (
    "catalog_product",
    "catalog_variant",
    "catalog_listing",
    "catalog_listedvariant",
    "inventory_inventorylevel",
    "inventory_ledgerentry",
    "inventory_levelpublication",
    "inventory_publishedlevel",
    "inventory_publicationentry",
)


class Merchant:
    """A catalogue of `levels` items, `on_hand` of each at one location of ours."""

    def __init__(self, code: str, *, levels: int, on_hand: int) -> None:
        self.code, self.levels = code, levels
        self.location = Location.objects.create(code=code, name=f"Depozit {code}")
        self._named = {"code": code, "levels": levels, "each": PER_PRODUCT, "on_hand": on_hand}
        self._run(ITEMS + STOCK, location=self.location.pk)

    def connect(self, shop: Shop, *, plan: str = "standard", live: bool) -> Store:
        """A store for `shop` that lists the whole catalogue. `live`: with a baseline, showing `SHOWN`.

        A shop may be smaller than the catalogue: whoever changes only its first items never asks for the others.
        """
        store = Store.objects.create(
            slug=shop.domain.partition(".")[0],
            name=shop.domain,
            shop_domain=shop.domain,
            access_token=shop.token,
            api_base_url=shop.base_url,
            plan=plan,
            granted_scopes=list(CAPABILITIES[0].scopes),
            connection_checked_at=timezone.now(),
            live_at=timezone.now() if live else None,
            integration_date=timezone.localdate(),
            limit_units=None,
            limit_to_zero=None,
            limit_share=None,
        )
        there = StoreLocation.objects.create(
            store=store, ref=shop.location_ref, name="Depozit Cluj", seen_at=timezone.now()
        )
        LocationMapping.objects.create(store=store, location=self.location, store_location=there)
        self._run(
            LINKS + PUBLICATIONS,
            location=self.location.pk,
            store=store.pk,
            store_location=there.pk,
            first_item=shop.first_item,
            first_variant=shop.first_variant,
            live=live,
            shown=SHOWN,
        )
        settle_statistics()
        return store

    def _run(self, statements: str, **values: Any) -> None:
        load(statements, **self._named, **values)


def load(statements: str, **named: Any) -> None:
    """Carry out these statements, all or none, with the values that they name."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys hold by construction; checking them row by row would take most of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements.split(";\n"):
            if statement.strip():
                cursor.execute(statement, named)


def settle_statistics(*also: str) -> None:
    """What autovacuum does some minutes after such a load."""
    with connection.cursor() as cursor:
        for table in (*TABLES, *also):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
