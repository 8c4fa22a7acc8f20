"""What productSet, productCreate and productUpdate share: plain fields of a product, its handle, its tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import handles
from .catalogue import Shop
from .redirects import add_redirect
from .rows import Product

LONGEST_TEXT = 255
MOST_TAGS = 250

Payload = dict[str, Any]
Refuse = Callable[..., None]  # (code, message, *path)


def check_fields(given: Payload, at: str, refuse: Refuse) -> None:
    """Refuse texts that are too long and tags that are too many."""
    for name, label in (
        ("title", "Title"),
        ("vendor", "Vendor"),
        ("productType", "Product type"),
        ("handle", "Handle"),
    ):
        if len(given.get(name) or "") > LONGEST_TEXT:
            refuse("INVALID_PRODUCT", f"{label} is too long (maximum is {LONGEST_TEXT} characters)", at, name)
    tags = given.get("tags") or ()
    if len(tags) > MOST_TAGS:
        refuse("INVALID_PRODUCT", f"Product tags can't be more than {MOST_TAGS}", at, "tags")
    if any(len(tag) > LONGEST_TEXT for tag in tags):
        refuse("INVALID_PRODUCT", f"Product tags is invalid: a tag is longer than {LONGEST_TEXT}", at, "tags")
    if "title" in given and not (given["title"] or "").strip():
        refuse("INVALID_PRODUCT", "Title can't be blank", at, "title")


def check_handle(shop: Shop, product: Product | None, given: Payload, at: str, refuse: Refuse) -> None:
    """Refuse a handle, as normalised, that another product has. Only generated ones are counted up."""
    if not (given.get("handle") or "").strip():
        return
    handle = handles.normalised(given["handle"])
    if shop.products_by_handle.get(handle) not in (None, product):
        message = f"Handle '{handle}' already in use. Please provide a new handle."
        refuse("HANDLE_NOT_UNIQUE", message, at, "handle")


def handle_for(shop: Shop, title: str, asked: str | None) -> str:
    """The handle of a new product: the asked one normalised, or one made of the title. ``product`` is counted up as well."""
    if asked and asked.strip():
        handle = handles.normalised(asked)
        return handles.free(handle, shop.products_by_handle) if handle == handles.NAMELESS else handle
    return handles.generated(title, shop.products_by_handle)


def write_fields(shop: Shop, product: Product, given: Payload) -> None:
    """The plain fields that the input carries; a missing key keeps, null clears."""
    if given.get("title"):
        product.title = given["title"].strip()
    if "descriptionHtml" in given:
        product.description_html = given["descriptionHtml"] or ""
    if "vendor" in given:
        product.vendor = given["vendor"] or shop.name
    if "productType" in given:
        product.product_type = given["productType"] or ""
    if given.get("status"):
        product.status = given["status"]
    if given.get("giftCard") is not None:
        product.gift_card = given["giftCard"]
    if "tags" in given:
        product.tags = tidy_tags(given["tags"] or [])
    if "handle" in given:
        _write_handle(shop, product, given["handle"], bool(given.get("redirectNewHandle")))


def tidy_tags(tags: list[str]) -> list[str]:
    """Trimmed, without repetition whatever the case, in alphabetical order. A comma separates tags."""
    split = (part.strip() for tag in tags for part in tag.split(","))
    return sorted({tag.casefold(): tag for tag in split if tag}.values(), key=str.casefold)


def _write_handle(shop: Shop, product: Product, asked: str | None, redirect: bool) -> None:
    """A blank handle is made of the title again. The old address leads on only when asked to."""
    old = product.handle
    if asked and asked.strip():
        new = handles.normalised(asked)
        if new == handles.NAMELESS and new != old:
            new = handles.free(new, shop.products_by_handle)
    else:
        taken = shop.products_by_handle.keys() - {old}
        new = handles.generated(product.title, taken)
    if new == old:
        return
    shop.rename_handle(product, new)
    if redirect:
        add_redirect(shop, f"/products/{old}", f"/products/{new}")
