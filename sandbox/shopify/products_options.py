"""Options of a product created, deleted, reordered, and what that does to its variants (the schema's own texts)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as combinations
from typing import Any

from .keyed import unkeyed
from .options import DEFAULT_OPTION, LONGEST_NAME, MOST_OPTIONS, MOST_VALUES, NOTHING_CHOSEN, Option
from .products_combinations import Values, answer, permute, settle, sibling, without
from .products_events import remove_variant
from .products_option_update import update_option
from .products_variants import MOST_VARIANTS, Wrongs, product_of
from .rows import Product, Variant
from .topics import Topic
from .world import World

Payload = dict[str, Any]


# ── create ──


def create_options(world: World, arguments: Payload) -> Payload:
    """`productOptionsCreate`: variants get each option's first value; CREATE adds the other combinations."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return answer(None, wrong)
    given = arguments["options"]
    create = arguments["variantStrategy"] == "CREATE"
    kept = [] if product.has_only_default() else product.options
    _check_new_options(kept, given, wrong)
    if not wrong.rows and create:
        _check_many(len(product.variants), given, wrong)
    if wrong.rows:
        return answer(product, wrong)
    places = _places_of(kept, given)
    rest: list[Values] = [v.option_values if kept else () for v in product.variants]
    product.options = list(kept)
    for place, each in places:
        option = world.shop.new_option(each["name"].strip())
        for value in each["values"]:
            option.know(value["name"].strip())
        product.options.insert(place, option)
    sources = list(zip(list(product.variants), rest, strict=True))
    for n, chosen in enumerate(combinations(*([value["name"].strip() for value in e["values"]] for _, e in places))):
        for variant, old in sources:
            values = _with(old, [place for place, _ in places], chosen)
            if n == 0:
                variant.option_values = values
            elif create:
                sibling(world, variant, values)
    settle(world, product)
    return answer(product, wrong)


def _with(old: Values, places: list[int], chosen: Values) -> Values:
    values = list(old)
    for place, value in zip(places, chosen, strict=True):
        values.insert(place, value)
    return tuple(values)


def _places_of(kept: list[Option], given: list[Payload]) -> list[tuple[int, Payload]]:
    """Where each new option goes, ascending: as asked, else behind those there are."""
    if all(each.get("position") for each in given):
        return sorted(((min(e["position"] - 1, len(kept) + len(given) - 1), e) for e in given), key=lambda p: p[0])
    return [(len(kept) + n, each) for n, each in enumerate(given)]


def _check_new_options(kept: list[Option], given: list[Payload], wrong: Wrongs) -> None:
    if len(kept) + len(given) > MOST_OPTIONS:
        message = f"Can only specify a maximum of {MOST_OPTIONS} options"
        wrong.add("OPTIONS_OVER_LIMIT", message, "options")
    positions = [each.get("position") for each in given]
    if any(positions) and not all(positions):
        message = "If specified, position field must be present in all option inputs"
        wrong.add("OPTION_POSITION_MISSING", message, "options")
    names = {option.name.casefold() for option in kept}
    seen: set[str] = set()
    for i, each in enumerate(given):
        path = ("options", str(i))
        name = (each.get("name") or "").strip()
        if not name:
            wrong.add("OPTION_NAME_MISSING", "Each option must have a name specified.", *path, "name")
        elif name.casefold() in names:
            wrong.add("OPTION_ALREADY_EXISTS", f"Option '{name}' already exists.", *path)
        elif name.casefold() in seen:
            wrong.add("DUPLICATED_OPTION_NAME", f"Duplicated option name '{name}'.", *path)
        if len(name) > LONGEST_NAME:
            wrong.add("OPTION_NAME_TOO_LONG", "Option name is too long.", *path, "name")
        if each.get("position") and not 1 <= each["position"] <= MOST_OPTIONS:
            wrong.add("POSITION_OUT_OF_BOUNDS", f"Position must be between 1 and {MOST_OPTIONS}.", *path, "position")
        seen.add(name.casefold())
        _check_new_values(bool(kept), each, name, path, wrong)


def _check_new_values(needed: bool, given: Payload, name: str, path: tuple[str, ...], wrong: Wrongs) -> None:
    if needed and "values" not in given:
        message = "New option must have at least one value for existing variants."
        wrong.add("NEW_OPTION_WITHOUT_VALUE_FOR_EXISTING_VARIANTS", message, *path, "values")
        return
    values = [(value.get("name") or "").strip() for value in given.get("values") or ()]
    if not all(values) or not values:
        message = f"Option '{name}' must specify at least one option value."
        wrong.add("OPTION_VALUES_MISSING", message, *path)
    if len(values) > MOST_VALUES:
        wrong.add("OPTION_VALUES_OVER_LIMIT", "Option values count is over the allowed limit.", *path, "values")
    if len(set(values)) < len(values):
        wrong.add("DUPLICATED_OPTION_VALUE", "Duplicated option value.", *path, "values")
    if any(len(value) > LONGEST_NAME for value in values):
        wrong.add("OPTION_VALUE_NAME_TOO_LONG", "Option value name is too long.", *path, "values")


def _check_many(variants: int, given: list[Payload], wrong: Wrongs) -> None:
    for each in given:
        variants *= len(each["values"])
    if variants > MOST_VARIANTS:
        message = f"The number of created variants would exceed the {MOST_VARIANTS} variants per product limit"
        wrong.add("TOO_MANY_VARIANTS_CREATED", message, "options")


# ── delete ──


def delete_options(world: World, arguments: Payload) -> Payload:
    """`productOptionsDelete`: variants that become alike are deleted by POSITION only, the last ones first."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return {**answer(None, wrong), "deletedOptionsIds": None}
    places = _places_to_delete(product, arguments, wrong)
    first: dict[Values, Variant] = {}
    for variant in product.variants:
        first.setdefault(without(variant.option_values, places), variant)
    if arguments["strategy"] == "NON_DESTRUCTIVE" and len(first) < len(product.variants):
        message = "Cannot delete options without deleting variants."
        wrong.add("CANNOT_USE_NON_DESTRUCTIVE_STRATEGY", message, "options")
    if wrong.rows:
        return {**answer(product, wrong), "deletedOptionsIds": None}
    for variant in [v for v in product.variants if v not in first.values()]:
        remove_variant(world.shop, variant)
    for values, variant in first.items():
        variant.option_values = values or NOTHING_CHOSEN
    product.options = [option for place, option in enumerate(product.options) if place not in places]
    if not product.options:
        world.shop.set_options(product, [DEFAULT_OPTION])
        product.options[0].know(*NOTHING_CHOSEN)
    settle(world, product)
    return {**answer(product, wrong), "deletedOptionsIds": list(dict.fromkeys(arguments["options"]))}


def _places_to_delete(product: Product, arguments: Payload, wrong: Wrongs) -> set[int]:
    known = {option.gid: place for place, option in enumerate(product.options)}
    for i, gid in enumerate(arguments["options"]):
        if gid not in known:
            wrong.add("OPTION_DOES_NOT_EXIST", "Option does not exist", "options", str(i))
        elif arguments["strategy"] == "DEFAULT" and len(product.options[known[gid]].values) > 1:
            message = "Can't delete option with multiple values."
            wrong.add("CANNOT_DELETE_OPTION_WITH_MULTIPLE_VALUES", message, "options", str(i))
    return {known[gid] for gid in arguments["options"] if gid in known}


# ── reorder ──


def reorder_options(world: World, arguments: Payload) -> Payload:
    """`productOptionsReorder`: options and values in the order sent; the variants follow."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return answer(None, wrong)
    given = arguments["options"]
    keys = {key for each in given for key in ("id", "name") if each.get(key)}
    if len(keys) > 1:
        message = "Cannot specify different options or option values using mixed id and name reference key."
        wrong.add("MIXING_ID_AND_NAME_KEYS_IS_NOT_ALLOWED", message, "options")
        return answer(product, wrong)
    order: list[int] = []
    arranged: list[tuple[Option, list[str]]] = []
    for i, each in enumerate(given):
        place = _place(product, each, ("options", str(i)), wrong)
        if place is None:
            continue
        if place in order:
            wrong.add("DUPLICATED_OPTION_NAME", "Duplicated option name.", "options", str(i))
        order.append(place)
        if each.get("values"):
            option = product.options[place]
            arranged.append((option, _arranged(option, each["values"], ("options", str(i), "values"), wrong)))
    if not wrong.rows and len(order) < len(product.options):
        wrong.add("MISSING_OPTION_NAME", "Missing option name.", "options")
    if wrong.rows:
        return answer(product, wrong)
    for option, names in arranged:
        option.arrange(names)
    permute(product, order)
    settle(world, product)
    return answer(product, wrong)


def _place(product: Product, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> int | None:
    by_id = bool(given.get("id"))
    for place, option in enumerate(product.options):
        if (option.gid == given["id"]) if by_id else (option.name == given.get("name")):
            return place
    code = "OPTION_ID_DOES_NOT_EXIST" if by_id else "OPTION_NAME_DOES_NOT_EXIST"
    wrong.add(code, f"Option {'id' if by_id else 'name'} does not exist.", *path)
    return None


def _arranged(option: Option, given: list[Payload], path: tuple[str, ...], wrong: Wrongs) -> list[str]:
    names: list[str] = []
    for n, each in enumerate(given):
        name = option.value_of_gid(each["id"]) if each.get("id") else each.get("name")
        if name is None or name not in option.values:
            code = "OPTION_VALUE_ID_DOES_NOT_EXIST" if each.get("id") else "OPTION_VALUE_DOES_NOT_EXIST"
            wrong.add(code, "Option value does not exist.", *path, str(n))
        elif name in names:
            wrong.add("DUPLICATED_OPTION_VALUE", "Duplicated option value.", *path, str(n))
        else:
            names.append(name)
    if len(names) == len(given) < len(option.values):
        wrong.add("MISSING_OPTION_VALUE", "Missing option value.", *path)
    return names


_ACTS: dict[str, Callable[[World, Payload], Payload]] = {
    "productOptionsCreate": create_options,
    "productOptionUpdate": update_option,
    "productOptionsDelete": delete_options,
    "productOptionsReorder": reorder_options,
}

OPTIONS = Topic(
    full={("Mutation", name): unkeyed(act) for name, act in _ACTS.items()},
    access={("Mutation", name): frozenset({"write_products"}) for name in _ACTS},
    mappings=frozenset(
        f"{kind}{end}"
        for kind in ("ProductOptionsCreate", "ProductOptionUpdate", "ProductOptionsDelete", "ProductOptionsReorder")
        for end in ("Payload", "UserError")
    ),
)
"""Options of products, one by one."""
