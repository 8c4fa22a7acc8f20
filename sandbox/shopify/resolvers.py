"""Where every field of the schema subset gets its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .access import CANDIDATE_VERSIONS, NODE_SCOPES, REQUIRED_SCOPES, SUPPORTED_VERSIONS
from .catalogue import (
    AVAILABLE,
    ON_HAND,
    QUANTITY_INDEX,
    QUANTITY_NAMES,
    Item,
    Level,
    Location,
    Product,
    Shop,
    Variant,
)
from .execution import PageRequest, Run, Vocabulary
from .inventory import (
    activate,
    adjust_quantities,
    deactivate,
    keyed,
    prepare_rows,
    set_quantities,
    unkeyed,
    update_item,
)
from .pages import Page, take_page
from .replies import FieldFault, Refused, error, too_long
from .search import Search, parse_search
from .world import World

MAX_IDS = 250


class Quantity(NamedTuple):
    """One named quantity of a level."""

    level: Level
    index: int


class PriceOf(NamedTuple):
    """A `MoneyV2`."""

    amount: str
    currency_code: str


class Option(NamedTuple):
    """A product option."""

    product: Product
    index: int

    def values(self) -> list[str]:
        """The values that its variants use, in order of first use."""
        return list(dict.fromkeys(v.option_values[self.index] for v in self.product.variants))


# ── search fields ──

_LEVEL_FIELDS: dict[str, Callable[[Any], Any]] = {
    "created_at": lambda row: row.created_at,
    "id": lambda row: row.item.number,
    "inventory_item_id": lambda row: row.item.number,
    "inventory_group_id": lambda row: row.item.number,
    "updated_at": lambda row: row.updated_at,
}
_ITEM_FIELDS: dict[str, Callable[[Any], Any]] = {
    "created_at": lambda row: row.created_at,
    "id": lambda row: row.number,
    "sku": lambda row: row.sku,
    "updated_at": lambda row: row.updated_at,
}
_VARIANT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "barcode": lambda row: row.barcode,
    "id": lambda row: row.number,
    "inventory_quantity": lambda row: row.available(),
    "product_id": lambda row: row.product.number,
    "product_status": lambda row: row.product.status,
    "product_type": lambda row: row.product.product_type,
    "sku": lambda row: row.item.sku,
    "tag": lambda row: row.product.tags,
    "title": lambda row: row.title,
    "updated_at": lambda row: row.updated_at,
    "vendor": lambda row: row.product.vendor,
}
_PRODUCT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "barcode": lambda row: [v.barcode for v in row.variants if v.barcode],
    "created_at": lambda row: row.created_at,
    "handle": lambda row: row.handle,
    "id": lambda row: row.number,
    "inventory_total": lambda row: _total(row),
    "product_type": lambda row: row.product_type,
    "sku": lambda row: [v.item.sku for v in row.variants if v.item.sku],
    "status": lambda row: row.status,
    "tag": lambda row: row.tags,
    "title": lambda row: row.title,
    "updated_at": lambda row: row.updated_at,
    "vendor": lambda row: row.vendor,
}
_LOCATION_FIELDS: dict[str, Callable[[Any], Any]] = {
    "active": lambda row: row.active,
    "id": lambda row: row.number,
    "name": lambda row: row.name,
}


def _searched(
    world: World, path: str, query: str | None, fields: dict[str, Callable[[Any], Any]], default: Callable[[Any], Any]
) -> Search | None:
    search = parse_search(query, fields, default)
    if search is not None and search.warnings:
        world.searches.append({"path": [path], "query": query, "warnings": search.warnings})
    return search


def _matching(search: Search | None) -> Callable[[Any], Any | None]:
    if search is None:
        return lambda row: row
    matches = search.matches
    return lambda row: row if matches(row) else None


# ── root ──


def _nodes(world: World, arguments: dict[str, Any], run: Run) -> list[Any]:
    node = world.shop.node
    found = [node(gid) for gid in arguments["ids"]]
    for kind in {type(row).__name__ for row in found if row is not None}:
        _check_node(_type_name_of[kind], run, "nodes")
    world.rows += len(found)
    return found


def _prepare_nodes(arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    ids = arguments["ids"]
    if len(ids) > MAX_IDS:
        raise too_long(len(ids), ["nodes", "ids"])
    for gid in ids:
        _check_gid(gid, ["nodes", "ids"])
    return arguments


def _node(world: World, arguments: dict[str, Any], run: Run) -> Any:
    _check_gid(arguments["id"], ["node", "id"])
    row = world.shop.node(arguments["id"])
    if row is not None:
        _check_node(type_name(row), run, "node")
    world.rows += 1
    return row


def _check_gid(gid: str, path: list[str | int]) -> None:
    if not gid.startswith("gid://shopify/"):
        raise Refused(error(f"Invalid global id '{gid}'", "argumentLiteralsIncompatible", path))


def _check_node(name: str, run: Run, field: str) -> None:
    needs = NODE_SCOPES[name]
    if needs.isdisjoint(run.scopes):
        wanted = " or ".join(f"`{scope}` access scope" for scope in sorted(needs))
        raise FieldFault(f"Access denied for {field} field. Required access: {wanted}.", "ACCESS_DENIED")


def _by_id(kind: type[Any]) -> Callable[[World, dict[str, Any], Run], Any]:
    def resolve(world: World, arguments: dict[str, Any], run: Run) -> Any:
        row = world.shop.node(arguments["id"])
        return row if isinstance(row, kind) else None

    return resolve


def _location(world: World, arguments: dict[str, Any], run: Run) -> Location | None:
    gid = arguments.get("id")
    if gid is None:
        return world.shop.locations[0] if world.shop.locations else None
    row = world.shop.node(gid)
    return row if isinstance(row, Location) else None


def _product_by_identifier(world: World, arguments: dict[str, Any], run: Run) -> Product | None:
    identifier = arguments["identifier"]
    if "handle" in identifier:
        return world.shop.products_by_handle.get(identifier["handle"])
    row = world.shop.by_gid.get(identifier.get("id", ""))
    return row if isinstance(row, Product) else None


def _api_versions(world: World, arguments: dict[str, Any], run: Run) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"handle": v, "displayName": v, "supported": True} for v in SUPPORTED_VERSIONS]
    candidate, unstable = CANDIDATE_VERSIONS
    rows.append({"handle": candidate, "displayName": f"{candidate} (Release candidate)", "supported": False})
    rows.append({"handle": unstable, "displayName": unstable, "supported": False})
    return rows


# ── connections ──


def _locations(world: World, request: PageRequest, run: Run) -> Page:
    inactive, legacy = request.rest.get("includeInactive"), request.rest.get("includeLegacy")
    search = _searched(world, "locations", request.rest.get("query"), _LOCATION_FIELDS, lambda row: row.name)
    rows = [
        row
        for row in world.shop.locations
        if (row.active or inactive) and (row.service is None or legacy) and (search is None or search.matches(row))
    ]
    by_id = request.rest.get("sortKey") == "ID"
    key_of: Callable[[Any], Any] = (lambda row: (0, row.number)) if by_id else (lambda row: (row.name, row.number))
    return take_page(sorted(rows, key=key_of), request, key_of)


_PRODUCT_SORTS: dict[str, Callable[[Any], Any]] = {
    "CREATED_AT": lambda row: row.created_at,
    "INVENTORY_TOTAL": lambda row: _total(row),
    "PRODUCT_TYPE": lambda row: row.product_type,
    "PUBLISHED_AT": lambda row: row.published_at or "",
    "TITLE": lambda row: row.title,
    "UPDATED_AT": lambda row: row.updated_at,
    "VENDOR": lambda row: row.vendor,
}
_VARIANT_SORTS: dict[str, Callable[[Any], Any]] = {
    "FULL_TITLE": lambda row: f"{row.product.title} - {row.title}",
    "INVENTORY_QUANTITY": lambda row: row.available(),
    "NAME": lambda row: f"{row.product.title} - {row.title}",
    "POSITION": lambda row: row.position,
    "SKU": lambda row: row.item.sku or "",
    "TITLE": lambda row: row.title,
}


class _Sorted:
    """Sorted lists per shop, kept while no product changes: pages of a big shop must not sort it again."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[int, list[Any]]] = {}

    def rows(self, shop: Shop, kind: str, rows: list[Any], sort: str, key_of: Callable[[Any], Any]) -> list[Any]:
        kept = self._kept.get((shop.domain, kind, sort))
        volatile = sort in ("INVENTORY_TOTAL", "INVENTORY_QUANTITY")
        if kept is None or kept[0] != shop.revision or volatile or len(kept[1]) != len(rows):
            kept = self._kept[(shop.domain, kind, sort)] = (shop.revision, sorted(rows, key=key_of))
        return kept[1]


_sorted = _Sorted()


def _sorted_page(
    world: World,
    request: PageRequest,
    kind: str,
    rows: list[Any],
    sorts: dict[str, Callable[[Any], Any]],
    search: Search | None,
) -> Page:
    value_of = sorts.get(request.rest.get("sortKey", "ID"))
    if value_of is None:
        return take_page(rows, request, _by_number, _matching(search))

    def key_of(row: Any) -> tuple[Any, int]:
        return (value_of(row), row.number)

    ordered = _sorted.rows(world.shop, kind, rows, request.rest["sortKey"], key_of)
    return take_page(ordered, request, key_of, _matching(search))


def _by_number(row: Any) -> tuple[int, int]:
    return (0, row.number)


def _products(world: World, request: PageRequest, run: Run) -> Page:
    search = _searched(world, "products", request.rest.get("query"), _PRODUCT_FIELDS, lambda row: row.title)
    rows = world.shop.products
    if search is not None and search.equal is not None and search.equal[0] == "handle":
        found = (world.shop.products_by_handle.get(handle) for handle in search.equal[1])
        rows = sorted({id(row): row for row in found if row is not None}.values(), key=_by_number)
        return take_page(rows, request, _by_number, _matching(search))
    return _sorted_page(world, request, "products", rows, _PRODUCT_SORTS, search)


def _variants(world: World, request: PageRequest, run: Run) -> Page:
    def told(row: Variant) -> str:
        return f"{row.product.title} {row.title} {row.item.sku or ''}"

    search = _searched(world, "productVariants", request.rest.get("query"), _VARIANT_FIELDS, told)
    if search is not None and search.equal is not None and search.equal[0] == "sku":
        rows = sorted((item.variant for item in _items_with(world.shop, search.equal[1])), key=_by_number)
        return take_page(rows, request, _by_number)
    return _sorted_page(world, request, "variants", world.shop.variants, _VARIANT_SORTS, search)


def _items(world: World, request: PageRequest, run: Run) -> Page:
    search = _searched(world, "inventoryItems", request.rest.get("query"), _ITEM_FIELDS, lambda row: row.sku)
    if search is not None and search.equal is not None and search.equal[0] == "sku":
        return take_page(sorted(_items_with(world.shop, search.equal[1]), key=_by_number), request, _by_number)
    return take_page(world.shop.items, request, _by_number, _matching(search))


def _items_with(shop: Shop, skus: list[str]) -> list[Item]:
    return list({item.gid: item for sku in skus for item in shop.items_by_sku.get(sku.casefold(), ())}.values())


def _product_variants(product: Product, request: PageRequest, run: Run) -> Page:
    return take_page(product.variants, request, lambda row: (row.position, row.number))


def _item_variants(item: Item, request: PageRequest, run: Run) -> Page:
    return take_page([item.variant], request, _by_number)


def _item_levels(item: Item, request: PageRequest, run: Run) -> Page:
    inactive = request.rest.get("includeInactive")
    search = _searched(run.world, "inventoryLevels", request.rest.get("query"), _LEVEL_FIELDS, lambda row: row.item.sku)
    levels = [level for level in item.levels if level is not None and (level.active or inactive)]
    return take_page(levels, request, lambda row: (0, row.location.number), _matching(search))


def _location_levels(location: Location, request: PageRequest, run: Run) -> Page:
    """Levels of a location in the order of their items; a level's key is its item's."""
    inactive = request.rest.get("includeInactive")
    search = _searched(run.world, "inventoryLevels", request.rest.get("query"), _LEVEL_FIELDS, lambda row: row.item.sku)

    def turn(item: Item) -> Level | None:
        level = item.level_at(location)
        if level is None or not (level.active or inactive):
            return None
        return level if search is None or search.matches(level) else None

    def key_of(row: Item | Level) -> tuple[int, int]:
        return (0, row.number if isinstance(row, Item) else row.item.number)

    return take_page(run.world.shop.items, request, key_of, turn)


# ── single rows ──


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
    return [Quantity(level, index) for index in indices]


def _quantity_value(row: Quantity) -> int:
    level, index = row
    return level.on_hand() if index == ON_HAND else level.quantities[index]


def _quantity_stamp(row: Quantity) -> str | None:
    level, index = row
    return None if index == ON_HAND else level.stamps[index]


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
    return None if item.cost is None else PriceOf(_amount(str(item.cost)), run.world.shop.currency)


def _amount(text: str) -> str:
    """Money as MoneyV2 writes it: at least one decimal, no zeros beyond: 12.5, 60.0."""
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.rstrip('0') or '0'}"


def _count(rows: Callable[[World], list[Any]]) -> Callable[[World, dict[str, Any], Run], dict[str, Any]]:
    def resolve(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
        number, limit = len(rows(world)), arguments.get("limit")
        if limit is not None and number > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": number, "precision": "EXACT"}

    return resolve


def _exact(number: int) -> dict[str, Any]:
    return {"count": number, "precision": "EXACT"}


def _total(product: Product) -> int:
    return sum(v.available() for v in product.variants if v.item.tracked)


def _selected_options(variant: Variant) -> list[dict[str, Any]]:
    pairs = zip(variant.product.option_names, variant.option_values, strict=False)
    return [
        {"name": name, "value": value, "optionValue": _option_value(variant.product, index, value)}
        for index, (name, value) in enumerate(pairs)
    ]


def _option_value(product: Product, index: int, value: str) -> dict[str, Any]:
    options = Option(product, index)
    number = options.values().index(value) if value in options.values() else 0
    gid = f"gid://shopify/ProductOptionValue/{product.number * 1000 + index * 300 + number}"
    return {"id": gid, "name": value, "hasVariants": True}


def _plain_text(product: Product) -> str:
    parts = product.description_html.split("<")
    text = parts[0] + "".join(part.partition(">")[2] for part in parts[1:])
    return " ".join(text.split())


def _quantity_properties(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    comprises = ["available", "committed", "damaged", "quality_control", "reserved", "safety_stock"]
    return {
        "quantityNames": [
            {
                "name": name,
                "displayName": name.replace("_", " ").capitalize(),
                "isInUse": True,
                "belongsTo": ["on_hand"] if name in comprises else [],
                "comprises": comprises if name == "on_hand" else [],
            }
            for name in QUANTITY_NAMES
        ]
    }


def _shop(world: World, arguments: dict[str, Any], run: Run) -> World:
    return world


def _plan(world: World) -> dict[str, Any]:
    plus = world.plan.name in ("plus", "enterprise")
    return {"publicDisplayName": world.plan.display_name, "shopifyPlus": plus, "partnerDevelopment": False}


def _installation(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in world.granted]
    return {"id": f"gid://shopify/AppInstallation/{world.shop.id_base + world.app_number}", "accessScopes": scopes}


_type_name_of = {
    "Item": "InventoryItem",
    "Level": "InventoryLevel",
    "Location": "Location",
    "Product": "Product",
    "Variant": "ProductVariant",
}


def type_name(row: Any) -> str:
    """The GraphQL type of a row of the catalogue."""
    return _type_name_of[type(row).__name__]


def vocabulary() -> Vocabulary:
    """Resolvers of every field that is not simply the row's attribute of the same name."""
    words = Vocabulary(type_name=type_name, access=REQUIRED_SCOPES)
    words.mappings = frozenset(
        {
            "AccessScope",
            "ApiVersion",
            "AppInstallation",
            "Count",
            "InventoryActivatePayload",
            "InventoryAdjustQuantitiesPayload",
            "InventoryAdjustQuantitiesUserError",
            "InventoryDeactivatePayload",
            "InventoryItemUpdatePayload",
            "InventoryProperties",
            "InventoryQuantityName",
            "InventorySetQuantitiesPayload",
            "InventorySetQuantitiesUserError",
            "App",
            "FulfillmentService",
            "ProductOptionValue",
            "SelectedOption",
            "ShopPlan",
            "ShopResourceLimits",
            "UserError",
        }
    )
    _fill_plain(words)
    _fill_full(words)
    return words


def _fill_plain(words: Vocabulary) -> None:
    for name in (
        "InventoryItem",
        "InventoryAdjustmentGroup",
        "InventoryLevel",
        "Location",
        "Product",
        "ProductVariant",
    ):
        words.plain[(name, "id")] = lambda row: row.gid
    for name in ("InventoryItem", "Location", "Product", "ProductVariant"):
        words.plain[(name, "legacyResourceId")] = lambda row: str(row.number)
    for name in (*QUANTITY_TYPES,):
        words.plain.update(QUANTITY_TYPES[name])
    words.plain.update(
        {
            ("InventoryItem", "measurement"): lambda row: row,
            ("InventoryItem", "variant"): lambda row: row.variant,
            ("InventoryItem", "countryCodeOfOrigin"): lambda row: None,
            ("InventoryItem", "provinceCodeOfOrigin"): lambda row: None,
            ("InventoryItem", "harmonizedSystemCode"): lambda row: None,
            ("InventoryItem", "locationsCount"): lambda row: _exact(sum(1 for x in row.levels if x and x.active)),
            ("InventoryItemMeasurement", "id"): lambda row: f"gid://shopify/InventoryItemMeasurement/{row.number}",
            ("InventoryItemMeasurement", "weight"): lambda row: row,
            ("Weight", "unit"): lambda row: row.weight_unit,
            ("Weight", "value"): lambda row: row.weight_value,
            ("InventoryLevel", "isActive"): lambda row: row.active,
            ("InventoryLevel", "canDeactivate"): lambda row: sum(1 for x in row.item.levels if x and x.active) > 1,
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
            ("Product", "totalInventory"): _total,
            ("Product", "tracksInventory"): lambda row: any(v.item.tracked for v in row.variants),
            ("Product", "variantsCount"): lambda row: _exact(len(row.variants)),
            ("Product", "hasOnlyDefaultVariant"): lambda row: (
                len(row.variants) == 1 and row.variants[0].option_values == ("Default Title",)
            ),
            ("Product", "options"): lambda row: [Option(row, i) for i in range(len(row.option_names))],
            ("ProductOption", "id"): lambda row: f"gid://shopify/ProductOption/{row.product.number * 10 + row.index}",
            ("ProductOption", "name"): lambda row: row.product.option_names[row.index],
            ("ProductOption", "position"): lambda row: row.index + 1,
            ("ProductOption", "values"): lambda row: row.values(),
            ("ProductOption", "optionValues"): lambda row: [
                _option_value(row.product, row.index, value) for value in row.values()
            ],
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
    )
    for part in ("address1", "address2", "city", "country", "countryCode", "province", "provinceCode", "zip", "phone"):
        words.plain[("LocationAddress", part)] = lambda row, part=part: row.get(part)  # type: ignore[misc]


QUANTITY_TYPES: dict[str, dict[tuple[str, str], Callable[[Any], Any]]] = {
    "InventoryQuantity": {
        ("InventoryQuantity", "id"): lambda row: (
            f"gid://shopify/InventoryQuantity/{row.level.location.number}"
            f"?inventory_item_id={row.level.item.number}&name={QUANTITY_NAMES[row.index]}"
        ),
        ("InventoryQuantity", "name"): lambda row: QUANTITY_NAMES[row[1]],
        ("InventoryQuantity", "quantity"): _quantity_value,
        ("InventoryQuantity", "updatedAt"): _quantity_stamp,
    }
}


def _fill_full(words: Vocabulary) -> None:
    words.full.update(
        {
            ("QueryRoot", "shop"): _shop,
            ("QueryRoot", "currentAppInstallation"): _installation,
            ("QueryRoot", "inventoryProperties"): _quantity_properties,
            ("QueryRoot", "locations"): _locations,
            ("QueryRoot", "location"): _location,
            ("QueryRoot", "locationsCount"): _count(lambda world: [x for x in world.shop.locations if x.active]),
            ("QueryRoot", "products"): _products,
            ("QueryRoot", "product"): _by_id(Product),
            ("QueryRoot", "productByIdentifier"): _product_by_identifier,
            ("QueryRoot", "productsCount"): _count(lambda world: world.shop.products),
            ("QueryRoot", "productVariants"): _variants,
            ("QueryRoot", "productVariant"): _by_id(Variant),
            ("QueryRoot", "productVariantsCount"): _count(lambda world: world.shop.variants),
            ("QueryRoot", "inventoryItems"): _items,
            ("QueryRoot", "inventoryItem"): _by_id(Item),
            ("QueryRoot", "inventoryLevel"): _by_id(Level),
            ("QueryRoot", "node"): _node,
            ("QueryRoot", "nodes"): _nodes,
            ("QueryRoot", "publicApiVersions"): _api_versions,
            ("InventoryItem", "duplicateSkuCount"): lambda row, _, run: run.world.shop.duplicate_sku_count(row),
            ("InventoryItem", "unitCost"): _unit_cost,
            ("InventoryItem", "inventoryLevel"): _level_at,
            ("InventoryItem", "inventoryLevels"): _item_levels,
            ("InventoryItem", "variants"): _item_variants,
            ("InventoryLevel", "quantities"): _quantities,
            ("InventoryAdjustmentGroup", "changes"): _changes,
            ("InventoryAdjustmentGroup", "app"): lambda row, _, run: {
                "id": f"gid://shopify/App/{run.world.app_number}",
                "title": "Sandbox app",
                "handle": "sandbox-app",
            },
            ("Location", "hasActiveInventory"): _has_stock,
            ("Location", "inventoryLevel"): _level_of_item,
            ("Location", "inventoryLevels"): _location_levels,
            ("Product", "variants"): _product_variants,
            ("Mutation", "inventorySetQuantities"): keyed(
                "inventorySetQuantities", set_quantities, "inventoryAdjustmentGroup", True, "quantities"
            ),
            ("Mutation", "inventoryAdjustQuantities"): keyed(
                "inventoryAdjustQuantities", adjust_quantities, "inventoryAdjustmentGroup", True, "changes"
            ),
            ("Mutation", "inventoryActivate"): keyed("inventoryActivate", activate, "inventoryLevel", False),
            ("Mutation", "inventoryDeactivate"): unkeyed(deactivate),
            ("Mutation", "inventoryItemUpdate"): unkeyed(update_item),
        }
    )
    words.prepare.update(
        {
            ("QueryRoot", "nodes"): _prepare_nodes,
            ("InventoryItem", "inventoryLevel"): _prepare_level_at,
            ("InventoryLevel", "quantities"): _prepare_names,
            ("Mutation", "inventorySetQuantities"): prepare_rows("quantities", "inventorySetQuantities"),
            ("Mutation", "inventoryAdjustQuantities"): prepare_rows("changes", "inventoryAdjustQuantities"),
        }
    )


def _has_stock(location: Location, arguments: dict[str, Any], run: Run) -> bool:
    levels = (item.level_at(location) for item in run.world.shop.items)
    return any(level is not None and level.active and level.quantities[AVAILABLE] != 0 for level in levels)
