"""Reading products: whole, by their ids and by a handle (reference 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Final

from connectors.ports.errors import ConnectorUnavailable, FeatureNotSupported
from connectors.ports.products import MAX_PRODUCTS, ProductsRead, RemoteProduct
from connectors.shopify import products_nodes as nodes
from connectors.shopify.client import ShopifyClient
from connectors.shopify.handles import stored_handle
from connectors.shopify.pages import further_pages
from connectors.shopify.replies import SERVICE
from connectors.shopify.scopes import Scopes

READINGS: Final = 3
"""How often a product whose variants come and go while its pages are followed is read from the start."""


class ProductReader:
    """Reads products of one shop. Safe to share between threads."""

    def __init__(self, client: ShopifyClient, scopes: Scopes) -> None:
        self._client = client
        self._scopes = scopes

    def read_products(self, refs: Sequence[str]) -> ProductsRead:
        """As the port says. Raises `ConnectorUnavailable` for variants that change faster than they are read."""
        if not 1 <= len(refs) <= MAX_PRODUCTS:
            raise FeatureNotSupported(
                service=SERVICE,
                operation="read products",
                cause=f"One request names 1 to {MAX_PRODUCTS} products, not {len(refs)}.",
                remedy=f"Split them into requests of {MAX_PRODUCTS}.",
            )
        asked = torn = list(dict.fromkeys(refs))
        read: dict[str, nodes.ProductNode | None] = {}
        read_at: dt.datetime | None = None
        for _ in range(READINGS):
            reply = self._client.execute(
                "products_by_ids", {"ids": torn, "publications": self._scopes.include("read_publications")}
            )
            found = reply.read(nodes.ProductsData).nodes
            read_at = read_at or reply.answered_at()
            if len(found) != len(torn):
                raise reply.sent.no_answer(f"Shopify answered for {len(found)} of {len(torn)} products.")
            read |= dict(zip(torn, found, strict=True))
            torn = [ref for ref, node in zip(torn, found, strict=True) if node is not None and self._is_torn(node)]
            if not torn:
                whole = tuple(nodes.product(node) for ref in asked if (node := read[ref]) is not None)
                gone = tuple(ref for ref in asked if read[ref] is None)
                return ProductsRead(products=whole, gone=gone, read_at=read_at)
        raise _restless(len(torn))

    def read_product(self, ref: str) -> RemoteProduct | None:
        """One product, as `read_products`."""
        return next(iter(self.read_products([ref]).products), None)

    def find_product(self, handle: str) -> RemoteProduct | None:
        """As the port says, by identifier and never by search."""
        question = {"handle": stored_handle(handle), **self._choice()}
        for _ in range(READINGS):
            node = self._client.execute("product_by_handle", question).read(nodes.FoundData).product_by_identifier
            if node is None:
                return None
            if not self._is_torn(node):
                return nodes.product(node)
        raise _restless(1)

    def _choice(self) -> dict[str, bool]:
        return {"publications": self._scopes.include("read_publications")}

    def _is_torn(self, node: nodes.ProductNode) -> bool:
        """Read what the first page of a product left out, into the node. True when the parts do not fit together."""
        rest = partial(further_pages, self._client)
        rest(node.media, nodes.MediumNode, "product_pages", node.id, "media")
        rest(node.metafields, nodes.FieldNode, "product_pages", node.id, "metafields")
        if node.resource_publications_v2 is not None:
            places = node.resource_publications_v2
            rest(places, nodes.PlaceNode, "product_pages", node.id, "resourcePublicationsV2")
        followed = rest(node.variants, nodes.VariantNode, "product_pages", node.id, "variants")
        return followed and node.is_torn


def _restless(products: int) -> ConnectorUnavailable:
    return ConnectorUnavailable(
        service=SERVICE,
        operation="read products",
        cause=f"Variants of {products} products came or went while their pages were read, {READINGS} times in a row.",
        remedy="Nothing to do: they are read again when they rest.",
    )
