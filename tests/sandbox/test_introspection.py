"""The schema over the endpoint: what a check against a live store asks for."""

from __future__ import annotations

from graphql import build_client_schema, get_introspection_query, print_schema

from sandbox.shopify.documents import load_schema
from tests.sandbox.client import App


def test_the_whole_schema_can_be_read_over_the_endpoint(app: App) -> None:
    answer = app.ask(get_introspection_query())
    told = build_client_schema(answer.data)
    assert set(told.type_map) == set(load_schema().type_map)
    assert "bulkOperationRunQuery" in print_schema(told)
    assert answer.cost["requestedQueryCost"] <= 1


def test_one_type_can_be_asked_for_by_variable_and_beside_other_fields(app: App) -> None:
    text = "query T($name: String!) { shop { name } it: __type(name: $name) { kind fields { name } } }"
    data = app.ask(text, {"name": "Product"}).data
    assert data["shop"]["name"] == "bucovina-ro"
    assert data["it"]["kind"] == "OBJECT"
    assert {"name": "handle"} in data["it"]["fields"]


def test_a_type_that_does_not_exist_is_null(app: App) -> None:
    assert app.ask('{ __type(name: "Unicorn") { name } }').data == {"__type": None}
