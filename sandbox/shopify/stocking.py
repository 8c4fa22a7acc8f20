"""The mutations on one item: activate and deactivate at a location, and the item's own update (reference §3.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .events import level_connected, level_disconnected
from .inventory import Payload, UserError
from .rows import AVAILABLE, COMMITTED, INCOMING, RESERVED, SAFETY_STOCK, Item, Location
from .world import World


def activate(world: World, arguments: dict[str, Any]) -> Payload:
    """`inventoryActivate`: stock an item at a location. A new level takes `onHand`; `available` is ignored, as in recordings."""
    item, location = _row(world, arguments["inventoryItemId"], Item), _row(world, arguments["locationId"], Location)
    if item is None:
        return _plain_error("inventoryLevel", ["inventoryItemId"], "The inventory item could not be found.")
    if location is None or not location.active:
        return _plain_error("inventoryLevel", ["locationId"], "The location could not be found or is not active.")
    available, on_hand = arguments.get("available"), arguments.get("onHand")
    level = item.level_at(location)
    stamp = world.clock.stamp()
    if level is not None and level.active:
        if available is not None or on_hand is not None:
            name = "available" if available is not None else "onHand"
            message = "Not allowed to set available quantity when the item is already active at the location."
            return _plain_error("inventoryLevel", [name], message)
        return {"inventoryLevel": level, "userErrors": []}
    if available is not None and on_hand is not None:
        return _plain_error("inventoryLevel", ["available"], "Available and on hand can't both be set.")
    fresh = level is None
    level = item.stock_at(location, stamp, active=True)
    level.active = True
    level.updated_at = stamp
    if fresh and on_hand:
        level.move(AVAILABLE, on_hand, stamp)
    level_connected(world.shop, level)
    return {"inventoryLevel": level, "userErrors": []}


def deactivate(world: World, arguments: dict[str, Any]) -> Payload:
    """`inventoryDeactivate`: the quantities survive and come back with the next activation."""
    level = world.shop.level_by_gid(arguments["inventoryLevelId"])
    if level is None:
        return {"userErrors": [_plain(["inventoryLevelId"], "The inventory level could not be found.")]}
    if sum(1 for each in level.item.levels if each is not None and each.active) <= 1 and level.active:
        message = "The product couldn't be unstocked because products need to be stocked at a minimum of 1 location."
        return {"userErrors": [_plain(None, message)]}
    level.active = False
    level.updated_at = world.clock.stamp()
    level_disconnected(world.shop, level)
    return {"userErrors": []}


def toggle(world: World, arguments: dict[str, Any]) -> Payload:
    """`inventoryBulkToggleActivation`: one item at many locations, all or none; what holds stock promised or on its way stays."""
    item = _row(world, arguments["inventoryItemId"], Item)
    if item is None:
        return _not_toggled([_coded("INVENTORY_ITEM_NOT_FOUND", ["inventoryItemId"])])
    updates = [
        (_row(world, each["locationId"], Location), each["activate"]) for each in arguments["inventoryItemUpdates"]
    ]
    wrong = []
    for i, (location, wanted) in enumerate(updates):
        codes = (
            ["LOCATION_NOT_FOUND"] if location is None or not location.active else _obstacles(item, location, wanted)
        )
        wrong += [_coded(code, ["inventoryItemUpdates", str(i), "locationId"]) for code in codes]
    left = {level.location for level in item.levels if level is not None and level.active}
    left = (left | {place for place, wanted in updates if wanted}) - {place for place, wanted in updates if not wanted}
    if not wrong and not left:
        wrong.append(_coded("CANNOT_DEACTIVATE_FROM_ONLY_LOCATION", ["inventoryItemUpdates"]))
    if wrong:
        return _not_toggled(wrong)
    for location, wanted in updates:
        _switch(world, item, location, wanted)
    levels = [item.level_at(location) for location, wanted in updates if wanted]
    return {"inventoryItem": item, "inventoryLevels": levels, "userErrors": []}


_TOGGLE_MESSAGES = {
    "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION": "The item couldn't be unstocked: it is stocked at no other location.",
    "COMMITTED_INVENTORY_AT_LOCATION": "The item couldn't be unstocked: it has committed quantities here.",
    "INCOMING_INVENTORY_AT_LOCATION": "The item couldn't be unstocked: it has incoming quantities here.",
    "INVENTORY_ITEM_NOT_FOUND": "The inventory item was not found.",
    "INVENTORY_MANAGED_BY_3RD_PARTY": "The item couldn't be stocked: a fulfillment service manages this location.",
    "LOCATION_NOT_FOUND": "The location was not found.",
    "RESERVED_INVENTORY_AT_LOCATION": "The item couldn't be unstocked: it has unavailable quantities here.",
}


def _coded(code: str, path: list[str]) -> UserError:
    return {"field": path, "message": _TOGGLE_MESSAGES[code], "code": code}


def _not_toggled(wrong: list[UserError]) -> Payload:
    return {"inventoryItem": None, "inventoryLevels": None, "userErrors": wrong}


def _obstacles(item: Item, location: Location, wanted: bool) -> list[str]:
    level = item.level_at(location)
    if wanted:
        return ["INVENTORY_MANAGED_BY_3RD_PARTY"] if location.service is not None else []
    if level is None or not level.active:
        return []
    held = {
        "COMMITTED_INVENTORY_AT_LOCATION": level.quantities[COMMITTED],
        "INCOMING_INVENTORY_AT_LOCATION": level.quantities[INCOMING],
        "RESERVED_INVENTORY_AT_LOCATION": any(level.quantities[RESERVED : SAFETY_STOCK + 1]),
    }
    return [code for code, quantity in held.items() if quantity]


def _switch(world: World, item: Item, location: Location, wanted: bool) -> None:
    level = item.level_at(location)
    if wanted is (level is not None and level.active):
        return
    stamp = world.clock.stamp()
    level = item.stock_at(location, stamp, active=wanted)
    level.active, level.updated_at = wanted, stamp
    (level_connected if wanted else level_disconnected)(world.shop, level)


def update_item(world: World, arguments: dict[str, Any]) -> Payload:
    """`inventoryItemUpdate`: tracking, unit cost, SKU, weight, shipping of one item."""
    item = _row(world, arguments["id"], Item)
    given = arguments["input"]
    if item is None:
        return _plain_error("inventoryItem", ["id"], "The inventory item could not be found.")
    cost = given.get("cost")
    if cost is not None and cost < 0:
        return _plain_error("inventoryItem", ["input", "cost"], "Cost must be greater than or equal to 0")
    write_item(world, item, given)
    item.variant.updated_at = item.variant.product.updated_at = item.updated_at
    world.shop.revision += 1
    world.shop.happened("inventory_items/update", item)
    world.shop.happened("products/update", item.variant.product)
    return {"inventoryItem": item, "userErrors": []}


def write_item(world: World, item: Item, given: Payload) -> None:
    """The fields of an item that an `InventoryItemInput` carries; a missing key keeps, a cost of null clears."""
    if "cost" in given:
        item.cost = None if given["cost"] is None else Decimal(given["cost"]).quantize(Decimal("0.01"))
    if given.get("tracked") is not None:
        item.tracked = given["tracked"]
    if given.get("requiresShipping") is not None:
        item.requires_shipping = given["requiresShipping"]
    if "sku" in given and given["sku"] != item.sku:
        world.shop.rename_sku(item, given["sku"])
    weight = (given.get("measurement") or {}).get("weight")
    if weight:
        item.weight_value, item.weight_unit = weight["value"], weight["unit"]
    item.updated_at = world.clock.stamp()


def _row(world: World, gid: str, kind: type[Any]) -> Any:
    found = world.shop.by_gid.get(gid)
    return found if isinstance(found, kind) else None


def _plain(path: list[str] | None, message: str) -> UserError:
    return {"field": path, "message": message}


def _plain_error(subject: str, path: list[str], message: str) -> Payload:
    return {subject: None, "userErrors": [_plain(path, message)]}
