"""Images of products and files of the shop: rows whose processing takes as long as the shop says, by the sandbox's clock.

Nothing is downloaded. What would fail is known beforehand: hosts that the shop calls unreachable, and images that are none."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .catalogue import Shop
from .execution import PageRequest, Run
from .pages import Page, take_page
from .rows import Product, Variant
from .topics import Topic
from .world import World

Payload = dict[str, Any]

LONGEST_ALT = 512
PICTURES = ("gif", "heic", "jpeg", "jpg", "png", "svg", "webp")
_MESSAGES = {
    "IMAGE_DOWNLOAD_FAILURE": "The image could not be downloaded.",
    "GENERIC_FILE_DOWNLOAD_FAILURE": "The source could not be downloaded.",
    "UNSUPPORTED_IMAGE_FILE_TYPE": "The file type is not supported.",
}


class StoreFile:
    """A file of the shop. `made` and `ready` are seconds of the sandbox's clock; `failure` is what its processing ends with."""

    __slots__ = ("alt", "created_at", "failure", "filename", "gid", "made", "number", "ready", "source", "updated_at")

    unreachable = "GENERIC_FILE_DOWNLOAD_FAILURE"

    def __init__(self, gid: str, number: int, alt: str | None, filename: str, stamp: str) -> None:
        self.gid = gid
        self.number = number
        self.alt = alt
        self.filename = filename
        self.created_at = stamp
        self.updated_at = stamp
        self.failure: str | None = None
        self.source = ""
        self.made = self.ready = 0.0

    def process(self, source: str, shop: Shop, now: float) -> None:
        """Take the content of an address; done after the shop's processing time."""
        self.source = source
        self.made, self.ready = now, now + shop.processing_seconds
        self.failure = self.unreachable if urlsplit(source).hostname in shop.unreachable else self.unfit()

    def unfit(self) -> str | None:
        """Why its content would not do, or None."""
        return None

    def status(self, now: float) -> str:
        """UPLOADED, then PROCESSING, then READY or FAILED."""
        if now >= self.ready:
            return "READY" if self.failure is None else "FAILED"
        return "UPLOADED" if now < (self.made + self.ready) / 2 else "PROCESSING"

    def url(self) -> str:
        """Where the shop would serve it."""
        return f"https://cdn.shopify.com/s/files/{self.number}/{self.filename}"


class ProductMedia(StoreFile):
    """An image, of a product or not."""

    __slots__ = ()

    unreachable = "IMAGE_DOWNLOAD_FAILURE"

    def unfit(self) -> str | None:
        extension = extension_of(self.source)
        return "UNSUPPORTED_IMAGE_FILE_TYPE" if extension and extension not in PICTURES else None


class OtherFile(StoreFile):
    """Any other file: a manual, a table."""

    __slots__ = ()


def name_in(source: str) -> str:
    """The file name in an address."""
    return urlsplit(source).path.rpartition("/")[2] or "file"


def extension_of(name: str) -> str:
    """The extension of an address or file name in lower case, "" without one."""
    return name_in(name).rpartition(".")[2].lower() if "." in name_in(name) else ""


def problem_of(given: Payload, shop: Shop) -> str | None:
    """Why a product's image can't be used, or None."""
    if given.get("id"):
        return None if isinstance(shop.by_gid.get(given["id"]), ProductMedia) else "Media does not exist"
    if given.get("mediaContentType", given.get("contentType")) not in (None, "IMAGE"):
        return "Only images are supported"
    return None if is_address(given.get("originalSource")) else "Image URL is invalid"


def is_address(source: str | None) -> bool:
    """Whether a source can be downloaded at all."""
    parts = urlsplit(source or "")
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def new_file(world: World, given: Payload, kind: type[StoreFile] = ProductMedia) -> StoreFile:
    """A file made of an address; the caller has checked it."""
    gid, number = world.shop.new_gid("MediaImage" if kind is ProductMedia else "GenericFile")
    source = given["originalSource"]
    row = kind(gid, number, given.get("alt"), given.get("filename") or name_in(source), world.clock.stamp())
    row.process(source, world.shop, world.clock.seconds())
    world.shop.by_gid[gid] = world.shop.files[gid] = row
    return row


# ── what products and variants show ──


def add(world: World, product: Product, given: list[Payload] | None) -> list[StoreFile]:
    """Add images after those that the product has; the new ones."""
    made = [new_file(world, each) for each in given or ()]
    if made:
        world.shop.media.setdefault(product.gid, []).extend(made)
    return made


def replace_all(world: World, product: Product, given: list[Payload] | None) -> None:
    """Make a list the product's only images, in this order; those that carry an id are kept."""
    rows = [_wanted(world, each) for each in given or ()]
    for row in [row for row in world.shop.media.get(product.gid, ()) if row not in rows]:
        take_off(world.shop, product, row)
    world.shop.media[product.gid] = rows


def _wanted(world: World, given: Payload) -> StoreFile:
    row: StoreFile = world.shop.by_gid[given["id"]] if given.get("id") else new_file(world, given)
    row.alt = given.get("alt", row.alt)
    return row


def take_off(shop: Shop, product: Product, row: StoreFile) -> None:
    """Remove an image from a product and from the variants that show it; the file stays."""
    if row in shop.media.get(product.gid, ()):
        shop.media[product.gid].remove(row)
    for variant in product.variants:
        if row in shop.variant_media.get(variant.gid, ()):
            shop.variant_media[variant.gid].remove(row)


def show_on(world: World, variant: Variant, given: list[Payload]) -> None:
    """Make these the variant's images: by id, or by address, which is one of the product's images or becomes one."""
    rows = []
    of_product = world.shop.media.setdefault(variant.product.gid, [])
    for each in given:
        known = [row for row in of_product if each.get("id") == row.gid or each.get("originalSource") == row.source]
        row = known[0] if known else _wanted(world, each)
        if not known:
            of_product.append(row)
        rows.append(row)
    world.shop.variant_media[variant.gid] = rows


def _page_of(rows: list[Any], request: PageRequest) -> Page:
    return take_page(rows, request, lambda row: (rows.index(row), row.number))


def _page(product: Product, request: PageRequest, run: Run) -> Page:
    return _page_of(run.world.shop.media.get(product.gid, []), request)


def _variant_page(variant: Variant, request: PageRequest, run: Run) -> Page:
    return _page_of(run.world.shop.variant_media.get(variant.gid, []), request)


def _featured(product: Product, arguments: Any, run: Run) -> StoreFile | None:
    return next(iter(run.world.shop.media.get(product.gid, ())), None)


# ── fields of a file ──


def _status(row: StoreFile, arguments: Any, run: Run) -> str:
    return row.status(run.world.clock.seconds())


def _image(row: StoreFile, arguments: Any, run: Run) -> Payload | None:
    if _status(row, None, run) != "READY":
        return None
    return {"id": f"gid://shopify/ImageSource/{row.number}", "altText": row.alt, "url": row.url()}


def _url(row: StoreFile, arguments: Any, run: Run) -> str | None:
    return row.url() if _status(row, None, run) == "READY" else None


def _errors(row: StoreFile, arguments: Any, run: Run) -> list[Payload]:
    if row.failure is None or _status(row, None, run) != "FAILED":
        return []
    return [{"code": row.failure, "message": _MESSAGES[row.failure], "details": row.source}]


def _preview(row: StoreFile, arguments: Any, run: Run) -> Payload:
    return {"status": _status(row, None, run), "image": _image(row, None, run)}


_READ = frozenset({"read_products", "read_files"})

MEDIA = Topic(
    full={
        ("Product", "media"): _page,
        ("Product", "featuredMedia"): _featured,
        ("ProductVariant", "media"): _variant_page,
        ("MediaImage", "status"): _status,
        ("MediaImage", "image"): _image,
        ("MediaImage", "mediaErrors"): _errors,
        ("GenericFile", "url"): _url,
        **{(name, "fileStatus"): _status for name in ("MediaImage", "GenericFile")},
        **{(name, "fileErrors"): _errors for name in ("MediaImage", "GenericFile")},
        **{(name, "preview"): _preview for name in ("MediaImage", "GenericFile")},
    },
    plain={
        **{(name, "id"): lambda row: row.gid for name in ("MediaImage", "GenericFile")},
        ("MediaImage", "mediaContentType"): lambda row: "IMAGE",
        ("MediaImage", "mediaWarnings"): lambda row: [],
        ("MediaImage", "originalSource"): lambda row: {"url": row.url()},
    },
    type_names={"ProductMedia": "MediaImage", "OtherFile": "GenericFile"},
    node_scopes={"MediaImage": _READ, "GenericFile": _READ},
    mappings=frozenset({"FileError", "Image", "MediaError", "MediaImageOriginalSource", "MediaPreviewImage"}),
)
"""Files as they are read, and the images that products and variants show."""
