"""The rows of a catalogue: locations, products with their options, variants, inventory items, their levels. With slots, so that
half a million levels fit in memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .options import NOTHING_CHOSEN, Option

# Index of each stored quantity in `Level.quantities`. on_hand is never stored: it is the sum of the first six.
AVAILABLE, COMMITTED, RESERVED, DAMAGED, QUALITY_CONTROL, SAFETY_STOCK, INCOMING = range(7)
ON_HAND = 7
QUANTITY_NAMES = (
    "available",
    "committed",
    "reserved",
    "damaged",
    "quality_control",
    "safety_stock",
    "incoming",
    "on_hand",
)
QUANTITY_INDEX = {name: index for index, name in enumerate(QUANTITY_NAMES)}


class Location:
    """A place that holds stock. `index` is its position in every item's list of levels."""

    __slots__ = (
        "active",
        "address",
        "created_at",
        "deactivated_at",
        "gid",
        "index",
        "name",
        "number",
        "service",
        "updated_at",
    )

    def __init__(self, number: int, index: int, name: str, stamp: str) -> None:
        self.number = number
        self.index = index
        self.name = name
        self.gid = f"gid://shopify/Location/{number}"
        self.active = True
        self.deactivated_at: str | None = None
        self.created_at = stamp
        self.updated_at = stamp
        self.address: dict[str, str | None] = {"country": "Romania", "countryCode": "RO"}
        self.service: dict[str, Any] | None = None  # set = the location of a fulfilment service


class Level:
    """Quantities of one item at one location."""

    __slots__ = ("active", "created_at", "item", "location", "quantities", "stamps", "updated_at")

    def __init__(self, item: Item, location: Location, available: int, stamp: str, active: bool = True) -> None:
        self.item = item
        self.location = location
        self.active = active
        self.quantities = [available, 0, 0, 0, 0, 0, 0]
        self.stamps: tuple[str, ...] = _all_alike(stamp)  # time of the last change, per name
        self.created_at = stamp
        self.updated_at = stamp

    @property
    def gid(self) -> str:
        """Opaque to callers: the form that Shopify uses."""
        return f"gid://shopify/InventoryLevel/{self.location.number}?inventory_item_id={self.item.number}"

    def on_hand(self) -> int:
        """Physical stock: available + committed + everything held back (incoming is not part of it)."""
        q = self.quantities
        return q[0] + q[1] + q[2] + q[3] + q[4] + q[5]

    def quantity(self, index: int) -> int:
        """The quantity of one name by its index, `ON_HAND` included."""
        return self.on_hand() if index == ON_HAND else self.quantities[index]

    def move(self, index: int, delta: int, stamp: str) -> None:
        """Add `delta` to one stored quantity and stamp it."""
        self.quantities[index] += delta
        stamps = list(self.stamps)
        stamps[index] = stamp
        self.stamps = tuple(stamps)
        self.updated_at = stamp


class Item:
    """The stockable thing behind a variant. `levels` has one place per location; None = never stocked there."""

    __slots__ = (
        "cost",
        "created_at",
        "gid",
        "levels",
        "number",
        "requires_shipping",
        "sku",
        "tracked",
        "updated_at",
        "variant",
        "weight_unit",
        "weight_value",
    )

    variant: Variant

    def __init__(self, number: int, sku: str | None, tracked: bool, stamp: str) -> None:
        self.number = number
        self.gid = f"gid://shopify/InventoryItem/{number}"
        self.sku = sku
        self.tracked = tracked
        self.requires_shipping = True
        self.cost: Decimal | None = None
        self.weight_value = 0.0
        self.weight_unit = "KILOGRAMS"
        self.levels: list[Level | None] = []
        self.created_at = stamp
        self.updated_at = stamp

    def level_at(self, location: Location) -> Level | None:
        """The level at a location, active or not."""
        return self.levels[location.index] if location.index < len(self.levels) else None

    def stock_at(self, location: Location, stamp: str, active: bool) -> Level:
        """The level at a location, made with zero quantities when there is none yet."""
        while len(self.levels) <= location.index:
            self.levels.append(None)
        level = self.levels[location.index]
        if level is None:
            level = self.levels[location.index] = Level(self, location, 0, stamp, active)
        return level


class Variant:
    """What is bought: one combination of a product's option values."""

    __slots__ = (
        "barcode",
        "compare_at_price",
        "created_at",
        "gid",
        "inventory_policy",
        "item",
        "number",
        "option_values",
        "position",
        "price",
        "product",
        "taxable",
        "updated_at",
    )

    item: Item

    def __init__(self, number: int, product: Product, option_values: tuple[str, ...], stamp: str) -> None:
        self.number = number
        self.gid = f"gid://shopify/ProductVariant/{number}"
        self.product = product
        self.position = len(product.variants) + 1
        self.option_values = option_values
        self.barcode: str | None = None
        self.price = "0.00"
        self.compare_at_price: str | None = None
        self.taxable = True
        self.inventory_policy = "DENY"
        self.created_at = stamp
        self.updated_at = stamp

    @property
    def title(self) -> str:
        """The option values joined, as Shopify shows them."""
        return " / ".join(self.option_values)

    def available(self) -> int:
        """Available summed over its active levels."""
        return sum(level.quantities[AVAILABLE] for level in self.item.levels if level is not None and level.active)


class Product:
    """What is described. Its handle is unique in the shop."""

    __slots__ = (
        "created_at",
        "description_html",
        "gid",
        "gift_card",
        "handle",
        "listed",
        "number",
        "options",
        "product_type",
        "published_at",
        "status",
        "tags",
        "title",
        "updated_at",
        "variants",
        "vendor",
    )

    def __init__(self, number: int, handle: str, title: str, stamp: str) -> None:
        self.number = number
        self.gid = f"gid://shopify/Product/{number}"
        self.handle = handle
        self.title = title
        self.description_html = ""
        self.vendor = ""
        self.product_type = ""
        self.tags: list[str] = []
        self.status = "ACTIVE"
        self.gift_card = False
        self.options: list[Option] = []
        self.variants: list[Variant] = []
        self.published_at: str | None = stamp
        # Publication id -> since when. None: as seeded, everywhere since `published_at`, or nowhere when that is None.
        self.listed: dict[str, str] | None = None
        self.created_at = stamp
        self.updated_at = stamp

    @property
    def option_names(self) -> list[str]:
        """The names of its options, in order: what a variant's `option_values` belong to."""
        return [option.name for option in self.options]

    def used_values(self, place: int) -> list[str]:
        """The values of one option that variants have, in the option's order."""
        used = {v.option_values[place] for v in self.variants if len(v.option_values) > place}
        return [name for name in self.options[place].values if name in used]

    def has_only_default(self) -> bool:
        """True while it has no options of its own, so one nameless variant."""
        return len(self.variants) == 1 and self.variants[0].option_values == NOTHING_CHOSEN


_alike: dict[str, tuple[str, ...]] = {}


def _all_alike(stamp: str) -> tuple[str, ...]:
    """One shared tuple per stamp: a freshly seeded shop has the same times on every level."""
    known = _alike.get(stamp)
    if known is None:
        if len(_alike) > 1000:
            _alike.clear()
        known = _alike[stamp] = (stamp,) * 7
    return known
