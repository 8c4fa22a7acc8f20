"""The inventory mutations: set, adjust, activate, deactivate, item update (reference §3.2–3.5).

A call is all or nothing: every error of every row is reported together, and with any error nothing is written."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .events import level_moved
from .rows import AVAILABLE, INCOMING, ON_HAND, QUANTITY_INDEX, QUANTITY_NAMES, Item, Level, Location
from .world import World

MAX_ROWS = 250
SET_NAMES = frozenset({"available", "on_hand"})
ADJUST_NAMES = frozenset({"available", "damaged", "incoming", "quality_control", "reserved", "safety_stock"})
SET_LIMIT = 1_000_000_000
ADJUST_LIMIT = 2_000_000_000
REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)
_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(?://)?[^\s/].*$")
_GID = re.compile(r"^gid://[^/\s]+/[^/\s]+/[^/\s]+$")

Payload = dict[str, Any]
UserError = dict[str, Any]

_MESSAGES = {
    "CHANGE_FROM_QUANTITY_STALE": "The specified change from quantity does not match the persisted quantity.",
    "INVALID_INVENTORY_ITEM": "The specified inventory item could not be found.",
    "INVALID_LOCATION": "The specified location could not be found.",
    "INVALID_NAME": "The quantity name must be either 'available' or 'on_hand'.",
    "INVALID_QUANTITY_NAME": "The specified quantity name is invalid. Valid values are: "
    + ", ".join(sorted(ADJUST_NAMES))
    + ".",
    "INVALID_QUANTITY_NEGATIVE": "The quantity can't be negative.",
    "INVALID_REASON": "The specified reason is invalid. Valid values are: " + ", ".join(REASONS) + ".",
    "INVALID_REFERENCE_DOCUMENT": "The specified reference document is invalid.",
    "NON_MUTABLE_INVENTORY_ITEM": "The specified inventory item is not allowed to be adjusted via API.",
    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR": "The combination of inventoryItemId and locationId must be unique.",
    "INVALID_AVAILABLE_DOCUMENT": "A ledger document URI is not allowed when adjusting available.",
    "INVALID_QUANTITY_DOCUMENT": "A ledger document URI is required except when adjusting available.",
    "INTERNAL_LEDGER_DOCUMENT": "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API.",
    "INVALID_LEDGER_DOCUMENT": "The specified ledger document is invalid.",
    "MAX_ONE_LEDGER_DOCUMENT": "All changes must have the same ledger document URI; adjusting available takes none.",
}


class Change(NamedTuple):
    """One changed quantity, as an adjustment group lists it."""

    name: str
    delta: int
    level: Level
    ledger_document_uri: str | None

    @property
    def item(self) -> Item:
        """The item whose quantity moved."""
        return self.level.item

    @property
    def location(self) -> Location:
        """Where it moved."""
        return self.level.location


class Group:
    """An `InventoryAdjustmentGroup`: what one call changed."""

    __slots__ = ("created_at", "gid", "moves", "reason", "reference_document_uri", "uri")

    def __init__(self, gid: str, created_at: str, reason: str, reference: str | None, uri: str | None) -> None:
        self.gid = gid
        self.created_at = created_at
        self.reason = reason
        self.reference_document_uri = reference
        self.uri = uri
        self.moves: list[tuple[Level, int, int]] = []  # level, index of the name that was asked for, delta

    def changes(self) -> list[Change]:
        """The changed quantities, each with its mirror: on_hand for a named quantity, available for an on_hand set."""
        out: list[Change] = []
        for level, index, delta in self.moves:
            out.append(Change(QUANTITY_NAMES[index], delta, level, self.uri))
            if index == ON_HAND:
                out.append(Change("available", delta, level, None))
            elif index != INCOMING:
                out.append(Change("on_hand", delta, level, None))
        return out


class Rejections:
    """User errors of one call, in the order in which they were found."""

    def __init__(self) -> None:
        self.rows: list[UserError] = []

    def add(self, code: str, *path: str, message: str | None = None) -> None:
        """One error with its indexed path."""
        self.rows.append({"field": list(path), "message": message or _MESSAGES[code], "code": code})


def set_quantities(world: World, arguments: dict[str, Any]) -> Payload:
    """`inventorySetQuantities`: absolute quantities, compare-and-swap per row through `changeFromQuantity`."""
    given = arguments["input"]
    wrong = Rejections()
    index = QUANTITY_INDEX[given["name"]] if given["name"] in SET_NAMES else None
    if index is None:
        wrong.add("INVALID_NAME", "input", "name")
    _check_reason_and_reference(given, wrong)
    repeated = _repeated_pairs(given["quantities"])
    moves: list[tuple[Item, Location, int]] = []
    for i, row in enumerate(given["quantities"]):
        found = _item_and_location(world, row, "quantities", i, wrong)
        if found is None:
            continue
        item, location = found
        if repeated and (item.gid, location.gid) in repeated:
            wrong.add("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "input", "quantities", str(i), "locationId")
        delta = _delta_to(row, item.level_at(location), index, i, wrong)
        if delta:
            moves.append((item, location, delta))
    if wrong.rows or index is None:
        return {"inventoryAdjustmentGroup": None, "userErrors": wrong.rows}
    stored_index = AVAILABLE if index == ON_HAND else index
    group = _new_group(world, given, None) if moves else None
    for item, location, delta in moves:
        _apply(world, group, item, location, stored_index, index, delta)
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _delta_to(row: dict[str, Any], level: Level | None, index: int | None, i: int, wrong: Rejections) -> int:
    """By how much a set row changes its quantity; 0 also for a row that is refused, or whose name is not known."""
    quantity: int = row["quantity"]
    if not _within(quantity, SET_LIMIT, ("input", "quantities", str(i), "quantity"), wrong) or index is None:
        return 0
    if index == ON_HAND and quantity < 0:
        wrong.add("INVALID_QUANTITY_NEGATIVE", "input", "quantities", str(i), "quantity")
        return 0
    stored = level.quantity(index) if level is not None else 0
    if not _as_expected(row, stored):
        wrong.add("CHANGE_FROM_QUANTITY_STALE", "input", "quantities", str(i), "changeFromQuantity")
        return 0
    return quantity - stored


def adjust_quantities(world: World, arguments: dict[str, Any]) -> Payload:
    """`inventoryAdjustQuantities`: relative changes of one named quantity; the same level may occur more than once."""
    given = arguments["input"]
    wrong = Rejections()
    index = QUANTITY_INDEX[given["name"]] if given["name"] in ADJUST_NAMES else None
    if index is None:
        wrong.add("INVALID_QUANTITY_NAME", "input", "name")
    _check_reason_and_reference(given, wrong)
    _check_ledger_documents(given, wrong)
    planned: dict[tuple[str, str], int] = {}
    moves: list[tuple[Item, Location, int]] = []
    for i, row in enumerate(given["changes"]):
        found = _item_and_location(world, row, "changes", i, wrong)
        if found is None or index is None:
            continue
        item, location = found
        pair = (item.gid, location.gid)
        stored = planned.get(pair)
        if stored is None:
            level = item.level_at(location)
            stored = level.quantities[index] if level is not None else 0
        if not _as_expected(row, stored):
            wrong.add("CHANGE_FROM_QUANTITY_STALE", "input", "changes", str(i), "changeFromQuantity")
            continue
        delta = row["delta"]
        if _within(stored + delta, ADJUST_LIMIT, ("input", "changes", str(i), "delta"), wrong):
            planned[pair] = stored + delta
            if delta:
                moves.append((item, location, delta))
    if wrong.rows or index is None:
        return {"inventoryAdjustmentGroup": None, "userErrors": wrong.rows}
    group = _new_group(world, given, given["changes"][0].get("ledgerDocumentUri")) if moves else None
    for item, location, delta in moves:
        _apply(world, group, item, location, index, index, delta)
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


# ── checks ──


def _check_reason_and_reference(given: dict[str, Any], wrong: Rejections) -> None:
    if given["reason"] not in REASONS:
        wrong.add("INVALID_REASON", "input", "reason")
    reference = given.get("referenceDocumentUri")
    if reference is not None and not is_uri(reference):
        wrong.add("INVALID_REFERENCE_DOCUMENT", "input", "referenceDocumentUri")


def _check_ledger_documents(given: dict[str, Any], wrong: Rejections) -> None:
    for i, row in enumerate(given["changes"]):
        uri = row.get("ledgerDocumentUri")
        at = ("input", "changes", str(i), "ledgerDocumentUri")
        if given["name"] == "available":
            if uri is not None:
                wrong.add("INVALID_AVAILABLE_DOCUMENT", *at)
        elif uri is None:
            wrong.add("INVALID_QUANTITY_DOCUMENT", *at)
        elif uri.startswith("gid://shopify/"):
            wrong.add("INTERNAL_LEDGER_DOCUMENT", *at)
        elif not is_uri(uri):
            wrong.add("INVALID_LEDGER_DOCUMENT", *at)
    if len({row.get("ledgerDocumentUri") for row in given["changes"]}) > 1:
        wrong.add("MAX_ONE_LEDGER_DOCUMENT", "input", "changes")


def is_uri(text: str) -> bool:
    """A scheme and a rest; a global id needs all of its three parts."""
    return bool(_GID.match(text)) if text.startswith("gid:") else bool(_URI.match(text))


def _item_and_location(
    world: World, row: dict[str, Any], rows: str, i: int, wrong: Rejections
) -> tuple[Item, Location] | None:
    shop = world.shop
    item: Any = shop.by_gid.get(row["inventoryItemId"])
    location: Any = shop.by_gid.get(row["locationId"])
    fit = True
    if item.__class__ is not Item:
        wrong.add("INVALID_INVENTORY_ITEM", "input", rows, str(i), "inventoryItemId")
        fit = False
    elif shop.bundles and item.variant.gid in shop.bundles:
        wrong.add("NON_MUTABLE_INVENTORY_ITEM", "input", rows, str(i), "inventoryItemId")
    elif shop.poison and item.gid in shop.poison:
        wrong.add(shop.poison[item.gid], "input", rows, str(i), "inventoryItemId")
        fit = False
    if location.__class__ is not Location or not location.active:
        wrong.add("INVALID_LOCATION", "input", rows, str(i), "locationId")
        fit = False
    return (item, location) if fit else None


def _repeated_pairs(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    pairs = [(row["inventoryItemId"], row["locationId"]) for row in rows]
    if len(set(pairs)) == len(pairs):
        return set()
    return {pair for pair in pairs if pairs.count(pair) > 1}


def _within(quantity: int, limit: int, path: tuple[str, ...], wrong: Rejections) -> bool:
    if quantity > limit:
        wrong.add("INVALID_QUANTITY_TOO_HIGH", *path, message=f"The quantity can't be higher than {limit:,}.")
    elif quantity < -limit:
        wrong.add("INVALID_QUANTITY_TOO_LOW", *path, message=f"The quantity can't be lower than -{limit:,}.")
    else:
        return True
    return False


def _as_expected(row: dict[str, Any], stored: int) -> bool:
    expected = row["changeFromQuantity"]
    return expected is None or expected == stored


# ── writing ──


def _new_group(world: World, given: dict[str, Any], uri: str | None) -> Group:
    shop = world.shop
    gid = f"gid://shopify/InventoryAdjustmentGroup/{shop.id_base + shop.next_group}"
    shop.next_group += 1
    return Group(gid, world.clock.stamp(), given["reason"], given.get("referenceDocumentUri"), uri)


def _apply(
    world: World, group: Group | None, item: Item, location: Location, index: int, asked: int, delta: int
) -> None:
    stamp = world.clock.stamp()
    level = item.level_at(location) or item.stock_at(location, stamp, active=False)  # not stocked there: kept, inactive
    level.move(index, delta, stamp)
    level_moved(world.shop, level)
    if group is not None:
        group.moves.append((level, asked, delta))
