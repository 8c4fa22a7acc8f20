"""Reads: nodes, pages, search."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.seed import seed_synthetic
from tests.sandbox.client import Answer, App, document

NODES = """query N($ids: [ID!]!, $at: ID!) { nodes(ids: $ids) { __typename id
  ... on InventoryItem { sku inventoryLevel(locationId: $at) { isActive quantities(names: ["available"]) { quantity } } }
  ... on Product { handle } ... on InventoryLevel { item { sku } } } }"""


def test_nodes_stand_in_the_order_of_their_ids_and_unknown_ones_are_null(app: App) -> None:
    ids = [
        app.item("CEAI").gid,
        "gid://shopify/InventoryItem/1",
        app.shop.products[0].gid,
        app.level("APA").gid,
        app.item("APA").gid,
    ]
    nodes = app.ask(NODES, {"ids": ids, "at": app.here.gid}).data["nodes"]
    assert nodes[0] == {
        "__typename": "InventoryItem",
        "id": ids[0],
        "sku": "CEAI",
        "inventoryLevel": {"isActive": True, "quantities": [{"quantity": -3}]},
    }
    assert nodes[1] is None
    assert nodes[2] == {"__typename": "Product", "id": ids[2], "handle": "apa"}
    assert nodes[3] == {"__typename": "InventoryLevel", "id": ids[3], "item": {"sku": "APA"}}
    assert nodes[4]["sku"] == "APA"


def test_a_level_never_stocked_is_null_and_an_inactive_one_only_on_request(app: App) -> None:
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "active": False})
    app.control("POST", "levels/edit", {"sku": "CEAI", "location": app.there.name, "stocked": False})
    text = """query Q($id: ID!, $at: ID!) { inventoryItem(id: $id) { plain: inventoryLevel(locationId: $at) { id }
      all: inventoryLevel(locationId: $at, includeInactive: true) { id isActive } } }"""

    def read(sku: str) -> Any:
        return app.ask(text, {"id": app.item(sku).gid, "at": app.there.gid}).data["inventoryItem"]

    assert read("APA") == {"plain": None, "all": {"id": app.level("APA", app.there).gid, "isActive": False}}
    assert read("CEAI") == {"plain": None, "all": None}


def test_250_ids_are_read_and_251_are_not(app: App) -> None:
    ids = [app.item("APA").gid] * 251
    assert len(app.ask(NODES, {"ids": ids[:250], "at": app.here.gid}).data["nodes"]) == 250
    assert app.ask(NODES, {"ids": ids, "at": app.here.gid}).codes == ["MAX_INPUT_SIZE_EXCEEDED"]


def test_a_malformed_id_is_refused(app: App) -> None:
    assert app.ask(NODES, {"ids": ["7"], "at": app.here.gid}).codes == ["RESOURCE_NOT_FOUND"]


def test_the_names_of_quantities_and_what_on_hand_is_made_of(app: App) -> None:
    text = "{ inventoryProperties { quantityNames { name comprises belongsTo } } }"
    names = {row["name"]: row for row in app.ask(text).data["inventoryProperties"]["quantityNames"]}
    parts = ["available", "committed", "damaged", "quality_control", "reserved", "safety_stock"]
    assert names["on_hand"]["comprises"] == parts
    assert names["available"]["belongsTo"] == ["on_hand"]
    assert names["incoming"]["belongsTo"] == []


def test_a_linker_reads_all_it_needs_of_a_variant(app: App) -> None:
    text = """{ productByIdentifier(identifier: {handle: "bere"}) { handle title status tags vendor productType totalInventory
      variantsCount { count precision } options { name values optionValues { name } } hasOnlyDefaultVariant
      variants(first: 10) { nodes { sku barcode title displayName price compareAtPrice position inventoryQuantity
        selectedOptions { name value } product { handle }
        inventoryItem { sku tracked duplicateSkuCount unitCost { amount } } } } } }"""
    product = app.ask(text).data["productByIdentifier"]
    assert product["tags"] == ["drinks"]
    assert product["totalInventory"] == 5
    assert product["variantsCount"] == {"count": 2, "precision": "EXACT"}
    assert product["options"] == [
        {"name": "Size", "values": ["Mică", "Mare"], "optionValues": [{"name": "Mică"}, {"name": "Mare"}]}
    ]
    assert product["hasOnlyDefaultVariant"] is False
    assert product["variants"]["nodes"][0] == {
        "sku": "BERE-S",
        "barcode": "594002",
        "title": "Mică",
        "displayName": "Bere - Mică",
        "price": "7.00",
        "compareAtPrice": "9.00",
        "position": 1,
        "inventoryQuantity": 5,
        "selectedOptions": [{"name": "Size", "value": "Mică"}],
        "product": {"handle": "bere"},
        "inventoryItem": {"sku": "BERE-S", "tracked": True, "duplicateSkuCount": 1, "unitCost": None},
    }


def test_locations_hide_closed_and_service_ones_until_asked(app: App) -> None:
    app.there.active = False
    app.shop.add_location("Serviciu", app.sandbox.seed_stamp()).service = {
        "id": "gid://shopify/FulfillmentService/1",
        "handle": "serviciu",
        "serviceName": "Serviciu",
        "inventoryManagement": True,
    }
    text = "query L($all: Boolean!) { locations(first: 10, includeInactive: $all, includeLegacy: $all) { nodes { name } } }"

    def names(*, everything: bool) -> list[str]:
        return [n["name"] for n in app.ask(text, {"all": everything}).data["locations"]["nodes"]]

    assert names(everything=False) == ["Depozit Cluj"]
    assert names(everything=True) == ["Depozit Cluj", "Magazin București", "Serviciu"]


# ── pages ──


@pytest.fixture
def big(sandbox: Sandbox) -> App:
    """A shop of 620 variants in 62 products."""
    shop, _ = sandbox.add_shop("mare", plan="enterprise")
    seed_synthetic(shop, 620, 10, 7, sandbox.seed_stamp())
    return App(sandbox, shop)


def pages(app: App, text: str, variables: dict[str, Any], *path: str) -> list[Any]:
    """All nodes of a connection, page by page."""
    nodes: list[Any] = []
    after = None
    for _ in range(100):
        value: Any = app.ask(text, {**variables, "after": after}).data
        for name in path:
            value = value[name]
        nodes.extend(value["nodes"])
        if not value["pageInfo"]["hasNextPage"]:
            return nodes
        after = value["pageInfo"]["endCursor"]
    raise AssertionError("the pages never end")


def test_a_whole_location_is_read_in_pages_without_gap_or_repetition(big: App) -> None:
    text = document("location_inventory_levels_page")
    levels = pages(big, text, {"locationId": big.here.gid}, "location", "inventoryLevels")
    assert [level["item"]["id"] for level in levels] == [item.gid for item in big.shop.items]
    assert {q["quantity"] for level in levels for q in level["quantities"] if q["name"] == "available"} == {7}


def test_a_page_goes_on_where_it_stopped_though_rows_came_in_between(big: App) -> None:
    text = "query P($after: String) { products(first: 30, after: $after) { pageInfo { endCursor } nodes { handle } } }"
    first = big.ask(text).data["products"]
    big.shop.add_product("a-newcomer", "Newcomer", big.sandbox.seed_stamp())
    second = big.ask(text, {"after": first["pageInfo"]["endCursor"]}).data["products"]
    assert second["nodes"][0]["handle"] == "synthetic-0000031"


def test_pages_can_be_read_backwards_and_in_reverse(big: App) -> None:
    text = """query P($first: Int, $last: Int, $before: String, $reverse: Boolean) {
      products(first: $first, last: $last, before: $before, reverse: $reverse) {
        pageInfo { hasNextPage hasPreviousPage startCursor } edges { cursor node { handle } } } }"""

    def handles(**variables: Any) -> tuple[list[str], dict[str, Any]]:
        page = big.ask(text, variables).data["products"]
        return [edge["node"]["handle"][-2:] for edge in page["edges"]], page["pageInfo"]

    got, info = handles(last=3)
    assert got == ["60", "61", "62"]
    assert info["hasPreviousPage"] is True
    assert handles(last=2, before=info["startCursor"])[0] == ["58", "59"]
    assert handles(first=2, reverse=True)[0] == ["62", "61"]


def test_a_feed_by_time_comes_in_the_order_of_the_changes(big: App) -> None:
    for minutes, index in ((1, 5), (2, 3)):
        big.control("POST", "clock", {"set": f"2026-12-01T10:0{minutes}:00Z"})
        big.ask(document("inventory_item_update"), {"id": big.shop.items[index * 10].gid, "input": {"cost": "1.5"}})
    text = document("products_updated_since")
    nodes = pages(big, text, {"query": "updated_at:>='2026-12-01T10:00:00Z'", "first": 1}, "products")
    assert [node["handle"] for node in nodes] == ["synthetic-0000006", "synthetic-0000004"]


@pytest.mark.parametrize("arguments", ["first: 251", "last: 251", "first: -1", "first: 1, last: 1", ""])
def test_pages_have_a_size_and_a_limit(app: App, arguments: str) -> None:
    answer = app.ask(f"{{ products{f'({arguments})' if arguments else ''} {{ nodes {{ id }} }} }}")
    assert answer.codes == ["BAD_REQUEST"]
    assert "data" not in answer.body


def test_one_product_alone_shows_up_to_2000_variants(app: App) -> None:
    text = '{ product(id: "%s") { variants(first: 2000) { nodes { id } } } %s }'
    product = app.shop.products[1].gid
    assert len(app.ask(text % (product, "")).data["product"]["variants"]["nodes"]) == 2
    assert app.ask(text % (product, "shop { id }")).codes == ["BAD_REQUEST"]


def test_a_cursor_from_elsewhere_is_refused(app: App) -> None:
    assert app.ask('{ products(first: 1, after: "nonsense") { nodes { id } } }').codes == ["BAD_REQUEST"]


# ── search ──


def found(answer: Answer) -> list[str]:
    """SKUs of the variants found."""
    return [node["sku"] for node in answer.data["productVariants"]["nodes"]]


def variants(app: App, query: str) -> Answer:
    return app.ask("query V($q: String!) { productVariants(first: 50, query: $q) { nodes { sku } } }", {"q": query})


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("sku:'APA'", ["APA"]),
        ("sku:apa", ["APA"]),
        ("sku:'APA' OR sku:'BERE-L'", ["APA", "BERE-L"]),
        ("sku:BERE*", ["BERE-S", "BERE-L"]),
        ("sku:BERE* AND barcode:594003", ["BERE-L"]),
        ("sku:BERE* -barcode:594003", ["BERE-S"]),
        ("(sku:APA OR sku:CEAI) AND NOT vendor:Plafar", ["APA"]),
        ("inventory_quantity:<0", ["CEAI"]),
        ("inventory_quantity:>=5 inventory_quantity:<=10", ["APA", "BERE-S"]),
        ("tag:bio", ["APA"]),
        ("ceai", ["CEAI"]),
        ("sku:'NONE'", []),
    ],
)
def test_search(app: App, query: str, skus: list[str]) -> None:
    assert found(variants(app, query)) == skus


def test_an_unknown_search_field_finds_everything_and_only_a_warning_tells(app: App) -> None:
    answer = variants(app, "colour:red")
    assert len(found(answer)) == 5
    (told,) = answer.body["extensions"]["search"]
    assert told["warnings"][0]["code"] == "invalid_field"


def test_an_unquoted_time_is_misread_as_its_day(app: App) -> None:
    app.control("POST", "clock", {"set": "2026-12-01T10:00:00Z"})
    app.adjust(app.change("APA", -1))
    text = """query L($id: ID!, $q: String!) { location(id: $id) { inventoryLevels(first: 9, query: $q) { nodes { id } } } }"""

    def count(query: str) -> int:
        data = app.ask(text, {"id": app.here.gid, "q": query}).data
        return len(data["location"]["inventoryLevels"]["nodes"])

    assert count("updated_at:>='2026-12-01T10:00:00Z'") == 1
    assert count("updated_at:>='2026-12-01T10:01:00Z'") == 0
    assert count("updated_at:>=2026-12-01T10:01:00Z") == 1


def test_a_sku_on_two_items_is_found_twice_and_counted(sandbox: Sandbox) -> None:
    shop, _ = sandbox.add_shop("doi", "Handle,Title,Variant SKU\na,A,X-1\nb,B,X-1\nc,C,x-1\n")
    app = App(sandbox, shop)
    text = re.sub("#.*\n", "", document("product_variants_by_sku"))
    nodes = app.ask(text, {"query": "sku:'X-1'"}).data["productVariants"]["nodes"]
    assert [(n["sku"], n["inventoryItem"]["duplicateSkuCount"]) for n in nodes] == [("X-1", 2), ("X-1", 2), ("x-1", 1)]


def test_counts(app: App) -> None:
    text = "{ productsCount { count precision } productVariantsCount(limit: 2) { count precision } }"
    answer = app.ask(text)
    assert answer.data == {
        "productsCount": {"count": 4, "precision": "EXACT"},
        "productVariantsCount": {"count": 2, "precision": "AT_LEAST"},
    }
    assert answer.cost["requestedQueryCost"] == 20
