"""What is refused, and in which shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.app import Sandbox
from tests.sandbox.client import ADJUST, NODES_ONE, App, document, user_errors


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ shop { nothing } }", "undefinedField"),
        ("{ shop(id: 1) { id } }", "argumentNotAccepted"),
        ("{ product { id } }", "missingRequiredArguments"),
        ("{ shop }", "selectionMismatch"),
        ("{ shop { id { x } } }", "selectionMismatch"),
        ("query Q($a: Nothing) { shop { id } }", "undefinedType"),
        ("query Q($a: Int) { product(id: $a) { id } }", "variableMismatch"),
        ("query Q($a: ID!) { shop { id } }", "variableNotUsed"),
        ("{ product(id: $a) { id } }", "variableNotDefined"),
        ("{ shop { ...F } }", "useAndDefineFragment"),
        ("{ shop { id @nothing } }", "undefinedDirective"),
        ("{ products(first: true) { nodes { id } } }", "argumentLiteralsIncompatible"),
        ("{ products(first: 1, sortKey: NOTHING) { nodes { id } } }", "argumentLiteralsIncompatible"),
    ],
)
def test_a_text_that_does_not_fit_the_schema(app: App, text: str, code: str) -> None:
    answer = app.ask(text)
    assert answer.status == 200
    assert code in answer.codes
    assert "data" not in answer.body
    assert answer.body["errors"][0]["locations"]


def test_a_text_that_does_not_parse(app: App) -> None:
    answer = app.ask("{ shop { ")
    assert answer.status == 200
    assert "Parse error" in answer.body["errors"][0]["message"]


def test_a_field_that_does_not_exist_is_named_as_shopify_does(app: App) -> None:
    (error,) = app.ask("{ shop { nothing } }").body["errors"]
    assert error["message"] == "Field 'nothing' doesn't exist on type 'Shop'"


@pytest.mark.parametrize(
    ("variables", "path", "explanation"),
    [
        ({}, [], "Expected value to not be null"),
        ({"input": {"name": "available"}}, ["quantities"], "Expected value to not be null"),
        ({"input": 5}, [], "Expected 5 to be a key-value object."),
    ],
)
def test_variables_that_do_not_fit(app: App, variables: dict[str, Any], path: list[str], explanation: str) -> None:
    answer = app.ask(document("inventory_set_quantities"), {"idempotencyKey": "k", **variables})
    assert answer.codes == ["INVALID_VARIABLE"]
    problems = answer.body["errors"][0]["extensions"]["problems"]
    assert {"path": path, "explanation": explanation} in problems


@pytest.mark.parametrize("quantity", ["12", 1.5, True, 2**31, None])
def test_a_quantity_is_a_32_bit_whole_number(app: App, quantity: Any) -> None:
    answer = app.set({**app.row("APA", 1), "quantity": quantity})
    assert answer.codes == ["INVALID_VARIABLE"]
    (problem,) = answer.body["errors"][0]["extensions"]["problems"]
    assert problem["path"] == ["quantities", 0, "quantity"]


def test_an_identifier_is_exactly_one(app: App) -> None:
    text = "query P($by: ProductIdentifierInput!) { productByIdentifier(identifier: $by) { handle } }"
    assert app.ask(text, {"by": {"handle": "apa"}}).data["productByIdentifier"] == {"handle": "apa"}
    assert app.ask(text, {"by": {"handle": "nimic"}}).data["productByIdentifier"] is None
    assert app.ask(text, {"by": {"handle": "apa", "id": app.shop.products[0].gid}}).codes == ["INVALID_VARIABLE"]


def test_more_than_1000_points_are_refused_for_good(app: App) -> None:
    text = (
        '{ products(first: 250) { nodes { variants(first: 250) { nodes { inventoryItem { inventoryLevels(first: 50) {\
 nodes { quantities(names: ["available"]) { name } } } } } } } } }'
    )
    answer = app.ask(text)
    (error,) = answer.body["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000
    assert error["extensions"]["cost"] > 1000
    assert "extensions" not in answer.body


# ── tokens, scopes, versions, addresses ──


def test_a_wrong_token_gets_401_in_rest_s_shape(app: App) -> None:
    app.token = "shpat_wrong"
    answer = app.ask("{ shop { id } }")
    assert answer.status == 401
    assert answer.body == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


def test_a_token_opens_only_its_own_shop(app: App, sandbox: Sandbox) -> None:
    sandbox.add_shop("bucovina-eu")
    body = json.dumps({"query": "{ shop { id } }"}).encode()
    assert app.post(body, domain="bucovina-eu.myshopify.com").status == 401


def test_tokens_can_be_revoked_and_expire(app: App) -> None:
    app.control("POST", "tokens", {"revoke": True})
    assert app.ask("{ shop { id } }").status == 401
    app.control("POST", "tokens", {"revoke": False, "expires_in": 3600})
    assert app.ask("{ shop { id } }").status == 200
    app.control("POST", "clock", {"advance": 3601})
    assert app.ask("{ shop { id } }").status == 401


def test_a_missing_scope_denies_its_field_and_leaves_the_rest(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["read_products"]})
    text = "query N($id: ID!, $at: ID!) { inventoryItem(id: $id) { sku inventoryLevel(locationId: $at) { id } } }"
    answer = app.ask(text, {"id": app.item("APA").gid, "at": app.here.gid})
    assert answer.body["data"] == {"inventoryItem": {"sku": "APA", "inventoryLevel": None}}
    (error,) = answer.body["errors"]
    assert error["path"] == ["inventoryItem", "inventoryLevel"]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_inventory` access scope" in error["extensions"]["requiredAccess"]


def test_a_denied_field_is_told_for_each_row(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["read_products"]})
    answer = app.ask(NODES_ONE, {"ids": [app.item("APA").gid, app.item("CEAI").gid], "at": app.here.gid})
    assert [error["path"] for error in answer.body["errors"]] == [
        ["nodes", 0, "inventoryLevel"],
        ["nodes", 1, "inventoryLevel"],
    ]


def test_a_mutation_without_its_scope_does_nothing(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["read_inventory"]})
    answer = app.adjust(app.change("APA", -1))
    assert answer.codes == ["ACCESS_DENIED"]
    assert answer.body["data"] == {"inventoryAdjustQuantities": None}
    app.control("POST", "tokens", {"scopes": None})
    assert app.shows("APA")["available"] == 10


def test_writing_implies_reading(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["write_inventory"]})
    assert app.shows("APA")["available"] == 10


def test_granted_scopes_are_listed_as_granted(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["write_inventory", "read_products"]})
    scopes = app.ask("{ currentAppInstallation { accessScopes { handle } } }").data
    assert [s["handle"] for s in scopes["currentAppInstallation"]["accessScopes"]] == [
        "write_inventory",
        "read_products",
    ]


def test_locations_without_their_scope_show_only_name_and_id(app: App) -> None:
    app.control("POST", "tokens", {"scopes": ["read_inventory"]})
    assert app.ask("{ locations(first: 1) { nodes { id name isActive } } }").body["data"]["locations"]["nodes"]
    assert app.ask("{ locations(first: 1) { nodes { fulfillsOnlineOrders } } }").codes == ["ACCESS_DENIED"]


def test_answers_say_which_version_was_used(app: App) -> None:
    assert app.ask("{ shop { id } }").headers["X-Shopify-API-Version"] == "2026-10"
    expired = app.ask("{ shop { id } }", version="2025-04")
    assert (expired.status, expired.headers["X-Shopify-API-Version"]) == (200, "2026-01")
    assert app.ask("{ shop { id } }", version="2031-01").status == 404
    assert app.ask("{ shop { id } }", version="2026-05").status == 404


def test_every_answer_has_a_request_id_and_the_sandbox_s_date(app: App) -> None:
    app.control("POST", "clock", {"set": "2027-01-02T03:04:05Z"})
    first, second = app.ask("{ shop { id } }"), app.ask("{ shop { id } }")
    assert first.headers["Date"].startswith("Sat, 02 Jan 2027 03:04:")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


def test_supported_versions_are_listed(app: App) -> None:
    rows = app.ask("{ publicApiVersions { handle supported } }").data["publicApiVersions"]
    assert [row["handle"] for row in rows if row["supported"]] == ["2026-01", "2026-04", "2026-07", "2026-10"]


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"query": 5}', b'{"query": "{shop{id}}", "variables": []}']
)
def test_a_body_that_is_no_request_gets_400(app: App, body: bytes) -> None:
    expected = 200 if body.endswith(b'"variables": []}') else 400  # an empty list counts as no variables
    assert app.post(body).status == expected


def test_an_unknown_shop_is_not_found(app: App) -> None:
    assert app.post(b"{}", domain="nimeni.myshopify.com").status == 404


def test_of_several_operations_one_must_be_named(app: App) -> None:
    text = "query A { shop { name } } query B { shop { id } }"
    assert app.ask(text).codes == ["missingOperationName"]
    assert app.ask(text, operationName="A").data == {"shop": {"name": "bucovina-ro"}}
    assert app.ask(text, operationName="C").codes == ["unknownOperation"]


def test_two_mutations_in_one_request_run_in_their_order_with_their_own_keys(app: App) -> None:
    text = """mutation Two($one: InventoryAdjustQuantitiesInput!, $two: InventoryAdjustQuantitiesInput!) {
      a: inventoryAdjustQuantities(input: $one) @idempotent(key: "a") { userErrors { code } }
      b: inventoryAdjustQuantities(input: $two) @idempotent(key: "b") { userErrors { code } } }"""
    rows = [
        {"name": "available", "reason": "correction", "changes": [app.change("APA", -1, expected=expected)]}
        for expected in (10, 9)
    ]
    answer = app.ask(text, {"one": rows[0], "two": rows[1]})
    assert answer.data == {"a": {"userErrors": []}, "b": {"userErrors": []}}
    assert answer.cost["requestedQueryCost"] == 20
    assert app.shows("APA")["available"] == 8


def test_skip_and_include_decide_what_is_read(app: App) -> None:
    text = "query Q($no: Boolean!) { shop { id @skip(if: $no) name @include(if: $no) } }"
    assert list(app.ask(text, {"no": True}).data["shop"]) == ["name"]
    assert list(app.ask(text, {"no": False}).data["shop"]) == ["id"]


def test_fragments_and_aliases(app: App) -> None:
    text = """query Q($id: ID!) { first: inventoryItem(id: $id) { ...Item }
        second: node(id: $id) { ... on InventoryItem { ...Item } } }
      fragment Item on InventoryItem { sku mine: sku }"""
    data = app.ask(text, {"id": app.item("APA").gid}).data
    assert data == {"first": {"sku": "APA", "mine": "APA"}, "second": {"sku": "APA", "mine": "APA"}}


def test_user_errors_of_a_literal_mutation_are_shaped_alike(app: App) -> None:
    given = {"name": "available", "reason": "no reason", "changes": [app.change("APA", 1)]}
    assert user_errors(app.ask(ADJUST, {"input": given, "key": "k"})) == [("INVALID_REASON", ["input", "reason"])]
