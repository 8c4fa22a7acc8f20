"""Products one at a time (reference §4.3, §4.6): create, update, delete, duplicate, tag; and the part's table."""

from __future__ import annotations

from typing import Any

from . import media, metafields
from .catalogue import Shop
from .events import level_connected
from .execution import Run
from .handles import generated
from .jobs import new_job
from .keyed import unkeyed
from .options import NOTHING_CHOSEN
from .products_events import changed, created, remove_product
from .products_fields import check_fields, check_handle, handle_for, tidy_tags, write_fields
from .products_jobs import Operation, new_operation
from .products_set import set_act
from .products_variants import (
    MOST_VARIANTS,
    Wrongs,
    add_variant,
    bulk_create,
    bulk_delete,
    bulk_reorder,
    bulk_update,
)
from .replies import FieldFault, Refused, error, too_long
from .rows import Item, Product
from .topics import Topic
from .world import World

VARIANTS_BEFORE_DAILY_LIMIT = 50_000
VARIANTS_A_DAY = 1_000
_DAY = 24 * 3600.0

Payload = dict[str, Any]


class _Plain(Wrongs):
    """User errors without codes."""

    def add(self, code: str, message: str, *path: str) -> None:
        self.rows.append({"field": list(path), "message": message})


def create_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`productCreate`: a product with one default variant (the first value of each option), published nowhere."""
    shop, given = world.shop, arguments.get("product") or {}
    wrong = _Plain()
    check_fields({"title": None, **given}, "product", wrong.add)
    check_handle(shop, None, given, "product", wrong.add)
    _check_media(shop, arguments, wrong)
    if wrong.rows:
        return {"product": None, "shop": world, "userErrors": wrong.rows}
    _check_daily_limit(world)
    stamp = world.clock.stamp()
    product = shop.add_product(handle_for(shop, given["title"], given.get("handle")), given["title"], stamp)
    product.listed, product.published_at, product.vendor = {}, None, shop.name
    write_fields(shop, product, {name: value for name, value in given.items() if name != "handle"})
    options = [o for o in given.get("productOptions") or () if o.get("name") and o.get("values")]
    if options:
        shop.set_options(product, [option["name"] for option in options])
    values = tuple(option["values"][0].get("name") or "" for option in options) or NOTHING_CHOSEN
    add_variant(world, product, values, {})
    for option, asked in zip(product.options, options, strict=False):
        for value in asked["values"]:
            option.know(value.get("name") or "")
    _write_rest(world, product, arguments, given, stamp)
    created(shop, product)
    return {"product": product, "shop": world, "userErrors": []}


def _check_daily_limit(world: World) -> None:
    """From 50,000 variants on, 1,000 new ones a day; Plus is exempt (reference §2.4). Raises `FieldFault`."""
    shop, now = world.shop, world.clock.seconds()
    shop.variants_by_day = [(at, n) for at, n in shop.variants_by_day if at > now - _DAY]
    if world.plan.name in ("plus", "enterprise") or len(shop.variants) < VARIANTS_BEFORE_DAILY_LIMIT:
        return
    if sum(n for _, n in shop.variants_by_day) >= VARIANTS_A_DAY:
        message = "Daily variant creation limit reached, please try again later."
        raise FieldFault(message, "VARIANT_THROTTLE_EXCEEDED")
    shop.variants_by_day.append((now, 1))


def _check_media(shop: Shop, arguments: dict[str, Any], wrong: Wrongs) -> None:
    for i, each in enumerate(arguments.get("media") or ()):
        if problem := media.problem_of(each, shop):
            wrong.add("INVALID", problem, "media", str(i), "originalSource")


def _write_rest(world: World, product: Product, arguments: dict[str, Any], given: Payload, stamp: str) -> None:
    media.add(world, product, arguments.get("media"))
    for each in given.get("metafields") or ():
        metafields.write(world.shop, product.gid, metafields.namespace_of(each, world.app_number), each, stamp)
    kept = world.shop.collections.setdefault(product.gid, [])
    left = set(given.get("collectionsToLeave") or ())
    joined = [gid for gid in given.get("collectionsToJoin") or () if gid not in kept]
    world.shop.collections[product.gid] = [gid for gid in kept if gid not in left] + joined


def update_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`productUpdate`: fields of the product itself, by `product.id` or the identifier."""
    shop, given = world.shop, arguments.get("product") or {}
    product = metafields.product_identified(world, arguments.get("identifier") or {"id": given.get("id")})
    wrong = _Plain()
    if product is None:
        wrong.add("NOT_FOUND", "Product does not exist", "id")
        return {"product": None, "userErrors": wrong.rows}
    check_fields(given, "product", wrong.add)
    check_handle(shop, product, given, "product", wrong.add)
    _check_media(shop, arguments, wrong)
    if wrong.rows:
        return {"product": product, "userErrors": wrong.rows}
    stamp = world.clock.stamp()
    write_fields(shop, product, given)
    _write_rest(world, product, arguments, given, stamp)
    changed(shop, product, stamp)
    return {"product": product, "userErrors": []}


def delete_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`productDelete`: with its variants and their inventory items."""
    gid = arguments["input"]["id"]
    product = world.shop.by_gid.get(gid)
    payload: Payload = {"deletedProductId": None, "productDeleteOperation": None, "shop": world, "userErrors": []}
    if not isinstance(product, Product):
        payload["userErrors"] = [{"field": ["id"], "message": "Product does not exist"}]
        return payload
    remove_product(world.shop, product)
    if arguments["synchronous"]:
        payload["deletedProductId"] = gid
    else:
        operation = new_operation(world, "ProductDeleteOperation", None, None, [], gid)
        payload["productDeleteOperation"] = operation.as_started()
    return payload


# ── duplicate ──


def duplicate_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`productDuplicate`: SKUs and stock are copied too, as recordings show; images come later, by a job."""
    source = world.shop.by_gid.get(arguments["productId"])
    payload: Payload = {
        "imageJob": None,
        "newProduct": None,
        "productDuplicateOperation": None,
        "shop": world,
        "userErrors": [],
    }
    if not isinstance(source, Product):
        payload["userErrors"] = [{"field": ["productId"], "message": "Product does not exist"}]
        return payload
    if not arguments["newTitle"].strip():
        payload["userErrors"] = [{"field": ["newTitle"], "message": "Title can't be blank"}]
        return payload
    made = duplicate(world.shop, source, arguments["newTitle"], arguments.get("newStatus"), world.clock.stamp())
    if arguments["includeImages"]:
        for row in world.shop.media.get(source.gid, ()):
            media.add(world, made, [{"alt": row.alt, "originalSource": row.source}])
        payload["imageJob"] = new_job(world)
    if arguments["synchronous"]:
        payload["newProduct"] = made
    else:
        operation = new_operation(world, "ProductDuplicateOperation", source, made, [])
        payload["productDuplicateOperation"] = operation.as_started()
    return payload


def duplicate(shop: Shop, source: Product, title: str, status: str | None, stamp: str) -> Product:
    """A copy with a handle of its own title, the source's status unless given, and the same SKUs and stock; announces it."""
    made = shop.add_product(generated(title, shop.products_by_handle), title.strip(), stamp)
    for name in ("description_html", "vendor", "product_type", "gift_card"):
        setattr(made, name, getattr(source, name))
    made.tags = list(source.tags)
    shop.set_options(made, source.option_names)
    for option, original in zip(made.options, source.options, strict=True):
        for value in original.values:
            option.know(value)
    made.status = status or source.status
    made.listed, made.published_at = {}, None
    shop.collections[made.gid] = list(shop.collections.get(source.gid, ()))
    _copy_metafields(shop, source.gid, made.gid, stamp)
    for variant in source.variants:
        copy = shop.add_variant(made, variant.option_values, variant.item.sku, variant.item.tracked, stamp)
        for name in ("barcode", "price", "compare_at_price", "taxable", "inventory_policy"):
            setattr(copy, name, getattr(variant, name))
        _copy_item(shop, variant.item, copy.item, stamp)
        _copy_metafields(shop, variant.gid, copy.gid, stamp)
    created(shop, made)
    return made


def _copy_item(shop: Shop, source: Item, copy: Item, stamp: str) -> None:
    for name in ("requires_shipping", "cost", "weight_value", "weight_unit"):
        setattr(copy, name, getattr(source, name))
    for level in source.levels:
        if level is not None and level.active:
            new = copy.stock_at(level.location, stamp, active=True)
            new.quantities[0] = level.on_hand()  # nothing of the copy is committed or held back
            level_connected(shop, new)


def _copy_metafields(shop: Shop, source: str, copy: str, stamp: str) -> None:
    for (namespace, key), row in shop.metafields.get(source, {}).items():
        if (namespace, key) not in shop.unique_metafields:
            metafields.write(shop, copy, namespace, {"key": key, "type": row.type, "value": row.value}, stamp)


# ── tags ──


def add_tags(world: World, arguments: dict[str, Any]) -> Payload:
    """`tagsAdd` on a product."""
    return _tag(world, arguments, lambda old, new: tidy_tags([*new, *old]))


def remove_tags(world: World, arguments: dict[str, Any]) -> Payload:
    """`tagsRemove` from a product, whatever the case."""
    return _tag(world, arguments, lambda old, new: [t for t in old if t.casefold() not in {n.casefold() for n in new}])


def _tag(world: World, arguments: dict[str, Any], change: Any) -> Payload:
    product = world.shop.by_gid.get(arguments["id"])
    if not isinstance(product, Product):
        return {"node": None, "userErrors": [{"field": ["id"], "message": "Resource does not exist"}]}
    tags = change(product.tags, arguments["tags"])
    if tags != product.tags:
        product.tags = tags
        changed(world.shop, product, world.clock.stamp())
    return {"node": product, "userErrors": []}


# ── reading ──


def _operation(world: World, arguments: dict[str, Any], run: Run) -> Operation | None:
    row = world.shop.by_gid.get(arguments["id"])
    return row if isinstance(row, Operation) else None


def _when_done(name: str) -> Any:
    def resolve(row: Operation, arguments: Any, run: Run) -> Any:
        value = getattr(row, name)
        if not row.done(run.world.clock.seconds()):
            return [] if name == "wrong" else None
        return value if not isinstance(value, Product) or run.world.shop.holds(value) else None

    return resolve


def _status(row: Operation, arguments: Any, run: Run) -> str:
    return row.status(run.world.clock.seconds())


def _short(name: str, field: str, limit: int) -> Any:
    """Refuse an input list that is too long before anything is charged."""

    def prepare(arguments: dict[str, Any], run: Run) -> dict[str, Any]:
        size = len(arguments[field])
        if size > limit:
            raise too_long(size, [name, field])
        return arguments

    return prepare


def _short_set(arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    for field in ("collections", "files", "tags", "metafields"):
        size = len(arguments["input"].get(field) or ())
        if size > 250:
            raise too_long(size, ["productSet", "input", field])
    for i, variant in enumerate(arguments["input"].get("variants") or ()):
        size = len(variant.get("inventoryQuantities") or ())
        if size > 250:
            raise too_long(size, ["productSet", "input", "variants", i, "inventoryQuantities"])
    return arguments


def _one_argument(arguments: dict[str, Any], run: Run) -> dict[str, Any]:
    if not arguments.get("product"):
        raise Refused(error("The argument `product` is required.", "INVALID_FIELD_ARGUMENTS"))
    return arguments


_READ = frozenset({"read_products"})
_WRITE = frozenset({"write_products"})
_MUTATIONS = {
    "productSet": set_act,
    "productCreate": create_act,
    "productUpdate": update_act,
    "productDelete": delete_act,
    "productDuplicate": duplicate_act,
    "productVariantsBulkCreate": bulk_create,
    "productVariantsBulkUpdate": bulk_update,
    "productVariantsBulkDelete": bulk_delete,
    "productVariantsBulkReorder": bulk_reorder,
    "tagsAdd": add_tags,
    "tagsRemove": remove_tags,
}
_OPERATIONS = ("ProductSetOperation", "ProductDuplicateOperation", "ProductDeleteOperation")

PRODUCTS = Topic(
    full={
        **{("Mutation", name): unkeyed(act) for name, act in _MUTATIONS.items()},
        ("QueryRoot", "productOperation"): _operation,
        **{(name, "status"): _status for name in _OPERATIONS},
        **{(name, "userErrors"): _when_done("wrong") for name in _OPERATIONS},
        **{(name, "product"): _when_done("source") for name in _OPERATIONS},
        ("ProductDuplicateOperation", "newProduct"): _when_done("made"),
        ("ProductDeleteOperation", "deletedProductId"): _when_done("deleted_product_id"),
    },
    plain={
        **{(name, "id"): lambda row: row.gid for name in _OPERATIONS},
    },
    prepare={
        **{
            ("Mutation", name): _short(name, "variants", MOST_VARIANTS)
            for name in ("productVariantsBulkCreate", "productVariantsBulkUpdate")
        },
        ("Mutation", "productVariantsBulkReorder"): _short("productVariantsBulkReorder", "positions", MOST_VARIANTS),
        ("Mutation", "productVariantsBulkDelete"): _short("productVariantsBulkDelete", "variantsIds", 250),
        ("Mutation", "productSet"): _short_set,
        ("Mutation", "productCreate"): _one_argument,
        ("Mutation", "productUpdate"): _one_argument,
    },
    access={
        **{("Mutation", name): _WRITE for name in _MUTATIONS},
        ("QueryRoot", "productOperation"): _READ,
    },
    type_names={
        "SetOperation": "ProductSetOperation",
        "DuplicateOperation": "ProductDuplicateOperation",
        "DeleteOperation": "ProductDeleteOperation",
    },
    node_scopes={**dict.fromkeys(_OPERATIONS, _READ)},
    mappings=frozenset(
        {
            "ProductCreatePayload",
            "ProductDeletePayload",
            "ProductDuplicatePayload",
            "ProductSetPayload",
            "ProductSetUserError",
            "ProductUpdatePayload",
            "ProductVariantsBulkCreatePayload",
            "ProductVariantsBulkCreateUserError",
            "ProductVariantsBulkDeletePayload",
            "ProductVariantsBulkDeleteUserError",
            "ProductVariantsBulkReorderPayload",
            "ProductVariantsBulkReorderUserError",
            "ProductVariantsBulkUpdatePayload",
            "ProductVariantsBulkUpdateUserError",
            "TagsAddPayload",
            "TagsRemovePayload",
        }
    ),
)
"""Products and variants written, duplicated, deleted."""
