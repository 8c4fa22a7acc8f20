"""The connection fields: which rows they page through, in which order, and what their search understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import Shop
from .execution import PageRequest, Run
from .lag import total_of
from .pages import Page, take_page
from .rows import Item, Level, Location, Product, Variant
from .search import Search, parse_search
from .world import World

Value = Callable[[Any], Any]


_LEVEL_FIELDS: dict[str, Value] = {
    "created_at": lambda row: row.created_at,
    "id": lambda row: row.item.number,
    "inventory_item_id": lambda row: row.item.number,
    "inventory_group_id": lambda row: row.item.number,
    "updated_at": lambda row: row.updated_at,
}
_ITEM_FIELDS: dict[str, Value] = {
    "created_at": lambda row: row.created_at,
    "id": lambda row: row.number,
    "sku": lambda row: row.sku,
    "updated_at": lambda row: row.updated_at,
}
_VARIANT_FIELDS: dict[str, Value] = {
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
_PRODUCT_FIELDS: dict[str, Value] = {
    "barcode": lambda row: [v.barcode for v in row.variants if v.barcode],
    "created_at": lambda row: row.created_at,
    "handle": lambda row: row.handle,
    "id": lambda row: row.number,
    "inventory_total": lambda row: total_of(row),
    "product_type": lambda row: row.product_type,
    "sku": lambda row: [v.item.sku for v in row.variants if v.item.sku],
    "status": lambda row: row.status,
    "tag": lambda row: row.tags,
    "title": lambda row: row.title,
    "updated_at": lambda row: row.updated_at,
    "vendor": lambda row: row.vendor,
}
_LOCATION_FIELDS: dict[str, Value] = {
    "active": lambda row: row.active,
    "id": lambda row: row.number,
    "name": lambda row: row.name,
}


def searched(world: World, path: str, query: str | None, fields: dict[str, Value], default: Value) -> Search | None:
    """The parsed search of a connection; what it does not understand is told in the answer's extensions."""
    search = parse_search(query, fields, default)
    if search is not None and search.warnings:
        world.searches.append({"path": [path], "query": query, "warnings": search.warnings})
    return search


def _matching(search: Search | None, shop: Shop | None = None) -> Callable[[Any], Any | None]:
    """The row itself when it fits; with a `shop`, only when its index knows the row already."""
    if search is None:
        return lambda row: row
    matches = search.matches
    if shop is None or not shop.search.seconds:
        return lambda row: row if matches(row) else None
    knows = shop.search.knows
    return lambda row: row if knows(row) and matches(row) else None


# ── pages ──


def locations_page(world: World, request: PageRequest, run: Run) -> Page:
    """`locations`: by name or id; inactive ones and those of fulfilment services only on request."""
    inactive, legacy = request.rest.get("includeInactive"), request.rest.get("includeLegacy")
    search = searched(world, "locations", request.rest.get("query"), _LOCATION_FIELDS, lambda row: row.name)
    rows = [
        row
        for row in world.shop.locations
        if (row.active or inactive) and (row.service is None or legacy) and (search is None or search.matches(row))
    ]
    by_id = request.rest.get("sortKey") == "ID"
    key_of: Value = (lambda row: (0, row.number)) if by_id else (lambda row: (row.name, row.number))
    return take_page(sorted(rows, key=key_of), request, key_of)


_PRODUCT_SORTS: dict[str, Value] = {
    "CREATED_AT": lambda row: row.created_at,
    "INVENTORY_TOTAL": lambda row: total_of(row),
    "PRODUCT_TYPE": lambda row: row.product_type,
    "PUBLISHED_AT": lambda row: row.published_at or "",
    "TITLE": lambda row: row.title,
    "UPDATED_AT": lambda row: row.updated_at,
    "VENDOR": lambda row: row.vendor,
}
_VARIANT_SORTS: dict[str, Value] = {
    "FULL_TITLE": lambda row: f"{row.product.title} - {row.title}",
    "INVENTORY_QUANTITY": lambda row: row.available(),
    "NAME": lambda row: f"{row.product.title} - {row.title}",
    "POSITION": lambda row: row.position,
    "SKU": lambda row: row.item.sku or "",
    "TITLE": lambda row: row.title,
}


def _in_order(shop: Shop, kind: str, rows: list[Any], sort: str, key_of: Value) -> list[Any]:
    """The rows sorted, kept while no product changes: the pages of a big shop must not sort it again."""
    volatile = sort in ("INVENTORY_TOTAL", "INVENTORY_QUANTITY")
    kept = shop.sorted_rows.get((kind, sort))
    if kept is None or kept[0] != shop.revision or volatile:
        kept = shop.sorted_rows[(kind, sort)] = (shop.revision, sorted(rows, key=key_of))
    return kept[1]


def _sorted_page(
    world: World,
    request: PageRequest,
    kind: str,
    rows: list[Any],
    sorts: dict[str, Value],
    search: Search | None,
) -> Page:
    value_of = sorts.get(request.rest.get("sortKey", "ID"))
    if value_of is None:
        return take_page(rows, request, _by_number, _matching(search, world.shop))

    def key_of(row: Any) -> tuple[Any, int]:
        return (value_of(row), row.number)

    ordered = _in_order(world.shop, kind, rows, request.rest["sortKey"], key_of)
    return take_page(ordered, request, key_of, _matching(search, world.shop))


def _by_number(row: Any) -> tuple[int, int]:
    return (0, row.number)


def products_page(world: World, request: PageRequest, run: Run) -> Page:
    """`products`: searched and sorted; handles are looked up, not searched."""
    search = searched(world, "products", request.rest.get("query"), _PRODUCT_FIELDS, lambda row: row.title)
    rows = world.shop.products
    if search is not None and search.equal is not None and search.equal[0] == "handle":
        found = (world.shop.products_by_handle.get(handle) for handle in search.equal[1])
        rows = sorted({id(row): row for row in found if row is not None}.values(), key=_by_number)
        return take_page(rows, request, _by_number, _matching(search, world.shop))
    return _sorted_page(world, request, "products", rows, _PRODUCT_SORTS, search)


def variants_page(world: World, request: PageRequest, run: Run) -> Page:
    """`productVariants`: searched and sorted; SKUs are looked up, not searched."""

    def told(row: Variant) -> str:
        return f"{row.product.title} {row.title} {row.item.sku or ''}"

    search = searched(world, "productVariants", request.rest.get("query"), _VARIANT_FIELDS, told)
    if search is not None and search.equal is not None and search.equal[0] == "sku":
        rows = sorted((item.variant for item in _items_with(world.shop, search.equal[1])), key=_by_number)
        return take_page(rows, request, _by_number)
    return _sorted_page(world, request, "variants", world.shop.variants, _VARIANT_SORTS, search)


def items_page(world: World, request: PageRequest, run: Run) -> Page:
    """`inventoryItems`: in the order of their ids."""
    search = searched(world, "inventoryItems", request.rest.get("query"), _ITEM_FIELDS, lambda row: row.sku)
    if search is not None and search.equal is not None and search.equal[0] == "sku":
        return take_page(sorted(_items_with(world.shop, search.equal[1]), key=_by_number), request, _by_number)
    return take_page(world.shop.items, request, _by_number, _matching(search, world.shop))


def _items_with(shop: Shop, skus: list[str]) -> list[Item]:
    found = {item.gid: item for sku in skus for item in shop.items_by_sku.get(sku.casefold(), ())}
    return [item for item in found.values() if shop.search.knows(item)]


def variants_of_product(product: Product, request: PageRequest, run: Run) -> Page:
    """`Product.variants`: in their position."""
    return take_page(product.variants, request, lambda row: (row.position, row.number))


def variants_of_item(item: Item, request: PageRequest, run: Run) -> Page:
    """`InventoryItem.variants`: the one variant."""
    return take_page([item.variant], request, _by_number)


def levels_of_item(item: Item, request: PageRequest, run: Run) -> Page:
    """`InventoryItem.inventoryLevels`: one per location."""
    inactive = request.rest.get("includeInactive")
    search = searched(run.world, "inventoryLevels", request.rest.get("query"), _LEVEL_FIELDS, lambda row: row.item.sku)
    levels = [level for level in item.levels if level is not None and (level.active or inactive)]
    return take_page(levels, request, lambda row: (0, row.location.number), _matching(search))


def levels_of_location(location: Location, request: PageRequest, run: Run) -> Page:
    """Levels of a location in the order of their items; a level's key is its item's."""
    inactive = request.rest.get("includeInactive")
    search = searched(run.world, "inventoryLevels", request.rest.get("query"), _LEVEL_FIELDS, lambda row: row.item.sku)

    def turn(item: Item) -> Level | None:
        level = item.level_at(location)
        if level is None or not (level.active or inactive):
            return None
        return level if search is None or search.matches(level) else None

    def key_of(row: Item | Level) -> tuple[int, int]:
        return (0, row.number if isinstance(row, Item) else row.item.number)

    return take_page(run.world.shop.items, request, key_of, turn)
