"""Looking at stock and editing it by hand, as a person would in the shop's admin."""

from __future__ import annotations

from itertools import islice
from typing import Any

from sandbox.shopify.catalogue import Shop
from sandbox.shopify.events import level_connected, level_disconnected, level_moved
from sandbox.shopify.rows import AVAILABLE, DAMAGED, QUANTITY_INDEX, QUANTITY_NAMES, Item, Level, Location

from .asking import Ask, ControlError, item_of, location_of, whole

_EDITS = ("delta", "set", "damaged", "quantities", "active", "stocked", "tracked")


def list_levels(ask: Ask) -> dict[str, Any]:
    """Levels with all quantities, filtered by sku, item and location; `limit` (1,000) and `offset`."""
    shop = ask.shop()
    limit, offset = int(ask.query.get("limit", "1000")), int(ask.query.get("offset", "0"))
    place = location_of(shop, ask.query["location"]) if "location" in ask.query else None
    with shop.lock:
        rows = _items(shop, ask.query)
        levels = [x for item in rows for x in item.levels if x is not None and (place is None or x.location is place)]
        return {
            "shop": shop.domain,
            "total": len(levels),
            "levels": [_told(x) for x in islice(levels, offset, offset + limit)],
        }


def edit_levels(ask: Ask) -> dict[str, Any]:
    """One edit, or several under ``edits``; each changes one level. See `_EDITS` for what can be said."""
    shop = ask.shop()
    edits = ask.body.get("edits", [ask.body])
    if not isinstance(edits, list):
        raise ControlError("'edits' is not a list.", "Send a list of objects.")
    stamp = ask.sandbox.clock.stamp()
    with shop.lock:
        checked = [_checked(shop, edit) for edit in edits]
        return {"levels": [_edit(shop, item, place, edit, stamp) for item, place, edit in checked]}


def _items(shop: Shop, query: dict[str, str]) -> list[Item]:
    if "item" in query:
        return [item_of(shop, {"item": query["item"]})]
    if "sku" in query:
        return [item for item in shop.items_by_sku.get(query["sku"].casefold(), ()) if item.sku == query["sku"]]
    return shop.items


def _checked(shop: Shop, edit: Any) -> tuple[Item, Location, dict[str, Any]]:
    if not isinstance(edit, dict) or not any(name in edit for name in _EDITS):
        raise ControlError("An edit says nothing to change.", f"Add one of: {', '.join(_EDITS)}.")
    for name in ("delta", "set", "damaged"):
        if name in edit:
            whole(edit[name], name)
    for name, quantity in dict(edit.get("quantities", {})).items():
        if name not in QUANTITY_INDEX or name == "on_hand":
            raise ControlError(
                f"{name!r} can't be set.", f"Use: {', '.join(n for n in QUANTITY_NAMES if n != 'on_hand')}."
            )
        whole(quantity, name)
    item = item_of(shop, edit)
    if item.variant.gid in shop.bundles:
        names = ", ".join(str(part.product_variant.item.sku) for part in shop.bundles[item.variant.gid])
        raise ControlError(f"{item.sku} is a bundle: its stock follows its components.", f"Edit one of: {names}.", 409)
    return item, location_of(shop, edit.get("location")), edit


def _edit(shop: Shop, item: Item, place: Location, edit: dict[str, Any], stamp: str) -> dict[str, Any]:
    if "tracked" in edit:
        item.tracked = bool(edit["tracked"])
        item.updated_at = stamp
        shop.happened("inventory_items/update", item)
    level = item.level_at(place)
    if edit.get("stocked") is False:
        if level is not None:
            item.levels[place.index] = None
            level_disconnected(shop, level)
        return {"item": item.gid, "sku": item.sku, "location": place.gid, "stocked": False}
    if level is None:
        level = item.stock_at(place, stamp, active=True)
        level_connected(shop, level)
    before = list(level.quantities)
    if "active" in edit and level.active != bool(edit["active"]):
        level.active = bool(edit["active"])
        level.updated_at = stamp
        (level_connected if level.active else level_disconnected)(shop, level)
    _move(level, edit, stamp)
    if level.quantities != before:
        level_moved(shop, level)
    return _told(level)


def _move(level: Level, edit: dict[str, Any], stamp: str) -> None:
    if "set" in edit:
        level.move(AVAILABLE, edit["set"] - level.quantities[AVAILABLE], stamp)
    if "delta" in edit:
        level.move(AVAILABLE, edit["delta"], stamp)
    if "damaged" in edit:
        level.move(AVAILABLE, -edit["damaged"], stamp)
        level.move(DAMAGED, edit["damaged"], stamp)
    for name, quantity in edit.get("quantities", {}).items():
        index = QUANTITY_INDEX[name]
        level.move(index, quantity - level.quantities[index], stamp)


def _told(level: Level) -> dict[str, Any]:
    variant = level.item.variant
    return {
        "item": level.item.gid,
        "sku": level.item.sku,
        "variant": variant.gid,
        "handle": variant.product.handle,
        "options": list(variant.option_values),
        "location": level.location.gid,
        "location_name": level.location.name,
        "active": level.active,
        "tracked": level.item.tracked,
        "quantities": {name: level.quantity(index) for index, name in enumerate(QUANTITY_NAMES)},
        "updated_at": level.updated_at,
    }
