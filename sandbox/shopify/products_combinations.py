"""Variants as combinations of their product's option values: what every change of options does to them."""

from __future__ import annotations

from typing import Any

from .products_events import changed
from .products_variants import Wrongs, add_variant, number_positions
from .rows import Product, Variant
from .world import World

Payload = dict[str, Any]
Values = tuple[str, ...]


def answer(product: Product | None, wrong: Wrongs) -> Payload:
    """What the mutations on options answer."""
    return {"product": product, "userErrors": wrong.rows}


def sibling(world: World, variant: Variant, values: Values) -> Variant:
    """A new variant beside another: its price and tax, no SKU, no stock."""
    made = add_variant(world, variant.product, values, {"taxable": variant.taxable})
    made.price, made.compare_at_price, made.item.tracked = variant.price, variant.compare_at_price, variant.item.tracked
    world.shop.happened("inventory_items/create", made.item)
    return made


def settle(world: World, product: Product) -> None:
    """Variants in the order of their options' values, numbered, and the change announced."""
    ranks = [list(option.values) for option in product.options]
    product.variants.sort(
        key=lambda v: [rank.index(value) for rank, value in zip(ranks, v.option_values, strict=False)]
    )
    number_positions(product)
    changed(world.shop, product, world.clock.stamp(), *product.variants)


def without(values: Values, places: set[int]) -> Values:
    """A combination with some of its values left out."""
    return tuple(value for place, value in enumerate(values) if place not in places)


def permute(product: Product, order: list[int]) -> None:
    """Options in another order, and every variant's values with them."""
    product.options = [product.options[place] for place in order]
    for variant in product.variants:
        variant.option_values = tuple(variant.option_values[place] for place in order)
