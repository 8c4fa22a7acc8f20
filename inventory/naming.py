"""How plans name levels: label of the variant, place, and what a unit costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from catalog.models import variant_label
from inventory.models import LevelPublication


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
    rows = LevelPublication.objects.filter(pk__in=list(publication_ids)).values_list(
        "pk",
        "listed__variant__sku",
        "listed__variant__item_number",
        "listed__variant__product__title",
        "listed__variant__option_values",
        "listed__variant__cost",
        "store_location__name",
    )
    return {
        publication_id: Title(variant_label(sku or number, title, options)[:300], place, cost)
        for publication_id, sku, number, title, options, cost, place in rows
    }
