"""What is written to a store's products: only what is selected, and never a price beside anything else.

A field that is not selected is `KEEP`, which is never sent. None is no value anywhere here, so that a value somebody
forgot to fill cannot become an order to empty a field: what takes a value away says `CLEAR`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from connectors.ports.products import Placement, ProductImage, ProductsPort, RemoteProduct, Weight
from connectors.ports.rows import RowProblem


class Mark(Enum):
    """What is said in the place of a value."""

    KEEP = "keep"
    CLEAR = "clear"


KEEP: Final = Mark.KEEP
CLEAR: Final = Mark.CLEAR
Kept = Literal[Mark.KEEP]
Cleared = Literal[Mark.CLEAR]


class ProductStatus(StrEnum):
    """Who may see a product, on the publications it is on."""

    ACTIVE = "active"
    DRAFT = "draft"
    ARCHIVED = "archived"
    UNLISTED = "unlisted"
    """Only by its direct link."""


class _Selected:
    """A change of fields. Raises `ValueError` for None."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, value in self.selected():
            if value is None:
                raise ValueError(f"{name} is None. KEEP leaves a field as it is, CLEAR empties it.")

    def selected(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the fields that are to change."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value is not KEEP:
                yield field.name, value


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChange(_Selected):
    """Fields of a product. Tags are added and removed by name, so that those of others stay; the handle is not here,
    since it changes by `rename_product` alone."""

    title: str | Kept = KEEP
    description_html: str | Kept = KEEP
    vendor: str | Kept = KEEP
    kind: str | Kept = KEEP
    status: ProductStatus | Kept = KEEP
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChange(_Selected):
    """Fields of one variant, told by its reference: a changed option value stays the same variant, with its stock.
    `options` are (name of the option, value). Prices are not here."""

    ref: str
    sku: str | Kept = KEEP
    barcode: str | Kept = KEEP
    tracked: bool | Kept = KEEP
    weight: Weight | Kept = KEEP
    taxable: bool | Kept = KEEP
    requires_shipping: bool | Kept = KEEP
    options: tuple[tuple[str, str], ...] | Kept = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange(_Selected):
    """Prices of one variant in the shop's currency. `price` and `compare_at` are above zero, and `compare_at` is above
    `price` where both are set; `CLEAR` takes `compare_at` away. `cost` is what one unit costs us, zero or more."""

    ref: str
    price: Decimal | Kept = KEEP
    compare_at: Decimal | Kept | Cleared = KEEP
    cost: Decimal | Kept = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A variant to be made. It has no price until one is written, which a store takes for zero. `option_values` are
    in the order of the product's options; they tell it from its siblings."""

    option_values: tuple[str, ...] = ()
    sku: str = ""
    barcode: str = ""
    tracked: bool = True
    weight: Weight | None = None
    taxable: bool = True
    requires_shipping: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product to be made, as a draft that nobody sees: with prices and publications written, `update_product` makes
    it active. `options` are names; without any there is one variant, and it has no option values."""

    handle: str
    title: str
    description_html: str = ""
    vendor: str = ""
    kind: str = ""
    tags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    variants: tuple[NewVariant, ...]


@dataclass(frozen=True, slots=True)
class ProductCreated:
    """The product as it was read back. `problems` name the variants, by their place in `NewProduct.variants`, that the
    store refused; all others are there."""

    product: RemoteProduct
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image the store fetches from a public address."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class MetafieldChange:
    """A metafield of a product or a variant, made or overwritten. `type` is the store's word for the value's type."""

    owner_ref: str
    namespace: str
    key: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class RemotePublication:
    """A place where products are shown: a sales channel, or a catalogue. `is_automatic`: new products get there by
    themselves."""

    ref: str
    name: str
    is_automatic: bool


@dataclass(frozen=True, slots=True)
class Visibility:
    """Where a product can be seen, as read back. An active product is seen only where it is published."""

    status: str
    placements: tuple[Placement, ...]

    def is_visible_on(self, publication_ref: str) -> bool:
        """Somebody who looks there finds the product now."""
        published = {place.publication_ref for place in self.placements if place.is_published}
        return self.status in {ProductStatus.ACTIVE, ProductStatus.UNLISTED} and publication_ref in published


class ProductChangesPort(ProductsPort, Protocol):
    """Products of one store, read and written. Methods raise `ConnectorError`s, `Gone` for a product that is not there
    any more, `FeatureNotSupported` before anything is sent.

    Every write may be repeated with the same arguments after `OutcomeUnknown`: the repeat ends in the same state as one
    that was answered. Rows are told by their place in what was given; those that are named as problems were not
    written, all others were. Nothing here deletes a product, a variant, an image or a metafield.
    """

    def create_product(self, draft: NewProduct, *, key: UUID) -> ProductCreated:
        """Make a product that no handle of the store stands for yet, with all its variants.

        `key` names the fact, is kept in the product, and makes a repeat find it: what an earlier try began is finished,
        never made twice. Raises `HandleTaken` where another product has the handle.
        """
        ...

    def update_product(self, ref: str, change: ProductChange) -> None:
        """Write the fields that are selected. Tags that are not named stay."""
        ...

    def rename_product(self, ref: str, *, handle: str, known_as: str) -> str:
        """Give a product another handle; its old address leads to the new one from then on. Returns the handle as the
        store keeps it. Raises `Gone` for a reference nobody has, `HandleTaken` where another product has the handle,
        `RequestRejected` where the product is neither called `known_as` nor `handle` by now."""
        ...

    def add_variants(self, product_ref: str, rows: Sequence[NewVariant]) -> tuple[RowProblem, ...]:
        """Make variants of a product that has others. One that is there with the same option values and SKU counts as
        made; with another SKU it is a problem, and left as it is."""
        ...

    def update_variants(self, product_ref: str, rows: Sequence[VariantChange]) -> tuple[RowProblem, ...]:
        """Write the selected fields of variants of one product."""
        ...

    def write_prices(self, product_ref: str, rows: Sequence[PriceChange]) -> tuple[RowProblem, ...]:
        """Write the selected prices of variants of one product; the only method that carries any. A price of zero or
        less, and one that is not below the price it is compared with, are problems and not sent. How far a price may
        jump is for the caller to judge."""
        ...

    def set_metafields(self, rows: Sequence[MetafieldChange]) -> tuple[RowProblem, ...]:
        """Write metafields, those of other namespaces and keys untouched. Of up to 25 that go together all or none are
        written: where one is refused the others of its group are written again without it."""
        ...

    def add_images(
        self, product_ref: str, images: Sequence[NewImage], *, known: Collection[str]
    ) -> tuple[ProductImage, ...]:
        """Add images to a product behind those it has, and return them as the store shows them: most are still being
        fetched. `known` are the references of all images it had when this was planned. Where the product has others by
        now they are taken for an earlier try if number and descriptions are the same, else `RequestRejected`."""
        ...

    def wait_for_images(self, refs: Sequence[str], *, patience: float = 60.0) -> list[ProductImage]:
        """Look at images until each is ready or has failed, `patience` seconds at most; then as they stand. Those that
        are gone are left out."""
        ...

    def publications(self) -> list[RemotePublication]:
        """All places where products are shown."""
        ...

    def publish(self, product_ref: str, publication_refs: Sequence[str]) -> Visibility:
        """Put a product on publications, those it is on already kept, and read back where it can be seen. Accepted is
        not seen: ask `is_visible_on` of each."""
        ...

    def visibility(self, product_ref: str) -> Visibility:
        """Where a product can be seen now."""
        ...
