"""Handles as Shopify makes them."""

from __future__ import annotations

import pytest

from sandbox.shopify.handles import free, generated, normalised
from tests.sandbox.client import App, user_errors

SET = """mutation Set($identifier: ProductSetIdentifiers, $input: ProductSetInput!) {
  productSet(identifier: $identifier, input: $input) { product { id handle } userErrors { code field message } } }"""
CREATE = """mutation Create($product: ProductCreateInput!) {
  productCreate(product: $product) { product { id handle } userErrors { field message } } }"""
UPDATE = """mutation Update($product: ProductUpdateInput!) {
  productUpdate(product: $product) { product { id handle } userErrors { field message } } }"""


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("Blue Shirt", "blue-shirt"),
        ("  Blue -- Shirt!  ", "blue-shirt"),
        ("Brânză de Burduf (250 g)", "brânză-de-burduf-250-g"),
        ("under_score", "under-score"),
        ("!!!", "product"),
        ("", "product"),
    ],
)
def test_a_text_becomes_a_handle(text: str, handle: str) -> None:
    assert normalised(text) == handle


@pytest.mark.parametrize(
    ("handle", "taken", "got"),
    [("x", [], "x"), ("x", ["x"], "x-1"), ("x-41", ["x-41"], "x-42"), ("x", ["x", "x-1"], "x-2")],
)
def test_a_taken_handle_is_counted_up(handle: str, taken: list[str], got: str) -> None:
    assert free(handle, taken) == got


def test_a_generated_handle_never_grows_over_its_limit() -> None:
    assert len(generated("x" * 300, {"x" * 255})) == 255


def test_a_generated_handle_is_counted_up_and_an_explicit_one_refused(app: App) -> None:
    made = app.ask(CREATE, {"product": {"title": "Apa"}}).data["productCreate"]["product"]
    assert made["handle"] == "apa-1"
    refused = app.ask(SET, {"input": {"title": "Nou", "handle": "APA"}})
    assert user_errors(refused) == [("HANDLE_NOT_UNIQUE", ["input", "handle"])]


def test_a_new_title_keeps_the_handle_and_a_blank_handle_makes_it_again(app: App) -> None:
    gid = app.shop.products_by_handle["apa"].gid
    renamed = app.ask(UPDATE, {"product": {"id": gid, "title": "Apă plată"}}).data["productUpdate"]["product"]
    assert renamed["handle"] == "apa"
    again = app.ask(UPDATE, {"product": {"id": gid, "handle": ""}}).data["productUpdate"]["product"]
    assert again["handle"] == "apă-plată"


def test_a_renamed_product_leaves_a_redirect_only_when_asked(app: App) -> None:
    redirects = "{ urlRedirects(first: 5) { nodes { path target } } }"
    gid = app.shop.products_by_handle["apa"].gid
    app.ask(UPDATE, {"product": {"id": gid, "handle": "b"}})
    assert app.ask(redirects).data["urlRedirects"]["nodes"] == []
    app.ask(UPDATE, {"product": {"id": gid, "handle": "c", "redirectNewHandle": True}})
    assert app.ask(redirects).data["urlRedirects"]["nodes"] == [{"path": "/products/b", "target": "/products/c"}]
