"""How plans name levels: label of the variant, place, and what a unit costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from catalog.models import variant_label
from syncconsole.kernel import bulk


@dataclass(frozen=True, slots=True)
class Title:
    """What a plan's line says about a level besides its quantities."""

    label: str
    place: str
    cost: Decimal | None

    def value(self, units: int) -> Decimal | None:
        """Units at cost; None where the cost is not known."""
        return None if self.cost is None else self.cost * units


def titles(publication_ids: Iterable[int]) -> dict[int, Title]:
    """Publication id → its title."""
    with connection.cursor() as cursor:
        cursor.execute(TITLES, [bulk.ids(publication_ids)])
        return {
            publication_id: Title(variant_label(sku or number, title, options)[:300], place, cost)
            for publication_id, sku, number, title, options, cost, place in cursor.fetchall()
        }


TITLES = """
SELECT p.id, v.sku, v.item_number, product.title, v.option_values, v.cost, place.name
  FROM inventory_levelpublication p
  JOIN catalog_listedvariant listed ON listed.id = p.listed_id
  JOIN catalog_variant v ON v.id = listed.variant_id
  JOIN catalog_product product ON product.id = v.product_id
  JOIN connectors_storelocation place ON place.id = p.store_location_id
 WHERE p.id = ANY(%s)
"""
