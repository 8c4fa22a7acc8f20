"""What a merchant does to products by hand, and how far the search index is behind."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.shopify.bundles import NoBundle, bundle
from sandbox.shopify.catalogue import Shop
from sandbox.shopify.events import level_moved
from sandbox.shopify.handles import normalised
from sandbox.shopify.products import duplicate
from sandbox.shopify.products_events import changed, remove_product, remove_variant
from sandbox.shopify.products_fields import tidy_tags, write_fields
from sandbox.shopify.products_variants import money, number_positions
from sandbox.shopify.publications import Publication, listings, publications_of, publish, unpublish
from sandbox.shopify.rows import Product, Variant

from .asking import Ask, ControlError, item_of, rows_of, whole

STATUSES = ("ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")


def list_products(ask: Ask) -> dict[str, Any]:
    """Products with their variants: ``?handle=`` for one, else ``?limit=100`` ``?offset=0``."""
    shop = ask.shop()
    with shop.lock:
        if ask.query.get("handle"):
            found = shop.products_by_handle.get(ask.query["handle"])
            rows = [] if found is None else [found]
        else:
            start = int(ask.query.get("offset", "0"))
            rows = shop.products[start : start + int(ask.query.get("limit", "100"))]
        return {"total": len(shop.products), "products": [_told(ask, shop, row) for row in rows]}


def edit_product(ask: Ask) -> dict[str, Any]:
    """Edit the product that ``handle`` or ``product`` names: ``new_handle`` (``redirect``), ``title``, ``tags``, ``status``,
    ``vendor``, ``product_type``, ``description``."""
    shop, body = ask.shop(), ask.body
    names = {"title": "title", "tags": "tags", "status": "status", "vendor": "vendor"}
    names |= {"product_type": "productType", "description": "descriptionHtml"}
    given: dict[str, Any] = {field: body[name] for name, field in names.items() if name in body}
    if given.get("status", STATUSES[0]) not in STATUSES:
        raise ControlError(f"There is no status {given['status']!r}.", f"Use one of: {', '.join(STATUSES)}.")
    with shop.lock:
        product = _product(ask, shop)
        if "new_handle" in body:
            new = str(body["new_handle"] or "")
            taken = shop.products_by_handle.get(normalised(new)) if new.strip() else None
            if taken not in (None, product):
                raise ControlError(f"The handle {new!r} is in use.", "Choose another one.", 409)
            given |= {"handle": new, "redirectNewHandle": bool(body.get("redirect"))}
        if "tags" in given:
            tags = given["tags"]
            given["tags"] = tidy_tags(tags.split(",") if isinstance(tags, str) else [str(tag) for tag in tags])
        write_fields(shop, product, given)
        changed(shop, product, ask.sandbox.clock.stamp())
        return _told(ask, shop, product)


def duplicate_product(ask: Ask) -> dict[str, Any]:
    """Copy the product that ``handle`` or ``product`` names as ``title``, SKUs and stock included; ``status`` if not the same."""
    shop = ask.shop()
    with shop.lock:
        source = _product(ask, shop)
        title = str(ask.body.get("title") or f"Copy of {source.title}")
        made = duplicate(shop, source, title, ask.body.get("status"), ask.sandbox.clock.stamp())
        return _told(ask, shop, made)


def delete_product(ask: Ask) -> dict[str, Any]:
    """Delete the product that ``?handle=`` or ``?product=`` names, with variants and inventory items."""
    shop = ask.shop()
    with shop.lock:
        product = _product(ask, shop)
        remove_product(shop, product)
    return {"removed": product.gid}


def edit_variant(ask: Ask) -> dict[str, Any]:
    """Edit the variant of ``sku`` or ``item``: ``price``, ``compare_at_price``, ``barcode``, ``new_sku``."""
    shop, body = ask.shop(), ask.body
    with shop.lock:
        variant = item_of(shop, body).variant
        if "price" in body:
            variant.price = _money(body["price"])
        if "compare_at_price" in body:
            price = body["compare_at_price"]
            variant.compare_at_price = None if price is None else _money(price)
        if "barcode" in body:
            variant.barcode = body["barcode"]
        if "new_sku" in body:
            shop.rename_sku(variant.item, body["new_sku"])
            variant.item.updated_at = ask.sandbox.clock.stamp()
            shop.happened("inventory_items/update", variant.item)
        changed(shop, variant.product, ask.sandbox.clock.stamp(), variant)
        return _told(ask, shop, variant.product)


def delete_variant(ask: Ask) -> dict[str, Any]:
    """Delete the variant of ``?sku=`` or ``?item=`` with its inventory item; never a product's last one."""
    shop = ask.shop()
    with shop.lock:
        variant = item_of(shop, dict(ask.query) | ask.body).variant
        product = variant.product
        if len(product.variants) == 1:
            raise ControlError(f"{product.handle} has no other variant.", "Delete the product instead.", 409)
        remove_variant(shop, variant)
        number_positions(product)
        changed(shop, product, ask.sandbox.clock.stamp())
    return {"removed": variant.gid}


def bundle_variant(ask: Ask) -> dict[str, Any]:
    """Make a variant (``sku`` or ``item``) a bundle of ``components``: [{"sku", "quantity"}]; none makes it ordinary again."""
    shop = ask.shop()
    with shop.lock:
        variant = item_of(shop, ask.body).variant
        parts = [
            (item_of(shop, row).variant, whole(row.get("quantity", 1), "quantity"))
            for row in rows_of(ask.body, "components")
        ]
        stamp = ask.sandbox.clock.stamp()
        try:
            moved = bundle(shop, variant, parts, stamp)
        except NoBundle as problem:
            raise ControlError(str(problem), 'Send "components": [{"sku": "…", "quantity": 2}].', 409) from None
        for level in moved:
            level_moved(shop, level)
        changed(shop, variant.product, stamp, variant)
    return _variant_told(variant)


def publish_product(ask: Ask) -> dict[str, Any]:
    """Put a product on the publications of ``on`` and take it off those of ``off`` (names, handles or ids)."""
    shop = ask.shop()
    with shop.lock:
        product = _product(ask, shop)
        stamp = ask.sandbox.clock.stamp()
        on = {_publication(shop, name).gid: stamp for name in ask.body.get("on", ())}
        off = {_publication(shop, name).gid for name in ask.body.get("off", ())}
        if on:
            publish(shop, product, on, stamp)
        if off:
            unpublish(shop, product, off, stamp)
        return _told(ask, shop, product)


def tune_products(ask: Ask) -> dict[str, Any]:
    """``search_lag`` seconds that searches trail behind; ``processing`` seconds that files, operations and jobs take; ``unique``
    metafield definitions as ``namespace.key``; ``unreachable`` hosts that files cannot be downloaded from (the whole list)."""
    shop = ask.shop()
    with shop.lock:
        if "search_lag" in ask.body:
            shop.search.set(shop, float(ask.body["search_lag"]), ask.sandbox.clock.seconds)
        if "processing" in ask.body:
            shop.processing_seconds = float(ask.body["processing"])
        for name in ask.body.get("unique", ()):
            namespace, _, key = str(name).rpartition(".")
            shop.unique_metafields.add((namespace, key))
        if "unreachable" in ask.body:
            shop.unreachable = {str(host) for host in ask.body["unreachable"]}
        unique = sorted(f"{namespace}.{key}" for namespace, key in shop.unique_metafields)
        return {
            "search_lag": shop.search.seconds,
            "processing": shop.processing_seconds,
            "unique": unique,
            "unreachable": sorted(shop.unreachable),
        }


def _product(ask: Ask, shop: Shop) -> Product:
    named = {**ask.query, **ask.body}
    row: Any = None
    if named.get("handle") is not None:
        row = shop.products_by_handle.get(str(named["handle"]))
    elif named.get("product") is not None:
        text = str(named["product"])
        row = shop.by_gid.get(text if text.startswith("gid://") else f"gid://shopify/Product/{text}")
    if isinstance(row, Product):
        return row
    raise ControlError(f"{shop.domain} has no such product.", "Name one by handle or product (its id).", 404)


def _publication(shop: Shop, name: object) -> Publication:
    for row in publications_of(shop):
        if str(name) in (row.gid, row.name, row.handle):
            return row
    names = ", ".join(row.name for row in publications_of(shop))
    raise ControlError(f"{shop.domain} has no publication {name!r}.", f"Use one of: {names}.", 404)


def _money(value: object) -> str:
    try:
        return money(Decimal(str(value)))
    except InvalidOperation:
        raise ControlError(f"{value!r} is not a price.", "Send a decimal, e.g. 19.90.") from None


def _told(ask: Ask, shop: Shop, product: Product) -> dict[str, Any]:
    on = [row.publication.name for row in listings(shop, product, ask.sandbox.clock.stamp()) if row.is_published]
    return {
        "id": product.gid,
        "handle": product.handle,
        "title": product.title,
        "status": product.status,
        "tags": product.tags,
        "published_on": on,
        "variants": [_variant_told(variant) for variant in product.variants],
    }


def _variant_told(variant: Variant) -> dict[str, Any]:
    return {
        "id": variant.gid,
        "item": variant.item.gid,
        "title": variant.title,
        "sku": variant.item.sku,
        "price": variant.price,
        "available": variant.available(),
    }
