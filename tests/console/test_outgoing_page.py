"""What stores were told of shipments: switched on with its gate, typed with tracking, followed, decided by a person."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from connectors.shopify.capabilities import CAPABILITIES
from orders import imports, intake, sending
from orders.models import IncomingOrder, OrderStock, OutgoingFulfilment, OutgoingState
from orders.shipping import Units, ship
from orders.tracking import Tracking
from tests.console.conftest import SignIn
from tests.factories.orders import price
from tests.worlds import World

pytestmark = pytest.mark.django_db

ALL_SCOPES = sorted({scope for each in CAPABILITIES for scope in (*each.scopes, *each.any_of)})
SWITCH = "Switch on"


@pytest.fixture
def order(world: World) -> IncomingOrder:
    day = world.fake.now.date() - dt.timedelta(days=1)
    Store.objects.update(integration_date=day, granted_scopes=ALL_SCOPES, send_fulfilments=True)
    world.store.refresh_from_db()
    world.fake.place(world.item("TS-BLK-M", here=20, there=20).item_ref, world.there, 5, total=price("0"))
    intake.keep(world.store, [world.fake.order("order/1")], asked_at=timezone.now())
    imports.import_waiting(world.store)
    return IncomingOrder.objects.get()


def shown(client: Client, name: str, *args: object, query: str = "") -> str:
    answer = client.get(reverse(f"admin:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def form(quantity: int, of: int, **parts: str) -> dict[str, str]:
    pk = OrderStock.objects.get().pk
    return {"step": "ship", f"units-{pk}": str(quantity), f"held-{pk}": str(of), **parts}


def test_a_person_types_the_tracking_with_the_shipment(world: World, order: IncomingOrder, sign_in: SignIn) -> None:
    client = sign_in("Operator")
    page = reverse("admin:order_goods", args=[order.pk])
    answer = client.post(page, form(2, 5, company="FAN", number="AWB-77", url="https://fan.example/77", notify="on"))
    assert answer.status_code == 302

    row = OutgoingFulfilment.objects.get()
    assert (row.tracking, row.url, row.notify, row.units) == ("FAN AWB-77", "https://fan.example/77", True, 2)

    refused = client.post(page, form(2, 3, number="AWB-78", url="fan 78"))
    said = refused.content.decode()
    assert (refused.status_code, "Write the whole address" in said, "AWB-78" in said) == (422, True, True)


def test_the_order_shows_what_its_store_was_told(world: World, order: IncomingOrder, sign_in: SignIn) -> None:
    ship(order, {OrderStock.objects.get().pk: Units(2, 5)}, by=world.operator, tracking=Tracking("FAN", "AWB-77"))
    sending.send_waiting(world.store)

    said = shown(sign_in("Administrator"), "sale", order.sales_order.pk)
    assert "In the store" in said
    assert "FAN AWB-77" in said
    assert "has the fulfilment" in said
    client = sign_in("Viewer")
    assert "AWB-77" not in shown(client, "sale", order.sales_order.pk)
    assert "AWB-77" not in shown(client, "outgoing")
    assert "In the store" in shown(client, "incoming", order.pk)


def test_what_needs_a_person_is_listed_with_cause_and_decided_once(
    world: World, order: IncomingOrder, sign_in: SignIn
) -> None:
    ship(order, {OrderStock.objects.get().pk: Units(2, 5)}, by=world.operator)
    world.fake.change_order("order/1", cancelled_at=world.fake.now)
    sending.send_waiting(world.store)

    client = sign_in("Operator")
    said = shown(client, "outgoing", query="?state=needs_person")
    assert "The order was cancelled in the store." in said
    assert "It was sent" in said
    decide = reverse("admin:decide_outgoing", args=[OutgoingFulfilment.objects.get().pk])
    for _ in range(2):
        client.post(decide, {"decision": "leave"})
    client.post(decide, {"decision": "perhaps"})
    assert OutgoingFulfilment.objects.get().state == OutgoingState.LEFT
    assert "No fulfilment matches" in shown(client, "outgoing", query="?state=needs_person")
    assert sign_in("Viewer").post(decide, {"decision": "again"}).status_code == 403


def test_sending_is_switched_on_the_stores_orders_page(world: World, order: IncomingOrder, sign_in: SignIn) -> None:
    client, page = sign_in("Onboarding"), reverse("admin:store_orders", args=[world.store.slug])
    client.post(page, {"fulfilments": "off"})
    assert not Store.objects.get().send_fulfilments
    assert SWITCH in shown(client, "store_orders", world.store.slug)

    Store.objects.update(granted_scopes=["read_orders"])
    said = shown(client, "store_orders", world.store.slug)
    assert "write_merchant_managed_fulfillment_orders" in said
    client.post(page, {"fulfilments": "on"})
    assert not Store.objects.get().send_fulfilments, "the token may not tell of shipments"

    Store.objects.update(granted_scopes=ALL_SCOPES)
    client.post(page, {"fulfilments": "on"})
    assert Store.objects.get().send_fulfilments
    assert sign_in("Viewer").post(page, {"fulfilments": "off"}).status_code == 403


def test_a_long_list_costs_as_many_statements_as_a_short_one(
    world: World, order: IncomingOrder, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    for units in (5, 4, 3):
        ship(order, {OrderStock.objects.get().pk: Units(1, units)}, by=world.operator)
    client = sign_in("Operator")
    shown(client, "outgoing")
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        shown(client, "outgoing")
