"""An overwrite waits for the orders: nothing that moved after what is known of them is believed (algorithms.md §6)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from connectors import changes, feeds
from connectors.models import FeedPosition, RemoteChange, Store
from connectors.models.runs import Outcome
from connectors.ports.errors import ConnectorUnavailable
from connectors.ports.orders import RemoteOrder
from inventory.knowledge import OrderLag
from inventory.models import LevelPublication
from orders import imports, intake, knowledge
from orders.models import IncomingOrder
from tests.factories.orders import price
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def world(world: World) -> World:
    world.store.integration_date = (NINE - dt.timedelta(days=1)).date()
    world.store.save()
    world.fake.now = NINE + HOUR
    return world


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Shelves:
    """One order of 3; the store's feed lists it when it was placed."""
    publication = world.item(SKU, here=20, there=20)
    return Shelves(item=publication.item_ref)


def listens(world: World, monkeypatch: pytest.MonkeyPatch, *orders: RemoteOrder, at: dt.datetime) -> None:
    """A feed pass at `at` lists these orders and every one can be read."""

    def poll(store: Store, kind: str) -> None:
        FeedPosition.objects.update_or_create(store=store, kind=kind, defaults={"watermark": at})
        changes.notice(store, kind, {order.ref: order.updated_at for order in orders}, by="polling")

    told = {order.ref: order for order in orders}
    monkeypatch.setattr(feeds, "poll", poll)
    monkeypatch.setattr(world.fake, "read_orders", lambda refs: [told.get(ref) for ref in refs], raising=False)


def hold(world: World) -> tuple[str, str]:
    publication = LevelPublication.objects.get(store=world.store)
    return publication.hold_test, publication.hold_cause


def test_orders_are_brought_in_before_anything_is_judged(
    world: World, shop: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store sold 3; the full sync learns of the order by itself and leaves what it shows."""
    world.sell(SKU, 3)
    shop.place(3, world.there)
    world.rest()
    listens(world, monkeypatch, shop.told(), at=world.fake.now)

    world.full("go-live")

    assert (world.shown(SKU), world.publication(SKU).state) == (17, "live")
    assert world.level(SKU).released == 3


def test_a_level_that_moved_after_the_last_pass_of_the_feed_is_held(
    world: World, shop: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rest()
    listens(world, monkeypatch, at=NINE - HOUR)
    run = world.plan_full()

    assert run.items.get().outcome == Outcome.HELD
    test, cause = hold(world)
    assert test == "a"
    assert cause.startswith("The store's orders are known only up to")


def test_a_level_whose_order_waits_is_held_and_names_it(
    world: World, shop: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.place(3, "gid://shopify/Location/unmapped")
    world.rest()
    listens(world, monkeypatch, shop.told(), at=world.fake.now)

    world.plan_full()

    test, cause = hold(world)
    assert test == "c"
    assert cause.startswith("Order #1001 names this item and is not booked yet. The order is assigned to")


def test_an_order_that_only_its_sums_hold_up_holds_no_level(world: World, shop: Shelves) -> None:
    """Its stock is booked: nothing about the level is unknown."""
    shop.place(3, world.there)
    wrong = replace(shop.told(), total=price("5.00"))
    intake.keep(world.store, [wrong], asked_at=timezone.now())
    imports.import_waiting(world.store)

    row = IncomingOrder.objects.get()
    assert (row.state, row.waits_for, world.level(SKU).released) == ("failed", "total", 3)
    assert knowledge.known(world.store).waiting == {}


def test_what_cannot_be_read_limits_what_is_known(world: World) -> None:
    FeedPosition.objects.update(watermark=NINE)
    assert knowledge.known(world.store).until == NINE

    changes.notice(world.store, "order", {"gid://shopify/Order/5": NINE - HOUR}, by="webhook")
    assert knowledge.known(world.store).until == NINE - HOUR

    RemoteChange.objects.update(state="done")
    assert knowledge.known(world.store).until == NINE


def test_of_a_store_whose_orders_do_not_count_nothing_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.objects.update(integration_date=None)
    world.store.refresh_from_db()
    monkeypatch.setattr(feeds, "poll", lambda *_: pytest.fail("nobody asked for orders"))

    knowledge.bring_in(world.store)
    assert knowledge.known(world.store).until is None


def test_a_store_that_does_not_tell_its_orders_stops_the_run_with_its_cause(
    world: World, shop: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ConnectorUnavailable(service="Shop", operation="orders", cause="Away.", remedy="Wait.")

    monkeypatch.setattr(feeds, "poll", away)
    run = world.plan_full()
    assert (run.items.count(), run.cause) == (0, "Away.")


def test_the_lag_of_orders_is_measured_from_the_store_s_date_to_the_booking(world: World) -> None:
    now = timezone.now()

    def order(ref: str, *, placed: dt.timedelta, took: dt.timedelta | None) -> None:
        IncomingOrder.objects.create(
            store=world.store,
            ref=ref,
            name=ref,
            remote_created_at=now - placed,
            remote_updated_at=now - placed,
            received_at=now - placed,
            applied_at=now - placed + took if took is not None else None,
            applied_revision=0 if took is None else 1,
            total=0,
            currency="RON",
            snapshot={},
        )

    order("old", placed=8 * 24 * HOUR, took=8 * HOUR)
    order("quick", placed=3 * HOUR, took=dt.timedelta(seconds=20))
    assert knowledge.lag(world.store, now - 7 * 24 * HOUR) == OrderLag(1, 20)
    order("waits", placed=2 * HOUR, took=None)
    found = knowledge.lag(world.store, now - 7 * 24 * HOUR)
    assert found.orders == 2
    assert found.p99_seconds > 7_000, "what waits counts with the time it has waited"
