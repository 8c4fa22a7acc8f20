"""Requests about a person's data are really carried out, and nothing that is needed is lost by it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from connectors import inbox, privacy
from connectors.models import PrivacyRequest, RemoteChange, Store, WebhookDelivery
from connectors.models.webhooks import DeliveryState
from tests.connectors.deliveries import SECRET, deliver, order
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
MARIA = {"id": 70001, "email": "maria@example.ro", "phone": "+40 722 000 111"}


@pytest.fixture
def store() -> Store:
    inbox.forget_senders()
    return StoreFactory(client_secret=SECRET)


def told_of_two_customers(store: Store) -> None:
    deliver(store, "orders/create", order(501, NINE, email="maria@example.ro", customer=MARIA))
    deliver(store, "orders/create", order(502, NINE, email="ion@example.ro", customer={"id": 80002}))
    deliver(store, "refunds/create", {"id": 9, "order_id": 501, "note": "Maria asked for it"})
    inbox.understand()


def ask(store: Store, topic: str, **content: object) -> PrivacyRequest:
    deliver(store, topic, {"shop_id": 1, "shop_domain": store.shop_domain, **content})
    inbox.understand()
    request = PrivacyRequest.objects.get()
    privacy.answer(request.pk)
    request.refresh_from_db()
    return request


def bodies() -> bytes:
    return b"".join(bytes(each) for each in WebhookDelivery.objects.values_list("body", flat=True))


def test_a_customer_is_erased_from_every_delivery_that_names_them_and_nobody_else_is(store: Store) -> None:
    told_of_two_customers(store)
    request = ask(store, "customers/redact", customer=MARIA, orders_to_redact=[501])
    assert request.done_at
    assert request.report["webhook deliveries"] == 2
    assert b"maria" not in bodies().lower()
    assert b"722 000" not in bodies()
    assert b"ion@example.ro" in bodies()
    assert WebhookDelivery.objects.filter(redacted_at=None).count() == 1


def test_an_erased_delivery_can_still_be_understood(store: Store) -> None:
    told_of_two_customers(store)
    ask(store, "customers/redact", customer=MARIA, orders_to_redact=[501])
    RemoteChange.objects.all().delete()
    WebhookDelivery.objects.exclude(topic="customers/redact").update(state=DeliveryState.RECEIVED)
    inbox.understand()
    noticed = dict(RemoteChange.objects.values_list("ref", "remote_updated_at"))
    assert noticed == {"gid://shopify/Order/501": None, "gid://shopify/Order/502": NINE}


def test_a_body_that_nobody_understands_is_erased_as_a_whole(store: Store) -> None:
    deliver(store, "orders/create", b"maria@example.ro wrote: hello")
    inbox.understand()
    ask(store, "customers/redact", customer=MARIA, orders_to_redact=[])
    assert bytes(WebhookDelivery.objects.get(topic="orders/create").body) == b""


def test_who_asks_for_their_data_gets_a_report_by_table_and_nothing_is_erased(store: Store) -> None:
    told_of_two_customers(store)
    request = ask(store, "customers/data_request", customer=MARIA, orders_requested=[501], data_request={"id": 3})
    assert request.customer_ref == "gid://shopify/Customer/70001"
    assert request.report["webhook deliveries"] == 2
    assert request.report["by topic"] == {"orders/create": 1, "refunds/create": 1}
    assert request.report["about"] == ["gid://shopify/Order/501"]
    assert b"maria@example.ro" in bytes(WebhookDelivery.objects.filter(topic="orders/create").last().body)  # type: ignore[union-attr]
    assert b"maria@example.ro" not in bytes(request.delivery.body)


def test_an_erased_shop_leaves_no_token_no_secret_and_no_body(store: Store) -> None:
    told_of_two_customers(store)
    Store.objects.update(previous_client_secret="shpss_before")
    ask(store, "shop/redact")
    store.refresh_from_db()
    assert (store.access_token, store.client_secret, store.previous_client_secret) == ("", "", "")
    assert store.writes_paused
    assert store.connection_remedy
    assert b"maria" not in bodies()
    for body in WebhookDelivery.objects.values_list("body", flat=True):
        assert set(json.loads(bytes(body))) <= {"id", "order_id", "updated_at", "admin_graphql_api_id", "shop_id",
                                                "shop_domain"}  # fmt: skip


def test_a_request_that_came_twice_is_answered_once(store: Store) -> None:
    for _ in range(2):
        deliver(store, "customers/redact", {"customer": MARIA, "orders_to_redact": []}, X_Shopify_Webhook_Id="w1")
        inbox.understand()
    assert PrivacyRequest.objects.count() == 1
    request = PrivacyRequest.objects.get()
    privacy.answer(request.pk)
    request.refresh_from_db()
    first = request.done_at
    privacy.answer(request.pk)
    request.refresh_from_db()
    assert request.done_at == first
    assert not privacy.waiting().exists()
