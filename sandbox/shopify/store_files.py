"""Files written: `fileCreate`, `fileUpdate`, `fileDelete`, and the mutations that put images on products and variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .connections import searched
from .execution import PageRequest, Run
from .jobs import new_job
from .keyed import unkeyed
from .media import (
    LONGEST_ALT,
    PICTURES,
    OtherFile,
    ProductMedia,
    StoreFile,
    add,
    extension_of,
    is_address,
    name_in,
    new_file,
    problem_of,
    take_off,
)
from .pages import Page, take_page
from .products_events import changed
from .products_variants import Wrongs, product_of
from .replies import too_long
from .rows import Product, Variant
from .topics import Topic
from .world import World

MOST_FILES = 250

Payload = dict[str, Any]


def _kind_of(given: Payload) -> type[StoreFile]:
    image = given.get("contentType") == "IMAGE" or (
        given.get("contentType") is None and extension_of(given["originalSource"]) in PICTURES
    )
    return ProductMedia if image else OtherFile


# ── files ──


def create_files(world: World, arguments: Payload) -> Payload:
    """`fileCreate`: all or none; what can't be downloaded fails later, told by the file's status."""
    wrong = Wrongs()
    for i, given in enumerate(arguments["files"]):
        _check_new(world, given, ("files", str(i)), wrong)
    if wrong.rows:
        return {"files": None, "userErrors": wrong.rows}
    return {"files": [_made(world, given) for given in arguments["files"]], "userErrors": []}


def _check_new(world: World, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> None:
    mode, name, source = given.get("duplicateResolutionMode"), given.get("filename"), given["originalSource"]
    if given.get("contentType") not in (None, "IMAGE", "FILE"):
        wrong.add("UNACCEPTABLE_ASSET", "The file type is not supported.", *path, "contentType")
    if not is_address(source):
        wrong.add("INVALID", "The file URL is invalid.", *path, "originalSource")
    _check_alt(given, path, wrong)
    if name and extension_of(name) != extension_of(source):
        message = "Provided filename extension must match original source."
        wrong.add("MISMATCHED_FILENAME_AND_ORIGINAL_SOURCE", message, *path, "filename")
    if mode == "REPLACE" and not name:
        message = "Missing filename argument when attempting to use REPLACE duplicate mode."
        wrong.add("MISSING_FILENAME_FOR_DUPLICATE_MODE_REPLACE", message, *path, "duplicateResolutionMode")
    if mode == "RAISE_ERROR" and _named(world, name or name_in(source)) is not None:
        wrong.add("FILENAME_ALREADY_EXISTS", "The provided filename already exists.", *path, "filename")


def _check_alt(given: Payload, path: tuple[str, ...], wrong: Wrongs) -> None:
    if len(given.get("alt") or "") > LONGEST_ALT:
        message = f"The alt value exceeds the maximum limit of {LONGEST_ALT} characters."
        wrong.add("ALT_VALUE_LIMIT_EXCEEDED", message, *path, "alt")


def _named(world: World, filename: str) -> StoreFile | None:
    return next((row for row in world.shop.files.values() if row.filename == filename), None)


def _made(world: World, given: Payload) -> StoreFile:
    name = given.get("filename") or name_in(given["originalSource"])
    taken = _named(world, name)
    if taken is not None and given.get("duplicateResolutionMode") == "REPLACE":
        taken.process(given["originalSource"], world.shop, world.clock.seconds())
        taken.alt, taken.updated_at = given.get("alt", taken.alt), world.clock.stamp()
        return taken
    row = new_file(world, given, _kind_of(given))
    if taken is not None:
        stem, dot, extension = row.filename.rpartition(".")
        row.filename = f"{stem or extension}_{row.number:x}{dot}{extension if stem else ''}"
    return row


def update_files(world: World, arguments: Payload) -> Payload:
    """`fileUpdate`: all or none, of files that are READY; a new source is processed again."""
    wrong = Wrongs()
    for i, given in enumerate(arguments["files"]):
        _check_update(world, given, ("files", str(i)), wrong)
    if wrong.rows:
        return {"files": None, "userErrors": wrong.rows}
    return {"files": [_updated(world, given) for given in arguments["files"]], "userErrors": []}


def _check_update(world: World, given: Payload, path: tuple[str, ...], wrong: Wrongs) -> None:
    row = world.shop.files.get(given["id"])
    if row is None:
        wrong.add("FILE_DOES_NOT_EXIST", f"File id {given['id']} does not exist.", *path, "id")
        return
    status = row.status(world.clock.seconds())
    if status == "FAILED" and not given.get("originalSource"):
        wrong.add("INVALID_FAILED_MEDIA_STATE", "File cannot be updated in a failed state.", *path, "id")
    elif status not in ("READY", "FAILED"):
        wrong.add("NON_READY_STATE", "Non-ready files cannot be updated.", *path, "id")
    if given.get("originalSource") is not None and not is_address(given["originalSource"]):
        wrong.add("INVALID_IMAGE_SOURCE_URL", "Invalid image source url value provided.", *path, "originalSource")
    _check_alt(given, path, wrong)
    name = given.get("filename")
    if name is not None and extension_of(name) != extension_of(row.filename):
        wrong.add("INVALID_FILENAME_EXTENSION", "The extension can't be changed.", *path, "filename")
    elif name is not None and _named(world, name) not in (None, row):
        wrong.add("FILENAME_ALREADY_EXISTS", "The provided filename already exists.", *path, "filename")
    for key in ("referencesToAdd", "referencesToRemove"):
        for gid in given.get(key) or ():
            if not isinstance(world.shop.by_gid.get(gid), Product):
                message = "The reference target does not exist."
                wrong.add("REFERENCE_TARGET_DOES_NOT_EXIST", message, *path, key)


def _updated(world: World, given: Payload) -> StoreFile:
    shop, stamp = world.shop, world.clock.stamp()
    row: StoreFile = shop.files[given["id"]]
    row.alt, row.filename = given.get("alt", row.alt), given.get("filename") or row.filename
    row.updated_at = stamp
    if given.get("originalSource"):
        row.process(given["originalSource"], shop, world.clock.seconds())
    for gid in given.get("referencesToAdd") or ():
        if row not in shop.media.setdefault(gid, []):
            shop.media[gid].append(row)
            changed(shop, shop.by_gid[gid], stamp)
    for gid in given.get("referencesToRemove") or ():
        take_off(shop, shop.by_gid[gid], row)
        changed(shop, shop.by_gid[gid], stamp)
    return row


def delete_files(world: World, arguments: Payload) -> Payload:
    """`fileDelete`: all or none; products and variants lose the image."""
    shop, wrong = world.shop, Wrongs()
    for gid in arguments["fileIds"]:
        if gid not in shop.files:
            wrong.add("FILE_DOES_NOT_EXIST", f"File id {gid} does not exist.", "fileIds")
    if wrong.rows:
        return {"deletedFileIds": None, "userErrors": wrong.rows}
    for gid in dict.fromkeys(arguments["fileIds"]):
        row = shop.files.pop(gid)
        del shop.by_gid[gid]
        for owner in [owner for owner, rows in shop.media.items() if row in rows]:
            take_off(shop, shop.by_gid[owner], row)
            changed(shop, shop.by_gid[owner], world.clock.stamp())
    return {"deletedFileIds": arguments["fileIds"], "userErrors": []}


# ── images of products and variants ──


def create_media(world: World, arguments: Payload) -> Payload:
    """`productCreateMedia` (deprecated): images that can be used are added, the others refused one by one."""
    wrong = Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    made: list[StoreFile] = []
    for i, given in enumerate(arguments["media"] if product is not None else ()):
        if problem := problem_of(given, world.shop):
            wrong.add("INVALID", problem, "media", str(i), "originalSource")
        elif product is not None:
            made += add(world, product, [given])
    if product is not None and made:
        changed(world.shop, product, world.clock.stamp())
    plain = [{"field": row["field"], "message": row["message"]} for row in wrong.rows]
    return {"media": made, "product": product, "mediaUserErrors": wrong.rows, "userErrors": plain}


def reorder_media(world: World, arguments: Payload) -> Payload:
    """`productReorderMedia`: each move in its turn, positions from 0; a job tells when it is done."""
    wrong = Wrongs()
    product = product_of(world, arguments["id"], wrong, "id")
    rows = list(world.shop.media.get(product.gid, ())) if product is not None else []
    for i, move in enumerate(arguments["moves"] if product is not None else ()):
        row = world.shop.files.get(move["id"])
        if row not in rows:
            wrong.add("MEDIA_DOES_NOT_EXIST_ON_PRODUCT", "Media does not exist on product", "moves", str(i), "id")
            continue
        rows.remove(row)
        rows.insert(int(move["newPosition"]), row)
    if product is not None and not wrong.rows:
        world.shop.media[product.gid] = rows
        changed(world.shop, product, world.clock.stamp())
    job = new_job(world) if not wrong.rows else None
    plain = [{"field": row["field"], "message": row["message"]} for row in wrong.rows]
    return {"job": job, "mediaUserErrors": wrong.rows, "userErrors": plain}


def append_media(world: World, arguments: Payload) -> Payload:
    """`productVariantAppendMedia`: one READY image of the product for a variant that has none."""
    return _pair(world, arguments, _check_append, lambda rows, row: rows.append(row))


def detach_media(world: World, arguments: Payload) -> Payload:
    """`productVariantDetachMedia`: the product keeps the image."""
    return _pair(world, arguments, _check_detach, lambda rows, row: rows.remove(row))


def _pair(
    world: World,
    arguments: Payload,
    check: Callable[[World, Variant, StoreFile], tuple[str, str] | None],
    change: Callable[[list[Any], StoreFile], None],
) -> Payload:
    """Check every pair of a variant and an image, then change them all or none."""
    shop, wrong = world.shop, Wrongs()
    product = product_of(world, arguments["productId"], wrong)
    pairs: list[tuple[Variant, StoreFile]] = []
    for i, each in enumerate(arguments["variantMedia"] if product is not None else ()):
        path, variant = ("variantMedia", str(i)), shop.by_gid.get(each["variantId"])
        if not isinstance(variant, Variant) or variant.product is not product:
            message = "Variant does not exist on the specified product"
            wrong.add("PRODUCT_VARIANT_DOES_NOT_EXIST_ON_PRODUCT", message, *path, "variantId")
            continue
        for gid in each["mediaIds"]:
            row = shop.files.get(gid)
            if row is None or row not in shop.media.get(variant.product.gid, ()):
                message = "Media does not exist on the specified product"
                wrong.add("MEDIA_DOES_NOT_EXIST_ON_PRODUCT", message, *path, "mediaIds")
            elif (problem := check(world, variant, row)) is not None:
                wrong.add(*problem, *path, "mediaIds")
            else:
                pairs.append((variant, row))
    if wrong.rows or product is None:
        return {"product": product, "productVariants": None, "userErrors": wrong.rows}
    for variant, row in pairs:
        change(shop.variant_media.setdefault(variant.gid, []), row)
    variants = list(dict.fromkeys(variant for variant, _ in pairs))
    changed(shop, product, world.clock.stamp(), *variants)
    return {"product": product, "productVariants": variants, "userErrors": []}


def _check_append(world: World, variant: Variant, row: StoreFile) -> tuple[str, str] | None:
    if row.status(world.clock.seconds()) != "READY":
        return "NON_READY_MEDIA", "Non-ready media cannot be attached to variants"
    if world.shop.variant_media.get(variant.gid):
        return "PRODUCT_VARIANT_ALREADY_HAS_MEDIA", "Product variant already has attached media"
    return None


def _check_detach(world: World, variant: Variant, row: StoreFile) -> tuple[str, str] | None:
    if row not in world.shop.variant_media.get(variant.gid, ()):
        return "MEDIA_IS_NOT_ATTACHED_TO_VARIANT", "Media is not attached to variant"
    return None


# ── reading ──


def _files(world: World, request: PageRequest, run: Run) -> Page:
    now = world.clock.seconds()
    fields: dict[str, Callable[[Any], Any]] = {
        "created_at": lambda row: row.created_at,
        "filename": lambda row: row.filename,
        "id": lambda row: row.number,
        "media_type": lambda row: "Image" if isinstance(row, ProductMedia) else "GenericFile",
        "product_id": lambda row: [
            str(world.shop.by_gid[owner].number) for owner, rows in world.shop.media.items() if row in rows
        ],
        "status": lambda row: row.status(now),
        "updated_at": lambda row: row.updated_at,
    }
    search = searched(world, "files", request.rest.get("query"), fields, lambda row: row.filename)
    rows = [row for row in world.shop.files.values() if search is None or search.matches(row)]
    return take_page(rows, request, lambda row: (0, row.number))


def _short(name: str, field: str) -> Callable[[Payload, Run], Payload]:
    def prepare(arguments: Payload, run: Run) -> Payload:
        if len(arguments[field]) > MOST_FILES:
            raise too_long(len(arguments[field]), [name, field])
        return arguments

    return prepare


_OF_FILES: dict[str, tuple[str, Callable[[World, Payload], Payload]]] = {
    "fileCreate": ("files", create_files),
    "fileUpdate": ("files", update_files),
    "fileDelete": ("fileIds", delete_files),
}
_OF_PRODUCTS: dict[str, tuple[str, Callable[[World, Payload], Payload]]] = {
    "productCreateMedia": ("media", create_media),
    "productReorderMedia": ("moves", reorder_media),
    "productVariantAppendMedia": ("variantMedia", append_media),
    "productVariantDetachMedia": ("variantMedia", detach_media),
}
_ALL = {**_OF_FILES, **_OF_PRODUCTS}

STORE_FILES = Topic(
    full={
        ("QueryRoot", "files"): _files,
        **{("Mutation", name): unkeyed(act) for name, (_, act) in _ALL.items()},
    },
    prepare={("Mutation", name): _short(name, field) for name, (field, _) in _ALL.items()},
    access={
        ("QueryRoot", "files"): frozenset({"read_files"}),
        **{("Mutation", name): frozenset({"write_files"}) for name in _OF_FILES},
        **{("Mutation", name): frozenset({"write_products"}) for name in _OF_PRODUCTS},
    },
    mappings=frozenset(
        {
            "FileCreatePayload",
            "FileDeletePayload",
            "FileUpdatePayload",
            "FilesUserError",
            "MediaUserError",
            "ProductCreateMediaPayload",
            "ProductReorderMediaPayload",
            "ProductVariantAppendMediaPayload",
            "ProductVariantDetachMediaPayload",
        }
    ),
)
"""Files written, and images put on products and variants."""
