"""Deliveries are checked, kept once, answered at once, and understood later, whatever their order and number."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from connectors import changes, inbox, webhook_tasks
from connectors.models import RemoteChange, Store, WebhookDelivery, WebhookSubscription
from connectors.models.webhooks import ChangeState, DeliveryState, SubscriptionState
from connectors.shopify.webhooks import ShopifyWebhooks
from syncconsole.kernel.logs import mask_secrets
from syncconsole.kernel.models import AuditEntry
from tests.connectors.deliveries import SECRET, deliver, headers, order
from tests.factories.connectors import StoreFactory
from tests.factories.kernel import UserFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def store() -> Store:
    return StoreFactory(client_secret=SECRET)


@pytest.fixture(autouse=True)
def nobody_remembered() -> Iterator[None]:
    inbox.forget_senders()
    yield
    inbox.forget_senders()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks that were published."""
    names: list[str] = []
    for task in ("understand_deliveries", "read_changes", "answer_privacy_requests", "ask_for_scopes"):
        for way in ("send", "send_in"):
            monkeypatch.setattr(getattr(webhook_tasks, task), way, lambda *_, name=task: names.append(name))
    return names


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


# The receiver


def test_a_signed_delivery_is_kept_byte_for_byte_and_answered_with_200(store: Store) -> None:
    body = b'{"id": 7,   "note": "Multumesc \xc4\x83"}'
    reply = deliver(store, "orders/create", body, X_Shopify_Webhook_Id="w1", X_Shopify_Event_Id="e1")
    row = only()
    assert (reply.status_code, reply.content) == (200, b"")
    assert bytes(row.body) == body
    assert (row.topic, row.delivery_ref, row.event_ref, row.api_version) == ("orders/create", "w1", "e1", "2026-10")
    assert (row.state, row.object_ref) == (DeliveryState.RECEIVED, "")
    assert row.triggered_at is not None


def test_the_same_delivery_again_is_counted_not_kept_twice(store: Store) -> None:
    for _ in range(3):
        assert deliver(store, "orders/create", order(7, NINE), X_Shopify_Webhook_Id="w1").status_code == 200
    assert only().duplicates == 2


def test_one_action_of_a_merchant_told_under_two_topics_is_two_deliveries(store: Store) -> None:
    for topic in ("orders/create", "orders/updated"):
        deliver(store, topic, order(7, NINE), X_Shopify_Webhook_Id="w1", X_Shopify_Event_Id="e1")
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"X_Shopify_Hmac_Sha256": "AAAA"}, 401),
        ({"X_Shopify_Hmac_Sha256": "not base64 é".encode("ascii", "ignore").decode()}, 401),
        ({"X_Shopify_Hmac_Sha256": ""}, 401),
        ({"secret": "another secret"}, 401),
        ({"X_Shopify_Shop_Domain": "somebody-else.myshopify.com"}, 401),
        ({"X_Shopify_Shop_Domain": ""}, 401),
        ({"X_Shopify_Topic": ""}, 400),
        ({"X_Shopify_Topic": "orders/create; drop"}, 400),
        ({"X_Shopify_Triggered_At": (timezone.now() - dt.timedelta(hours=25)).isoformat()}, 401),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(store: Store, more: dict[str, str], status: int) -> None:
    assert deliver(store, "orders/create", order(7, NINE), **more).status_code == status
    assert not WebhookDelivery.objects.exists()


def test_a_body_changed_on_its_way_is_refused(store: Store) -> None:
    told = headers(store, "orders/create", b'{"id": 7}')
    url = reverse("webhooks_receiver", args=[store.webhook_key])
    reply = Client().post(url, data=b'{"id": 8}', content_type="application/json", headers=told)
    assert reply.status_code == 401


def test_an_unknown_address_another_method_and_a_long_body_are_refused(store: Store) -> None:
    url = reverse("webhooks_receiver", args=["nobody"])
    assert Client().post(url, data=b"{}", content_type="application/json").status_code == 404
    assert Client().get(reverse("webhooks_receiver", args=[store.webhook_key])).status_code == 405
    assert deliver(store, "orders/create", b" " * (5 * 1024 * 1024 + 1)).status_code == 413
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("left_out", ["X_Shopify_Triggered_At", "X_Shopify_Webhook_Id", "X_Shopify_Event_Id"])
def test_a_delivery_without_the_headers_that_only_inform_is_kept(store: Store, left_out: str) -> None:
    for _ in range(2):
        assert deliver(store, "orders/create", order(7, NINE), **{left_out: ""}).status_code == 200
    assert WebhookDelivery.objects.count() == (1 if left_out == "X_Shopify_Webhook_Id" else 2)


def test_the_old_secret_signs_for_an_hour_after_it_was_replaced(store: Store) -> None:
    store.previous_client_secret, store.client_secret = SECRET, "shpss_the_new_one"
    store.secret_replaced_at = timezone.now() - dt.timedelta(minutes=59)
    store.save()
    assert deliver(store, "orders/create", order(7, NINE)).status_code == 200
    assert deliver(store, "orders/create", order(7, NINE), secret="shpss_the_new_one").status_code == 200
    inbox.forget_senders()
    Store.objects.update(secret_replaced_at=timezone.now() - dt.timedelta(minutes=61))
    assert deliver(store, "orders/create", order(7, NINE)).status_code == 401


def test_a_secret_that_was_just_replaced_is_known_at_once(store: Store) -> None:
    deliver(store, "orders/create", order(7, NINE))
    store.client_secret = "shpss_the_new_one"
    store.save()
    assert deliver(store, "orders/create", order(7, NINE), secret="shpss_the_new_one").status_code == 200


def test_a_store_without_a_secret_takes_nothing(store: Store) -> None:
    Store.objects.update(client_secret="")
    assert deliver(store, "orders/create", order(7, NINE), secret="").status_code == 401


def test_a_delivery_costs_one_statement_once_its_sender_is_known(store: Store) -> None:
    deliver(store, "orders/create", order(7, NINE))
    with CaptureQueriesContext(connection) as asked:
        deliver(store, "orders/create", order(8, NINE))
    assert len(asked) == 1, [query["sql"] for query in asked]


def test_many_deliveries_are_announced_by_one_message(
    store: Store, sent: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for number in range(20):
        deliver(store, "orders/create", order(number + 1, NINE))
    assert sent == ["understand_deliveries"]
    inbox.begin_work()
    deliver(store, "orders/create", order(99, NINE))
    assert len(sent) == 2


def test_work_announced_a_moment_ago_is_not_asked_about_again(
    store: Store, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "TRUSTED", 1000.0)
    deliver(store, "orders/create", order(1, NINE))
    cache.clear()
    deliver(store, "orders/create", order(2, NINE))
    assert len(sent) == 1
    inbox.forget_announcement()
    deliver(store, "orders/create", order(3, NINE))
    assert len(sent) == 2


def test_a_worker_looks_when_nobody_trusts_the_old_announcement_any_more() -> None:
    assert inbox.GATHERED > inbox.TRUSTED


def test_the_secret_part_of_a_stores_address_is_in_no_log(store: Store) -> None:
    line = {"event": "request_failed", "request": f"POST /webhooks/{store.webhook_key}/"}
    assert mask_secrets(None, "info", line)["request"] == "POST /webhooks/[masked]/"


# Understanding


@pytest.mark.parametrize(
    ("topic", "content", "kind", "ref"),
    [
        ("orders/updated", order(7, NINE), "order", "gid://shopify/Order/7"),
        ("orders/edited", {"order_edit": {"id": 1, "order_id": 7}}, "order", "gid://shopify/Order/7"),
        ("orders/delete", {"id": 7}, "order", "gid://shopify/Order/7"),
        ("refunds/create", {"id": 1, "order_id": 7}, "order", "gid://shopify/Order/7"),
        ("order_transactions/create", {"id": 1, "order_id": 7}, "order", "gid://shopify/Order/7"),
        ("fulfillments/update", {"id": 1, "order_id": 7}, "order", "gid://shopify/Order/7"),
        ("returns/approve", {"id": 1, "order": {"id": 7}}, "order", "gid://shopify/Order/7"),
        ("products/delete", {"id": 9}, "product", "gid://shopify/Product/9"),
        (
            "inventory_levels/update",
            {"inventory_item_id": 5, "location_id": 6, "available": None},
            "level",
            "gid://shopify/InventoryItem/5 at gid://shopify/Location/6",
        ),
    ],
)
def test_a_change_is_noticed_under_the_object_it_belongs_to(
    store: Store, topic: str, content: dict[str, object], kind: str, ref: str
) -> None:
    deliver(store, topic, content)
    assert inbox.understand() == 1
    change = RemoteChange.objects.get()
    assert (change.store, change.kind, change.ref, change.by_webhook) == (store, kind, ref, 1)
    assert (only().state, only().object_ref) == (DeliveryState.UNDERSTOOD, ref)


@pytest.mark.parametrize(
    ("topic", "content", "ref"),
    [
        ("inventory_items/delete", {"id": 5}, "gid://shopify/InventoryItem/5"),
        ("locations/deactivate", {"id": 6}, "gid://shopify/Location/6"),
        (
            "bulk_operations/finish",
            {"admin_graphql_api_id": "gid://shopify/BulkOperation/1"},
            "gid://shopify/BulkOperation/1",
        ),
    ],
)
def test_what_is_not_read_again_is_kept_with_what_it_is_about(
    store: Store, topic: str, content: dict[str, object], ref: str
) -> None:
    deliver(store, topic, content)
    inbox.understand()
    assert (only().state, only().object_ref) == (DeliveryState.UNDERSTOOD, ref)
    assert not RemoteChange.objects.exists()


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("orders/create", b"<xml/>"),
        ("orders/create", b""),
        ("orders/create", b"\xff\xfe"),
        ("orders/create", b"[1, 2]"),
        ("orders/create", b"[" * 3000),
        ("orders/create", {"name": "#7"}),
        ("orders/create", {"id": "seven"}),
        ("orders/create", {"id": True}),
        ("orders/edited", {"order_edit": ["7"]}),
        ("inventory_levels/update", {"inventory_item_id": None}),
        ("customers/redact", {"customer": None}),
        ("carts/create", {"id": 7}),
    ],
)
def test_what_cannot_be_understood_is_kept_with_cause_and_remedy_and_holds_nobody_up(
    store: Store, topic: str, content: object
) -> None:
    deliver(store, topic, content, X_Shopify_Webhook_Id="bad")
    deliver(store, "orders/create", order(7, NINE))
    assert inbox.understand() == 2
    failed = WebhookDelivery.objects.get(delivery_ref="bad")
    assert failed.state == DeliveryState.FAILED
    assert failed.cause
    assert failed.remedy
    assert RemoteChange.objects.get().ref == "gid://shopify/Order/7"


def test_a_fault_of_ours_in_one_body_does_not_hold_up_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ShopifyWebhooks.understand

    def stumbles(self: ShopifyWebhooks, topic: str, body: bytes) -> object:
        if b"666" in body:
            raise KeyError("nobody thought of it")
        return real(self, topic, body)

    deliver(store, "orders/create", order(666, NINE))
    deliver(store, "orders/create", order(7, NINE))
    monkeypatch.setattr(ShopifyWebhooks, "understand", stumbles)
    inbox.understand()
    assert list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "understood"]
    monkeypatch.undo()
    bad = WebhookDelivery.objects.get(state="failed")
    assert inbox.retry(bad, by=None)
    assert not inbox.retry(bad, by=None)
    inbox.understand()
    assert RemoteChange.objects.count() == 2


def test_a_failed_delivery_may_be_ignored_with_a_reason_that_is_kept(store: Store) -> None:
    ana = UserFactory(roles=["Operator"])
    deliver(store, "carts/create", {"id": 7})
    inbox.understand()
    with pytest.raises(ValueError, match="reason"):
        inbox.ignore(only(), by=ana, reason="  ")
    assert inbox.ignore(only(), by=ana, reason="Carts are not synced.")
    assert not inbox.ignore(only(), by=ana, reason="Again.")
    assert (only().state, only().settled_by, only().cause) == ("ignored", ana, "Ignored: Carts are not synced.")
    assert AuditEntry.objects.get(action="ignore webhook").after == {"reason": "Carts are not synced."}


def test_the_shop_local_offset_of_a_body_is_understood(store: Store) -> None:
    local = NINE.astimezone(ZoneInfo("Europe/Bucharest"))
    deliver(store, "orders/updated", order(7, local))
    inbox.understand()
    assert RemoteChange.objects.get().remote_updated_at == NINE


def test_ten_thousand_deliveries_a_fifth_of_them_twice_and_shuffled_are_each_read_exactly_once(store: Store) -> None:
    dice = random.Random(11)
    objects = 2500
    told = [
        (f"w{number}", b'{"id": %d, "updated_at": "%s"}' % (1 + number % objects, moment(number // objects).encode()))
        for number in range(8000)
    ]
    told += dice.sample(told, 2000)
    dice.shuffle(told)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.executemany(
            inbox.KEEP, [(store.pk, "orders/updated", ref, "", "2026-10", None, now, body) for ref, body in told]
        )

    while inbox.understand(limit=1000):
        pass
    read: list[str] = []
    while claims := changes.claim(store, "order", 500):
        read += [each.ref for each in claims]
        newest = {each.remote_updated_at for each in claims}
        assert newest <= {NINE + dt.timedelta(seconds=step) for step in (2, 3)}
        changes.settle(claims)

    assert WebhookDelivery.objects.count() == 8000
    assert sum(WebhookDelivery.objects.values_list("duplicates", flat=True)) == 2000
    assert len(read) == objects == len(set(read))
    assert not RemoteChange.objects.exclude(state=ChangeState.DONE).exists()


def moment(step: int) -> str:
    return (NINE + dt.timedelta(seconds=step)).isoformat()


# What follows


def test_an_uninstalled_app_pauses_the_store_and_says_what_to_do(store: Store) -> None:
    WebhookSubscription.objects.create(store=store, topic="orders/create", ref="gid://1", state="active")
    deliver(store, "app/uninstalled", {"id": 1, "myshopify_domain": store.shop_domain})
    inbox.understand()
    store.refresh_from_db()
    assert store.writes_paused
    assert "uninstalled" in store.pause_reason
    assert "Install the app again" in store.connection_remedy
    assert WebhookSubscription.objects.get().state == SubscriptionState.MISSING


def test_an_old_uninstall_after_the_app_is_back_pauses_nothing(store: Store) -> None:
    before = (timezone.now() - dt.timedelta(hours=2)).isoformat()
    deliver(store, "app/uninstalled", {"id": 1}, X_Shopify_Triggered_At=before)
    inbox.understand()
    store.refresh_from_db()
    assert not store.writes_paused


def test_changed_scopes_are_asked_for(store: Store, sent: list[str]) -> None:
    deliver(store, "app/scopes_update", {"id": 1})
    inbox.understand()
    assert "ask_for_scopes" in sent


def test_settled_deliveries_are_deleted_after_a_month_and_failed_ones_wait(store: Store) -> None:
    deliver(store, "orders/create", order(7, NINE))
    deliver(store, "orders/create", order(8, NINE))
    deliver(store, "carts/create", {"id": 9})
    inbox.understand()
    old = timezone.now() - dt.timedelta(days=31)
    WebhookDelivery.objects.exclude(object_ref__endswith="8").update(settled_at=old)
    assert inbox.prune() == 1
    assert sorted(WebhookDelivery.objects.values_list("topic", flat=True)) == ["carts/create", "orders/create"]


# Doors


def test_a_task_understands_everything_and_has_it_read_once(store: Store, sent: list[str], settings: object) -> None:
    settings.CHANGE_READERS = {"order": "connectors.changes.waiting"}  # type: ignore[attr-defined]
    for number in range(3):
        deliver(store, "orders/create", order(number + 1, NINE))
    webhook_tasks.understand_deliveries()
    webhook_tasks.understand_deliveries()
    assert sent.count("read_changes") == 1
    assert not WebhookDelivery.objects.filter(state="received").exists()
    assert cache.get("webhooks-to-understand") is None
