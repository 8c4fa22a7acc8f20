"""Orders of a running shop: what each event leaves behind, read over HTTP at the cost the documents promise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.ports.orders import RemoteOrder
from connectors.shopify.adapter import ShopifyStore
from connectors.shopify.documents import document
from sandbox.server import running
from tests.connectors.shopify.test_against_sandbox import DOMAIN, Server
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


def control(server: Server, path: str, **body: Any) -> dict[str, Any]:
    reply = httpx.post(f"{server.url}/_control/{path}", json={"shop": DOMAIN, **body})
    assert reply.status_code < 300, reply.text
    return dict(reply.json())


def placed(server: Server, *quantities: int, **about: Any) -> dict[str, Any]:
    lines = [{"item": server.items[place], "quantity": quantity} for place, quantity in enumerate(quantities)]
    return control(server, "orders", lines=lines, **about)


def read(store: ShopifyStore, told: dict[str, Any]) -> RemoteOrder:
    found = store.read_order(told["gid"])
    assert found is not None
    return found


def held(order: RemoteOrder) -> dict[str, int]:
    """Units still to be sent, by inventory item."""
    return {row.item_ref: row.remaining_quantity for work in order.fulfilment_orders for row in work.lines}


def test_a_placed_order_holds_its_units_at_its_location(server: Server, store: ShopifyStore) -> None:
    order = read(store, placed(server, 3, 1))

    assert held(order) == {server.items[0]: 3, server.items[1]: 1}
    assert {work.location_ref for work in order.fulfilment_orders} == {server.location}
    assert [line.item_ref for line in order.lines] == server.items[:2]
    assert [(one.kind, one.status) for one in order.transactions] == [("sale", "success")]
    assert order.transactions[0].amount.shop == order.total.shop


def test_what_was_sent_is_a_fulfilment_and_no_longer_held(server: Server, store: ShopifyStore) -> None:
    told = placed(server, 2)
    control(server, f"orders/{told['id']}/fulfill")

    order = read(store, told)

    assert [(sent.location_ref, sent.lines[0].quantity) for sent in order.fulfilments] == [(server.location, 2)]
    assert held(order) == {server.items[0]: 0}


@pytest.mark.parametrize(("restock", "restocked"), [("CANCEL", True), ("NO_RESTOCK", False)])
def test_a_refund_says_what_it_did_to_stock(restock: str, restocked: bool, server: Server, store: ShopifyStore) -> None:
    told = placed(server, 2)
    place = {"location": server.location} if restocked else {}
    row = {"line": 1, "quantity": 1, "restock_type": restock, **place}
    control(server, f"orders/{told['id']}/refund", lines=[row])

    (refund,) = read(store, told).refunds

    assert [(line.quantity, line.restock, line.restocked) for line in refund.lines] == [(1, restock.lower(), restocked)]
    assert refund.lines[0].location_ref == (server.location if restocked else "")


def test_a_cancelled_order_holds_nothing(server: Server, store: ShopifyStore) -> None:
    told = placed(server, 2)
    control(server, f"orders/{told['id']}/cancel")

    order = read(store, told)

    assert order.cancelled_at is not None
    assert not any(held(order).values())
    assert [line.restock for refund in order.refunds for line in refund.lines] == ["cancel"]


def test_edits_are_dated_at_no_more_than_the_listed_cost(server: Server, store: ShopifyStore) -> None:
    told = placed(server, 2)
    for quantity, restock in ((5, True), (4, True), (2, False)):
        row = {"line": 1, "quantity": quantity, "restock": restock}
        server.sandbox.clock.advance(60)
        control(server, f"orders/{told['id']}/edit", set=[row])

    order = read(store, told)

    assert [edit.quantity for edit in order.edits] == [3, -1, -2]
    assert {edit.line_ref for edit in order.edits} == {order.lines[0].ref}
    assert [edit.at for edit in order.edits] == sorted({edit.at for edit in order.edits})
    assert order.edits[-1].at == order.updated_at
    costs = {call.operation: call.requested for call in server.sandbox.calls.matching({})}
    assert costs["OrderAgreements"] == document("order_agreements").points


def test_lines_beyond_the_first_page_are_read_at_no_more_than_the_listed_cost(
    server: Server, store: ShopifyStore
) -> None:
    told = placed(server, *[1] * 130)

    order = read(store, told)

    assert len({line.ref for line in order.lines}) == 130
    assert len(held(order)) == 130
    costs = {call.operation: call.requested for call in server.sandbox.calls.matching({})}
    assert costs["OrdersByIds"] <= document("orders_by_ids").points
    assert costs["OrderPages"] <= document("order_pages").points


def test_changed_orders_are_listed_and_read_together(server: Server, store: ShopifyStore) -> None:
    told = [placed(server, 1) for _ in range(3)]
    since = dt.datetime.fromisoformat(told[0]["updated_at"])

    listed = [one.ref for page in store.iter_changed_orders(since) for one in page.orders]
    orders = store.read_orders([one["gid"] for one in told] + ["gid://shopify/Order/404"])

    assert {one["gid"] for one in told} <= set(listed)
    assert [order.ref if order else None for order in orders] == [*(one["gid"] for one in told), None]


BUYER = {
    "customer": {"first_name": "Ana", "last_name": "Pop", "email": "ana@example.com", "phone": "+40700000001"},
    "company": {"name": "Pop SRL", "tax_id": "RO123", "location": "Cluj"},
    "billing_address": {"first_name": "Ana", "city": "Cluj-Napoca", "country_code": "RO"},
    "localized_fields": {"TAX_CREDENTIAL_IT": "RSSMRA80A01H501U"},
    "attributes": {"CUI": "RO123"},
}


def test_a_buyer_is_read_with_company_address_and_tax_ids(server: Server, store: ShopifyStore) -> None:
    told = control(server, "orders", lines=[{"item": server.items[0], "quantity": 1}], source_name="pos", **BUYER)

    order = read(store, told)

    assert order.customer is not None
    assert order.company is not None
    assert order.billing_address is not None
    assert (order.customer.email, order.customer.phone) == ("ana@example.com", "+40700000001")
    assert (order.company.name, order.company.tax_id, order.company.location_name) == ("Pop SRL", "RO123", "Cluj")
    assert order.billing_address.city == "Cluj-Napoca"
    assert [(one.key, one.country, one.value) for one in order.localized] == [
        ("tax_credential_it", "IT", "RSSMRA80A01H501U")
    ]
    assert (order.channel, order.retail_location_ref) == ("Point of Sale", server.location)
    assert order.withheld == ()


def test_an_app_without_the_right_to_customers_reads_the_order_without_them(server: Server) -> None:
    told = control(server, "orders", lines=[{"item": server.items[0], "quantity": 1}], **BUYER)
    scopes = ["read_orders", "read_products", "read_inventory", "read_returns", "read_assigned_fulfillment_orders"]
    token = control(server, "tokens", token="shpat_no_customers", scopes=scopes)["token"]
    store = ShopifyStore(api_version="2026-10", **{**server.settings(OpenPacer()), "token": token})

    order = read(store, told)

    store.close()
    assert (order.withheld, order.customer, order.customer_ref) == (("customer",), None, "")
    assert order.email == "ana@example.com"
    assert len(order.lines) == 1


@pytest.mark.parametrize(
    ("groups", "withheld"),
    [
        (["email"], {"customer", "email"}),
        (["phone"], {"billing_address", "customer", "phone", "shipping_address"}),
        (["name"], {"billing_address", "customer", "shipping_address"}),
        (["address"], {"billing_address", "shipping_address"}),
        (["customer"], {"billing_address", "company", "customer", "shipping_address"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_an_order_is_read_without_the_customer_data_that_the_app_is_not_approved_for(
    groups: list[str], withheld: set[str], server: Server, store: ShopifyStore
) -> None:
    lines = [{"item": server.items[0], "quantity": 1}]
    street = {"first_name": "Ana", "address1": "Str. Lungă 1", "city": "Cluj", "phone": "+40700000001"}
    told = control(server, "orders", lines=lines, **{**BUYER, "billing_address": street, "shipping_address": street})
    control(server, "apps", withheld=groups)

    order = read(store, told)

    control(server, "apps", withheld=[])
    assert set(order.withheld) == withheld
    assert (order.email is None) == ("email" in withheld)
    assert len(order.lines) == 1
    assert held(order) == {server.items[0]: 1}


def test_tax_ids_in_metafields_of_orders_and_customers_are_told_in_the_order_asked(
    server: Server, store: ShopifyStore
) -> None:
    told = placed(
        server,
        1,
        metafields={"custom.cui": "RO123", "custom.gift": "yes"},
        customer={"first_name": "Ana", "metafields": {"facts.vat": "RO9"}},
    )
    bare = placed(server, 1)
    names = ["customer.facts.vat", "order.custom.cui", "order.custom.reg"]

    found = store.read_fields([told["gid"], bare["gid"]], names)

    assert [(one.key, one.value) for one in found[told["gid"]]] == [
        ("customer.facts.vat", "RO9"),
        ("order.custom.cui", "RO123"),
    ]
    assert found[bare["gid"]] == ()
    costs = {call.operation: call.requested for call in server.sandbox.calls.matching({})}
    assert costs["OrderFieldValues"] == document("order_fields").points
