"""Images of products: rows whose processing takes as long as the shop says, by the sandbox's clock. Nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalogue import Shop
from .execution import PageRequest, Run
from .pages import Page, take_page
from .rows import Product
from .topics import Topic
from .world import World

Payload = dict[str, Any]


@dataclass(slots=True)
class ProductMedia:
    """One image. `made` and `ready` are seconds of the sandbox's clock."""

    gid: str
    number: int
    alt: str | None
    source: str
    created_at: str
    updated_at: str
    made: float
    ready: float

    def status(self, now: float) -> str:
        """UPLOADED, then PROCESSING, then READY."""
        if now >= self.ready:
            return "READY"
        return "UPLOADED" if now < (self.made + self.ready) / 2 else "PROCESSING"


def problem_of(given: Payload, shop: Shop) -> str | None:
    """Why a file can't be used, or None."""
    if given.get("id"):
        return None if isinstance(shop.by_gid.get(given["id"]), ProductMedia) else "Media does not exist"
    source = given.get("originalSource") or ""
    return None if source.startswith(("https://", "http://")) else "Image URL is invalid"


def new_medium(world: World, given: Payload) -> ProductMedia:
    """An image made of an address; the caller has checked it."""
    gid, number = world.shop.new_gid("MediaImage")
    stamp, now = world.clock.stamp(), world.clock.seconds()
    row = ProductMedia(
        gid, number, given.get("alt"), given["originalSource"], stamp, stamp, now, now + world.shop.processing_seconds
    )
    world.shop.by_gid[gid] = row
    return row


def add(world: World, product: Product, given: list[Payload] | None) -> None:
    """Add images after those that the product has."""
    if given:
        world.shop.media.setdefault(product.gid, []).extend(new_medium(world, each) for each in given)


def replace_all(world: World, product: Product, given: list[Payload] | None) -> None:
    """Make a list the product's only images, in this order; those that carry an id are kept."""
    rows: list[Any] = []
    for each in given or ():
        row = world.shop.by_gid.get(each["id"]) if each.get("id") else new_medium(world, each)
        if isinstance(row, ProductMedia):
            row.alt = each.get("alt", row.alt)
            rows.append(row)
    world.shop.media[product.gid] = rows


def _page(product: Product, request: PageRequest, run: Run) -> Page:
    rows = run.world.shop.media.get(product.gid, [])
    return take_page(rows, request, lambda row: (rows.index(row), row.number))


def _status(row: ProductMedia, arguments: Any, run: Run) -> str:
    return row.status(run.world.clock.seconds())


def _image(row: ProductMedia, arguments: Any, run: Run) -> Payload | None:
    if row.status(run.world.clock.seconds()) != "READY":
        return None
    return {"altText": row.alt, "url": f"https://cdn.shopify.com/s/files/{row.number}/{row.source.rpartition('/')[2]}"}


MEDIA = Topic(
    full={
        ("Product", "media"): _page,
        ("MediaImage", "status"): _status,
        ("MediaImage", "fileStatus"): _status,
        ("MediaImage", "image"): _image,
    },
    plain={("MediaImage", "id"): lambda row: row.gid, ("MediaImage", "mediaContentType"): lambda row: "IMAGE"},
    type_names={"ProductMedia": "MediaImage"},
    node_scopes={"MediaImage": frozenset({"read_products"})},
    mappings=frozenset({"Image"}),
)
"""Images of products."""
