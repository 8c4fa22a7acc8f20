"""Every variant of a shop, by pages or in bulk, whichever costs the store less."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from connectors.ports.store import Listing, RemoteVariant
from connectors.shopify import mapping
from connectors.shopify.bulk import BulkOperations
from connectors.shopify.bulk_rows import Node, id_number, joined
from connectors.shopify.client import ShopifyClient

CONNECTION_DEPTH: Final = 25_000
"""Objects one connection can be paged through (reference 2.4); the listing starts again after the last id."""

BULK_ABOVE: Final = 10_000
"""Variants above which a listing goes by bulk.

A page of 100 products asks for 191 points. 10,000 products of one variant are 19,100 points: on the Standard plan
(19,100 - 2,000) / 100 = 171 s in which every other job of the store waits. A bulk query takes 10 points and 1 for each
look at it, but queues first, for a time that nobody publishes: not worth it for a shop that pages read in less.
"""


QUERY: Final = "bulk_products"

PATIENCE: Final = 10.0
"""Seconds that asking for a listing waits for a free slot, and for a bulk query to end, before it says "not yet"."""


class _Counted(msgspec.Struct):
    count: int


class _Count(msgspec.Struct, rename="camel"):
    product_variants_count: _Counted


class _Product(msgspec.Struct):
    id: str
    handle: str
    title: str
    status: str
    tags: list[str]


class _Variant(mapping.VariantNode, kw_only=True):
    position: int


class VariantListing:
    """The listing of one shop. Products in the order of their ids, their variants in the order of their positions."""

    def __init__(self, client: ShopifyClient, bulk: BulkOperations) -> None:
        self._client = client
        self._bulk = bulk

    def prepare(self, job: str, ticket: str) -> Listing:
        """The listing of a large shop, a bulk query whose id is the ticket; a small one needs no preparation."""
        if not ticket and not self._is_large():
            return Listing()
        begun = ticket or self._bulk.begun(QUERY, label=job, slot_limit=PATIENCE).id
        operation = self._bulk.watched(begun, limit=PATIENCE)
        return Listing(begun, ready=not operation.under_way, rows=int(operation.object_count))

    def prepared(self, ticket: str, tick: Callable[[], None]) -> Iterator[RemoteVariant]:
        """Every variant of the listing with this ticket."""
        for product in self._products_of(self._bulk.result(self._bulk.get(ticket)), tick):
            yield from mapping.variants(product, product.variants)

    def variants(self, tick: Callable[[], None]) -> Iterator[RemoteVariant]:
        """Every variant, the same rows in the same order by either way.

        The first page is always read. Only when there is more are the variants counted, and above `BULK_ABOVE` the
        rest comes by bulk.
        """
        for product in self._products(tick):
            yield from mapping.variants(product, product.variants)
            page_info = product.variants.page_info
            while page_info.has_next_page:
                question = {"productId": product.id, "after": page_info.end_cursor}
                data = self._client.execute("product_variants_page", question).read(mapping.ProductVariantsData)
                if data.product is None:
                    break
                yield from mapping.variants(product, data.product.variants)
                page_info = data.product.variants.page_info

    def _products(self, tick: Callable[[], None]) -> Iterator[mapping.Product]:
        query: str | None = None
        after: str | None = None
        listed, counted = 0, False
        while True:
            tick()
            question = {"query": query, "after": after}
            page = self._client.execute("products_page", question).read(mapping.ProductsData).products
            yield from page.nodes
            listed += len(page.nodes)
            if not page.page_info.has_next_page:
                return
            if not counted and self._is_large():
                last = id_number(page.nodes[-1].id)  # those up to it have been read from a page
                everything = self._products_of(self._bulk.lines(QUERY), tick)
                yield from (product for product in everything if id_number(product.id) > last)
                return
            counted = True
            after = page.page_info.end_cursor
            if listed + len(page.nodes) > CONNECTION_DEPTH:
                query, after, listed = f"id:>{id_number(page.nodes[-1].id)}", None, 0

    def _is_large(self) -> bool:
        answer = self._client.execute("variants_count", {"limit": BULK_ABOVE + 1}).read(_Count)
        return answer.product_variants_count.count > BULK_ABOVE

    def _products_of(self, lines: Iterable[bytes], tick: Callable[[], None]) -> Iterator[mapping.Product]:
        for node in joined(_ticking(lines, tick)):
            tick()
            yield _product(node)


def _ticking(lines: Iterable[bytes], tick: Callable[[], None]) -> Iterator[bytes]:
    for line in lines:
        tick()
        yield line


def _product(node: Node) -> mapping.Product:
    """A product with all its variants, as if one page had held them."""
    read = node.read(_Product)
    variants = sorted(
        (child.read(_Variant) for child in node.children), key=lambda variant: (variant.position, id_number(variant.id))
    )
    return mapping.Product(
        id=read.id,
        handle=read.handle,
        title=read.title,
        status=read.status,
        tags=read.tags,
        variants=mapping.Variants(page_info=mapping.PageInfo(has_next_page=False), nodes=list(variants)),
    )
