"""A shop's products behind the products port (reference 4). Every method is as the port says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from connectors.ports.product_changes import (
    MetafieldChange,
    NewImage,
    NewProduct,
    NewVariant,
    PriceChange,
    ProductChange,
    ProductCreated,
    RemotePublication,
    VariantChange,
    Visibility,
)
from connectors.ports.products import ProductImage, ProductsRead, RemoteProduct
from connectors.ports.rows import RowProblem
from connectors.shopify.client import ShopifyClient
from connectors.shopify.products_creation import ProductMaker
from connectors.shopify.products_images import ImageWriter
from connectors.shopify.products_publishing import Publisher
from connectors.shopify.products_reading import ProductReader
from connectors.shopify.products_writing import ProductWriter
from connectors.shopify.scopes import Scopes


class ShopifyProducts:
    """`ProductChangesPort` for one shop, over its client. Safe to share between threads."""

    def __init__(self, client: ShopifyClient) -> None:
        scopes = Scopes(client)
        self._reader = ProductReader(client, scopes)
        self._writer = ProductWriter(client, self._reader, scopes)
        self._maker = ProductMaker(self._reader, self._writer)
        self._publisher = Publisher(client, self._writer, scopes)
        self.images = ImageWriter(client, self._writer)

    def read_products(self, refs: Sequence[str]) -> ProductsRead:
        """Up to `MAX_PRODUCTS` whole products by their ids."""
        return self._reader.read_products(refs)

    def find_product(self, handle: str) -> RemoteProduct | None:
        """The product that has this handle now."""
        return self._reader.find_product(handle)

    def create_product(self, draft: NewProduct, *, key: UUID) -> ProductCreated:
        """Make a product exactly once; how a lost reply is settled says `ProductMaker`."""
        return self._maker.create_product(draft, key=key)

    def update_product(self, ref: str, change: ProductChange) -> None:
        """Write the selected fields."""
        self._writer.update_product(ref, change)

    def rename_product(self, ref: str, *, handle: str, known_as: str) -> str:
        """Give a product another handle, with a redirect."""
        return self._writer.rename_product(ref, handle=handle, known_as=known_as)

    def add_variants(self, product_ref: str, rows: Sequence[NewVariant]) -> tuple[RowProblem, ...]:
        """Make variants beside those a product has."""
        return self._writer.add_variants(product_ref, rows)

    def update_variants(self, product_ref: str, rows: Sequence[VariantChange]) -> tuple[RowProblem, ...]:
        """Write the selected fields of variants."""
        return self._writer.update_variants(product_ref, rows)

    def write_prices(self, product_ref: str, rows: Sequence[PriceChange]) -> tuple[RowProblem, ...]:
        """Write prices, none of them zero."""
        return self._writer.write_prices(product_ref, rows)

    def set_metafields(self, rows: Sequence[MetafieldChange]) -> tuple[RowProblem, ...]:
        """Make or overwrite metafields."""
        return self._writer.set_metafields(rows)

    def add_images(
        self, product_ref: str, images: Sequence[NewImage], *, known: Collection[str]
    ) -> tuple[ProductImage, ...]:
        """Add images behind those a product has."""
        return self.images.add_images(product_ref, images, known=known)

    def wait_for_images(self, refs: Sequence[str], *, patience: float = 60.0) -> list[ProductImage]:
        """Look at images until each is ready or has failed."""
        return self.images.wait_for_images(refs, patience=patience)

    def publications(self) -> list[RemotePublication]:
        """All places where products are shown."""
        return self._publisher.publications()

    def publish(self, product_ref: str, publication_refs: Sequence[str]) -> Visibility:
        """Put a product on publications and read back where it is seen."""
        return self._publisher.publish(product_ref, publication_refs)

    def visibility(self, product_ref: str) -> Visibility:
        """Where a product can be seen now."""
        return self._publisher.visibility(product_ref)
