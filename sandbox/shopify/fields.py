"""The fields of single rows: levels, quantities, items, variants, products, locations, the shop."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from .connections import (
    levels_of_item,
    levels_of_location,
    variants_of_item,
    variants_of_product,
)
from .execution import Run
from .options import Option
from .replies import FieldFault
from .rows import AVAILABLE, ON_HAND, QUANTITY_INDEX, QUANTITY_NAMES, Item, Level, Location, Product, Variant
from .world import World

# One named quantity of a level: name, quantity, time of its last change (never for on_hand), the level. A bare tuple: a read of
# 250 items makes two thousand of them.
Quantity = tuple[str, int, str | None, Level]


class PriceOf(NamedTuple):
    """A `MoneyV2`."""

    amount: str
    currency_code: str


class ProductOption(NamedTuple):
    """A product option, by its place among the product's options (0 = the first)."""

    product: Product
    place: int

    @property
    def option(self) -> Option:
        """The row itself."""
        return self.product.options[self.place]


def _prepare_level_at(arguments: dict[str, Any], run: Run) -> tuple[Location | None, bool]:
    row = run.world.shop.by_gid.get(arguments["locationId"])
    return (row if isinstance(row, Location) else None, bool(arguments.get("includeInactive")))


def _level_at(item: Item, prepared: tuple[Location | None, bool], run: Run) -> Level | None:
    location, inactive = prepared
    level = item.level_at(location) if location is not None else None
    return level if level is not None and (inactive or level.active) else None


def _level_of_item(location: Location, arguments: dict[str, Any], run: Run) -> Level | None:
    item = run.world.shop.by_gid.get(arguments["inventoryItemId"])
    level = item.level_at(location) if isinstance(item, Item) else None
    return level if level is not None and (level.active or arguments.get("includeInactive")) else None


def _prepare_names(arguments: dict[str, Any], run: Run) -> list[int]:
    indices = []
    for name in arguments["names"]:
        if name not in QUANTITY_INDEX:
            raise FieldFault(f"The quantity name '{name}' is not known.", "INVALID_FIELD_ARGUMENTS")
        indices.append(QUANTITY_INDEX[name])
    return indices


def _quantities(level: Level, indices: list[int], run: Run) -> list[Quantity]:
    stored, stamps = level.quantities, level.stamps
    return [
        (QUANTITY_NAMES[i], stored[i], stamps[i], level) if i != ON_HAND else ("on_hand", level.on_hand(), None, level)
        for i in indices
    ]


def _quantity_gid(row: Quantity) -> str:
    level = row[3]
    return (
        f"gid://shopify/InventoryQuantity/{level.location.number}?inventory_item_id={level.item.number}&name={row[0]}"
    )


def _changes(group: Any, arguments: dict[str, Any], run: Run) -> list[Any]:
    names, items, places = (arguments.get(n) for n in ("quantityNames", "inventoryItemIds", "locationIds"))
    return [
        change
        for change in group.changes()
        if (names is None or change.name in names)
        and (items is None or change.item.gid in items)
        and (places is None or change.location.gid in places)
    ]


def _unit_cost(item: Item, arguments: dict[str, Any], run: Run) -> PriceOf | None:
    return None if item.cost is None else PriceOf(decimal_text(str(item.cost)), run.world.shop.currency)


def decimal_text(text: str) -> str:
    """Money as MoneyV2 writes it: at least one decimal, no zeros beyond: 12.5, 60.0."""
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.rstrip('0') or '0'}"


def _has_stock(location: Location, arguments: dict[str, Any], run: Run) -> bool:
    levels = (item.level_at(location) for item in run.world.shop.items)
    return any(level is not None and level.active and level.quantities[AVAILABLE] != 0 for level in levels)


def _exact(number: int) -> dict[str, Any]:
    return {"count": number, "precision": "EXACT"}


def _selected_options(variant: Variant) -> list[dict[str, Any]]:
    pairs = zip(variant.product.options, variant.option_values, strict=False)
    return [
        {"name": option.name, "value": value, "optionValue": _option_value(option, value, used=True)}
        for option, value in pairs
    ]


def _option_value(option: Option, value: str, used: bool) -> dict[str, Any]:
    return {"id": option.value_gid(value), "name": value, "hasVariants": used}


def _option_values(row: ProductOption) -> list[dict[str, Any]]:
    used = set(row.product.used_values(row.place))
    return [_option_value(row.option, value, value in used) for value in row.option.values]


def _plain_text(product: Product) -> str:
    parts = product.description_html.split("<")
    text = parts[0] + "".join(part.partition(">")[2] for part in parts[1:])
    return " ".join(text.split())


def _active_levels(item: Item) -> int:
    return sum(1 for level in item.levels if level is not None and level.active)


def _plan(world: World) -> dict[str, Any]:
    plus = world.plan.name in ("plus", "enterprise")
    return {"publicDisplayName": world.plan.display_name, "shopifyPlus": plus, "partnerDevelopment": False}


_ADDRESS = ("address1", "address2", "city", "country", "countryCode", "province", "provinceCode", "zip", "phone")
_WITH_ID = ("InventoryItem", "InventoryAdjustmentGroup", "InventoryLevel", "Location", "Product", "ProductVariant")

# From the row alone. A field that is in none of the tables is the row's attribute of the same name, in snake case.
PLAIN: dict[tuple[str, str], Callable[[Any], Any]] = {
    **{(name, "id"): lambda row: row.gid for name in _WITH_ID},
    **{
        (name, "legacyResourceId"): lambda row: str(row.number)
        for name in ("InventoryItem", "Location", "Product", "ProductVariant")
    },
    **{("LocationAddress", part): (lambda row, part=part: row.get(part)) for part in _ADDRESS},  # type: ignore[misc]
    ("InventoryQuantity", "id"): _quantity_gid,
    ("InventoryQuantity", "name"): itemgetter(0),
    ("InventoryQuantity", "quantity"): itemgetter(1),
    ("InventoryQuantity", "updatedAt"): itemgetter(2),
    ("InventoryItem", "measurement"): lambda row: row,
    ("InventoryItem", "variant"): lambda row: row.variant,
    ("InventoryItem", "countryCodeOfOrigin"): lambda row: None,
    ("InventoryItem", "provinceCodeOfOrigin"): lambda row: None,
    ("InventoryItem", "harmonizedSystemCode"): lambda row: None,
    ("InventoryItem", "locationsCount"): lambda row: _exact(_active_levels(row)),
    ("InventoryItemMeasurement", "id"): lambda row: f"gid://shopify/InventoryItemMeasurement/{row.number}",
    ("InventoryItemMeasurement", "weight"): lambda row: row,
    ("Weight", "unit"): lambda row: row.weight_unit,
    ("Weight", "value"): lambda row: row.weight_value,
    ("InventoryLevel", "isActive"): lambda row: row.active,
    ("InventoryLevel", "canDeactivate"): lambda row: _active_levels(row.item) > 1,
    ("InventoryLevel", "deactivationAlert"): lambda row: None,
    ("InventoryChange", "quantityAfterChange"): lambda row: None,
    ("Location", "isActive"): lambda row: row.active,
    ("Location", "isFulfillmentService"): lambda row: row.service is not None,
    ("Location", "fulfillsOnlineOrders"): lambda row: row.active,
    ("Location", "shipsInventory"): lambda row: row.active,
    ("Location", "fulfillmentService"): lambda row: row.service,
    ("ProductVariant", "inventoryItem"): lambda row: row.item,
    ("ProductVariant", "sku"): lambda row: row.item.sku,
    ("ProductVariant", "displayName"): lambda row: f"{row.product.title} - {row.title}",
    ("ProductVariant", "inventoryQuantity"): lambda row: row.available(),
    ("ProductVariant", "selectedOptions"): _selected_options,
    ("ProductVariant", "availableForSale"): lambda row: not row.item.tracked or row.available() > 0,
    ("Product", "description"): _plain_text,
    ("Product", "isGiftCard"): lambda row: row.gift_card,
    ("Product", "tracksInventory"): lambda row: any(v.item.tracked for v in row.variants),
    ("Product", "variantsCount"): lambda row: _exact(len(row.variants)),
    ("Product", "hasOnlyDefaultVariant"): lambda row: row.has_only_default(),
    ("Product", "options"): lambda row: [ProductOption(row, i) for i in range(len(row.options))],
    ("ProductOption", "id"): lambda row: row.option.gid,
    ("ProductOption", "name"): lambda row: row.option.name,
    ("ProductOption", "position"): lambda row: row.place + 1,
    ("ProductOption", "values"): lambda row: row.product.used_values(row.place),
    ("ProductOption", "optionValues"): _option_values,
    ("Shop", "id"): lambda row: f"gid://shopify/Shop/{row.shop.id_base + 1}",
    ("Shop", "name"): lambda row: row.shop.name,
    ("Shop", "myshopifyDomain"): lambda row: row.shop.domain,
    ("Shop", "currencyCode"): lambda row: row.shop.currency,
    ("Shop", "enabledPresentmentCurrencies"): lambda row: [row.shop.currency],
    ("Shop", "ianaTimezone"): lambda row: row.shop.time_zone,
    ("Shop", "timezoneAbbreviation"): lambda row: "EET",
    ("Shop", "taxesIncluded"): lambda row: True,
    ("Shop", "taxShipping"): lambda row: False,
    ("Shop", "weightUnit"): lambda row: "KILOGRAMS",
    ("Shop", "email"): lambda row: f"owner@{row.shop.domain}",
    ("Shop", "url"): lambda row: f"https://{row.shop.domain}",
    ("Shop", "createdAt"): lambda row: "2024-01-01T00:00:00Z",
    ("Shop", "plan"): _plan,
    ("Shop", "resourceLimits"): lambda row: {
        "locationLimit": 200,
        "maxProductOptions": 3,
        "maxProductVariants": 2048,
    },
}

# From the row, its arguments and the run.
FULL: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = {
    ("InventoryItem", "duplicateSkuCount"): lambda row, _, run: run.world.shop.duplicate_sku_count(row),
    ("InventoryItem", "unitCost"): _unit_cost,
    ("InventoryItem", "inventoryLevel"): _level_at,
    ("InventoryItem", "inventoryLevels"): levels_of_item,
    ("InventoryItem", "variants"): variants_of_item,
    ("InventoryLevel", "quantities"): _quantities,
    ("InventoryAdjustmentGroup", "changes"): _changes,
    ("InventoryAdjustmentGroup", "app"): lambda row, _, run: {
        "id": f"gid://shopify/App/{run.world.app_number}",
        "title": "Sandbox app",
        "handle": "sandbox-app",
    },
    ("Location", "hasActiveInventory"): _has_stock,
    ("Location", "inventoryLevel"): _level_of_item,
    ("Location", "inventoryLevels"): levels_of_location,
    ("Product", "totalInventory"): lambda row, _, run: run.world.shop.search.total(row),
    ("Product", "variants"): variants_of_product,
}

# Arguments turned, once per request, into what the resolver wants.
PREPARE: dict[tuple[str, str], Callable[[dict[str, Any], Run], Any]] = {
    ("InventoryItem", "inventoryLevel"): _prepare_level_at,
    ("InventoryLevel", "quantities"): _prepare_names,
}
