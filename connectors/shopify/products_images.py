"""Images of products: added by address, fetched by Shopify in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from connectors.ports.errors import RequestRejected
from connectors.ports.product_changes import NewImage
from connectors.ports.products import ProductImage, RemoteProduct
from connectors.ports.store import MAX_CHANGES
from connectors.shopify import products_nodes as nodes
from connectors.shopify.client import ShopifyClient
from connectors.shopify.mutations import SimpleWrite
from connectors.shopify.products_writing import ProductWriter, batches
from connectors.shopify.replies import SERVICE

FIRST_LOOK: Final = 1.0
LAST_LOOK: Final = 8.0
"""Seconds between two looks at images that are still being fetched, growing from one to the other."""

POINTS_AN_IMAGE: Final = 1.9
"""What each image in the input adds to the cost (reference 2.2)."""

SETTLED: Final = frozenset({"ready", "failed"})
_OPERATION: Final = "add images to a product"


class _Images(msgspec.Struct):
    nodes: list[nodes.MediumNode | None]


class ImageWriter:
    """Adds images to products of one shop and watches them arrive. Safe to share between threads."""

    def __init__(self, client: ShopifyClient, writer: ProductWriter) -> None:
        self._client = client
        self._writer = writer
        self.pause: Callable[[float], None] = time.sleep
        self.clock: Callable[[], float] = time.monotonic

    def add_images(
        self, product_ref: str, images: Sequence[NewImage], *, known: Collection[str]
    ) -> tuple[ProductImage, ...]:
        """As the port says. Adding is not repeatable by itself, so the product is looked at first."""
        added = _beyond(self._writer.product(product_ref, _OPERATION), known)
        if not added and images:
            media = [{"originalSource": one.url, "alt": one.alt, "mediaContentType": "IMAGE"} for one in images]
            points = POINTS_AN_IMAGE * len(images)
            given = {"id": product_ref, "media": media}
            payload, reply = self._writer.send("product_images_add", given, SimpleWrite, points=10 + points)
            if payload.user_errors:
                raise self._writer.refusal(reply, payload.user_errors, product_ref)
            added = _beyond(self._writer.product(product_ref, _OPERATION), known)
        if [one.alt for one in added] != [one.alt for one in images]:
            raise RequestRejected(
                service=SERVICE,
                operation=_OPERATION,
                cause=f"The product has {len(added)} images that were not there when this was planned, and they are not "
                f"the {len(images)} to be added.",
                remedy="Read the product again, then plan its images anew.",
            )
        return added

    def wait_for_images(self, refs: Sequence[str], *, patience: float = 60.0) -> list[ProductImage]:
        """As the port says."""
        deadline, between = self.clock() + patience, FIRST_LOOK
        while True:
            seen = self._look(refs)
            if all(one.status in SETTLED for one in seen) or self.clock() + between > deadline:
                return seen
            self.pause(between)
            between = min(LAST_LOOK, between * 2)

    def _look(self, refs: Sequence[str]) -> list[ProductImage]:
        seen: list[ProductImage] = []
        for some in batches(refs, MAX_CHANGES):
            found = self._client.execute("images_by_ids", {"ids": some}).read(_Images).nodes
            seen += [nodes.image(node) for node in found if node is not None]
        return seen


def _beyond(product: RemoteProduct, known: Collection[str]) -> tuple[ProductImage, ...]:
    return tuple(one for one in product.images if one.ref not in known)
