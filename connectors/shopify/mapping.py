"""Shopify's answers in the port's words. No input or output happens here; writes.py holds the other direction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from connectors.ports.store import RemoteLevel, RemoteLocation, RemoteVariant, StoreOverview

_UNAVAILABLE: Final = frozenset({"reserved", "damaged", "quality_control", "safety_stock"})


class PageInfo(msgspec.Struct, rename="camel"):
    """Where a connection goes on."""

    has_next_page: bool
    end_cursor: str | None = None


# --- Overview ---------------------------------------------------------------------------------------------------------


class _Plan(msgspec.Struct, rename="camel"):
    public_display_name: str


class _Shop(msgspec.Struct, rename="camel"):
    name: str
    myshopify_domain: str
    currency_code: str
    iana_timezone: str
    plan: _Plan


class _Scope(msgspec.Struct):
    handle: str


class _Installation(msgspec.Struct, rename="camel"):
    access_scopes: list[_Scope]


class OverviewData(msgspec.Struct, rename="camel"):
    """Answer to `overview.graphql`."""

    shop: _Shop
    current_app_installation: _Installation


def overview(data: OverviewData, api_version: str) -> StoreOverview:
    """The shop that answered. A write scope implies reading (reference 1), so both are listed."""
    granted = {scope.handle for scope in data.current_app_installation.access_scopes}
    implied = {f"read_{handle.removeprefix('write_')}" for handle in granted if handle.startswith("write_")}
    shop = data.shop
    return StoreOverview(
        name=shop.name,
        domain=shop.myshopify_domain,
        currency=shop.currency_code,
        time_zone=shop.iana_timezone,
        plan=shop.plan.public_display_name,
        scopes=frozenset(granted | implied),
        api_version=api_version,
    )


# --- Locations --------------------------------------------------------------------------------------------------------


class _Location(msgspec.Struct, rename="camel"):
    id: str
    name: str
    is_active: bool
    is_fulfillment_service: bool
    has_active_inventory: bool


class _Locations(msgspec.Struct, rename="camel"):
    page_info: PageInfo
    nodes: list[_Location]


class LocationsData(msgspec.Struct):
    """Answer to `locations.graphql`."""

    locations: _Locations


def location(node: _Location) -> RemoteLocation:
    """One location."""
    return RemoteLocation(
        ref=node.id,
        name=node.name,
        is_active=node.is_active,
        is_fulfillment_service=node.is_fulfillment_service,
        holds_stock=node.has_active_inventory,
    )


# --- Products and variants --------------------------------------------------------------------------------------------


class _Option(msgspec.Struct):
    value: str


class _Item(msgspec.Struct):
    id: str
    tracked: bool


class VariantNode(msgspec.Struct, rename="camel"):
    """One variant as products and bulk results carry it."""

    id: str
    price: Decimal
    selected_options: list[_Option]
    inventory_item: _Item
    sku: str | None = None
    barcode: str | None = None


class Variants(msgspec.Struct, rename="camel"):
    """One page of a product's variants."""

    page_info: PageInfo
    nodes: list[VariantNode]


class Product(msgspec.Struct):
    """One product with its first variants."""

    id: str
    handle: str
    title: str
    status: str
    tags: list[str]
    variants: Variants


class _Products(msgspec.Struct, rename="camel"):
    page_info: PageInfo
    nodes: list[Product]


class ProductsData(msgspec.Struct):
    """Answer to `products_page.graphql`."""

    products: _Products


class _VariantsOnly(msgspec.Struct):
    variants: Variants


class ProductVariantsData(msgspec.Struct):
    """Answer to `product_variants_page.graphql`; null when the product was deleted meanwhile."""

    product: _VariantsOnly | None


def variants(product: Product, page: Variants) -> Iterator[RemoteVariant]:
    """The variants of one page. Shopify's null SKU and barcode are empty strings here."""
    for node in page.nodes:
        yield RemoteVariant(
            product_ref=product.id,
            product_handle=product.handle,
            product_title=product.title,
            product_status=product.status.lower(),
            product_tags=tuple(product.tags),
            ref=node.id,
            item_ref=node.inventory_item.id,
            sku=node.sku or "",
            barcode=node.barcode or "",
            option_values=tuple(option.value for option in node.selected_options),
            price=node.price,
            tracked=node.inventory_item.tracked,
        )


# --- Levels -----------------------------------------------------------------------------------------------------------


class _Quantity(msgspec.Struct, rename="camel"):
    name: str
    quantity: int
    updated_at: dt.datetime | None = None


class _Level(msgspec.Struct, rename="camel"):
    is_active: bool
    quantities: list[_Quantity]


class ItemNode(msgspec.Struct, rename="camel"):
    """One entry of `nodes`; other types than InventoryItem carry only their name."""

    typename: str = msgspec.field(name="__typename")
    id: str = ""
    tracked: bool = False
    inventory_level: _Level | None = None


class LevelsData(msgspec.Struct):
    """Answer to `levels_by_items.graphql`, aligned with the ids asked for."""

    nodes: list[ItemNode | None]


def level(item_ref: str, location_ref: str, node: ItemNode | None) -> RemoteLevel:
    """The level of `item_ref`; an unknown item and one never stocked here have quantities of 0."""
    known = node is not None and node.typename == "InventoryItem"
    read = node.inventory_level if node is not None and known else None
    available = committed = _UNTOLD
    unavailable = 0
    # In one pass: a full sync asks for some hundred thousand levels.
    for quantity in read.quantities if read else ():
        if quantity.name == "available":
            available = quantity
        elif quantity.name == "committed":
            committed = quantity
        elif quantity.name in _UNAVAILABLE:
            unavailable += quantity.quantity
    return RemoteLevel(
        item_ref=item_ref,
        location_ref=location_ref,
        known=known,
        tracked=bool(node and known and node.tracked),
        exists=read is not None,
        is_active=bool(read and read.is_active),
        available=available.quantity,
        committed=committed.quantity,
        unavailable=unavailable,
        moved_at=_moved_at(available, committed),
    )


_UNTOLD: Final = _Quantity("", 0)
"""In place of a quantity that the store does not tell."""


def _moved_at(available: _Quantity, committed: _Quantity) -> dt.datetime | None:
    """The newest change of available or committed; None when one that matters has no time. A committed quantity of 0
    without a time has never moved."""
    if available.updated_at is None:
        return None
    if committed.updated_at is None:
        return None if committed.quantity else available.updated_at
    return max(available.updated_at, committed.updated_at)
