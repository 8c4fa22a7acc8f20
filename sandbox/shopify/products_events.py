"""What is said when products change, and how webhooks tell it (reference §7.3): at most 100 variants in full, the rest by id."""

from __future__ import annotations

from typing import Any

from .catalogue import Shop
from .events import local_time
from .rows import Product, Variant
from .topics import Topic

FULL_VARIANTS = 100

Payload = dict[str, Any]


def changed(shop: Shop, product: Product, stamp: str, *variants: Variant) -> None:
    """Stamp a product (and variants of it) as changed and say so."""
    product.updated_at = stamp
    for variant in variants:
        variant.updated_at = stamp
    shop.revision += 1
    shop.happened("products/update", product)


def created(shop: Shop, product: Product) -> None:
    """Say that a product with its variants is new."""
    for variant in product.variants:
        shop.happened("inventory_items/create", variant.item)
    shop.happened("products/create", product)


def remove_product(shop: Shop, product: Product) -> None:
    """Delete a product with its variants and their inventory items, and say so."""
    items = [variant.item for variant in product.variants]
    shop.remove_product(product)
    for item in items:
        shop.happened("inventory_items/delete", item)
    shop.happened("products/delete", product)


def remove_variant(shop: Shop, variant: Variant) -> None:
    """Delete a variant with its inventory item and say so; the product's change is the caller's to announce."""
    shop.remove_variant(variant)
    shop.happened("inventory_items/delete", variant.item)


def _variant(shop: Shop, variant: Variant) -> Payload:
    options = [*variant.option_values, None, None, None][:3]
    return {
        "id": variant.number,
        "admin_graphql_api_id": variant.gid,
        "product_id": variant.product.number,
        "title": variant.title,
        "sku": variant.item.sku,
        "barcode": variant.barcode,
        "position": variant.position,
        "price": variant.price,
        "compare_at_price": variant.compare_at_price,
        "taxable": variant.taxable,
        "inventory_policy": variant.inventory_policy.lower(),
        "inventory_quantity": variant.available(),
        "old_inventory_quantity": variant.available(),
        "inventory_item_id": variant.item.number,
        **{f"option{n}": value for n, value in enumerate(options, 1)},
        "created_at": local_time(shop.time_zone, variant.created_at),
        "updated_at": local_time(shop.time_zone, variant.updated_at),
    }


def _product(shop: Shop, product: Product) -> Payload:
    zone = shop.time_zone
    published = product.published_at
    return {
        "id": product.number,
        "admin_graphql_api_id": product.gid,
        "title": product.title,
        "body_html": product.description_html,
        "handle": product.handle,
        "vendor": product.vendor,
        "product_type": product.product_type,
        "status": product.status.lower(),
        "tags": ", ".join(product.tags),
        "created_at": local_time(zone, product.created_at),
        "updated_at": local_time(zone, product.updated_at),
        "published_at": None if published is None else local_time(zone, published),
        "published_scope": "global",
        "template_suffix": None,
        "options": [
            {
                "id": option.number,
                "product_id": product.number,
                "name": option.name,
                "position": place + 1,
                "values": product.used_values(place),
            }
            for place, option in enumerate(product.options)
        ],
        "variants": [_variant(shop, variant) for variant in product.variants[:FULL_VARIANTS]],
        "variant_gids": [
            {"admin_graphql_api_id": variant.gid, "updated_at": variant.updated_at} for variant in product.variants
        ],
        "images": [
            {"id": row.number, "admin_graphql_api_id": row.gid, "alt": row.alt, "src": row.source, "position": n}
            for n, row in enumerate(shop.media.get(product.gid, ()), 1)
        ],
        "media": [],
        "category": None,
    }


def _product_gone(shop: Shop, product: Product) -> Payload:
    return {"id": product.number}


PRODUCT_EVENTS = Topic(
    payloads={"products/create": _product, "products/update": _product, "products/delete": _product_gone}
)
"""Products created, updated, deleted."""
