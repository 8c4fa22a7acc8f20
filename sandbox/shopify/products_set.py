"""`productSet`: a whole product in one call (reference §4.2). Every list that is sent is the complete new list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import media, metafields
from .events import level_moved
from .handles import normalised
from .options import NOTHING_CHOSEN
from .products_events import changed, created, remove_variant
from .products_fields import check_fields, check_handle, handle_for, write_fields
from .products_jobs import new_operation
from .products_set_options import WantedOption, option_asked, values_after, wanted_options, write_options
from .products_variants import (
    MOST_QUANTITIES,
    MOST_VARIANTS,
    Wrongs,
    add_variant,
    check_places,
    check_prices,
    number_positions,
)
from .products_variants import write_fields as write_variant
from .rows import AVAILABLE, ON_HAND, Product, Variant
from .world import World

_INVALID = ("INVALID_VARIANT", "INVALID_VARIANT")

Payload = dict[str, Any]


@dataclass
class _Wanted:
    """The complete new options and variants: values, the row that has them already (if any), its input."""

    options: list[WantedOption] = field(default_factory=list)
    variants: list[tuple[tuple[str, ...], Variant | None, Payload]] = field(default_factory=list)


def set_act(world: World, arguments: dict[str, Any]) -> Payload:
    """The mutation. Not synchronous: the answer is an operation to poll, and errors of the product are told there."""
    if arguments["synchronous"]:
        product, wrong = _set(world, arguments)
        return {"product": product, "productSetOperation": None, "userErrors": wrong}
    product, wrong = _set(world, arguments)
    operation = new_operation(world, "ProductSetOperation", product, None, wrong)
    return {"product": None, "productSetOperation": operation.as_started(), "userErrors": []}


def _set(world: World, arguments: dict[str, Any]) -> tuple[Product | None, list[Payload]]:
    shop, given = world.shop, arguments["input"]
    wrong = Wrongs()
    product = _target(world, arguments.get("identifier"), given, wrong)
    if wrong.rows:
        return None, wrong.rows
    if product is None and not (given.get("title") or "").strip():
        wrong.add("INVALID_PRODUCT", "Title can't be blank", "input", "title")
    elif product is None or given.get("title") is not None:
        check_fields(given, "input", wrong.add)
    else:
        check_fields({name: value for name, value in given.items() if name != "title"}, "input", wrong.add)
    check_handle(shop, product, given, "input", wrong.add)
    _check_lists(world, given, wrong)
    wanted = _wanted(world, product, given, wrong)
    if wrong.rows:
        return None, wrong.rows
    fresh = product is None
    stamp = world.clock.stamp()
    if product is None:
        product = shop.add_product(handle_for(shop, given["title"], given.get("handle")), given["title"], stamp)
        product.listed, product.published_at, product.vendor = {}, None, shop.name
        write_fields(shop, product, {name: value for name, value in given.items() if name != "handle"})
        if wanted is None:
            add_variant(world, product, NOTHING_CHOSEN, {})
    else:
        write_fields(shop, product, given)
    if wanted is not None:
        _write_variants(world, product, wanted, fresh)
    _write_lists(world, product, given, stamp)
    if fresh:
        created(shop, product)
    else:
        changed(shop, product, stamp)
    return product, []


# ── which product ──


def _target(world: World, identifier: Payload | None, given: Payload, wrong: Wrongs) -> Product | None:
    """The product to update, or None to create one."""
    by_gid = world.shop.by_gid
    if identifier is None:
        if not given.get("id"):
            return None
        return _known(by_gid.get(given["id"]), wrong, "input", "id")
    if given.get("id"):
        wrong.add("ID_NOT_ALLOWED", "The id field is not allowed if identifier is provided.", "input", "id")
        return None
    if "id" in identifier:
        return _known(by_gid.get(identifier["id"]), wrong, "identifier", "id")
    if "handle" in identifier:
        if not given.get("handle"):
            message = "The input must contain the handle field when the identifier is a handle."
            wrong.add("MISSING_FIELD_REQUIRED", message, "input", "handle")
        elif normalised(given["handle"]) != normalised(identifier["handle"]):
            message = "The identifier value does not match the value of the corresponding field in the input."
            wrong.add("INPUT_MISMATCH", message, "input", "handle")
        return world.shop.products_by_handle.get(normalised(identifier["handle"]))
    return _by_custom_id(world, identifier["customId"], given, wrong)


def _known(row: Any, wrong: Wrongs, *path: str) -> Product | None:
    if isinstance(row, Product):
        return row
    wrong.add("PRODUCT_DOES_NOT_EXIST", "Product does not exist", *path)
    return None


def _by_custom_id(world: World, custom: Payload, given: Payload, wrong: Wrongs) -> Product | None:
    namespace = metafields.namespace_of(custom, world.app_number)
    if (namespace, custom["key"]) not in world.shop.unique_metafields:
        message = "Metafield definition of type 'id' is required when using custom ids."
        wrong.add("NOT_FOUND", message, "identifier", "customId")
        return None
    sent = {(metafields.namespace_of(m, world.app_number), m.get("key")): m for m in given.get("metafields") or ()}
    own = sent.get((namespace, custom["key"]))
    if own is None:
        wrong.add(
            "MISSING_FIELD_REQUIRED", "The input must contain the metafield of the custom id.", "input", "metafields"
        )
    elif own.get("value") != custom["value"]:
        wrong.add("METAFIELD_MISMATCH", "The metafield differs from the identifier.", "input", "metafields")
    owner = metafields.owner_of_unique(world.shop, namespace, custom["key"], custom["value"])
    row = world.shop.by_gid.get(owner or "")
    return row if isinstance(row, Product) else None


# ── lists ──


def _check_lists(world: World, given: Payload, wrong: Wrongs) -> None:
    for i, each in enumerate(given.get("files") or ()):
        if problem := media.problem_of(each, world.shop):
            wrong.add("INVALID_INPUT", problem, "input", "files", str(i))
    _check_metafields(given.get("metafields"), ("input", "metafields"), wrong)


def _check_metafields(given: list[Payload] | None, path: tuple[str, ...], wrong: Wrongs) -> None:
    for i, each in enumerate(given or ()):
        if not each.get("key") or each.get("value") is None:
            wrong.add("INVALID_METAFIELD", "Key and value can't be blank", *path, str(i))
        elif problem := metafields.problem_of(each.get("type") or "", each["value"]):
            wrong.add("INVALID_METAFIELD", f"Value {problem}.", *path, str(i), "value")


def _write_lists(world: World, product: Product, given: Payload, stamp: str) -> None:
    shop = world.shop
    if "metafields" in given:
        metafields.replace_all(shop, product.gid, given["metafields"], world.app_number, stamp)
    if "files" in given:
        media.replace_all(world, product, given["files"])
    for variant, each in zip(product.variants, given.get("variants") or (), strict=False):
        if "file" in each:
            media.show_on(world, variant, [each["file"]] if each["file"] else [])
    if "collections" in given:
        shop.collections[product.gid] = list(given["collections"] or ())


# ── options and variants ──


def _wanted(world: World, product: Product | None, given: Payload, wrong: Wrongs) -> _Wanted | None:
    """The complete new options and variants; None when the input names neither."""
    if not _come_together(given, wrong):
        return None
    options = wanted_options(product, given["productOptions"] or [], wrong)
    first = [{"optionName": option.name, "name": option.values[0]} for option in options if option.values]
    variants = given["variants"] or [{"optionValues": first}]
    _check_amount(variants, wrong)
    if wrong.rows:
        return None
    wanted = _Wanted(options)
    by_values = {values_after(v, options): v for v in product.variants} if product is not None else {}
    named = {each["id"] for each in variants if each.get("id")}
    seen: set[tuple[str, ...]] = set()
    for i, each in enumerate(variants):
        path = ("input", "variants", str(i))
        values = _values(options, each, path, wrong)
        _check_variant(world, each, path, wrong)
        if values is None:
            continue
        if values in seen:
            wrong.add("INVALID_VARIANT", f"The variant '{' / '.join(values)}' already exists.", *path)
        seen.add(values)
        row = _row(world, product, each, path, wrong) if each.get("id") else by_values.get(values)
        if row is not None and not each.get("id") and row.gid in named:
            row = None  # another entry of the list has claimed it by its id
        if row is not None:
            _check_stocked(world, row, each, path, wrong)
        wanted.variants.append((values, row, each))
    return wanted


def _come_together(given: Payload, wrong: Wrongs) -> bool:
    """True when options and variants are both sent; one without the other is refused."""
    if "variants" in given and "productOptions" not in given:
        message = "Product options must be specified when variants are specified."
        wrong.add("PRODUCT_OPTIONS_INPUT_MISSING", message, "input", "productOptions")
    elif "productOptions" in given and "variants" not in given:
        message = "Variants must be specified when product options are specified."
        wrong.add("VARIANTS_INPUT_MISSING", message, "input", "variants")
    return "variants" in given and "productOptions" in given


def _check_amount(variants: list[Payload], wrong: Wrongs) -> None:
    if len(variants) > MOST_VARIANTS:
        message = f"Product can't have more than {MOST_VARIANTS} variants."
        wrong.add("VARIANTS_OVER_LIMIT", message, "input", "variants")
    if sum(len(each.get("inventoryQuantities") or ()) for each in variants) > MOST_QUANTITIES:
        message = f"Inventory quantities can't exceed {MOST_QUANTITIES}."
        wrong.add("INVENTORY_QUANTITIES_LIMIT_EXCEEDED", message, "input", "variants")


def _values(
    options: list[WantedOption], given: Payload, path: tuple[str, ...], wrong: Wrongs
) -> tuple[str, ...] | None:
    chosen: dict[str, str] = {}
    for n, each in enumerate(given["optionValues"]):
        option = option_asked(options, each)
        if option is None:
            wrong.add("OPTION_DOES_NOT_EXIST", "Option does not exist", *path, "optionValues", str(n))
            return None
        value = option.value_of(each)
        if value is None:
            wrong.add("OPTION_VALUE_DOES_NOT_EXIST", "Option value does not exist", *path, "optionValues", str(n))
            return None
        chosen[option.name] = value
    if len(chosen) < len(options):
        missing = ", ".join(option.name for option in options if option.name not in chosen)
        wrong.add("INVALID_VARIANT", f"You need to add option values for {missing}", *path, "optionValues")
        return None
    return tuple(chosen[option.name] for option in options)


def _row(world: World, product: Product | None, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> Variant | None:
    row = world.shop.by_gid.get(given["id"])
    if isinstance(row, Variant) and row.product is product:
        return row
    wrong.add("PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist", *path, "id")
    return None


def _check_variant(world: World, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> None:
    check_prices(given, path, wrong.add, _INVALID)
    check_places(world, given, path, wrong.add, "INVALID_INPUT")
    _check_metafields(given.get("metafields"), (*path, "metafields"), wrong)
    for n, row in enumerate(given.get("inventoryQuantities") or ()):
        if row["name"] not in ("available", "on_hand"):
            wrong.add("INVALID_INPUT", "The quantity name must be either 'available' or 'on_hand'.", *path, str(n))
    if given.get("file") and (problem := media.problem_of(given["file"], world.shop)):
        wrong.add("INVALID_INPUT", problem, *path, "file")


def _check_stocked(world: World, variant: Variant, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> None:
    for n, row in enumerate(given.get("inventoryQuantities") or ()):
        place = world.shop.by_gid.get(row["locationId"])
        level = variant.item.level_at(place) if place in world.shop.locations else None
        if level is None or not level.active:
            message = "The inventory item is not stocked at the location."
            wrong.add("INVALID_INPUT", message, *path, "inventoryQuantities", str(n), "locationId")


def _write_variants(world: World, product: Product, wanted: _Wanted, fresh: bool) -> None:
    shop = world.shop
    kept = {row.gid for _, row, _ in wanted.variants if row is not None}
    for row in [row for row in product.variants if row.gid not in kept]:
        remove_variant(shop, row)
    write_options(shop, product, wanted.options)
    order: list[Variant] = []
    for values, known, given in wanted.variants:
        row = known or add_variant(world, product, values, given)
        if known is not None:
            _update_variant(world, row, values, given)
        elif not fresh:
            shop.happened("inventory_items/create", row.item)
        if "metafields" in given:
            metafields.replace_all(shop, row.gid, given["metafields"], world.app_number, world.clock.stamp())
        order.append(row)
    product.variants[:] = order
    number_positions(product)


def _update_variant(world: World, row: Variant, values: tuple[str, ...], given: Payload) -> None:
    stamp = world.clock.stamp()
    row.option_values = values
    row.updated_at = stamp
    write_variant(world, row, {name: value for name, value in given.items() if name != "metafields"})
    for each in given.get("inventoryQuantities") or ():
        level = row.item.level_at(world.shop.by_gid[each["locationId"]])
        if level is not None:
            stored = level.quantity(ON_HAND if each["name"] == "on_hand" else AVAILABLE)
            level.move(AVAILABLE, each["quantity"] - stored, stamp)
            level_moved(world.shop, level)
    if "sku" in given or given.get("inventoryItem"):
        world.shop.happened("inventory_items/update", row.item)
