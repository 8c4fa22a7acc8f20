"""Variants in bulk, of one product a call (reference §4.3): create, update, delete."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import media
from .events import level_connected
from .metafields import namespace_of, write
from .options import NOTHING_CHOSEN
from .products_events import changed, remove_variant
from .rows import AVAILABLE, Location, Product, Variant
from .stocking import write_item
from .world import World

MOST_VARIANTS = 2048
MOST_QUANTITIES = 50_000

Payload = dict[str, Any]
Refuse = Callable[..., None]  # (code, message, *path)


def money(value: Decimal) -> str:
    """A price as Shopify keeps it: two decimals."""
    return str(value.quantize(Decimal("0.01")))


class Wrongs:
    """User errors gathered, with or without codes."""

    def __init__(self) -> None:
        self.rows: list[Payload] = []

    def add(self, code: str, message: str, *path: str) -> None:
        """One more."""
        self.rows.append({"code": code, "field": list(path), "message": message})


def check_prices(given: Payload, path: tuple[str, ...], refuse: Refuse, codes: tuple[str, str]) -> None:
    """Refuse what is below zero; zero, and a compare-at price below the price, are accepted as Shopify does."""
    for (name, label), code in zip((("price", "Price"), ("compareAtPrice", "Compare at price")), codes, strict=True):
        if given.get(name) is not None and given[name] < 0:
            refuse(code, f"{label} must be greater than or equal to 0", *path, name)
    cost = (given.get("inventoryItem") or {}).get("cost")
    if cost is not None and cost < 0:
        refuse(codes[1], "Cost must be greater than or equal to 0", *path, "inventoryItem", "cost")


def write_fields(world: World, variant: Variant, given: Payload) -> None:
    """The fields that the input carries; a missing key keeps, null clears. Announces a change of the inventory item."""
    if "barcode" in given:
        variant.barcode = given["barcode"] or None
    if given.get("price") is not None:
        variant.price = money(given["price"])
    if "compareAtPrice" in given:
        variant.compare_at_price = None if given["compareAtPrice"] is None else money(given["compareAtPrice"])
    if given.get("taxable") is not None:
        variant.taxable = given["taxable"]
    if "inventoryPolicy" in given:
        variant.inventory_policy = given["inventoryPolicy"] or "DENY"
    of_item = dict(given.get("inventoryItem") or {})
    if "sku" in given:
        of_item["sku"] = given["sku"]
    if of_item:
        write_item(world, variant.item, of_item)
    for each in given.get("metafields") or ():
        write(world.shop, variant.gid, namespace_of(each, world.app_number), each, world.clock.stamp())


def add_variant(world: World, product: Product, values: tuple[str, ...], given: Payload) -> Variant:
    """A new variant of checked input, stocked where its quantities say, else at the first location with zero."""
    stamp = world.clock.stamp()
    variant = world.shop.add_variant(product, values, None, tracked=False, stamp=stamp)
    write_fields(world, variant, given)
    rows = given.get("inventoryQuantities") or ()
    places = [(world.shop.by_gid[row["locationId"]], row) for row in rows]
    for location, row in places or [(place, None) for place in world.shop.locations[:1]]:
        level = variant.item.stock_at(location, stamp, active=True)
        if row is not None:
            level.quantities[AVAILABLE] = row["quantity"] if "quantity" in row else row["availableQuantity"]
        level_connected(world.shop, level)
    return variant


def check_media(world: World, product: Product, given: Payload, path: tuple[str, ...], refuse: Refuse) -> None:
    """Refuse an image that is none, or that is not one of the product's."""
    gid = given.get("mediaId")
    if gid is not None and gid not in [row.gid for row in world.shop.media.get(product.gid, ())]:
        refuse("INVALID_INPUT", "The media does not exist on the product.", *path, "mediaId")
    for source in given.get("mediaSrc") or ():
        if not media.is_address(source):
            refuse("INVALID_INPUT", "Image URL is invalid", *path, "mediaSrc")


def _write_media(world: World, variant: Variant, given: Payload) -> None:
    asked = [{"id": given["mediaId"]}] if given.get("mediaId") else []
    asked += [{"originalSource": source} for source in given.get("mediaSrc") or ()]
    if asked:
        media.show_on(world, variant, asked)


def _check_product_media(world: World, arguments: Payload, wrong: Wrongs) -> None:
    for i, each in enumerate(arguments.get("media") or ()):
        if problem := media.problem_of(each, world.shop):
            wrong.add("INVALID_INPUT", problem, "media", str(i), "originalSource")


def check_places(world: World, given: Payload, path: tuple[str, ...], refuse: Refuse, code: str) -> None:
    """Refuse quantities at locations that do not exist or are not active."""
    for n, row in enumerate(given.get("inventoryQuantities") or ()):
        place = world.shop.by_gid.get(row["locationId"])
        if not isinstance(place, Location) or not place.active:
            message = "Inventory quantities could not be set because the location was not found."
            refuse(code, message, *path, "inventoryQuantities", str(n), "locationId")


def option_choice(product: Product, given: Payload) -> tuple[int, str] | None:
    """The option that an option value speaks of (its place), and the value's name ("" when it names none).

    None when the product has no such option, or no value of the id.
    """
    for place, option in enumerate(product.options):
        if given.get("id"):
            value = option.value_of_gid(given["id"])
            if value is not None:
                return place, value
        elif given.get("optionName") == option.name or given.get("optionId") == option.gid:
            return place, (given.get("name") or "").strip()
    return None


def product_of(world: World, gid: str, wrong: Wrongs, argument: str = "productId") -> Product | None:
    """The product that a mutation's argument names, or None with the error gathered."""
    product = world.shop.by_gid.get(gid)
    if isinstance(product, Product):
        return product
    wrong.add("PRODUCT_DOES_NOT_EXIST", "Product does not exist", argument)
    return None


def _answer(product: Product | None, variants: list[Variant] | None, wrong: Wrongs) -> Payload:
    return {"product": product, "productVariants": variants, "userErrors": wrong.rows}


# ── create ──


def bulk_create(world: World, arguments: dict[str, Any]) -> Payload:
    """`productVariantsBulkCreate`: all or nothing; stock may be seeded here only."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return _answer(None, None, wrong)
    given = arguments["variants"]
    standalone = _standalone(product, arguments["strategy"])
    kept = [v for v in product.variants if v is not standalone]
    combined = {v.option_values for v in kept}
    values: list[tuple[str, ...]] = []
    for i, each in enumerate(given):
        path = ("variants", str(i))
        check_prices(each, path, wrong.add, ("NEGATIVE_PRICE_VALUE", "GREATER_THAN_OR_EQUAL_TO"))
        check_places(world, each, path, wrong.add, "TRACKED_VARIANT_LOCATION_NOT_FOUND")
        check_media(world, product, each, path, wrong.add)
        if each.get("id"):
            wrong.add("NO_KEY_ON_CREATE", "ID must not be specified on create", *path, "id")
        chosen = _chosen(product, each, path, wrong)
        if chosen is not None and chosen in combined:
            name = " / ".join(chosen)
            wrong.add("VARIANT_ALREADY_EXISTS", f"The variant '{name}' already exists.", *path)
        elif chosen is not None:
            combined.add(chosen)
            values.append(chosen)
    _check_amount(world, product, len(combined), given, wrong)
    _check_product_media(world, arguments, wrong)
    if wrong.rows:
        return _answer(None, None, wrong)
    media.add(world, product, arguments.get("media"))
    if standalone is not None and given:
        remove_variant(world.shop, standalone)
    made = [add_variant(world, product, chosen, each) for chosen, each in zip(values, given, strict=True)]
    number_positions(product)
    for variant, each in zip(made, given, strict=True):
        _write_media(world, variant, each)
        world.shop.happened("inventory_items/create", variant.item)
    changed(world.shop, product, world.clock.stamp())
    return _answer(product, made, wrong)


def _standalone(product: Product, strategy: str) -> Variant | None:
    """The default variant that new ones replace. DEFAULT removes it only while the product has no options of its own."""
    alone = product.variants[0] if len(product.variants) == 1 else None
    if alone is None or strategy == "PRESERVE_STANDALONE_VARIANT":
        return None
    if strategy == "DEFAULT" and alone.option_values != NOTHING_CHOSEN:
        return None
    return alone


def _chosen(product: Product, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> tuple[str, ...] | None:
    chosen: dict[int, str] = {}
    for n, each in enumerate(given.get("optionValues") or ()):
        choice = option_choice(product, each)
        if choice is None:
            code = "OPTION_VALUES_FOR_NUMBER_OF_UNKNOWN_OPTIONS"
            wrong.add(code, "Option does not exist", *path, "optionValues", str(n))
            return None
        chosen[choice[0]] = choice[1]
    if len(chosen) != len(product.options) or not all(chosen.values()):
        missing = [name for place, name in enumerate(product.option_names) if not chosen.get(place)]
        wrong.add("NEED_TO_ADD_OPTION_VALUES", f"You need to add option values for {', '.join(missing)}", *path)
        return None
    return tuple(chosen[place] for place in range(len(product.options)))


def _check_amount(world: World, product: Product, total: int, given: list[Payload], wrong: Wrongs) -> None:
    if total > MOST_VARIANTS:
        message = f"Product can't have more than {MOST_VARIANTS} variants."
        wrong.add("SUBSCRIPTION_VIOLATION", message, "variants")
    if sum(len(each.get("inventoryQuantities") or ()) for each in given) > MOST_QUANTITIES:
        message = f"Inventory quantities can't exceed {MOST_QUANTITIES}."
        wrong.add("INVENTORY_QUANTITIES_LIMIT_EXCEEDED", message, "variants")


def number_positions(product: Product) -> None:
    """Positions 1, 2, 3 … in the order of the list."""
    for position, variant in enumerate(product.variants, 1):
        variant.position = position


# ── update ──


def bulk_update(world: World, arguments: dict[str, Any]) -> Payload:
    """`productVariantsBulkUpdate`: all or nothing unless `allowPartialUpdates`; no stock here."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return _answer(None, None, wrong)
    accepted: list[tuple[Variant, Payload, tuple[str, ...]]] = []
    planned = {variant.gid: variant.option_values for variant in product.variants}
    for i, each in enumerate(arguments["variants"]):
        before = len(wrong.rows)
        found = _to_update(world, product, each, ("variants", str(i)), planned, wrong)
        if found is not None and len(wrong.rows) == before:
            planned[found[0].gid] = found[1]
            accepted.append((found[0], each, found[1]))
    _check_product_media(world, arguments, wrong)
    if wrong.rows and not arguments["allowPartialUpdates"]:
        return _answer(product, None, wrong)
    stamp = world.clock.stamp()
    media.add(world, product, [each for each in arguments.get("media") or () if not media.problem_of(each, world.shop)])
    for variant, each, values in accepted:
        variant.option_values = values
        for option, value in zip(product.options, values, strict=False):
            option.know(value)
        write_fields(world, variant, each)
        _write_media(world, variant, each)
        if each.get("inventoryItem"):
            world.shop.happened("inventory_items/update", variant.item)
    if accepted:
        changed(world.shop, product, stamp, *(variant for variant, _, _ in accepted))
    return _answer(product, [variant for variant, _, _ in accepted], wrong)


def _to_update(
    world: World,
    product: Product,
    given: Payload,
    path: tuple[str, ...],
    planned: dict[str, tuple[str, ...]],
    wrong: Wrongs,
) -> tuple[Variant, tuple[str, ...]] | None:
    if not given.get("id"):
        wrong.add("PRODUCT_VARIANT_ID_MISSING", "Product variant is missing ID attribute", *path, "id")
        return None
    variant = world.shop.by_gid.get(given["id"])
    if not isinstance(variant, Variant) or variant.product is not product:
        wrong.add("PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist", *path, "id")
        return None
    if given.get("inventoryQuantities"):
        message = "Inventory quantities can only be provided during create."
        wrong.add("NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE", message, *path, "inventoryQuantities")
    check_prices(given, path, wrong.add, ("NEGATIVE_PRICE_VALUE", "GREATER_THAN_OR_EQUAL_TO"))
    check_media(world, product, given, path, wrong.add)
    values = list(planned[variant.gid])
    for n, each in enumerate(given.get("optionValues") or ()):
        choice = option_choice(product, each)
        if choice is None:
            kind = "OPTION_VALUE" if each.get("id") else "OPTION"
            message = f"{kind.replace('_', ' ').capitalize()} does not exist"
            wrong.add(f"{kind}_DOES_NOT_EXIST", message, *path, "optionValues", str(n))
        elif choice[1]:
            values[choice[0]] = choice[1]
    chosen = tuple(values)
    if any(other == chosen for gid, other in planned.items() if gid != variant.gid):
        wrong.add("VARIANT_ALREADY_EXISTS", f"The variant '{' / '.join(chosen)}' already exists.", *path)
    return variant, chosen


# ── reorder ──


def bulk_reorder(world: World, arguments: dict[str, Any]) -> Payload:
    """`productVariantsBulkReorder`: the named variants go to their positions, the others keep their order around them."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return {"product": None, "userErrors": wrong.rows}
    asked: dict[str, int] = {}
    known = {variant.gid: variant for variant in product.variants}
    for i, each in enumerate(arguments["positions"]):
        path = ("positions", str(i))
        if each["id"] not in known:
            wrong.add("MISSING_VARIANT", "Variant does not exist.", *path, "id")
        elif each["id"] in asked:
            wrong.add("DUPLICATED_VARIANT_ID", "Product variant IDs must be unique.", *path, "id")
        if each["position"] < 1:
            wrong.add("INVALID_POSITION", "Position must be greater than 0.", *path, "position")
        asked[each["id"]] = each["position"]
    if wrong.rows:
        return {"product": product, "userErrors": wrong.rows}
    order = [variant for variant in product.variants if variant.gid not in asked]
    for gid, position in sorted(asked.items(), key=lambda pair: pair[1]):
        order.insert(position - 1, known[gid])
    product.variants[:] = order
    number_positions(product)
    changed(world.shop, product, world.clock.stamp())
    return {"product": product, "userErrors": []}


# ── delete ──


def bulk_delete(world: World, arguments: dict[str, Any]) -> Payload:
    """`productVariantsBulkDelete`: never the last variant."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return {"product": None, "userErrors": wrong.rows}
    rows = {gid: world.shop.by_gid.get(gid) for gid in arguments["variantsIds"]}
    for i, row in enumerate(rows.values()):
        if not isinstance(row, Variant) or row.product is not product:
            message = "At least one variant does not belong to the product"
            wrong.add("AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT", message, "variantsIds", str(i))
    if not wrong.rows and len(rows) >= len(product.variants):
        wrong.add("CANNOT_DELETE_LAST_VARIANT", "Cannot delete the last variant", "variantsIds")
    if wrong.rows:
        return {"product": None, "userErrors": wrong.rows}
    for row in rows.values():
        if isinstance(row, Variant):
            remove_variant(world.shop, row)
    number_positions(product)
    changed(world.shop, product, world.clock.stamp())
    return {"product": product, "userErrors": []}
