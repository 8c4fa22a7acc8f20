"""The root fields: queries and mutations, and the whole vocabulary that operations are compiled with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from .access import CANDIDATE_VERSIONS, NODE_SCOPES, REQUIRED_SCOPES, SUPPORTED_VERSIONS
from .bulk_fields import BULK
from .bundles import BUNDLES
from .connections import items_page, locations_page, products_page, variants_page
from .documents import Documents, load_schema
from .events import STOCK_EVENTS
from .execution import Run, Vocabulary, denied
from .fields import FULL, PLAIN, PREPARE
from .inventory import adjust_quantities, set_quantities
from .jobs import JOBS
from .keyed import keyed, prepare_rows, unkeyed
from .media import MEDIA
from .metafields import METAFIELDS, product_identified
from .orders_topic import ORDERS
from .products import PRODUCTS
from .products_events import PRODUCT_EVENTS
from .products_options import OPTIONS
from .protected import FIELDS
from .publications import PUBLICATIONS
from .redirects import REDIRECTS
from .replies import Refused, error, too_long
from .rows import QUANTITY_NAMES, Item, Level, Location, Product, Variant
from .stocking import activate, deactivate, toggle, update_item
from .store_files import STORE_FILES
from .subscriptions import SUBSCRIPTIONS
from .topics import Topic
from .world import World

MAX_IDS = 250

Key = TypeVar("Key")
Value = TypeVar("Value")

TYPE_NAMES = {
    "Item": "InventoryItem",
    "Level": "InventoryLevel",
    "Location": "Location",
    "Product": "Product",
    "Variant": "ProductVariant",
}


TOPICS: tuple[Topic, ...] = (
    JOBS,
    MEDIA,
    METAFIELDS,
    OPTIONS,
    PRODUCTS,
    PRODUCT_EVENTS,
    PUBLICATIONS,
    BULK,
    BUNDLES,
    ORDERS,
    REDIRECTS,
    STOCK_EVENTS,
    STORE_FILES,
    SUBSCRIPTIONS,
)
"""The parts of the API beside the inventory in this module."""


def type_name(row: Any) -> str:
    """The GraphQL type of a row."""
    return _type_names()[type(row).__name__]


@cache
def _type_names() -> dict[str, str]:
    return merged({}, TYPE_NAMES, *(topic.type_names for topic in TOPICS))


@cache
def _node_scopes() -> dict[str, frozenset[str]]:
    return merged({}, NODE_SCOPES, *(topic.node_scopes for topic in TOPICS))


@cache
def _visible() -> dict[str, Callable[[Run, Any], bool]]:
    return merged({}, *(topic.visible for topic in TOPICS))


def _seen(row: Any, run: Run) -> Any:
    """The row, or None where it is hidden from the app."""
    test = None if row is None else _visible().get(type_name(row))
    return row if test is None or test(run, row) else None


def merged(*tables: dict[Key, Value]) -> dict[Key, Value]:
    """All tables as one. Raises ValueError where two name the same key: one of them would go unheard."""
    whole: dict[Key, Value] = {}
    for table in tables:
        if twice := whole.keys() & table.keys():
            raise ValueError(f"Named in two parts of the API: {twice}")
        whole |= table
    return whole


def _nodes(world: World, arguments: dict[str, Any], run: Run) -> list[Any]:
    node = world.shop.node
    found = [_seen(node(gid), run) for gid in arguments["ids"]]
    for name in {type_name(row) for row in found if row is not None}:
        _check_node(name, run, "nodes")
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
    row = _seen(world.shop.node(arguments["id"]), run)
    if row is not None:
        _check_node(type_name(row), run, "node")
    world.rows += 1
    return row


def _check_gid(gid: str, path: list[str | int]) -> None:
    if not gid.startswith("gid://shopify/"):
        raise Refused(error(f"Invalid global id '{gid}'", "RESOURCE_NOT_FOUND", path))


def _check_node(name: str, run: Run, field: str) -> None:
    needs = _node_scopes()[name]
    if needs.isdisjoint(run.scopes):
        raise denied(field, needs)


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
    return product_identified(world, arguments["identifier"])


def _api_versions(world: World, arguments: dict[str, Any], run: Run) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"handle": v, "displayName": v, "supported": True} for v in SUPPORTED_VERSIONS]
    candidate, unstable = CANDIDATE_VERSIONS
    rows.append({"handle": candidate, "displayName": f"{candidate} (Release candidate)", "supported": False})
    rows.append({"handle": unstable, "displayName": unstable, "supported": False})
    return rows


def _count(
    rows: Callable[[World], list[Any]], kind: str | None = None
) -> Callable[[World, dict[str, Any], Run], dict[str, Any]]:
    def resolve(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
        number, limit = len(rows(world)), arguments.get("limit")
        number -= world.shop.search.unborn(kind) if kind else 0
        if limit is not None and number > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": number, "precision": "EXACT"}

    return resolve


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


def _installation(world: World, arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in world.granted]
    return {"id": f"gid://shopify/AppInstallation/{world.shop.id_base + world.app_number}", "accessScopes": scopes}


_ROOT: dict[tuple[str, str], Callable[[Any, Any, Run], Any]] = {
    ("QueryRoot", "shop"): _shop,
    ("QueryRoot", "currentAppInstallation"): _installation,
    ("QueryRoot", "inventoryProperties"): _quantity_properties,
    ("QueryRoot", "locations"): locations_page,
    ("QueryRoot", "location"): _location,
    ("QueryRoot", "locationsCount"): _count(lambda world: [x for x in world.shop.locations if x.active]),
    ("QueryRoot", "products"): products_page,
    ("QueryRoot", "product"): _by_id(Product),
    ("QueryRoot", "productByIdentifier"): _product_by_identifier,
    ("QueryRoot", "productsCount"): _count(lambda world: world.shop.products, "products"),
    ("QueryRoot", "productVariants"): variants_page,
    ("QueryRoot", "productVariant"): _by_id(Variant),
    ("QueryRoot", "productVariantsCount"): _count(lambda world: world.shop.variants, "variants"),
    ("QueryRoot", "inventoryItems"): items_page,
    ("QueryRoot", "inventoryItem"): _by_id(Item),
    ("QueryRoot", "inventoryLevel"): _by_id(Level),
    ("QueryRoot", "node"): _node,
    ("QueryRoot", "nodes"): _nodes,
    ("QueryRoot", "publicApiVersions"): _api_versions,
    ("Mutation", "inventorySetQuantities"): keyed(
        "inventorySetQuantities", set_quantities, "inventoryAdjustmentGroup", with_code=True, rows="quantities"
    ),
    ("Mutation", "inventoryAdjustQuantities"): keyed(
        "inventoryAdjustQuantities", adjust_quantities, "inventoryAdjustmentGroup", with_code=True, rows="changes"
    ),
    ("Mutation", "inventoryActivate"): keyed("inventoryActivate", activate, "inventoryLevel", with_code=False),
    ("Mutation", "inventoryDeactivate"): unkeyed(deactivate),
    ("Mutation", "inventoryBulkToggleActivation"): unkeyed(toggle),
    ("Mutation", "inventoryItemUpdate"): unkeyed(update_item),
}

_ROOT_PREPARE: dict[tuple[str, str], Callable[[dict[str, Any], Run], Any]] = {
    ("QueryRoot", "nodes"): _prepare_nodes,
    ("Mutation", "inventorySetQuantities"): prepare_rows("quantities", "inventorySetQuantities"),
    ("Mutation", "inventoryAdjustQuantities"): prepare_rows("changes", "inventoryAdjustQuantities"),
}


@cache
def documents() -> Documents:
    """The request texts seen by this process. They hold nothing of a shop, so all sandboxes share them."""
    return Documents(load_schema(), vocabulary())


@cache
def payload_builders() -> dict[str, Callable[[Any, Any], dict[str, Any]]]:
    """Webhook topic → (shop, row) to the payload, of all parts."""
    return merged({}, *(topic.payloads for topic in TOPICS))


def vocabulary() -> Vocabulary:
    """Resolvers of every field that is not simply the row's attribute of the same name."""
    words = Vocabulary(
        plain=merged(PLAIN, *(topic.plain for topic in TOPICS)),
        full=merged(FULL, _ROOT, *(topic.full for topic in TOPICS)),
        prepare=merged(PREPARE, _ROOT_PREPARE, *(topic.prepare for topic in TOPICS)),
        protected=FIELDS,
        access=merged(REQUIRED_SCOPES, *(topic.access for topic in TOPICS)),
    )
    words.type_name = type_name
    words.mappings = frozenset(
        {
            "AccessScope",
            "ApiVersion",
            "AppInstallation",
            "Count",
            "InventoryActivatePayload",
            "InventoryAdjustQuantitiesPayload",
            "InventoryAdjustQuantitiesUserError",
            "InventoryBulkToggleActivationPayload",
            "InventoryBulkToggleActivationUserError",
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
    ).union(*(topic.mappings for topic in TOPICS))
    return words
