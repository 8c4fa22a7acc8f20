"""The options that `productSet` asks for: the whole new list, each found again by its id, its name, or its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .catalogue import Shop
from .options import DEFAULT_OPTION, MOST_OPTIONS, MOST_VALUES, NOTHING_CHOSEN, Option
from .products_variants import Wrongs
from .rows import Product, Variant

Payload = dict[str, Any]


@dataclass
class WantedOption:
    """One option of the new list. `place` is where the product has it now; `renamed` its values that get another name."""

    name: str
    values: list[str]
    known: Option | None = None
    place: int = -1
    renamed: dict[str, str] = field(default_factory=dict)

    def value_of(self, given: Payload) -> str | None:
        """The value that a variant's input names by id or by name, or None when the new list has no such value."""
        name: str | None = given.get("name")
        if given.get("id"):
            old = self.known.value_of_gid(given["id"]) if self.known is not None else None
            name = None if old is None else self.renamed.get(old, old)
        return name if name in self.values else None


def wanted_options(product: Product | None, given: list[Payload], wrong: Wrongs) -> list[WantedOption]:
    """The new options in their position; without any, the one that stands for no options."""
    there = list(enumerate(product.options)) if product is not None else []
    wanted: list[WantedOption] = []
    ordered = sorted(enumerate(given), key=lambda pair: pair[1].get("position") or pair[0] + 1)
    for i, each in ordered:
        path = ("input", "productOptions", str(i))
        found = _known(there, each, len(wanted))
        if each.get("id") and (found is None or found[1].gid != each["id"]):
            wrong.add("OPTION_DOES_NOT_EXIST", "Option does not exist", *path, "id")
        option = WantedOption((each.get("name") or "").strip(), [])
        if found is not None:
            there.remove(found)
            option.place, option.known = found
            option.name = option.name or option.known.name
        _read_values(option, each.get("values") or [], path, wrong)
        if any(option.name == other.name for other in wanted):
            wrong.add("DUPLICATED_OPTION_NAME", f"Option name '{option.name}' is used twice.", *path, "name")
        wanted.append(option)
    if len(given) > MOST_OPTIONS:
        wrong.add("OPTIONS_OVER_LIMIT", f"A product has at most {MOST_OPTIONS} options.", "input", "productOptions")
    return wanted or [_nothing(product)]


def _nothing(product: Product | None) -> WantedOption:
    known = next((o for o in product.options if o.name == DEFAULT_OPTION), None) if product is not None else None
    place = product.options.index(known) if product is not None and known is not None else -1
    return WantedOption(DEFAULT_OPTION, list(NOTHING_CHOSEN), known, place)


def _known(there: list[tuple[int, Option]], given: Payload, place: int) -> tuple[int, Option] | None:
    """Which of the options not yet taken the input means."""
    name = (given.get("name") or "").strip()
    by_id = [pair for pair in there if pair[1].gid == given.get("id")]
    by_name = [pair for pair in there if pair[1].name == name]
    by_place = [pair for pair in there if pair[0] == place]
    return next(iter(by_id + by_name + by_place), None)


def _read_values(option: WantedOption, given: list[Payload], path: tuple[str, ...], wrong: Wrongs) -> None:
    for n, each in enumerate(given):
        name = (each.get("name") or "").strip()
        if each.get("id"):
            old = option.known.value_of_gid(each["id"]) if option.known is not None else None
            if old is None:
                wrong.add("OPTION_VALUE_DOES_NOT_EXIST", "Option value does not exist", *path, "values", str(n))
                continue
            if name and name != old:
                option.renamed[old] = name
            name = name or old
        option.values.append(name)
    if not option.name or not option.values or not all(option.values):
        wrong.add("OPTION_VALUES_MISSING", "An option needs a name and values.", *path, "values")
    if len(set(option.values)) < len(option.values):
        wrong.add("DUPLICATED_OPTION_VALUE", "An option value is used twice.", *path, "values")
    if len(option.values) > MOST_VALUES:
        wrong.add("OPTION_VALUES_OVER_LIMIT", f"An option has at most {MOST_VALUES} values.", *path, "values")


def option_asked(options: list[WantedOption], given: Payload) -> WantedOption | None:
    """The wanted option that one option value of a variant's input speaks of: by its name, its id, or its value's id."""
    for option in options:
        if given.get("optionName") == option.name:
            return option
        if option.known is None:
            continue
        if given.get("optionId") == option.known.gid:
            return option
        if given.get("id") and option.known.value_of_gid(given["id"]) is not None:
            return option
    return None


def values_after(variant: Variant, options: list[WantedOption]) -> tuple[str, ...] | None:
    """What an existing variant's values become under the new options; None where one of them is new."""
    if any(option.known is None for option in options):
        return None
    old = variant.option_values
    return tuple(option.renamed.get(old[option.place], old[option.place]) for option in options)


def write_options(shop: Shop, product: Product, wanted: list[WantedOption]) -> None:
    """Make the wanted options the product's own. Those found again keep their ids, and so do their values."""
    rows = []
    for option in wanted:
        row = option.known or shop.new_option(option.name)
        row.name = option.name
        row.rename(option.renamed)
        for name in [name for name in row.values if name not in option.values]:
            row.forget(name)
        for name in option.values:
            row.know(name)
        row.arrange(option.values)
        rows.append(row)
    product.options = rows
