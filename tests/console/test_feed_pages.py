"""How far the feeds of a store have been read, how soon its webhooks come, and the door that reads the feed now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import changes, feed_tasks
from connectors.models import FeedPosition, Store, WebhookDelivery, WebhookSubscription
from connectors.models.webhooks import SubscriptionState
from tests.console.conftest import SignIn
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return StoreFactory(granted_scopes=["read_orders"])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of the workers."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(feed_tasks.poll_feed, "send", lambda *told: sent.append(told))
    return sent


def text(client: Client, name: str, store: Store) -> str:
    answer = client.get(reverse(f"admin:{name}", args=[store.slug]))
    assert answer.status_code == 200
    return answer.content.decode()


def read(store: Store, **fields: Any) -> FeedPosition:
    now = timezone.now()
    known = {"begun_at": now, "finished_at": now, "watermark": now, "found": 3}
    return FeedPosition.objects.create(store=store, kind="order", **{**known, **fields})


def test_the_stores_page_says_how_far_its_feed_was_read(store: Store, sign_in: SignIn) -> None:
    client = sign_in("Viewer")
    assert "No feed has been read yet." in text(client, "store", store)
    read(store)
    page = text(client, "store", store)
    assert "No webhook had told" in page
    assert reverse("admin:read_orders", args=[store.slug]) not in page


def test_a_feed_that_could_not_be_read_says_why_and_what_to_do(store: Store, sign_in: SignIn) -> None:
    read(store, cause="Shopify is unreachable.", remedy="Nothing to do: it is tried again.")
    page = text(sign_in("Viewer"), "store", store)
    assert "Shopify is unreachable." in page
    assert "Nothing to do: it is tried again." in page


def test_a_pass_that_began_and_has_not_ended_is_being_read(store: Store) -> None:
    later = timezone.now() + dt.timedelta(seconds=5)
    assert read(store, begun_at=later).status == "reading"
    assert FeedPosition(begun_at=later).status == "reading"
    assert FeedPosition(begun_at=later, finished_at=later).status == "read"


def test_an_operator_has_the_orders_read_now(store: Store, sign_in: SignIn, asked: list[tuple[Any, ...]]) -> None:
    client = sign_in("Operator")
    door = reverse("admin:read_orders", args=[store.slug])
    assert door in text(client, "store", store)
    answer = client.post(door, follow=True)
    assert "is asked which orders changed" in answer.content.decode()
    assert asked == [(store.pk, "order")]


@pytest.mark.parametrize("lacks", [{"granted_scopes": ["read_products"]}, {"rests_until": "soon"}])
def test_a_store_that_cannot_be_asked_says_why(
    lacks: dict[str, Any], store: Store, sign_in: SignIn, asked: list[tuple[Any, ...]]
) -> None:
    if "rests_until" in lacks:
        lacks = {"rests_until": timezone.now() + dt.timedelta(minutes=5)}
    Store.objects.filter(pk=store.pk).update(**lacks)
    client = sign_in("Operator")
    door = reverse("admin:read_orders", args=[store.slug])
    page = text(client, "store", store)
    assert door not in page
    assert "read_orders." in page or "The store rests." in page
    assert "Nothing was asked." in client.post(door, follow=True).content.decode()
    assert asked == []


def test_the_webhooks_tab_says_how_soon_each_topic_comes_and_who_told(store: Store, sign_in: SignIn) -> None:
    WebhookSubscription.objects.create(store=store, topic="orders/updated", state=SubscriptionState.ACTIVE)
    WebhookSubscription.objects.create(store=store, topic="products/update", state=SubscriptionState.ACTIVE)
    now = timezone.now()
    for number, seconds in enumerate((1, 2, 90)):
        WebhookDelivery.objects.create(
            store=store,
            topic="orders/updated",
            delivery_ref=f"w{number}",
            received_at=now,
            triggered_at=now - dt.timedelta(seconds=seconds),
            body=b"{}",
        )
    read(store)
    changes.notice(store, "order", {"gid://shopify/Order/1": now, "gid://shopify/Order/2": now}, by="webhook")
    changes.notice(store, "order", {"gid://shopify/Order/3": now}, by="polling")
    page = text(sign_in("Viewer"), "store_webhooks", store)
    assert "2 s</td>" in page
    assert "1 min 21 s" in page
    assert "66.7 %" in page
    assert "Slowest: orders/updated, 95 % within 1 min 21 s." in page


def test_a_store_that_told_nothing_shows_no_figures(store: Store, sign_in: SignIn) -> None:
    WebhookSubscription.objects.create(store=store, topic="orders/updated", state=SubscriptionState.ACTIVE)
    page = text(sign_in("Viewer"), "store_webhooks", store)
    assert "No webhook arrived in the last 24 hours." in page
    assert "Nothing changed in the last 24 hours" in page
