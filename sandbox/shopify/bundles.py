"""Bundles: variants that are sold as their components. A bundle's own stock follows theirs and can't be written; an order has a
line for each component, held together by a group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .catalogue import Shop
from .execution import PageRequest, Run
from .pages import Page, take_page
from .rows import AVAILABLE, Level, Location, Variant
from .topics import Topic

if TYPE_CHECKING:
    from .orders_placing import WantedLine

CENT = Decimal("0.01")


class NoBundle(Exception):
    """The bundle can't be made; the message says why."""


@dataclass(slots=True)
class Component:
    """So many of a variant in one bundle."""

    gid: str
    number: int
    product_variant: Variant
    quantity: int


@dataclass(slots=True)
class LineGroup:
    """The lines of an order that are one bundle."""

    gid: str
    title: str
    quantity: int
    variant: Variant


def bundle(shop: Shop, variant: Variant, parts: list[tuple[Variant, int]], stamp: str) -> list[Level]:
    """Make a variant a bundle of these, or with none an ordinary variant again; its levels that changed. Raises `NoBundle`."""
    if any(quantity < 1 for _, quantity in parts):
        raise NoBundle("A component's quantity is 1 or more.")
    if any(part is variant or part.gid in shop.bundles for part, _ in parts) or variant.item.gid in shop.bundled_in:
        raise NoBundle("A bundle can't be a component.")
    for component in shop.bundles.pop(variant.gid, ()):
        shop.bundled_in[component.product_variant.item.gid].discard(variant)
    if not parts:
        return []
    rows = []
    for part, quantity in parts:
        gid, number = shop.new_gid("ProductVariantComponent")
        rows.append(Component(gid, number, part, quantity))
        shop.bundled_in.setdefault(part.item.gid, set()).add(variant)
    shop.bundles[variant.gid] = rows
    variant.item.tracked = True
    stocked = {level.location.gid: level.location for part, _ in parts for level in part.item.levels if level}
    for location in stocked.values():
        variant.item.stock_at(location, stamp, active=True)
    moved = (_follow_at(shop, variant, location, stamp) for location in stocked.values())
    return [level for level in moved if level is not None]


def followers(shop: Shop, level: Level) -> list[Level]:
    """Bring the bundles of a component, whose level changed, to what can be made of it now; their levels that changed."""
    bundles = shop.bundled_in.get(level.item.gid, ())
    moved = (_follow_at(shop, each, level.location, level.updated_at) for each in bundles)
    return [each for each in moved if each is not None]


def _follow_at(shop: Shop, variant: Variant, location: Location, stamp: str) -> Level | None:
    level = variant.item.stock_at(location, stamp, active=True)
    can = min(_sets(component, location) for component in shop.bundles[variant.gid])
    change = can - level.quantities[AVAILABLE]
    if not change:
        return None
    level.move(AVAILABLE, change, stamp)
    return level


def _sets(component: Component, location: Location) -> int:
    level = component.product_variant.item.level_at(location)
    return level.quantities[AVAILABLE] // component.quantity if level is not None and level.active else 0


def with_components(shop: Shop, lines: list[WantedLine]) -> list[WantedLine]:
    """The lines to sell, each bundle among them as its components: at the bundle's price, shared by the components' own."""
    sold: list[WantedLine] = []
    for line in lines:
        variant = line.item.variant if line.item is not None else None
        if variant is None or variant.gid not in shop.bundles:
            sold.append(line)
            continue
        gid = f"gid://shopify/LineItemGroup/{shop.id_base + shop.orders.next('LineItemGroup')}"
        group = LineGroup(gid, line.title or variant.product.title, line.quantity, variant)
        parts = shop.bundles[variant.gid]
        prices = _prices(parts, Decimal(variant.price) if line.price is None else line.price)
        for n, (part, price) in enumerate(zip(parts, prices, strict=True)):
            item, quantity = part.product_variant.item, line.quantity * part.quantity
            each = replace(line, item=item, quantity=quantity, price=price, title=None, group=group)
            if n:  # the first one carries what is for the whole
                each.discount = each.duty = Decimal(0)
            sold.append(each)
    return sold


def _prices(parts: list[Component], whole: Decimal) -> list[Decimal]:
    """Unit prices that sum to the bundle's, except for cents that a component of several units can't be divided by."""
    weights = [Decimal(part.product_variant.price) * part.quantity or CENT for part in parts]
    prices = [
        (whole * weight / sum(weights) / part.quantity).quantize(CENT)
        for weight, part in zip(weights, parts, strict=True)
    ]
    given = sum((price * part.quantity for price, part in zip(prices, parts, strict=True)), Decimal(0))
    single = next((n for n, part in enumerate(parts) if part.quantity == 1), None)
    if single is not None:
        prices[single] += whole - given
    return prices


def _components(variant: Variant, request: PageRequest, run: Run) -> Page:
    rows = run.world.shop.bundles.get(variant.gid, [])
    return take_page(rows, request, lambda row: (0, row.number))


def _is_bundle(variant: Variant, arguments: Any, run: Run) -> bool:
    return variant.gid in run.world.shop.bundles


BUNDLES = Topic(
    full={
        ("ProductVariant", "requiresComponents"): _is_bundle,
        ("ProductVariant", "productVariantComponents"): _components,
    },
    plain={
        ("ProductVariantComponent", "id"): lambda row: row.gid,
        ("LineItem", "lineItemGroup"): lambda row: row.group,
        ("LineItemGroup", "id"): lambda row: row.gid,
        ("LineItemGroup", "customAttributes"): lambda row: [],
        ("LineItemGroup", "productId"): lambda row: row.variant.product.gid,
        ("LineItemGroup", "variantId"): lambda row: row.variant.gid,
        ("LineItemGroup", "variantSku"): lambda row: row.variant.item.sku,
    },
)
"""Bundles, their components, and the groups of lines that they are sold as."""
