"""Which items and locations of a store are ours: the variant behind an item, and where goods of a location are held."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from connectors.models import Store
from orders.errors import OrderRefused


@dataclass(frozen=True, slots=True)
class Place:
    """A location of the store, and ours that holds goods for it."""

    store_location_id: int
    location_id: int


@dataclass(frozen=True, slots=True)
class Shop:
    """What was looked up of a store."""

    items: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """Item reference → our variant, and whether the store tracks its quantity."""
    places: dict[str, Place] = field(default_factory=dict)
    """Location reference → where goods of a line that is new there are held."""
    names: dict[str, str] = field(default_factory=dict)
    """Location reference → what people call it, where none of ours stands for it."""
    vacated: set[str] = field(default_factory=set)
    """References of those that our goods moved away from."""


# The fourth column: whether the item is tracked there, whether our goods moved away from the location.
# Where several of ours stand for a location of the store, it is the one mapped first.
LOOK_UP: Final = """
SELECT v.item_ref, v.variant_id, NULL::bigint, v.tracked, NULL FROM catalog_listedvariant v
 WHERE v.store_id = %(store)s AND v.item_ref = ANY(%(items)s)
 UNION ALL
(SELECT DISTINCT ON (l.ref) l.ref, l.id, m.location_id, l.vacated, l.name FROM connectors_storelocation l
   LEFT JOIN inventory_locationmapping m ON m.store_location_id = l.id AND m.store_id = l.store_id
  WHERE l.store_id = %(store)s AND l.ref = ANY(%(places)s) ORDER BY l.ref, m.id)
"""


def look_up(store: Store, *, items: Collection[str], places: Collection[str]) -> Shop:
    """Our variants behind these items of `store`, and which locations of ours hold goods for these of its."""
    shop = Shop()
    asked: dict[str, Any] = {"store": store.pk, "items": list(items), "places": list(places)}
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, asked)
        for ref, first, location_id, flag, name in cursor.fetchall():
            if name is None:
                shop.items[ref] = first, flag
            elif location_id is None:
                shop.names[ref] = name
                if flag:
                    shop.vacated.add(ref)
            else:
                shop.places[ref] = Place(first, location_id)
    return shop


def not_mapped(store: Store, ref: str, shop: Shop) -> OrderRefused:
    """Why goods wait at a location of the store that none of ours stands for. Stores go on assigning orders to a location
    that our goods moved away from, as long as its units there are not gone."""
    place = shop.names.get(ref, ref)
    cause = f"The order is assigned to {place}, which no location of ours is mapped to."
    remedy = "Map one to it on the store's page; the order follows by itself."
    if ref in shop.vacated:
        mapped = store.locations.filter(mappings__store=store).order_by("name").distinct()
        now = ", ".join(mapped.values_list("name", flat=True))
        cause = f"The order is assigned to {place}, which our goods moved away from: they are sold from {now} now."
        remedy = f"Move the order there in the store, or map a location of ours to {place} again; it follows by itself."
    return OrderRefused(cause=cause, remedy=remedy, waits_for=f"location:{ref}")
