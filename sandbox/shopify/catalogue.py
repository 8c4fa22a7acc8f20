"""What one shop holds, and where each row is found. `inventory` and the orders change quantities; here they are kept."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .handles import UrlRedirect
from .lag import SearchLag
from .options import DEFAULT_OPTION, Option
from .orders_shelf import Shelf
from .rows import Item, Level, Location, Product, Variant


@dataclass
class Shop:
    """One shop and everything in it. `lock` is held for every read and write of its rows."""

    domain: str
    name: str
    number: int
    plan: str
    currency: str = "RON"
    time_zone: str = "Europe/Bucharest"
    locations: list[Location] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    by_gid: dict[str, Any] = field(default_factory=dict)
    products_by_handle: dict[str, Product] = field(default_factory=dict)
    items_by_sku: dict[str, list[Item]] = field(default_factory=dict)  # case folded: search is tolerant
    bundles: dict[str, list[Any]] = field(default_factory=dict)  # variant gid -> its components, of `bundles`
    bundled_in: dict[str, set[Variant]] = field(default_factory=dict)  # item gid -> the bundles it is a component of
    poison: dict[str, str] = field(default_factory=dict)  # item gid -> user error code
    revision: int = 0  # grows when a product or variant changes: sorted pages are kept per revision
    lock: threading.RLock = field(default_factory=threading.RLock)
    sorted_rows: dict[tuple[str, str], tuple[int, list[Any]]] = field(
        default_factory=dict
    )  # kind, sort -> revision, rows
    next_group: int = 1
    products_made: int = 0  # ids are never used again, whatever was deleted
    variants_made: int = 0
    options_made: int = 0
    extras_made: int = 0
    publications: list[Any] = field(default_factory=list)  # rows of `publications`
    metafields: dict[str, dict[tuple[str, str], Any]] = field(
        default_factory=dict
    )  # owner gid -> (namespace, key) -> row
    unique_metafields: set[tuple[str, str]] = field(default_factory=set)  # definitions with unique values
    files: dict[str, Any] = field(default_factory=dict)  # gid -> row of `media`, whether a product shows it or not
    media: dict[str, list[Any]] = field(default_factory=dict)  # product gid -> rows of `media`
    variant_media: dict[str, list[Any]] = field(
        default_factory=dict
    )  # variant gid -> those of its product that it shows
    unreachable: set[str] = field(default_factory=set)  # hosts that files cannot be downloaded from
    collections: dict[str, list[str]] = field(default_factory=dict)  # product gid -> collection gids
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)  # rows of `jobs` by id
    redirects: list[UrlRedirect] = field(default_factory=list)
    variants_by_day: list[tuple[float, int]] = field(default_factory=list)  # productCreate: seconds, how many
    processing_seconds: float = 0.0  # how long jobs, operations and media take
    search: SearchLag = field(default_factory=SearchLag)
    orders: Shelf = field(default_factory=Shelf)
    listeners: list[Callable[[Shop, str, Any], None]] = field(default_factory=list)
    apps: dict[int, Any] = field(default_factory=dict)  # number -> App (`apps`)
    subscriptions: dict[str, Any] = field(default_factory=dict)  # gid -> Subscription (`subscriptions`)
    next_subscription: int = 0
    webhook_hosts: frozenset[str] = frozenset()  # whom deliveries may reach beside this machine
    wanted_changed: Callable[[], None] = lambda: None  # told when subscriptions came or went

    def happened(self, topic: str, row: Any) -> None:
        """Say that something happened, e.g. ``products/update`` and the product, while `lock` is held."""
        for listener in self.listeners:
            listener(self, topic, row)

    def forget_orders(self) -> None:
        """Drop all orders and drafts with all their rows; stock stays as it is."""
        kinds = ("Order", "Refund", "Return", "Fulfillment", "FulfillmentOrder", "DraftOrder")
        self.by_gid = {gid: row for gid, row in self.by_gid.items() if gid.split("/")[3] not in kinds}
        self.orders = Shelf()

    @property
    def id_base(self) -> int:
        """Ids of different shops never coincide."""
        return self.number * 1_000_000_000

    def add_location(self, name: str, stamp: str) -> Location:
        """A new active location, last in the shop's list."""
        index = len(self.locations)
        location = Location(self.id_base + 55 + index, index, name, stamp)
        self.locations.append(location)
        self.by_gid[location.gid] = location
        return location

    def add_product(self, handle: str, title: str, stamp: str) -> Product:
        """A new product without variants and without options of its own."""
        product = Product(self.id_base + 1001 + self.products_made, handle, title, stamp)
        self.set_options(product, [DEFAULT_OPTION])
        self.products_made += 1
        self.products.append(product)
        self.products_by_handle[handle] = product
        self.by_gid[product.gid] = product
        self.revision += 1
        return product

    def new_option(self, name: str) -> Option:
        """An option with an id of its own, for a product to take."""
        self.options_made += 1
        return Option(self.id_base + 500_000_000 + self.options_made, name)

    def set_options(self, product: Product, names: list[str]) -> None:
        """Give a product new options in the place of all it had; its variants' values are the caller's business."""
        product.options = [self.new_option(name) for name in names]

    def add_variant(
        self, product: Product, option_values: tuple[str, ...], sku: str | None, tracked: bool, stamp: str
    ) -> Variant:
        """A new variant with its inventory item, stocked nowhere yet. Its values become known to the product's options."""
        made = self.variants_made
        self.variants_made += 1
        variant = Variant(self.id_base + 200_000_001 + made, product, option_values, stamp)
        item = Item(self.id_base + 400_000_001 + made, sku, tracked, stamp)
        variant.item = item
        item.variant = variant
        for option, value in zip(product.options, option_values, strict=False):
            option.know(value)
        product.variants.append(variant)
        self.variants.append(variant)
        self.items.append(item)
        self.by_gid[variant.gid] = variant
        self.by_gid[item.gid] = item
        if sku is not None:
            self.items_by_sku.setdefault(sku.casefold(), []).append(item)
        self.revision += 1
        return variant

    def rename_sku(self, item: Item, sku: str | None) -> None:
        """Give an item another SKU, keeping the look-up by SKU right."""
        if item.sku is not None:
            self.items_by_sku[item.sku.casefold()].remove(item)
        item.sku = sku
        if sku is not None:
            self.items_by_sku.setdefault(sku.casefold(), []).append(item)
        self.revision += 1

    def rename_handle(self, product: Product, handle: str) -> None:
        """Give a product another handle; the caller has seen to it that it is free."""
        del self.products_by_handle[product.handle]
        product.handle = handle
        self.products_by_handle[handle] = product
        self.revision += 1

    def remove_variant(self, variant: Variant) -> None:
        """Delete a variant with its inventory item and levels. Order lines keep pointing at the row; `holds` tells it is gone."""
        variant.product.variants.remove(variant)
        if variant.item.sku is not None:
            self.items_by_sku[variant.item.sku.casefold()].remove(variant.item)
        for row, rows in ((variant, self.variants), (variant.item, self.items)):
            _take_out(rows, row)
            del self.by_gid[row.gid]
            self.metafields.pop(row.gid, None)
            self.variant_media.pop(row.gid, None)
            self.bundles.pop(row.gid, None)
        self.revision += 1

    def remove_product(self, product: Product) -> None:
        """Delete a product with all its variants."""
        for variant in list(product.variants):
            self.remove_variant(variant)
        _take_out(self.products, product)
        del self.by_gid[product.gid], self.products_by_handle[product.handle]
        for kept in (self.metafields, self.media, self.collections):
            kept.pop(product.gid, None)
        self.revision += 1

    def holds(self, row: Any) -> bool:
        """False for a row that has been deleted."""
        return self.by_gid.get(row.gid) is row

    def new_gid(self, type_name: str) -> tuple[str, int]:
        """A fresh id for a row beside the catalogue (metafield, medium, operation …): the global id and its number."""
        self.extras_made += 1
        number = self.id_base + 600_000_000 + self.extras_made
        return f"gid://shopify/{type_name}/{number}", number

    def duplicate_sku_count(self, item: Item) -> int:
        """How many items carry this item's SKU, itself included; 0 without a SKU."""
        if item.sku is None:
            return 0
        return sum(1 for other in self.items_by_sku[item.sku.casefold()] if other.sku == item.sku)

    def level_by_gid(self, gid: str) -> Level | None:
        """The level that a level id names, if there is one."""
        head, _, item_number = gid.partition("?inventory_item_id=")
        item = self.by_gid.get(f"gid://shopify/InventoryItem/{item_number}")
        location = self.by_gid.get(head.replace("/InventoryLevel/", "/Location/"))
        if isinstance(item, Item) and isinstance(location, Location):
            return item.level_at(location)
        return None

    def node(self, gid: str) -> Any:
        """The row that a global id names, or None."""
        if gid.startswith("gid://shopify/InventoryLevel/"):
            return self.level_by_gid(gid)
        return self.by_gid.get(gid)

    def level_count(self) -> int:
        """Levels that exist, active or not."""
        return sum(1 for item in self.items for level in item.levels if level is not None)


def _take_out(rows: list[Any], row: Any) -> None:
    """Remove a row from a list that is ascending by number."""
    del rows[bisect_left(rows, row.number, key=lambda each: each.number)]
