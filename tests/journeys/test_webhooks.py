"""A shop tells of its orders: twice, in any order, and sometimes not at all. Every one of them arrives, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from connectors import changes, connection, feeds, inbox, subscriptions
from connectors.models import WebhookDelivery
from connectors.models.webhooks import DeliveryState
from orders.models import IncomingOrder
from tests.journeys.merchants import Merchant

ORDERS = 60


@pytest.fixture
def merchant_with_webhooks(merchant: Callable[..., Merchant], live_server: LiveServer, settings: Settings) -> Merchant:
    """The console listens at a real address, and the shop is told of it."""
    opened = merchant(variants=20)
    settings.PUBLIC_URL = live_server.url
    app = opened.shop.sandbox.get("/apps", shop=opened.shop.domain)["apps"][0]
    opened.store.client_secret = app["client_secret"]
    opened.store.save(update_fields=["client_secret"])
    inbox.forget_senders()
    assert connection.test_connection(opened.store).ok
    report = subscriptions.check(opened.store)
    assert report.ok, report.problems
    return opened


def understand_all() -> None:
    while inbox.understand():
        pass


def read_all(merchant: Merchant) -> None:
    """Each kind by its reader, as the workers do: sales change products, too."""
    for _, kind in changes.waiting():
        while changes.readers()[kind](merchant.store):
            pass
    assert not changes.waiting()


def test_orders_told_twice_shuffled_and_partly_lost_arrive_once_each(merchant_with_webhooks: Merchant) -> None:
    merchant, sandbox = merchant_with_webhooks, merchant_with_webhooks.shop.sandbox
    sandbox.post("/deliveries/hold")
    placed = sandbox.post("/orders/batch", shop=merchant.shop.domain, count=ORDERS)
    sandbox.post("/deliveries/flush", shuffle=True, duplicate=0.2, lose=0.3)
    assert sandbox.post("/deliveries/settle")["settled"]

    understand_all()
    read_all(merchant)
    told = IncomingOrder.objects.filter(store=merchant.store).count()
    polled = feeds.poll(merchant.store)
    read_all(merchant)

    assert WebhookDelivery.objects.filter(duplicates__gt=0).exists()
    assert not WebhookDelivery.objects.exclude(state=DeliveryState.UNDERSTOOD).exists()
    kept = IncomingOrder.objects.filter(store=merchant.store)
    assert kept.count() == ORDERS
    assert set(kept.values_list("revision", flat=True)) == {1}
    assert {row.name for row in kept} == {f"#{number}" for number in range(placed["first"], placed["last"] + 1)}
    assert polled.found == ORDERS - told


def test_a_subscription_that_vanished_is_made_again(merchant_with_webhooks: Merchant) -> None:
    merchant, sandbox = merchant_with_webhooks, merchant_with_webhooks.shop.sandbox
    there = sandbox.get("/subscriptions", shop=merchant.shop.domain)["subscriptions"]
    orders = next(each for each in there if each["topic"] == "orders/create")
    sandbox.delete("/subscriptions", shop=merchant.shop.domain, id=orders["id"])

    report = subscriptions.check(merchant.store)

    assert report.restored == ["orders/create"]
    again = sandbox.get("/subscriptions", shop=merchant.shop.domain)["subscriptions"]
    assert sorted(each["topic"] for each in again) == sorted(each["topic"] for each in there)
