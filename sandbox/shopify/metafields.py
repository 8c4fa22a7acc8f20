"""Metafields of products and variants: at most 25 a call, all or nothing, with compare-and-set by digest (reference §4.3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .catalogue import Shop
from .execution import PageRequest, Run
from .keyed import unkeyed
from .pages import Page, take_page
from .rows import Product, Variant
from .topics import Topic
from .world import World

MOST = 25
LONGEST_KEY = 64

Payload = dict[str, Any]


@dataclass(slots=True)
class Metafield:
    """A named, typed value of an owner. `value` is always text."""

    gid: str
    number: int
    owner: str
    namespace: str
    key: str
    type: str
    value: str
    created_at: str
    updated_at: str

    @property
    def compare_digest(self) -> str:
        """Changes with the value."""
        return hashlib.sha256(f"{self.type}\0{self.value}".encode()).hexdigest()

    @property
    def json_value(self) -> Any:
        """The value as JSON has it."""
        if self.type.startswith("list.") or self.type in ("json", "boolean", "number_integer"):
            return json.loads(self.value)
        return self.value


def namespace_of(given: Payload, app_number: int) -> str:
    """The namespace, the app's own one where none is given."""
    return given.get("namespace") or f"app--{app_number}"


def problem_of(type_: str, value: str) -> str | None:
    """Why a value does not fit its type, or None."""
    if value == "":
        return "may not be empty"
    try:
        if type_ == "number_integer":
            int(value)
        elif type_ == "number_decimal":
            Decimal(value)
        elif type_ == "boolean" and value not in ("true", "false"):
            return "must be true or false"
        elif type_ == "json" or type_.startswith("list."):
            json.loads(value)
    except (ValueError, InvalidOperation):
        return f"is not a {type_}"
    return None


def write(shop: Shop, owner: str, namespace: str, given: Payload, stamp: str) -> Metafield:
    """Set one metafield of an owner; the caller has checked it."""
    rows = shop.metafields.setdefault(owner, {})
    row = rows.get((namespace, given["key"]))
    if row is None:
        gid, number = shop.new_gid("Metafield")
        row = Metafield(gid, number, owner, namespace, given["key"], "", "", stamp, stamp)
        rows[namespace, given["key"]] = row
    row.type = given.get("type") or row.type or "single_line_text_field"
    row.value = given["value"]
    row.updated_at = stamp
    return row


def replace_all(shop: Shop, owner: str, given: list[Payload] | None, app_number: int, stamp: str) -> None:
    """Make a list the owner's only metafields: productSet's way."""
    kept = shop.metafields.pop(owner, {})
    for each in given or ():
        namespace = namespace_of(each, app_number)
        if (namespace, each["key"]) in kept:
            shop.metafields.setdefault(owner, {})[namespace, each["key"]] = kept[namespace, each["key"]]
        write(shop, owner, namespace, each, stamp)


def owner_of_unique(shop: Shop, namespace: str, key: str, value: str) -> str | None:
    """The owner whose metafield has a unique value."""
    for owner, rows in shop.metafields.items():
        row = rows.get((namespace, key))
        if row is not None and row.value == value:
            return owner
    return None


def product_identified(world: World, identifier: Payload) -> Product | None:
    """The product that an ``id``, a ``handle`` or a ``customId`` (a metafield of unique values) names."""
    if "handle" in identifier:
        return world.shop.products_by_handle.get(identifier["handle"])
    custom = identifier.get("customId")
    if custom is not None:
        namespace = namespace_of(custom, world.app_number)
        gid = owner_of_unique(world.shop, namespace, custom["key"], custom["value"])
    else:
        gid = identifier.get("id")
    row = world.shop.by_gid.get(gid or "")
    return row if isinstance(row, Product) else None


def set_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`metafieldsSet`."""
    shop, given = world.shop, arguments["metafields"]
    wrong: list[Payload] = []
    if len(given) > MOST:
        message = f"Exceeded the maximum metafields input limit of {MOST}."
        wrong.append(_wrong(None, "LESS_THAN_OR_EQUAL_TO", message))
    else:
        for i, each in enumerate(given):
            wrong += _problems(world, i, each)
    if wrong:
        return {"metafields": None, "userErrors": wrong}
    stamp = world.clock.stamp()
    rows = [write(shop, each["ownerId"], namespace_of(each, world.app_number), each, stamp) for each in given]
    _touch(shop, [each["ownerId"] for each in given], stamp)
    return {"metafields": rows, "userErrors": []}


def _wrong(i: int | None, code: str, message: str, *path: str) -> Payload:
    where = ["metafields", *([str(i)] if i is not None else []), *path]
    return {"code": code, "field": where, "message": message, "elementIndex": i}


def _problems(world: World, i: int, given: Payload) -> list[Payload]:
    """Everything that is wrong with one entry."""
    shop = world.shop
    owner = shop.by_gid.get(given["ownerId"])
    if not isinstance(owner, Product | Variant):
        return [_wrong(i, "INVALID", "Owner does not exist.", "ownerId")]
    found: list[Payload] = []
    namespace, key = namespace_of(given, world.app_number), given["key"]
    row = shop.metafields.get(owner.gid, {}).get((namespace, key))
    if row is None and not given.get("type"):
        found.append(_wrong(i, "BLANK", "Type can't be blank", "type"))
    if len(key) > LONGEST_KEY:
        found.append(_wrong(i, "TOO_LONG", f"Key is too long (maximum is {LONGEST_KEY} characters)", "key"))
    if problem := problem_of(given.get("type") or (row.type if row else ""), given["value"]):
        found.append(_wrong(i, "INVALID_VALUE", f"Value {problem}.", "value"))
    if "compareDigest" in given and given["compareDigest"] != (row.compare_digest if row else None):
        message = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
        found.append(_wrong(i, "STALE_OBJECT", message))
    unique = (namespace, key) in shop.unique_metafields
    if unique and owner_of_unique(shop, namespace, key, given["value"]) not in (None, owner.gid):
        found.append(_wrong(i, "TAKEN", "Value has already been taken.", "value"))
    return found


def delete_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`metafieldsDelete`: one entry per asked metafield, null where there was none."""
    deleted: list[Payload | None] = []
    for each in arguments["metafields"]:
        row = world.shop.metafields.get(each["ownerId"], {}).pop((each["namespace"], each["key"]), None)
        deleted.append(each if row is not None else None)
    _touch(world.shop, [each["ownerId"] for each in deleted if each is not None], world.clock.stamp())
    return {"deletedMetafields": deleted, "userErrors": []}


def _touch(shop: Shop, owners: list[str], stamp: str) -> None:
    products = {}
    for gid in owners:
        owner = shop.by_gid[gid]
        owner.updated_at = stamp
        product = owner.product if isinstance(owner, Variant) else owner
        product.updated_at = stamp
        products[product.gid] = product
    shop.revision += 1
    for product in products.values():
        shop.happened("products/update", product)


def _one(row: Any, arguments: dict[str, Any], run: Run) -> Metafield | None:
    namespace = namespace_of(arguments, run.world.app_number)
    return run.world.shop.metafields.get(row.gid, {}).get((namespace, arguments["key"]))  # type: ignore[no-any-return]


def _page(row: Any, request: PageRequest, run: Run) -> Page:
    rows = run.world.shop.metafields.get(row.gid, {}).values()
    namespace, keys = request.rest.get("namespace"), request.rest.get("keys")
    wanted = [
        each
        for each in rows
        if namespace in (None, each.namespace)
        and (keys is None or each.key in keys or f"{each.namespace}.{each.key}" in keys)
    ]
    return take_page(sorted(wanted, key=lambda each: each.number), request, lambda each: (0, each.number))


_WRITE = frozenset({"write_products"})

METAFIELDS = Topic(
    full={
        ("Product", "metafield"): _one,
        ("Product", "metafields"): _page,
        ("ProductVariant", "metafield"): _one,
        ("ProductVariant", "metafields"): _page,
        ("Mutation", "metafieldsSet"): unkeyed(set_act),
        ("Mutation", "metafieldsDelete"): unkeyed(delete_act),
    },
    plain={
        ("Metafield", "id"): lambda row: row.gid,
        ("Metafield", "legacyResourceId"): lambda row: str(row.number),
    },
    access={("Mutation", "metafieldsSet"): _WRITE, ("Mutation", "metafieldsDelete"): _WRITE},
    mappings=frozenset(
        {"MetafieldIdentifier", "MetafieldsDeletePayload", "MetafieldsSetPayload", "MetafieldsSetUserError"}
    ),
)
"""Metafields of products and variants."""
