"""A shop's products behind the products port (reference 4)."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.ports.products import ProductsRead, RemoteProduct
from connectors.shopify.client import ShopifyClient
from connectors.shopify.products_reading import ProductReader


class ShopifyProducts:
    """`ProductsPort` for one shop, over its client. Safe to share between threads."""

    def __init__(self, client: ShopifyClient) -> None:
        self._product_reader = ProductReader(client)

    def read_products(self, refs: Sequence[str]) -> ProductsRead:
        """Up to `MAX_PRODUCTS` whole products by their ids, as the port says."""
        return self._product_reader.read_products(refs)

    def find_product(self, handle: str) -> RemoteProduct | None:
        """The product that has this handle now, as the port says."""
        return self._product_reader.find_product(handle)
