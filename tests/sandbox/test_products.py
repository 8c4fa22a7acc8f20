"""Products and variants written over the Admin API, and what a merchant does to them by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.shopify.products_events import PRODUCT_EVENTS
from sandbox.shopify.publications import publications_of
from sandbox.shopify.seed import seed_synthetic
from tests.sandbox.client import App, user_errors
from tests.sandbox.test_handles import CREATE, SET

UPDATE_VARIANTS = """mutation V($productId: ID!, $variants: [ProductVariantsBulkInput!]!, $partly: Boolean = false) {
  productVariantsBulkUpdate(productId: $productId, variants: $variants, allowPartialUpdates: $partly) {
    productVariants { id price } userErrors { code field message } } }"""


def option(*values: str) -> list[dict[str, Any]]:
    return [{"name": "Size", "values": [{"name": value} for value in values]}]


def variant(value: str, **rest: Any) -> dict[str, Any]:
    return {"optionValues": [{"optionName": "Size", "name": value}], **rest}


def test_a_missing_key_keeps_and_an_empty_list_empties(app: App) -> None:
    apa = app.shop.products_by_handle["apa"]
    app.ask(SET, {"identifier": {"id": apa.gid}, "input": {"vendor": "Dorna"}})
    assert (apa.vendor, apa.tags, len(apa.variants)) == ("Dorna", ["bio", "drinks"], 1)
    app.ask(SET, {"identifier": {"id": apa.gid}, "input": {"tags": []}})
    assert apa.tags == []


def test_a_variant_that_is_not_listed_is_deleted_with_its_inventory_item(app: App) -> None:
    bere, gone = app.shop.products_by_handle["bere"], app.item("BERE-L")
    kept = bere.variants[0]
    given = {"productOptions": option("Mică"), "variants": [variant("Mică", price="8")]}
    assert user_errors(app.ask(SET, {"identifier": {"id": bere.gid}, "input": given})) == []
    assert [v is kept for v in bere.variants] == [True]
    assert not app.shop.holds(gone)
    assert not app.shop.holds(gone.variant)
    assert app.ask('{ productVariants(first: 5, query: "sku:BERE-L") { nodes { id } } }').data["productVariants"] == {
        "nodes": []
    }


def test_a_renamed_option_value_makes_a_new_variant_unless_its_id_is_sent(app: App) -> None:
    bere = app.shop.products_by_handle["bere"]
    first, second = bere.variants
    given = {"productOptions": option("Mini", "Maxi"), "variants": [variant("Mini", id=first.gid), variant("Maxi")]}
    app.ask(SET, {"identifier": {"id": bere.gid}, "input": given})
    assert bere.variants[0] is first
    assert bere.variants[1] is not second


@pytest.mark.parametrize(
    ("identifier", "given", "code"),
    [
        ({"handle": "apa"}, {"title": "x"}, "MISSING_FIELD_REQUIRED"),
        ({"handle": "apa"}, {"handle": "alta"}, "INPUT_MISMATCH"),
        ({"id": "gid://shopify/Product/1"}, {"title": "x"}, "PRODUCT_DOES_NOT_EXIST"),
        ({"id": "gid://shopify/Product/1"}, {"id": "gid://shopify/Product/1"}, "ID_NOT_ALLOWED"),
        ({"handle": "nou"}, {"handle": "nou"}, "INVALID_PRODUCT"),
        (None, {"title": "x", "variants": [variant("S")]}, "PRODUCT_OPTIONS_INPUT_MISSING"),
        (None, {"title": "x", "productOptions": option("S")}, "VARIANTS_INPUT_MISSING"),
        (
            None,
            {"title": "x", "productOptions": option("S"), "variants": [variant("M")]},
            "OPTION_VALUE_DOES_NOT_EXIST",
        ),
    ],
)
def test_product_set_refuses(app: App, identifier: Any, given: dict[str, Any], code: str) -> None:
    before = len(app.shop.products)
    assert user_errors(app.ask(SET, {"identifier": identifier, "input": given}))[0][0] == code
    assert len(app.shop.products) == before


def test_an_unknown_handle_is_created_once_and_published_nowhere(app: App) -> None:
    for _ in range(2):
        app.ask(SET, {"identifier": {"handle": "nou"}, "input": {"handle": "nou", "title": "Nou"}})
    made = app.shop.products_by_handle["nou"]
    assert (len(app.shop.products), made.published_at, len(made.variants)) == (5, None, 1)


def test_bulk_prices_are_all_or_nothing_unless_partly_is_allowed(app: App) -> None:
    bere = app.shop.products_by_handle["bere"]
    rows = [{"id": bere.variants[0].gid, "price": "8.5"}, {"id": bere.variants[1].gid, "price": "-1"}]
    given = {"productId": bere.gid, "variants": rows}
    assert user_errors(app.ask(UPDATE_VARIANTS, given)) == [("NEGATIVE_PRICE_VALUE", ["variants", "1", "price"])]
    assert bere.variants[0].price == "7.00"
    app.ask(UPDATE_VARIANTS, {**given, "partly": True})
    assert [v.price for v in bere.variants] == ["8.50", "11.00"]


def test_stock_is_refused_in_a_bulk_update(app: App) -> None:
    bere = app.shop.products_by_handle["bere"]
    stock = [{"locationId": app.here.gid, "availableQuantity": 3}]
    rows = [{"id": bere.variants[0].gid, "inventoryQuantities": stock}]
    answer = app.ask(UPDATE_VARIANTS, {"productId": bere.gid, "variants": rows})
    assert user_errors(answer)[0][0] == "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE"


def test_a_duplicate_carries_sku_and_stock(app: App) -> None:
    told = app.control("POST", "products/duplicate", {"handle": "apa", "title": "Apa"})
    assert (told["handle"], told["status"], told["published_on"]) == ("apa-1", "ACTIVE", [])
    assert (told["variants"][0]["sku"], told["variants"][0]["available"]) == ("APA", 10)


def test_the_price_of_a_mutation_grows_with_its_variants(app: App) -> None:
    bere = app.shop.products_by_handle["bere"]
    rows = [{"id": bere.variants[0].gid, "price": "8"}] * 250
    cost = app.ask(UPDATE_VARIANTS, {"productId": bere.gid, "variants": rows}).cost
    assert cost["requestedQueryCost"] == 60


def test_deleting_a_product_says_so_and_pages_go_on(app: App) -> None:
    heard: list[str] = []
    app.shop.listeners.append(lambda shop, topic, row: heard.append(topic))
    app.control("DELETE", "products", handle="bere")
    assert heard == ["inventory_items/delete", "inventory_items/delete", "products/delete"]
    page = app.ask("{ products(first: 9, sortKey: TITLE) { nodes { handle } } }").data["products"]["nodes"]
    assert sorted(row["handle"] for row in page) == ["apa", "ceai", "dar"]
    made = app.ask(CREATE, {"product": {"title": "Alta"}}).data["productCreate"]["product"]
    assert made["id"] not in {row.gid for row in app.shop.products[:-1]}


def test_a_payload_has_the_first_hundred_variants_and_the_ids_of_all(app: App) -> None:
    shop, _ = app.sandbox.add_shop("mare")
    seed_synthetic(shop, 120, 120, 1, app.sandbox.seed_stamp())
    payload = PRODUCT_EVENTS.payloads["products/update"](shop, shop.products[0])
    assert (len(payload["variants"]), len(payload["variant_gids"])) == (100, 120)


def test_search_trails_behind_while_ids_are_right_at_once(app: App) -> None:
    app.control("POST", "products/tune", {"search_lag": 60})
    gid = app.ask(CREATE, {"product": {"title": "Nou"}}).data["productCreate"]["product"]["id"]
    search = "{ products(first: 5, query: \"title:'Nou'\") { nodes { id } } productsCount { count } }"
    assert app.ask(search).data == {"products": {"nodes": []}, "productsCount": {"count": 4}}
    assert app.ask("query P($id: ID!) { product(id: $id) { handle } }", {"id": gid}).data["product"]["handle"] == "nou"
    app.control("POST", "clock", {"advance": 61})
    assert app.ask(search).data == {"products": {"nodes": [{"id": gid}]}, "productsCount": {"count": 5}}


def test_total_inventory_trails_behind_the_level(app: App) -> None:
    app.control("POST", "products/tune", {"search_lag": 60})
    app.adjust(app.change("APA", -1))
    text = '{ productByIdentifier(identifier: {handle: "apa"}) { totalInventory } }'
    assert app.ask(text).data["productByIdentifier"]["totalInventory"] == 10
    assert app.shows("APA")["available"] == 9
    app.control("POST", "clock", {"advance": 61})
    assert app.ask(text).data["productByIdentifier"]["totalInventory"] == 9


def test_publishing_is_read_back(app: App) -> None:
    app.ask(CREATE, {"product": {"title": "Nou"}})
    told = app.control("POST", "products/publish", {"handle": "nou", "on": ["Online Store"]})
    assert told["published_on"] == ["Online Store"]
    shop_gid = publications_of(app.shop)[0].gid
    text = 'query P($on: ID!) { productByIdentifier(identifier: {handle: "nou"}) { publishedOnPublication(publicationId: $on) } }'
    assert app.ask(text, {"on": shop_gid}).data["productByIdentifier"]["publishedOnPublication"] is True


CUSTOM = {"namespace": "erp", "key": "number", "value": "A-17"}


def test_a_product_is_made_once_by_a_custom_id_and_found_by_it(app: App) -> None:
    app.control("POST", "products/tune", {"unique": ["erp.number"]})
    own = {**CUSTOM, "type": "id"}
    for title in ("Nou", "Altfel"):
        given = {"identifier": {"customId": CUSTOM}, "input": {"title": title, "metafields": [own]}}
        assert user_errors(app.ask(SET, given)) == []
    assert len(app.shop.products) == 5
    update = """mutation U($by: ProductUpdateIdentifiers, $product: ProductUpdateInput) {
      productUpdate(identifier: $by, product: $product) { product { title } userErrors { field } } }"""
    app.ask(update, {"by": {"customId": CUSTOM}, "product": {"vendor": "Noi"}})
    found = app.ask(
        "query P($by: ProductIdentifierInput!) { productByIdentifier(identifier: $by) { title vendor } }",
        {"by": {"customId": CUSTOM}},
    )
    assert found.data["productByIdentifier"] == {"title": "Altfel", "vendor": "Noi"}


def test_a_custom_id_needs_its_definition_and_its_metafield(app: App) -> None:
    given: dict[str, Any] = {"identifier": {"customId": CUSTOM}, "input": {"title": "Nou"}}
    assert user_errors(app.ask(SET, given)) == [("NOT_FOUND", ["identifier", "customId"])]
    app.control("POST", "products/tune", {"unique": ["erp.number"]})
    assert user_errors(app.ask(SET, given)) == [("MISSING_FIELD_REQUIRED", ["input", "metafields"])]
    given["input"]["metafields"] = [{**CUSTOM, "value": "B-1", "type": "id"}]
    assert user_errors(app.ask(SET, given)) == [("METAFIELD_MISMATCH", ["input", "metafields"])]
