"""The inbox: found by filter, read as far as the role may, retried, ignored with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store, WebhookDelivery, WebhookSubscription
from connectors.models.webhooks import DeliveryState, SubscriptionState
from syncconsole.kernel.models import AuditEntry
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

ORDER = {
    "id": 7,
    "name": "#1007",
    "email": "maria@example.ro",
    "token": "very-secret",
    "order_status_url": "https://shop.example/orders/very-secret",
    "customer": {"id": 70001, "first_name": "Maria"},
    "shipping_address": {"address1": "Strada Lungă 5"},
    "line_items": [{"title": "Tricou negru", "quantity": 2}],
}


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def delivery(store: Store, ref: str, *, content: Any = ORDER, **fields: Any) -> WebhookDelivery:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told: dict[str, Any] = {"topic": "orders/create", "state": "understood", "received_at": timezone.now(), **fields}
    return WebhookDelivery.objects.create(store=store, delivery_ref=ref, body=body, **told)


def text(client: Client, name: str, *args: Any, query: str = "") -> str:
    answer = client.get(reverse(f"admin:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_inbox_is_found_by_store_topic_and_state(store: Store, sign_in: SignIn) -> None:
    delivery(store, "w1", state="failed", cause="The topic is not known here.", topic="orders/edited")
    delivery(store, "w2")
    other = delivery(StoreFactory(), "w3")
    client = sign_in("Viewer")
    address = reverse("admin:webhook", args=[other.pk])
    assert address in text(client, "webhooks")
    assert address not in text(client, "webhooks", query=f"?store={store.slug}")
    failed = text(client, "webhooks", query="?state=failed")
    assert failed.count("data-row") == 1
    assert "The topic is not known here." in failed
    assert text(client, "webhooks", query="?topic=orders/edited").count("data-row") == 1
    assert "No delivery matches" in text(client, "webhooks", query="?topic=orders/delete")


def test_a_long_inbox_has_pages(store: Store, sign_in: SignIn) -> None:
    for number in range(60):
        delivery(store, f"w{number}")
    first = text(sign_in("Viewer"), "webhooks")
    assert first.count("data-row") == 50
    assert "after=" in first


def test_personal_data_is_masked_for_those_who_may_not_see_it_and_secrets_for_everybody(
    store: Store, sign_in: SignIn
) -> None:
    row = delivery(store, "w1")
    operator = text(sign_in("Operator"), "webhook", row.pk)
    assert "Tricou negru" in operator
    for hidden in ("maria@example.ro", "Maria", "Strada Lungă", "very-secret"):
        assert hidden not in operator
    administrator = text(sign_in("Administrator"), "webhook", row.pk)
    assert "maria@example.ro" in administrator
    assert "very-secret" not in administrator


def test_a_body_that_nobody_understands_is_hidden_from_who_may_not_see_personal_data(
    store: Store, sign_in: SignIn
) -> None:
    broken = delivery(
        store, "w1", content=b"maria@example.ro <script>alert(1)</script>", state="failed", cause="No JSON."
    )
    unknown = delivery(store, "w2", topic="carts/create", state="failed", cause="Not known.")
    for row in (broken, unknown):
        assert "maria@example.ro" not in text(sign_in("Operator"), "webhook", row.pk)
    shown = text(sign_in("Administrator"), "webhook", broken.pk)
    assert "maria@example.ro" in shown
    assert "<script>alert(1)" not in shown


def test_an_operator_retries_and_ignores_with_a_reason(store: Store, sign_in: SignIn) -> None:
    row = delivery(store, "w1", state="failed", cause="Not known.")
    client = sign_in("Operator")
    client.post(reverse("admin:webhook_ignore", args=[row.pk]), {"reason": " "})
    row.refresh_from_db()
    assert row.state == DeliveryState.FAILED
    client.post(reverse("admin:webhook_ignore", args=[row.pk]), {"reason": "Carts are not synced."})
    row.refresh_from_db()
    assert row.state == DeliveryState.IGNORED
    assert "Carts are not synced." in text(client, "webhook", row.pk)
    client.post(reverse("admin:webhook_retry", args=[row.pk]))
    row.refresh_from_db()
    assert row.state == DeliveryState.RECEIVED
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"ignore webhook", "retry webhook"}


def test_a_viewer_sees_no_button_that_is_not_theirs(store: Store, sign_in: SignIn) -> None:
    row = delivery(store, "w1", state="failed", cause="Not known.")
    page = text(sign_in("Viewer"), "webhook", row.pk)
    assert reverse("admin:webhook_retry", args=[row.pk]) not in page
    assert "needs another role" in page


def test_the_subscriptions_of_a_store_stand_on_its_page_with_what_is_wrong_first(store: Store, sign_in: SignIn) -> None:
    WebhookSubscription.objects.create(store=store, topic="app/uninstalled", state=SubscriptionState.ACTIVE)
    WebhookSubscription.objects.create(
        store=store, topic="returns/close", state="refused", cause="The token lacks read_returns.", remedy="Add it."
    )
    page = text(sign_in("Operator"), "store_webhooks", store.slug)
    assert page.index("returns/close") < page.index("app/uninstalled")
    assert "1 of 2 topics active" in page
    assert reverse("admin:check_subscriptions", args=[store.slug]) in page


def test_a_check_that_is_refused_says_cause_and_remedy(store: Store, sign_in: SignIn) -> None:
    answer = sign_in("Operator").post(reverse("admin:check_subscriptions", args=[store.slug]), follow=True)
    assert "PUBLIC_URL" in answer.content.decode()


def test_an_empty_inbox_says_where_webhooks_come_from(sign_in: SignIn) -> None:
    assert "No webhook yet" in text(sign_in("Viewer"), "webhooks")
