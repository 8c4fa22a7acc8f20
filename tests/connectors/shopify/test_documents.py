"""Our documents are valid in Shopify's own schema, use nothing deprecated, and stay within the cost of one operation."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from graphql import DocumentNode, GraphQLSchema, get_operation_ast, parse

from connectors.pacing import Lane
from connectors.shopify.contract import check_documents, schema_file
from connectors.shopify.documents import _DOCUMENTS, _URGENT, QUERIES, document, document_of, encode

SCHEMA = Path(__file__).parents[4] / "shared" / "schemas" / "shopify-admin-2026-10.json.gz"
NAMES = sorted(path.stem for path in QUERIES.glob("*.graphql"))

needs_schema = pytest.mark.skipif(not SCHEMA.exists(), reason="Shopify's published schema is not beside this checkout.")


@cache
def published_schema() -> GraphQLSchema:
    return schema_file(SCHEMA)


def parsed(name: str) -> DocumentNode:
    return parse(document(name).text)


@needs_schema
@pytest.mark.parametrize("name", NAMES)
def test_a_document_as_it_is_sent_keeps_to_the_published_schema_and_uses_nothing_deprecated(name: str) -> None:
    contract = check_documents(published_schema(), {name: document(name).text})

    assert (contract.broken, contract.deprecated, contract.forbidden) == ([], [], [])


def test_every_document_is_listed_and_every_listed_document_exists() -> None:
    assert sorted(_DOCUMENTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_document_carries_the_name_and_the_cost_that_are_listed(name: str) -> None:
    operation = get_operation_ast(parsed(name))

    assert operation is not None
    assert operation.name is not None
    assert operation.name.value == document(name).operation_name
    assert document(name).points <= 1000


@pytest.mark.parametrize("name", NAMES)
def test_the_document_of_stored_bytes_is_found_again(name: str) -> None:
    assert document_of(encode(name, {"any": 1})) is document(name)


def test_bytes_of_an_operation_nobody_knows_are_not_sent() -> None:
    with pytest.raises(LookupError, match="Unheard"):
        document_of(b'{"query":"","variables":{},"operationName":"Unheard"}')


def test_the_same_request_is_the_same_bytes_in_the_order_given() -> None:
    body = encode("levels_by_items", {"ids": ["b", "a"], "locationId": "ș"})

    assert body == encode("levels_by_items", {"ids": ["b", "a"], "locationId": "ș"})
    assert list(json.loads(body)) == ["query", "variables", "operationName"]
    assert b'"variables":{"ids":["b","a"],"locationId":"\xc8\x99"}' in body
    assert b"#" not in body


def test_orders_and_what_people_wait_for_go_before_pushes_and_listings() -> None:
    assert {document(name).lane for name in _URGENT} == {Lane.URGENT}
    assert set(NAMES) >= _URGENT
    assert {document(name).lane for name in ("inventory_adjust", "inventory_set", "products_page")} == {Lane.BULK}
