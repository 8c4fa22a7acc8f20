"""The contract with Shopify's schema: the command that checks it, and what no document of ours may do."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import respx
from django.core.management import call_command
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    graphql_sync,
    introspection_from_schema,
    parse,
)

from connectors import registry
from connectors.ports.access import SHIPPING
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.capabilities import CAPABILITIES
from connectors.shopify.contract import NEVER_SENT, check_documents, mutations_in, our_documents, schema_of
from tests.connectors.shopify.answers import answer
from tests.connectors.shopify.test_documents import SCHEMA, needs_schema, published_schema
from tests.factories.connectors import StoreFactory

SMALL = """
    type Query { shop: Shop! old: String @deprecated(reason: "Use shop.") }
    type Shop { name(short: Boolean @deprecated(reason: "Names are short.")): String! }
    type Mutation { refundCreate: String orderTagsAdd: String }
"""


def small_schema() -> GraphQLSchema:
    return build_schema(SMALL)


def introspection() -> dict[str, Any]:
    return dict(introspection_from_schema(small_schema(), input_value_deprecation=True))


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of the command."""
    out = io.StringIO()
    try:
        call_command("shopify_contract", *arguments, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as left:
        return int(str(left.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@needs_schema
@pytest.mark.django_db
def test_all_documents_keep_the_contract_with_the_published_schema() -> None:
    code, report = run("--schema", str(SCHEMA))

    assert (code, report["ok"], report["broken"], report["deprecated"]) == (0, True, [], [])
    assert report["documents"] == len(our_documents())


@pytest.mark.django_db
@pytest.mark.parametrize("wrapped", [True, False], ids=["under data", "bare"])
@pytest.mark.parametrize("zipped", [True, False], ids=["gzipped", "plain"])
def test_a_schema_that_lost_our_fields_is_named_document_by_document(
    tmp_path: Path, wrapped: bool, zipped: bool
) -> None:
    text = json.dumps({"data": introspection()} if wrapped else introspection()).encode()
    path = tmp_path / "schema.json"
    path.write_bytes(gzip.compress(text) if zipped else text)

    code, report = run("--schema", str(path))

    assert code == 1
    assert {"document": "locations", "text": "Cannot query field 'locations' on type 'Query'."} in report["broken"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content", [None, b"no json", b"\x1f\x8bnot gzip", b"[]", b'{"data": {}}', b'{"__schema": {}}']
)
def test_a_file_that_holds_no_schema_is_refused_with_cause_and_remedy(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_bytes(content)

    code, report = run("--schema", str(path))

    assert (code, report["outcome"]) == (2, "refused")
    assert str(path) in report["cause"]
    assert "introspection" in report["remedy"]


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [(), ("bucovina-ro", "--schema", "x.json")])
def test_it_says_what_to_give(arguments: tuple[str, ...]) -> None:
    code, report = run(*arguments)

    assert code == 2
    assert "--schema FILE" in report["remedy"]


@pytest.mark.django_db
def test_a_store_is_asked_for_the_schema_it_serves(
    store: ShopifyStore, api: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_build", lambda row: store)
    StoreFactory(slug="bucovina-ro")
    api.mock(return_value=answer(introspection()))

    code, report = run("bucovina-ro")

    assert (code, report["against"]) == (1, "bucovina-ro")
    assert "locations" in {finding["document"] for finding in report["broken"]}
    assert json.loads(api.calls.last.request.content)["operationName"] == "Schema"


@pytest.mark.django_db
def test_a_store_that_refuses_us_refuses_the_check(
    store: ShopifyStore, api: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_build", lambda row: store)
    StoreFactory(slug="bucovina-ro")
    api.respond(403, text="Forbidden")

    code, report = run("bucovina-ro")

    assert (code, report["outcome"]) == (2, "refused")
    assert "403" in report["cause"]


def test_the_introspection_we_ask_for_gives_a_schema_with_its_deprecations() -> None:
    answered = graphql_sync(small_schema(), our_documents()["schema"])

    assert answered.errors is None
    schema = schema_of(json.dumps(answered.data).encode(), "the small shop")
    contract = check_documents(schema, {"ours": "{ old shop { name(short: true) } }"})
    assert contract.kept
    assert [finding.text for finding in contract.deprecated] == [
        "The field Query.old is deprecated. Use shop.",
        "The argument Shop.name(short:) is deprecated. Names are short.",
    ]


def test_a_document_that_cannot_be_parsed_is_broken() -> None:
    assert not check_documents(small_schema(), {"ours": "{ shop {"}).kept


def test_a_document_that_would_refund_is_a_fault_although_it_validates() -> None:
    contract = check_documents(small_schema(), {"ours": "mutation { refundCreate }"})

    assert (contract.broken, contract.kept) == ([], False)
    assert "refundCreate" in contract.forbidden[0].text


def test_no_document_of_ours_refunds_or_cancels_an_order() -> None:
    asked = {field for text in our_documents().values() for field in mutations_in(parse(text))}

    assert "inventoryAdjustQuantities" in asked, "the walk sees our mutations"
    assert not asked & NEVER_SENT


def test_no_scope_we_ask_for_could_change_an_order() -> None:
    asked = {scope for each in CAPABILITIES for scope in (*each.scopes, *each.any_of)}
    assert not {"write_orders", "write_order_edits", "write_returns"} & asked


def test_of_an_order_only_shipments_are_told_and_only_where_that_is_asked_for() -> None:
    asking = [
        each.key
        for each in CAPABILITIES
        for scope in (*each.scopes, *each.any_of)
        if "write_" in scope and "fulfillment" in scope
    ]
    assert set(asking) == {SHIPPING}


@needs_schema
def test_the_list_of_what_is_never_sent_covers_all_that_the_schema_offers_for_it() -> None:
    mutation = published_schema().mutation_type
    assert mutation is not None
    offered = set()
    for name, field in mutation.fields.items():
        payload = get_named_type(field.type)
        assert isinstance(payload, GraphQLObjectType)
        gives_refund = any(str(get_named_type(part.type)) == "Refund" for part in payload.fields.values())
        if gives_refund or "refund" in name.lower() or name in {"orderCancel", "orderDelete", "transactionVoid"}:
            offered.add(name)

    assert {"refundCreate", "returnRefund", "orderCancel"} <= offered
    assert offered <= NEVER_SENT
    assert set(mutation.fields) >= NEVER_SENT, "a name that Shopify does not know protects nothing"
