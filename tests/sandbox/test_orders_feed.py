"""The feed of orders, who may see what, and the events that an order's life tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.shopify.access import ALL_SCOPES
from sandbox.shopify.resolvers import payload_builders
from tests.sandbox.client import App, document

FEED = """query F($q: String, $after: String, $sort: OrderSortKeys = UPDATED_AT, $first: Int = 2) {
  orders(first: $first, after: $after, query: $q, sortKey: $sort) {
    pageInfo { hasNextPage endCursor } nodes { id name updatedAt } } }"""


def buy(app: App, **words: Any) -> dict[str, Any]:
    return dict(app.control("POST", "orders", {"lines": [{"sku": "APA", "quantity": 1}], **words}))


def later(app: App, seconds: int = 60) -> None:
    app.control("POST", "clock", {"advance": seconds})


def names(app: App, query: str | None = None, **variables: Any) -> list[str]:
    """All pages of the feed."""
    found, after = [], None
    while True:
        page = app.ask(FEED, {"q": query, "after": after, **variables}).data["orders"]
        found += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("fulfill", {}),
        ("cancel", {}),
        ("refund", {"money": "1"}),
        ("edit", {"words": {"tags": ["vip"]}}),
        ("edit", {"add": [{"sku": "BERE-S"}]}),
        ("move", {"to": "Magazin București"}),
        ("hold", {}),
    ],
)
def test_every_change_moves_an_order_to_the_end_of_the_feed(app: App, what: str, body: dict[str, Any]) -> None:
    orders = [buy(app) for _ in range(3)]
    later(app)
    before = app.sandbox.clock.stamp()
    app.control("POST", f"orders/{orders[0]['id']}/{what}", body)
    assert names(app)[-1] == orders[0]["name"]
    assert names(app, f"updated_at:>='{before}'") == [orders[0]["name"]]


def test_the_feed_is_searched_by_bounds_of_time_and_of_id(app: App) -> None:
    first = buy(app)
    later(app)
    second = buy(app, test=True)
    later(app)
    third = buy(app)
    number = int(second["gid"].rpartition("/")[2])
    assert names(app, f"updated_at:>'{second['updated_at']}'") == [third["name"]]
    assert names(app, f"created_at:<'{second['created_at']}'", sort="CREATED_AT") == [first["name"]]
    assert names(app, f"id:>={number}", sort="ID") == [second["name"], third["name"]]
    assert names(app, f"id:>{number} AND id:<={number + 1}", sort="ID") == [third["name"]]
    assert names(app, "test:true") == [second["name"]]
    assert names(app, f"name:{first['name']}") == [first["name"]]
    app.control("POST", f"orders/{third['id']}/cancel")
    assert names(app, "status:cancelled") == [third["name"]]


def test_orders_beyond_sixty_days_are_hidden_without_an_error(app: App) -> None:
    old = buy(app)
    later(app, 61 * 24 * 3600)
    new = buy(app)
    assert names(app) == [old["name"], new["name"]]
    app.control("POST", "tokens", {"scopes": [s for s in ALL_SCOPES if s != "read_all_orders"]})
    assert names(app) == [new["name"]]
    one = "query O($id: ID!) { order(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } }"
    assert app.ask(one, {"id": old["gid"]}).data == {"order": None, "node": None, "nodes": [None]}


@pytest.mark.parametrize(
    ("lacking", "field"),
    [
        ("read_orders", "orders(first: 1) { nodes { id } }"),
        ("read_returns", "orders(first: 1) { nodes { returns(first: 1) { nodes { id } } } }"),
        ("read_customers", "orders(first: 1) { nodes { customer { id } } }"),
        ("fulfillment_orders", "orders(first: 1) { nodes { fulfillmentOrders(first: 1) { nodes { id } } } }"),
    ],
)
def test_each_part_of_an_order_asks_for_its_scope(app: App, lacking: str, field: str) -> None:
    buy(app, customer={"first_name": "Ana"})
    app.control("POST", "tokens", {"scopes": [s for s in ALL_SCOPES if lacking.removeprefix("read_") not in s]})
    assert "ACCESS_DENIED" in app.ask(f"{{ {field} }}").codes


def test_a_token_without_write_orders_neither_refunds_nor_cancels(app: App) -> None:
    order = buy(app)
    app.control("POST", "tokens", {"scopes": ["read_orders"]})
    given = {"orderId": order["gid"], "note": "no"}
    refused = app.ask(document("refund_create"), {"input": given, "idempotencyKey": "k"})
    assert refused.codes == ["ACCESS_DENIED"]
    cancelled = app.ask(document("order_cancel"), {"orderId": order["gid"], "reason": "OTHER", "restock": True})
    assert cancelled.codes == ["ACCESS_DENIED"]
    (shown,) = app.control("GET", "orders")["orders"]
    assert (shown["cancelled_at"], shown["refunds"]) == (None, [])


def test_a_lost_refund_is_made_once_under_its_key(app: App) -> None:
    order = buy(app)
    money = {"orderId": order["gid"], "gateway": "bogus", "kind": "REFUND", "amount": "1.00"}
    variables = {"input": {"orderId": order["gid"], "transactions": [money]}, "idempotencyKey": "once"}
    first, second = (app.ask(document("refund_create"), variables).data["refundCreate"] for _ in range(2))
    assert first["refund"]["id"] == second["refund"]["id"]
    assert app.control("GET", f"orders/{order['id']}")["refunded"] == "1.00"


def test_an_orders_life_is_told_with_payloads_in_rest_shape(app: App) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    def listen(shop: Any, topic: str, row: Any) -> None:
        if not topic.startswith("products/"):
            heard.append((topic, json.loads(json.dumps(payload_builders()[topic](shop, row)))))

    app.shop.listeners.append(listen)
    order = buy(app, tags=["a", "b"], presentment_currency="EUR", rate="0.2")
    number = order["id"]
    app.control("POST", f"orders/{number}/fulfill")
    app.control("POST", f"orders/{number}/return", {"lines": [{"line": 1, "quantity": 1}]})
    app.control("POST", f"orders/{number}/return", {"do": "process"})
    app.control("POST", f"orders/{number}/edit", {"add": [{"sku": "BERE-S"}]})
    topics = [topic for topic, _ in heard if topic != "inventory_levels/update"]
    for expected in (
        "orders/create",
        "order_transactions/create",
        "fulfillments/create",
        "orders/fulfilled",
        "returns/approve",
        "refunds/create",
        "returns/process",
        "orders/edited",
        "orders/updated",
    ):
        assert expected in topics
    told = dict(heard)
    assert told["orders/create"]["tags"] == "a, b"
    assert told["orders/create"]["created_at"].endswith("+02:00")
    assert f"gid://shopify/Order/{told['orders/create']['id']}" == order["gid"]
    (line,) = told["refunds/create"]["refund_line_items"]
    assert (line["restock_type"], line["location_id"], line["subtotal"]) == ("return", app.here.number, 5.5)
    assert told["orders/edited"]["order_edit"]["line_items"]["additions"][0]["delta"] == 1


def test_a_batch_of_orders_is_placed_at_once_and_paged_through(app: App) -> None:
    made = app.control("POST", "orders/batch", {"count": 300})
    assert (made["count"], made["last"] - made["first"]) == (300, 299)
    assert len(names(app, first=250)) == 300


def test_a_deleted_variant_leaves_its_line_without_one(app: App) -> None:
    order = buy(app)
    variant = app.item("APA").variant
    del app.shop.by_gid[variant.gid]
    text = "query O($id: ID!) { order(id: $id) { lineItems(first: 1) { nodes { sku variant { id } } } } }"
    (line,) = app.ask(text, {"id": order["gid"]}).data["order"]["lineItems"]["nodes"]
    assert line == {"sku": "APA", "variant": None}
