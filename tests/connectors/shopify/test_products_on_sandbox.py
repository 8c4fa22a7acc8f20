"""Products of a running shop over HTTP: made once, changed no further than asked, shown where they were published."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from connectors.ports.errors import Gone, HandleTaken, OutcomeUnknown, RequestRejected
from connectors.ports.product_changes import (
    MetafieldChange,
    NewImage,
    NewProduct,
    PriceChange,
    ProductChange,
    VariantChange,
)
from connectors.ports.products import RemoteProduct
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.documents import document
from sandbox.server import running
from tests.connectors.shopify.test_against_sandbox import DOMAIN, Server
from tests.connectors.shopify.test_orders_on_sandbox import control
from tests.contracts.product_changes_port import coat
from tests.pacers import OpenPacer


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server("plus")
    with running(server.sandbox) as server.url:
        yield server


@pytest.fixture
def store(server: Server) -> Iterator[ShopifyStore]:
    store = ShopifyStore(api_version="2026-10", **server.settings(OpenPacer()))
    yield store
    store.close()


@pytest.fixture
def handle() -> str:
    """A handle of this test alone."""
    return f"șapcă-{uuid.uuid4().hex[:10]}"


def made(store: ShopifyStore, draft: NewProduct) -> RemoteProduct:
    created = store.create_product(draft, key=uuid.uuid4())
    assert created.problems == ()
    return created.product


def read(store: ShopifyStore, ref: str) -> RemoteProduct:
    (product,) = store.read_products([ref]).products
    return product


def with_handle(server: Server, handle: str) -> list[str]:
    return [product.gid for product in server.shop.products if product.handle.startswith(handle)]


# --- making


def test_a_product_of_320_variants_is_made_in_chunks_and_read_to_its_end(store: ShopifyStore, handle: str) -> None:
    sizes = [f"N{number}" for number in range(320)]

    product = made(store, coat(handle, *sizes))

    assert [one.option_values[0] for one in product.variants] == sizes


@pytest.mark.parametrize("lost", ["ProductCreate", "VariantsUpdate", "VariantsCreate"])
@pytest.mark.parametrize("kind", ["lost_reply", "drop_before"])
def test_a_create_whose_answer_was_lost_makes_one_product_when_it_is_repeated(
    lost: str, kind: str, server: Server, store: ShopifyStore, handle: str
) -> None:
    key, draft = uuid.uuid4(), coat(handle)
    control(server, "faults", kind=kind, operation=lost, times=1)
    with pytest.raises(OutcomeUnknown) as unknown:
        store.create_product(draft, key=key)

    created = store.create_product(draft, key=key)
    again = store.create_product(draft, key=key)

    assert "again" in unknown.value.remedy
    assert with_handle(server, handle) == [created.product.ref] == [again.product.ref]
    assert [one.sku for one in created.product.variants] == [row.sku for row in draft.variants]
    assert again.product.variants == created.product.variants


# --- changing


# --- prices


# --- handles


def test_a_product_is_renamed_by_its_id_and_the_old_address_leads_on(
    server: Server, store: ShopifyStore, handle: str
) -> None:
    product = made(store, coat(handle))

    renamed = store.rename_product(product.ref, handle=f"{handle} Nou!", known_as=handle)
    again = store.rename_product(product.ref, handle=f"{handle} Nou!", known_as=handle)

    assert renamed == again == f"{handle}-nou"
    assert read(store, product.ref).handle == renamed
    assert store.find_product(handle) is None
    assert f"/products/{handle}" in [redirect.path for redirect in server.shop.redirects]


def test_a_rename_is_refused_for_an_id_nobody_has_a_handle_that_is_taken_and_a_name_that_is_old(
    server: Server, store: ShopifyStore, handle: str
) -> None:
    product, other = made(store, coat(handle)), made(store, coat(f"{handle}-2"))

    with pytest.raises(Gone):
        store.rename_product("gid://shopify/Product/999999999", handle="any", known_as=handle)
    with pytest.raises(HandleTaken) as taken:
        store.rename_product(product.ref, handle=other.handle, known_as=handle)
    control(server, "products/edit", handle=handle, new_handle=f"{handle}-theirs")
    with pytest.raises(RequestRejected, match="theirs"):
        store.rename_product(product.ref, handle=f"{handle}-ours", known_as=handle)

    assert taken.value.holder_ref == other.ref
    assert read(store, product.ref).handle == f"{handle}-theirs"


def test_a_product_is_followed_by_its_id_through_a_rename_and_told_gone_when_it_is_deleted(
    server: Server, store: ShopifyStore, handle: str
) -> None:
    product = made(store, coat(handle))
    control(server, "products/edit", handle=handle, new_handle=f"{handle}-theirs", title="Altceva")
    assert read(store, product.ref).handle == f"{handle}-theirs"

    httpx.request("DELETE", f"{server.url}/_control/products", params={"shop": DOMAIN, "product": product.ref})

    assert store.read_products([product.ref]).gone == (product.ref,)
    with pytest.raises(Gone):
        store.update_product(product.ref, ProductChange(title="X"))
    with pytest.raises(Gone):
        store.update_variants(product.ref, [VariantChange(ref=product.variants[0].ref, sku="X")])
    with pytest.raises(Gone):
        store.publish(product.ref, [store.publications()[0].ref])


# --- where it is shown


# --- images and metafields


def test_images_are_added_once_and_told_when_they_are_ready_or_failed(
    server: Server, store: ShopifyStore, handle: str
) -> None:
    product = made(store, coat(handle))
    images = [
        NewImage("https://cdn.example.com/palton.jpg", "Palton, față"),
        NewImage("https://cdn.example.com/palton.txt", "Palton, spate"),
    ]
    control(server, "faults", kind="lost_reply", operation="ProductImagesAdd", times=1)
    with pytest.raises(OutcomeUnknown):
        store.add_images(product.ref, images, known=())

    added = store.add_images(product.ref, images, known=())

    store.images.pause = lambda seconds: control(server, "clock", advance=seconds) and None
    seen = store.wait_for_images([one.ref for one in added])
    assert [(one.alt, one.status) for one in seen] == [("Palton, față", "ready"), ("Palton, spate", "failed")]
    assert [bool(one.url) for one in seen] == [True, False]
    assert [bool(one.problem) for one in seen] == [False, True]
    assert [one.ref for one in read(store, product.ref).images] == [one.ref for one in added]
    with pytest.raises(RequestRejected, match="2 images"):
        store.add_images(product.ref, [NewImage("https://cdn.example.com/alt.jpg", "Altul")], known=())


# --- cost


def test_documents_ask_for_the_points_they_say(server: Server, store: ShopifyStore, handle: str) -> None:
    product = made(store, coat(handle))
    store.find_product(handle)
    store.update_product(product.ref, ProductChange(title="X", add_tags=("a",), remove_tags=("b",)))
    store.publish(product.ref, [store.publications()[0].ref])
    store.write_prices(product.ref, [PriceChange(ref=product.variants[0].ref, price=Decimal("5"))])
    store.set_metafields([MetafieldChange(product.ref, "own", "key", "single_line_text_field", "1")])
    added = store.add_images(product.ref, [NewImage("https://cdn.example.com/x.jpg")], known=())
    store.wait_for_images([one.ref for one in added], patience=0)

    asked = {call.operation: call.requested for call in server.sandbox.calls.matching({})}
    names = ("products_by_ids", "product_by_handle", "product_create", "product_update", "product_tags_add")
    names += ("product_tags_remove", "images_by_ids", "metafields_set", "publications", "product_publish")
    names += ("product_visibility", "variant_prices", "variants_update", "variants_create")
    listed = [document(name) for name in names]
    assert {one.operation_name: one.points for one in listed} == {
        one.operation_name: math.ceil(asked[one.operation_name]) for one in listed
    }
