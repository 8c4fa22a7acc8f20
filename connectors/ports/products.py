"""The port to a store's products: what it lists, and what is written to it, in words of no vendor.

References are the store's own opaque ids: they stay when a product is renamed, handles do not. States and kinds are the
store's words in lower case. Prices are in the shop's currency. Every value is frozen and made of plain types.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

MAX_PRODUCTS = 50
"""Products that one read by references may name."""


@dataclass(frozen=True, slots=True)
class RemoteVariant:
    """One variant as the store lists it, with the product it belongs to."""

    product_ref: str
    product_handle: str
    product_title: str
    product_status: str
    product_tags: tuple[str, ...]
    ref: str
    item_ref: str
    sku: str
    barcode: str
    option_values: tuple[str, ...]
    price: Decimal
    tracked: bool


@dataclass(frozen=True, slots=True)
class Weight:
    """What one unit weighs; `unit` is grams, kilograms, ounces or pounds."""

    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVariant(RemoteVariant):
    """A variant as a read of its whole product shows it. `compare_at` and `cost` are None where none is set."""

    position: int
    compare_at: Decimal | None
    cost: Decimal | None
    weight: Weight | None
    taxable: bool
    requires_shipping: bool
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ProductOption:
    """A choice that tells variants apart. A product without choices has one, named Title, with one value."""

    ref: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductImage:
    """An image, or another medium (`kind`). `status` is uploaded, processing, ready or failed; `url` is empty unless it
    is an image that is ready, `problem` unless it failed: what the store says of it."""

    ref: str
    kind: str
    status: str
    alt: str
    url: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Metafield:
    """A field of somebody's own on a product. `value` is text whatever its `type`."""

    namespace: str
    key: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Placement:
    """A publication that a product is on, or will be from `since`. Nobody sees it there unless the product is active,
    too."""

    publication_ref: str
    is_published: bool
    since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RemoteProduct:
    """One product with everything that hangs on it, read to the last nested page.

    `updated_at` is the store's time of the version the first page was of: a later one may be in parts of it.
    `placements` is None where the app may not read publications.
    """

    ref: str
    handle: str
    title: str
    description_html: str
    vendor: str
    kind: str
    status: str
    tags: tuple[str, ...]
    is_gift_card: bool
    created_at: dt.datetime
    updated_at: dt.datetime
    options: tuple[ProductOption, ...]
    variants: tuple[ProductVariant, ...]
    images: tuple[ProductImage, ...]
    metafields: tuple[Metafield, ...]
    placements: tuple[Placement, ...] | None


@dataclass(frozen=True, slots=True)
class ProductsRead:
    """One direct read: the products that exist, in the order asked, and the references of those that do not.
    `read_at` is the server's time when it answered."""

    products: tuple[RemoteProduct, ...]
    gone: tuple[str, ...]
    read_at: dt.datetime


class ProductsPort(Protocol):
    """Products of one store. Methods raise `ConnectorError`s; reads may be repeated freely."""

    def read_products(self, refs: Sequence[str]) -> ProductsRead:
        """Direct read (never search) of up to `MAX_PRODUCTS` products by reference, whole. One that is named twice is
        read once."""
        ...

    def find_product(self, handle: str) -> RemoteProduct | None:
        """The product that has this handle now, whole; None where none has. `handle` is normalised as the store does
        with one that is typed in; `FeatureNotSupported` where that leaves nothing, or too much."""
        ...
