"""`productOptionUpdate`: one option renamed or moved, its values added, renamed, deleted (the schema's own texts)."""

from __future__ import annotations

from typing import Any

from .options import LONGEST_NAME, MOST_VALUES, Option
from .products_combinations import answer, permute, settle, sibling, without
from .products_events import remove_variant
from .products_variants import MOST_VARIANTS, Wrongs, product_of
from .rows import Product
from .world import World

Payload = dict[str, Any]


def update_option(world: World, arguments: Payload) -> Payload:
    """`productOptionUpdate`: rename, move, add, rename and delete values. MANAGE makes and deletes variants for it."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    if product is None:
        return answer(None, wrong)
    option = next((row for row in product.options if row.gid == arguments["option"]["id"]), None)
    if option is None:
        wrong.add("OPTION_DOES_NOT_EXIST", "Option does not exist", "option")
        return answer(product, wrong)
    place = product.options.index(option)
    manage = arguments.get("variantStrategy") == "MANAGE"
    _check_option(product, option, arguments["option"], wrong)
    renamed = _renamed(option, arguments, wrong)
    gone = _gone(product, place, arguments, manage, wrong)
    fresh = _fresh(option, arguments, renamed, gone, wrong)
    _check_what_stays(product, place, manage, gone, fresh, wrong)
    if wrong.rows:
        return answer(product, wrong)
    _rename_values(product, place, renamed)
    _change_values(world, product, place, {renamed.get(name, name) for name in gone}, fresh, manage)
    option.name = (arguments["option"].get("name") or option.name).strip()
    position = arguments["option"].get("position")
    if position is not None and position - 1 != place:
        order = [n for n in range(len(product.options)) if n != place]
        order.insert(position - 1, place)
        permute(product, order)
    settle(world, product)
    return answer(product, wrong)


def _check_option(product: Product, option: Option, given: Payload, wrong: Wrongs) -> None:
    name = given.get("name")
    if name is not None and not name.strip():
        wrong.add("INVALID_NAME", "The name provided is not valid.", "option", "name")
    elif name is not None and any(
        row.name.casefold() == name.strip().casefold() for row in product.options if row is not option
    ):
        wrong.add("OPTION_ALREADY_EXISTS", f"Option '{name}' already exists.", "option", "name")
    elif name is not None and len(name) > LONGEST_NAME:
        wrong.add("OPTION_NAME_TOO_LONG", "Option name is too long.", "option", "name")
    if given.get("position") is not None and not 1 <= given["position"] <= len(product.options):
        wrong.add("INVALID_POSITION", "The option position provided is not valid.", "option", "position")


def _renamed(option: Option, arguments: Payload, wrong: Wrongs) -> dict[str, str]:
    """Old value → new, of the values to update."""
    renamed: dict[str, str] = {}
    deleted = set(arguments.get("optionValuesToDelete") or ())
    for i, each in enumerate(arguments.get("optionValuesToUpdate") or ()):
        path = ("optionValuesToUpdate", str(i))
        old, new = option.value_of_gid(each["id"]), (each.get("name") or "").strip()
        if old is None:
            wrong.add("OPTION_VALUE_DOES_NOT_EXIST", "Option value does not exist.", *path)
        elif each["id"] in deleted:
            message = "Performing conflicting actions on an option value."
            wrong.add("OPTION_VALUE_CONFLICTING_OPERATION", message, *path)
        elif not new:
            wrong.add("KEY_MISSING_IN_INPUT", "The name of the option value is missing.", *path, "name")
        else:
            renamed[old] = new
    after = [renamed.get(name, name) for name in option.values]
    if len(set(after)) < len(after):
        wrong.add("OPTION_VALUE_ALREADY_EXISTS", "Option value already exists.", "optionValuesToUpdate")
    return renamed


def _gone(product: Product, place: int, arguments: Payload, manage: bool, wrong: Wrongs) -> set[str]:
    """The values to delete, by name."""
    option, used = product.options[place], set(product.used_values(place))
    gone: set[str] = set()
    for i, gid in enumerate(arguments.get("optionValuesToDelete") or ()):
        name = option.value_of_gid(gid)
        if name is None:
            wrong.add("OPTION_VALUE_DOES_NOT_EXIST", "Option value does not exist.", "optionValuesToDelete", str(i))
        elif name in used and not manage:
            message = "Option value with variants linked cannot be deleted."
            wrong.add("OPTION_VALUE_HAS_VARIANTS", message, "optionValuesToDelete", str(i))
        else:
            gone.add(name)
    return gone


def _fresh(option: Option, arguments: Payload, renamed: dict[str, str], gone: set[str], wrong: Wrongs) -> list[str]:
    """The values to add, by name."""
    there = {renamed.get(name, name) for name in option.values if name not in gone}
    fresh: list[str] = []
    for i, each in enumerate(arguments.get("optionValuesToAdd") or ()):
        path, name = ("optionValuesToAdd", str(i), "name"), (each.get("name") or "").strip()
        if not name:
            wrong.add("KEY_MISSING_IN_INPUT", "The name of the option value is missing.", *path)
        elif name in there:
            wrong.add("OPTION_VALUE_ALREADY_EXISTS", "Option value already exists.", *path)
        elif name in fresh:
            wrong.add("DUPLICATED_OPTION_VALUE", "Duplicated option value.", *path)
        elif len(name) > LONGEST_NAME:
            wrong.add("OPTION_VALUE_NAME_TOO_LONG", "Option value name is too long.", *path)
        else:
            fresh.append(name)
    if len(there) + len(fresh) > MOST_VALUES:
        message = "Option values count is over the allowed limit."
        wrong.add("OPTION_VALUES_OVER_LIMIT", message, "optionValuesToAdd")
    return fresh


def _check_what_stays(
    product: Product, place: int, manage: bool, gone: set[str], fresh: list[str], wrong: Wrongs
) -> None:
    option, used = product.options[place], set(product.used_values(place))
    if gone and gone >= option.values.keys() and not fresh:
        message = "Deleting all option values of an option is not allowed."
        wrong.add("CANNOT_DELETE_ALL_OPTION_VALUES_IN_OPTION", message, "optionValuesToDelete")
    elif gone and used <= gone and not (manage and fresh):
        message = "An option cannot be left only with option values that are not linked to any variant."
        wrong.add("CANNOT_LEAVE_OPTIONS_WITHOUT_VARIANTS", message, "optionValuesToDelete")
    staying = [v for v in product.variants if v.option_values[place] not in gone]
    others = {without(v.option_values, {place}) for v in product.variants}
    if manage and len(staying) + len(others) * len(fresh) > MOST_VARIANTS:
        message = f"The number of created variants would exceed the {MOST_VARIANTS} variants per product limit"
        wrong.add("TOO_MANY_VARIANTS_CREATED", message, "optionValuesToAdd")


def _rename_values(product: Product, place: int, renamed: dict[str, str]) -> None:
    product.options[place].rename(renamed)
    for variant in product.variants:
        values = list(variant.option_values)
        values[place] = renamed.get(values[place], values[place])
        variant.option_values = tuple(values)


def _change_values(world: World, product: Product, place: int, gone: set[str], fresh: list[str], manage: bool) -> None:
    """Take values away with their variants, and add values, with a variant for every other combination when managed."""
    option = product.options[place]
    for name in fresh:
        option.know(name)
    if manage:
        others = {without(v.option_values, {place}): v for v in reversed(product.variants)}
        for name in fresh:
            for rest, variant in reversed(others.items()):
                sibling(world, variant, (*rest[:place], name, *rest[place:]))
    for variant in [v for v in product.variants if v.option_values[place] in gone]:
        remove_variant(world.shop, variant)
    for name in gone:
        option.forget(name)
