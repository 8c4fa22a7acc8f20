"""Following single products of a store: what changed there is read again, and linked as a listing of the whole would.

Whether a variant may be bound depends on others: who has its SKU or barcode, there and here. So together with the products
that changed all those are read that are tied to them, by what is known of the store since it was listed, until nothing
more is tied to what was read. What those become is then what a whole listing would make of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from catalog import linking, matching
from catalog.models import LinkConflict, ListedVariant
from connectors.models import Store
from connectors.ports.errors import RequestRejected
from connectors.ports.products import MAX_PRODUCTS, RemoteProduct
from connectors.registry import store_for

MOST_TIED: Final = 500
"""Products read for the sake of some that changed. More are tied by a code that means nothing, such as an SKU 0."""

# What is known of the store's other products, by the codes, items and variants of ours that those read have, or had.
TIED: Final = """
WITH read AS (
    SELECT l.sku, l.barcode, l.item_ref, l.variant_id FROM catalog_listedvariant l JOIN catalog_listing g ON g.id = l.listing_id
     WHERE l.store_id = %(store)s AND g.remote_ref = ANY(%(products)s)
     UNION ALL
    SELECT k.sku, k.barcode, k.item_ref, c.variant_id FROM catalog_linkconflict k
      LEFT JOIN catalog_linkconflict_candidates c ON c.linkconflict_id = k.id
     WHERE k.store_id = %(store)s AND k.product_ref = ANY(%(products)s)
     UNION ALL
    SELECT sku, barcode, item_ref, NULL FROM linking_seen),
ours AS (
    SELECT v.id, v.sku, v.barcode FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
     WHERE v.id IN (SELECT variant_id FROM read) OR v.sku IN (SELECT sku FROM read WHERE sku <> '')
        OR v.barcode IN (SELECT barcode FROM read WHERE barcode <> '')
        OR lower(p.handle) IN (SELECT lower(handle) FROM linking_seen)),
skus AS (SELECT sku FROM read WHERE sku <> '' UNION SELECT sku FROM ours WHERE sku <> ''),
barcodes AS (SELECT barcode FROM read WHERE barcode <> '' UNION SELECT barcode FROM ours WHERE barcode <> '')
SELECT g.remote_ref FROM catalog_listedvariant l JOIN catalog_listing g ON g.id = l.listing_id
 WHERE l.store_id = %(store)s AND l.gone_at IS NULL
   AND (l.sku IN (SELECT sku FROM skus) OR l.barcode IN (SELECT barcode FROM barcodes)
        OR l.item_ref IN (SELECT item_ref FROM read) OR l.variant_id IN (SELECT id FROM ours))
 UNION
SELECT k.product_ref FROM catalog_linkconflict k
 WHERE k.store_id = %(store)s
   AND (k.sku IN (SELECT sku FROM skus) OR k.barcode IN (SELECT barcode FROM barcodes)
        OR k.item_ref IN (SELECT item_ref FROM read)
        OR EXISTS (SELECT 1 FROM catalog_linkconflict_candidates c
                    WHERE c.linkconflict_id = k.id AND c.variant_id IN (SELECT id FROM ours)))
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """Products read again, those tied to the changed ones included; links written, among them those whose variant is not
    there any more; variants that could not be bound."""

    read: int = 0
    changed: int = 0
    not_bound: int = 0


def is_linked(store: Store) -> bool:
    """The store was listed and linked once, so there is something to follow."""
    of_store = {"store": store}
    return ListedVariant.objects.filter(**of_store).exists() or LinkConflict.objects.filter(**of_store).exists()


def follow(store: Store, refs: list[str], *, then: Callable[[], None] = linking.nothing_more) -> Followed:
    """Bring the links of these products of `store`, and of those tied to them, to what the store shows now.

    Calls the store, so never inside a transaction. Nothing changes when it cannot be read: its ConnectorError goes up,
    RequestRejected where only a listing of the whole store can tell. `then` as in `linking.link`. Callers that keep
    publications refresh them afterwards (`inventory.product_changes`).
    """
    port = store_for(store)
    wanted, found = list(dict.fromkeys(refs)), dict[str, RemoteProduct]()
    known: set[str] = set()
    while wanted:
        for start in range(0, len(wanted), MAX_PRODUCTS):
            found |= {
                product.ref: product for product in port.read_products(wanted[start : start + MAX_PRODUCTS]).products
            }
        known |= set(wanted)
        variants = (variant for product in found.values() for variant in product.variants)
        with matching.listing(variants), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(linking.ALONE, [store.pk])
            wanted = sorted(_tied(store, known) - known)
            if not wanted:
                report = linking.bind(store, products=known)
                then()
                return Followed(len(known), report.changed, report.conflicts + report.only_there)
        if "" in wanted:
            raise _not_known()
        if len(known) + len(wanted) > MOST_TIED:
            raise _too_many(len(known) + len(wanted))
    return Followed()


def _tied(store: Store, known: set[str]) -> set[str]:
    parameters: dict[str, Any] = {"store": store.pk, "products": list(known)}
    with connection.cursor() as cursor:
        cursor.execute(TIED, parameters)
        return {row[0] for row in cursor.fetchall()}


def _too_many(count: int) -> RequestRejected:
    return RequestRejected(
        service="Sync Console",
        operation="follow changed products",
        cause=f"{count:,} products of the store hang together by one SKU or barcode after another.",
        remedy="Give them codes of their own in the store, or link the whole store.",
    )


def _not_known() -> RequestRejected:
    return RequestRejected(
        service="Sync Console",
        operation="follow changed products",
        cause="The store was linked by an earlier release, which did not keep what single products are tied by.",
        remedy="Link the store once, then retry.",
    )
