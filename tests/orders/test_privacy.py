"""What orders know of a person is told, and erased, when the shop asks for it."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from connectors import inbox
from connectors.models import Store
from orders import intake
from orders.models import IncomingOrder
from tests.connectors.deliveries import SECRET
from tests.connectors.test_inbox_privacy import MARIA, ask
from tests.factories.connectors import StoreFactory
from tests.orders.test_intake import order

pytestmark = pytest.mark.django_db

MARIAS_REF = "gid://shopify/Customer/70001"


@pytest.fixture
def store() -> Store:
    inbox.forget_senders()
    store = StoreFactory(client_secret=SECRET)
    now = dt.datetime(2026, 11, 21, 9, 5, tzinfo=dt.UTC)
    for number, customer_ref in ((1, MARIAS_REF), (2, "gid://shopify/Customer/80002")):
        kept = dataclasses.replace(order(number), customer_ref=customer_ref, po_number="PO-7")
        intake.keep(store, [kept], asked_at=now)
    return store


def named() -> list[str]:
    return sorted(IncomingOrder.objects.exclude(customer_ref="").values_list("customer_ref", flat=True))


def test_a_customer_is_erased_from_their_orders_and_from_nobody_elses(store: Store) -> None:
    request = ask(store, "customers/redact", customer=MARIA, orders_to_redact=[1])
    assert request.report["orders"] == 1
    assert named() == ["gid://shopify/Customer/80002"]
    erased = IncomingOrder.objects.get(customer_ref="")
    assert (erased.order.po_number, len(erased.order.lines)) == ("", len(order(1).lines))


def test_a_guests_order_is_erased_when_the_request_names_it(store: Store) -> None:
    guest = dataclasses.replace(order(3), email="maria@example.com")
    intake.keep(store, [guest], asked_at=dt.datetime(2026, 11, 21, 9, 5, tzinfo=dt.UTC))

    request = ask(store, "customers/redact", customer=MARIA, orders_to_redact=[3])

    assert request.report["orders"] == 2
    assert IncomingOrder.objects.get(ref=guest.ref).order.email is None
    assert IncomingOrder.objects.get(ref=guest.ref).redacted_at is not None


def test_a_customer_who_asks_is_told_how_many_orders_name_them_and_none_is_changed(store: Store) -> None:
    request = ask(store, "customers/data_request", customer=MARIA, orders_requested=[1], data_request={"id": 3})
    assert request.report["orders"] == 1
    assert len(named()) == 2


def test_when_the_shop_is_erased_no_order_names_anybody(store: Store) -> None:
    request = ask(store, "shop/redact")
    assert request.report["orders"] == 2
    assert named() == []
