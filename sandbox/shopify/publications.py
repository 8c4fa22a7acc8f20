"""Where products are published (reference §4.4): the shop's publications with their channels, and each product's dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .catalogue import Shop
from .execution import PageRequest, Run
from .keyed import unkeyed
from .pages import Page, take_page
from .rows import Product
from .topics import Topic
from .world import World

Payload = dict[str, Any]

# What every shop starts with: name, channel handle, publishes new products by itself.
STANDARD = (("Online Store", "online_store"), ("Point of Sale", "pos"), ("B2B", "b2b"))


@dataclass(slots=True)
class Publication:
    """A sales channel that products can be on."""

    gid: str
    number: int
    name: str
    handle: str
    auto_publish: bool = False


@dataclass(slots=True)
class AppCatalog:
    """The catalogue of a publication: its title is what people call the channel."""

    gid: str
    title: str
    status: str = "ACTIVE"


@dataclass(slots=True)
class Listing:
    """One product on one publication since `date`, or from then on."""

    publication: Publication
    product: Product
    date: str
    now: str

    @property
    def is_published(self) -> bool:
        """False while the date lies ahead."""
        return self.date <= self.now


def publications_of(shop: Shop) -> list[Publication]:
    """The publications of a shop, made when first asked for."""
    if not shop.publications:
        for index, (name, handle) in enumerate(STANDARD):
            number = shop.id_base + 71 + index
            row = Publication(f"gid://shopify/Publication/{number}", number, name, handle)
            shop.publications.append(row)
            shop.by_gid[row.gid] = row
    return shop.publications


def listings(shop: Shop, product: Product, now: str) -> list[Listing]:
    """Every publication the product is on, scheduled ones included."""
    dates = dates_of(shop, product)
    return [Listing(row, product, dates[row.gid], now) for row in publications_of(shop) if row.gid in dates]


def dates_of(shop: Shop, product: Product) -> dict[str, str]:
    """Publication id → since when. A seeded product is everywhere from the start, or nowhere."""
    if product.listed is not None:
        return product.listed
    since = product.published_at
    return {row.gid: since for row in publications_of(shop)} if since is not None else {}


def publish(shop: Shop, product: Product, dates: dict[str, str], stamp: str) -> None:
    """Put a product on publications, each from its date on; announces the change."""
    _list(shop, product, {**dates_of(shop, product), **dates}, stamp)


def unpublish(shop: Shop, product: Product, gids: set[str], stamp: str) -> None:
    """Take a product off publications; announces the change."""
    kept = {gid: date for gid, date in dates_of(shop, product).items() if gid not in gids}
    _list(shop, product, kept, stamp)


def _list(shop: Shop, product: Product, dates: dict[str, str], stamp: str) -> None:
    product.listed = dates
    product.published_at = dates.get(publications_of(shop)[0].gid)
    product.updated_at = stamp
    shop.revision += 1
    shop.happened("products/update", product)


def _asked(world: World, arguments: dict[str, Any]) -> tuple[Product | None, list[Payload]]:
    product = world.shop.by_gid.get(arguments["id"])
    if not isinstance(product, Product):
        return None, [_error(["id"], "The resource could not be found.")]
    known = {row.gid for row in publications_of(world.shop)}
    wrong = [
        _error(["input", str(i), "publicationId"], "Publication does not exist or is not publishable")
        for i, each in enumerate(arguments["input"])
        if each.get("publicationId") not in known
    ]
    return product, wrong


def publish_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`publishablePublish`."""
    product, wrong = _asked(world, arguments)
    stamp = world.clock.stamp()
    if product is None or wrong:
        return {"publishable": None, "shop": world, "userErrors": wrong}
    dates = {each["publicationId"]: _utc(each.get("publishDate")) or stamp for each in arguments["input"]}
    publish(world.shop, product, dates, stamp)
    return {"publishable": product, "shop": world, "userErrors": []}


def unpublish_act(world: World, arguments: dict[str, Any]) -> Payload:
    """`publishableUnpublish`."""
    product, wrong = _asked(world, arguments)
    if product is None or wrong:
        return {"publishable": None, "shop": world, "userErrors": wrong}
    unpublish(world.shop, product, {each["publicationId"] for each in arguments["input"]}, world.clock.stamp())
    return {"publishable": product, "shop": world, "userErrors": []}


def _utc(text: str | None) -> str | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return text if moment.tzinfo is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _error(path: list[str], message: str) -> Payload:
    return {"field": path, "message": message}


def _publications_page(world: World, request: PageRequest, run: Run) -> Page:
    return take_page(publications_of(world.shop), request, lambda row: (0, row.number))


def _listings_page(product: Product, request: PageRequest, run: Run) -> Page:
    rows = listings(run.world.shop, product, run.world.clock.stamp())
    if request.rest.get("onlyPublished"):
        rows = [row for row in rows if row.is_published]
    return take_page(rows, request, lambda row: (0, row.publication.number))


def _listings_count(product: Product, arguments: dict[str, Any], run: Run) -> Payload:
    rows = listings(run.world.shop, product, run.world.clock.stamp())
    wanted = [row for row in rows if row.is_published or not arguments.get("onlyPublished")]
    return {"count": len(wanted), "precision": "EXACT"}


def _published_on(product: Product, arguments: dict[str, Any], run: Run) -> bool:
    rows = listings(run.world.shop, product, run.world.clock.stamp())
    return any(row.is_published for row in rows if row.publication.gid == arguments["publicationId"])


def _publication(world: World, arguments: dict[str, Any], run: Run) -> Publication | None:
    return next((row for row in publications_of(world.shop) if row.gid == arguments["id"]), None)


def _channels(row: Publication, request: PageRequest, run: Run) -> Page:
    return take_page([row], request, lambda each: (0, each.number))


_READ = frozenset({"read_publications"})
_WRITE = frozenset({"write_publications"})

PUBLICATIONS = Topic(
    full={
        ("QueryRoot", "publications"): _publications_page,
        ("QueryRoot", "publication"): _publication,
        ("Publication", "channels"): _channels,
        ("Product", "resourcePublicationsV2"): _listings_page,
        ("Product", "resourcePublicationsCount"): _listings_count,
        ("Product", "publishedOnPublication"): _published_on,
        ("Mutation", "publishablePublish"): unkeyed(publish_act),
        ("Mutation", "publishableUnpublish"): unkeyed(unpublish_act),
    },
    plain={
        ("Publication", "id"): lambda row: row.gid,
        ("Publication", "autoPublish"): lambda row: row.auto_publish,
        ("Publication", "supportsFuturePublishing"): lambda row: row.handle == "online_store",
        ("Publication", "catalog"): lambda row: AppCatalog(f"gid://shopify/AppCatalog/{row.number}", row.name),
        ("Channel", "id"): lambda row: f"gid://shopify/Channel/{row.number}",
        ("AppCatalog", "id"): lambda row: row.gid,
        ("ResourcePublicationV2", "publishDate"): lambda row: row.date,
        ("ResourcePublicationV2", "publishable"): lambda row: row.product,
    },
    access={
        ("QueryRoot", "publications"): _READ,
        ("QueryRoot", "publication"): _READ,
        ("Product", "resourcePublicationsV2"): _READ,
        ("Product", "resourcePublicationsCount"): _READ,
        ("Product", "publishedOnPublication"): _READ,
        ("Mutation", "publishablePublish"): _WRITE,
        ("Mutation", "publishableUnpublish"): _WRITE,
    },
    type_names={"AppCatalog": "AppCatalog", "Publication": "Publication"},
    node_scopes={"Publication": _READ},
    mappings=frozenset({"PublishablePublishPayload", "PublishableUnpublishPayload"}),
)
"""Publications and what is on them."""
