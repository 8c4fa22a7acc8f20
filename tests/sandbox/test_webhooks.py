"""Webhooks: who may subscribe to what, and what is delivered, signed, tried again, spoilt and found again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from sandbox.app import Sandbox
from sandbox.shopify.apps import app_of
from tests.sandbox.client import App, document
from tests.sandbox.receiver import Receiver, receiving

CREATE = """mutation C($topic: WebhookSubscriptionTopic!, $given: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $given) {
    webhookSubscription { id topic uri format filter includeFields name apiVersion { handle } }
    userErrors { field message } } }"""
UPDATE = """mutation U($id: ID!, $given: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $given) {
    webhookSubscription { id uri filter } userErrors { field message } } }"""
DELETE = """mutation D($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { field message } } }"""
LIST = """query L($topics: [WebhookSubscriptionTopic!]) { webhookSubscriptions(first: 50, topics: $topics) {
  nodes { id topic uri } } webhookSubscriptionsCount { count } }"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def create(app: App, topic: str, uri: str, **given: Any) -> dict[str, Any]:
    """The payload of a creation."""
    answer = app.ask(CREATE, {"topic": topic, "given": {"uri": uri, **given}})
    return dict(answer.data["webhookSubscriptionCreate"])


def subscribe(app: App, topic: str, receiver: Receiver, **given: Any) -> str:
    """A subscription that must succeed: its id."""
    payload = create(app, topic, f"{receiver.url}/hooks", **given)
    assert payload["userErrors"] == []
    return str(payload["webhookSubscription"]["id"])


def settle(app: App) -> dict[str, int]:
    """Everything due is tried: deliveries by state."""
    told = app.control("POST", "deliveries/settle", {"timeout": 20})
    assert told["settled"]
    return dict(told["states"])


def edit(app: App, sku: str, quantity: int) -> None:
    app.control("POST", "levels/edit", {"sku": sku, "set": quantity})


# ── subscribing ──


def test_a_subscription_is_listed_changed_and_deleted(app: App, receiver: Receiver) -> None:
    gid = subscribe(app, "ORDERS_CREATE", receiver, name="orders", filter="test:false")
    subscribe(app, "PRODUCTS_UPDATE", receiver)
    assert [
        row["id"] for row in app.ask(LIST, {"topics": ["ORDERS_CREATE"]}).data["webhookSubscriptions"]["nodes"]
    ] == [gid]
    assert app.ask(LIST).data["webhookSubscriptionsCount"]["count"] == 2
    changed = app.ask(UPDATE, {"id": gid, "given": {"uri": f"{receiver.url}/other"}}).data["webhookSubscriptionUpdate"]
    assert changed["webhookSubscription"] == {"id": gid, "uri": f"{receiver.url}/other", "filter": "test:false"}
    assert app.ask(DELETE, {"id": gid}).data["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == gid
    assert app.ask(DELETE, {"id": gid}).data["webhookSubscriptionDelete"]["userErrors"][0]["field"] == ["id"]
    one = app.ask("query Q($id: ID!) { webhookSubscription(id: $id) { id } }", {"id": gid})
    assert one.data["webhookSubscription"] is None


def test_the_reference_documents_work_at_the_points_they_name(app: App, receiver: Receiver) -> None:
    given = {"uri": f"{receiver.url}/hooks", "format": "JSON"}
    made = app.ask(
        document("webhook_subscription_create"), {"topic": "INVENTORY_LEVELS_UPDATE", "webhookSubscription": given}
    )
    row = made.data["webhookSubscriptionCreate"]["webhookSubscription"]
    assert (row["topic"], row["apiVersion"], made.cost["requestedQueryCost"]) == (
        "INVENTORY_LEVELS_UPDATE",
        {"handle": "2026-10"},
        11,
    )
    listed = app.ask(document("webhook_subscriptions_list"), {"first": 100})
    assert [node["id"] for node in listed.data["webhookSubscriptions"]["nodes"]] == [row["id"]]
    assert listed.cost["requestedQueryCost"] == 11
    gone = app.ask(document("webhook_subscription_delete"), {"id": row["id"]})
    assert (gone.data["webhookSubscriptionDelete"]["userErrors"], gone.cost["requestedQueryCost"]) == ([], 10)


def test_the_same_topic_address_and_filter_twice_is_refused(app: App, receiver: Receiver) -> None:
    subscribe(app, "ORDERS_CREATE", receiver)
    again = create(app, "ORDERS_CREATE", f"{receiver.url}/hooks")
    assert again["webhookSubscription"] is None
    assert again["userErrors"][0]["message"] == "Address for this topic has already been taken"
    subscribe(app, "ORDERS_CREATE", receiver, filter="test:true")


@pytest.mark.parametrize(
    "uri",
    ["https://example.com/hooks", "pubsub://project:topic", "arn:aws:events:x", "http://10.0.0.1/", "ftp://127.0.0.1/"],
)
def test_an_address_outside_this_machine_is_refused(app: App, uri: str) -> None:
    (problem,) = create(app, "ORDERS_CREATE", uri)["userErrors"]
    assert problem["field"] == ["webhookSubscription", "uri"]
    assert "sandbox delivers" in problem["message"]


def test_a_named_host_is_allowed() -> None:
    sandbox = Sandbox(webhook_hosts=["web"])
    shop, _ = sandbox.add_shop("mare")
    assert create(App(sandbox, shop), "ORDERS_CREATE", "http://web:8000/hooks")["userErrors"] == []


def test_a_topic_needs_its_scope(app: App, receiver: Receiver) -> None:
    app.control("POST", "tokens", {"scopes": ["read_products"]})
    (problem,) = create(app, "ORDERS_CREATE", f"{receiver.url}/hooks")["userErrors"]
    assert "read_orders" in problem["message"]
    subscribe(app, "INVENTORY_ITEMS_UPDATE", receiver)


def test_an_app_sees_only_its_own_subscriptions(sandbox: Sandbox, app: App, receiver: Receiver) -> None:
    gid = subscribe(app, "ORDERS_CREATE", receiver)
    app.control("POST", "tokens", {"token": "shpat_other", "app": 2})
    other = App(sandbox, app.shop, "shpat_other")
    assert other.ask(LIST).data["webhookSubscriptions"]["nodes"] == []
    assert other.ask(DELETE, {"id": gid}).data["webhookSubscriptionDelete"]["userErrors"]
    subscribe(other, "ORDERS_CREATE", receiver)


# ── delivering ──


def test_a_delivery_is_signed_over_its_raw_body_and_says_where_it_comes_from(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver, name="stock")
    assert app.adjust(app.change("APA", -4)).data
    assert settle(app) == {"delivered": 1}
    (came,) = receiver.arrived
    level = app.level("APA")
    assert came.content == {
        "inventory_item_id": level.item.number,
        "location_id": level.location.number,
        "available": 6,
        "updated_at": came.content["updated_at"],
        "admin_graphql_api_id": level.gid,
    }
    assert datetime.fromisoformat(came.content["updated_at"]).utcoffset() is not None
    assert came.content["updated_at"].endswith(("+02:00", "+03:00"))
    secret = app_of(app.shop).secret.encode()
    signed = base64.b64encode(hmac.digest(secret, came.body, hashlib.sha256)).decode()
    assert came.headers["x-shopify-hmac-sha256"] == signed
    assert came.headers["x-shopify-shop-domain"] == app.shop.domain
    assert came.headers["x-shopify-api-version"] == "2026-10"
    assert came.headers["x-shopify-name"] == "stock"
    assert datetime.fromisoformat(came.headers["x-shopify-triggered-at"]).tzinfo is not None


def test_deliveries_of_one_call_share_their_event_and_have_ids_of_their_own(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.adjust(app.change("APA", -1), app.change("BERE-S", -1))
    app.adjust(app.change("APA", -1))
    settle(app)
    events = Counter(came.headers["x-shopify-event-id"] for came in receiver.arrived)
    assert sorted(events.values()) == [1, 2]
    assert len({came.webhook_id for came in receiver.arrived}) == 3


def test_an_untracked_item_has_no_available(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    edit(app, "DAR", 3)
    settle(app)
    assert receiver.arrived[0].content["available"] is None


def test_a_call_that_changes_nothing_tells_nobody(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.set(app.row("APA", 10))
    edit(app, "APA", 10)
    assert settle(app) == {}


def test_stocking_and_unstocking_are_told(app: App, receiver: Receiver) -> None:
    for topic in ("INVENTORY_LEVELS_CONNECT", "INVENTORY_LEVELS_DISCONNECT", "INVENTORY_ITEMS_UPDATE"):
        subscribe(app, topic, receiver)
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "stocked": False})
    app.control("POST", "levels/edit", {"sku": "APA", "location": app.there.name, "stocked": True})
    app.control("POST", "levels/edit", {"sku": "APA", "tracked": False})
    settle(app)
    found = {came.topic: came.content for came in receiver.arrived}
    assert set(found["inventory_levels/disconnect"]) == {"inventory_item_id", "location_id"}
    assert found["inventory_items/update"]["tracked"] is False
    assert found["inventory_items/update"]["cost"] == "2.10"
    assert "inventory_levels/connect" in found


def test_a_filter_is_judged_on_the_payload_and_fields_are_cut_to_those_wanted(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver, filter="available:<=3", includeFields=["inventory_item_id"])
    edit(app, "APA", 7)
    edit(app, "APA", 3)
    assert settle(app) == {"delivered": 1}
    item = app.level("APA").item.number
    assert receiver.arrived[0].content["inventory_item_id"] == item
    assert set(receiver.arrived[0].content) == {"inventory_item_id", "updated_at", "admin_graphql_api_id"}


def test_after_a_rotation_old_and_new_secret_sign_for_an_hour(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    told = app.control("POST", "apps", {"rotate": True})
    new, old = told["client_secret"], told["old_secret"]
    for quantity in range(20, 24):
        edit(app, "APA", quantity)
    settle(app)
    assert signers(receiver, [new, old]) == {new: 2, old: 2}
    app.control("POST", "clock", {"advance": 3601})
    receiver.arrived.clear()
    for quantity in range(30, 34):
        edit(app, "APA", quantity)
    settle(app)
    assert signers(receiver, [new, old]) == {new: 4}


def signers(receiver: Receiver, secrets: list[str]) -> dict[str, int]:
    """How many of the deliveries each secret signed."""
    found: Counter[str] = Counter()
    for came in receiver.arrived:
        for secret in secrets:
            signed = base64.b64encode(hmac.digest(secret.encode(), came.body, hashlib.sha256)).decode()
            found[secret] += signed == came.headers["x-shopify-hmac-sha256"]
    return {secret: count for secret, count in found.items() if count}


# ── trying again ──


def test_a_failed_delivery_comes_again_with_the_same_payload_and_id_by_the_sandbox_clock(
    app: App, receiver: Receiver
) -> None:
    receiver.answers = lambda nth: 500 if nth < 2 else 204
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    edit(app, "APA", 5)
    assert settle(app) == {"retrying": 1}
    edit_again_is_not_told = receiver.arrived[0].body
    app.control("POST", "clock", {"advance": 57})
    assert settle(app) == {"retrying": 1}
    app.control("POST", "clock", {"advance": 113})
    assert settle(app) == {"delivered": 1}
    assert {came.body for came in receiver.arrived} == {edit_again_is_not_told}
    assert len({came.webhook_id for came in receiver.arrived}) == 1
    (told,) = app.control("GET", "deliveries")["deliveries"]
    assert [attempt["status"] for attempt in told["attempts"]] == [500, 500, 204]


def test_after_eight_failed_retries_within_four_hours_an_api_subscription_is_gone(app: App, receiver: Receiver) -> None:
    receiver.answers = lambda nth: 302  # a redirect is a failure, and is not followed
    gid = subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    edit(app, "APA", 5)
    settle(app)
    for _ in range(8):
        assert [row["id"] for row in app.ask(LIST).data["webhookSubscriptions"]["nodes"]] == [gid]
        app.control("POST", "clock", {"advance": 1800})
        app.control("POST", "deliveries/settle", {})
        if app.control("GET", "deliveries")["states"] == {"failed": 1}:
            break
    assert len(receiver.arrived) == 9
    assert {came.path for came in receiver.arrived} == {"/hooks"}
    assert app.ask(LIST).data["webhookSubscriptions"]["nodes"] == []
    edit(app, "APA", 6)
    assert settle(app) == {"failed": 1}


def test_a_subscription_of_the_app_configuration_survives_its_failures(app: App, receiver: Receiver) -> None:
    receiver.answers = lambda nth: 410
    app.control("POST", "apps", {"subscriptions": [{"topics": ["inventory_levels/update"], "uri": receiver.url}]})
    edit(app, "APA", 5)
    settle(app)
    app.control("POST", "clock", {"advance": 4 * 3600})
    assert settle(app) == {"failed": 1}
    rows = app.control("GET", "subscriptions")["subscriptions"]
    assert [(row["topic"], row["managed"]) for row in rows] == [("inventory_levels/update", True)]


def test_nobody_at_the_address_is_a_failure(app: App, receiver: Receiver) -> None:
    payload = create(app, "INVENTORY_LEVELS_UPDATE", "http://127.0.0.1:1/hooks")
    assert payload["userErrors"] == []
    edit(app, "APA", 5)
    assert settle(app) == {"retrying": 1}
    (told,) = app.control("GET", "deliveries")["deliveries"]
    assert told["attempts"][0]["problem"] == "connection refused"


def test_a_delivery_can_be_sent_again(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    edit(app, "APA", 5)
    settle(app)
    (told,) = app.control("GET", "deliveries", topic="inventory_levels/update")["deliveries"]
    app.control("POST", f"deliveries/{told['number']}/resend")
    settle(app)
    assert len(receiver.arrived) == 2
    assert len({came.webhook_id for came in receiver.arrived}) == 1


# ── faults ──


def test_a_lost_delivery_never_comes_and_a_doubled_one_comes_twice(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.control("POST", "faults", {"kind": "webhook_lost", "times": 1})
    app.control("POST", "faults", {"kind": "webhook_duplicated", "times": 1, "topic": "inventory_levels/update"})
    edit(app, "APA", 5)
    edit(app, "APA", 6)
    edit(app, "APA", 7)
    assert settle(app) == {"lost": 1, "delivered": 2}
    assert len(receiver.arrived) == 2  # the rule of doubling struck the lost one


def test_a_doubled_delivery_carries_one_id(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.control("POST", "faults", {"kind": "webhook_duplicated", "shop": app.shop.domain})
    edit(app, "APA", 5)
    settle(app)
    assert [len(receiver.arrived), len({came.webhook_id for came in receiver.arrived})] == [2, 1]


def test_a_fault_of_another_topic_strikes_nothing(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.control("POST", "faults", {"kind": "webhook_lost", "topic": "orders/create"})
    edit(app, "APA", 5)
    assert settle(app) == {"delivered": 1}


def test_a_delayed_delivery_waits_for_the_sandbox_clock(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.control("POST", "faults", {"kind": "webhook_delayed", "delay_ms": 600_000})
    edit(app, "APA", 5)
    assert settle(app) == {"delayed": 1}
    assert receiver.arrived == []
    app.control("POST", "clock", {"advance": 601})
    assert settle(app) == {"delivered": 1}


def test_a_reordered_delivery_comes_after_the_next_one(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.sandbox.webhooks.limit_workers(1)
    app.control("POST", "faults", {"kind": "webhook_reordered", "times": 1})
    edit(app, "APA", 5)
    edit(app, "APA", 6)
    settle(app)
    assert [came.content["available"] for came in receiver.arrived] == [6, 5]


def test_held_deliveries_come_shuffled_some_twice_and_some_never(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.control("POST", "deliveries/hold")
    for quantity in range(100, 300):
        edit(app, "APA", quantity)
    assert settle(app) == {"held": 200}
    assert receiver.arrived == []
    told = app.control("POST", "deliveries/flush", {"shuffle": True, "duplicate": 0.2, "lose": 0.05, "seed": 7})
    assert told["sent"] == told["held"] - told["lost"] + told["duplicated"]
    assert told["lost"] > 0
    assert told["duplicated"] > told["lost"]
    assert settle(app) == {"delivered": 200 - told["lost"], "lost": told["lost"]}
    assert len(receiver.arrived) == told["sent"]
    seen = [came.content["available"] for came in receiver.arrived]
    assert seen != sorted(seen)


# ── the installation ──


def test_an_uninstalled_app_loses_tokens_and_subscriptions_and_is_told(app: App, receiver: Receiver) -> None:
    subscribe(app, "APP_UNINSTALLED", receiver)
    subscribe(app, "ORDERS_CREATE", receiver)
    told = app.control("POST", "apps/uninstall", {})
    assert (told["subscriptions_deleted"], told["installed"]) == (2, False)
    assert app.ask("{ shop { name } }").status == 401
    settle(app)
    assert [(came.topic, came.content["myshopify_domain"]) for came in receiver.arrived] == [
        ("app/uninstalled", app.shop.domain)
    ]


def test_changed_scopes_are_told_and_bind_the_tokens(app: App, receiver: Receiver) -> None:
    subscribe(app, "APP_SCOPES_UPDATE", receiver)
    app.control("POST", "apps/scopes", {"scopes": ["read_products"]})
    settle(app)
    assert receiver.arrived[0].content["current"] == ["read_products"]
    answer = app.ask('{ inventoryLevel(id: "gid://shopify/InventoryLevel/1?inventory_item_id=1") { id } }')
    assert answer.codes == ["ACCESS_DENIED"]


@pytest.mark.parametrize(
    ("topic", "field"),
    [
        ("customers/data_request", "orders_requested"),
        ("customers/redact", "orders_to_redact"),
        ("shop/redact", "shop_id"),
    ],
)
def test_requests_of_the_law_go_to_the_app_configuration_only(
    app: App, receiver: Receiver, topic: str, field: str
) -> None:
    status, refused = app.try_control("POST", "apps/privacy", {"topic": topic})
    assert (status, "configuration" in refused["error"]) == (409, True)
    app.control("POST", "apps", {"subscriptions": [{"compliance_topics": [topic], "uri": receiver.url}]})
    app.control("POST", "apps/privacy", {"topic": topic, "orders": [1001]})
    settle(app)
    (came,) = receiver.arrived
    assert came.topic == topic
    assert came.content["shop_domain"] == app.shop.domain
    assert came.content[field]


def test_the_payload_version_is_the_apps_own(app: App, receiver: Receiver) -> None:
    subscribe(app, "INVENTORY_LEVELS_UPDATE", receiver)
    app.control("POST", "apps", {"api_version": "2026-07"})
    edit(app, "APA", 5)
    settle(app)
    assert receiver.arrived[0].headers["x-shopify-api-version"] == "2026-07"
