"""Where products are shown: putting them there, and reading back whether they are (reference 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from connectors.ports.product_changes import RemotePublication, Visibility
from connectors.shopify import products_nodes as nodes
from connectors.shopify.client import ShopifyClient
from connectors.shopify.mutations import SimpleWrite, send_repeatable
from connectors.shopify.pages import Connection, further_pages
from connectors.shopify.products_writing import ProductWriter, gone, unfit
from connectors.shopify.scopes import Scopes

MAX_PUBLICATIONS: Final = 250
"""Of one call (reference 2.4, arrays in input)."""

_LOOKING: Final = "see where a product is published"


class _Titled(msgspec.Struct):
    title: str


class _Named(msgspec.Struct):
    name: str


class _Channels(msgspec.Struct):
    nodes: list[_Named]


class _Publication(msgspec.Struct, rename="camel"):
    id: str
    auto_publish: bool
    catalog: _Titled | None = None
    channels: _Channels | None = None

    @property
    def name(self) -> str:
        """As a person knows it: by its channels, else by its catalogue."""
        channels = [channel.name for channel in self.channels.nodes] if self.channels else []
        return ", ".join(channels) or (self.catalog.title if self.catalog else "")


class _Publications(msgspec.Struct):
    publications: Connection[_Publication]


class _Seen(msgspec.Struct, rename="camel"):
    status: str
    resource_publications_v2: Connection[nodes.PlaceNode]


class _Looked(msgspec.Struct):
    product: _Seen | None


class Publisher:
    """Publishes products of one shop. Safe to share between threads."""

    def __init__(self, client: ShopifyClient, writer: ProductWriter, scopes: Scopes) -> None:
        self._client = client
        self._writer = writer
        self._scopes = scopes

    def publications(self) -> list[RemotePublication]:
        """All of them, all pages."""
        self._scopes.require("read_publications", "list the publications")
        found: list[RemotePublication] = []
        after: str | None = None
        while True:
            page = self._client.execute("publications", {"after": after}).read(_Publications).publications
            found += [RemotePublication(node.id, node.name or node.id, node.auto_publish) for node in page.nodes]
            if not page.page_info.has_next_page:
                return found
            after = page.page_info.end_cursor

    def publish(self, product_ref: str, publication_refs: Sequence[str]) -> Visibility:
        """As the port says (reference 10, trap 21)."""
        operation = "publish a product"
        if not 1 <= len(publication_refs) <= MAX_PUBLICATIONS:
            cause = f"One request names 1 to {MAX_PUBLICATIONS} publications, not {len(publication_refs)}."
            raise unfit(operation, cause, "Choose at least one publication.")
        self._scopes.require("write_publications", operation)
        given = {"id": product_ref, "input": [{"publicationId": ref} for ref in publication_refs]}
        payload, reply = send_repeatable(self._client, "product_publish", given, SimpleWrite)
        if payload.user_errors:
            raise self._writer.refusal(reply, payload.user_errors, product_ref)
        return self.visibility(product_ref)

    def visibility(self, product_ref: str) -> Visibility:
        """As the port says; scheduled publications included."""
        self._scopes.require("read_publications", _LOOKING)
        product = self._client.execute("product_visibility", {"id": product_ref}).read(_Looked).product
        if product is None:
            raise gone(_LOOKING, product_ref)
        places = product.resource_publications_v2
        further_pages(self._client, places, nodes.PlaceNode, "product_pages", product_ref, "resourcePublicationsV2")
        return Visibility(product.status.lower(), tuple(nodes.placement(place) for place in places.nodes))
