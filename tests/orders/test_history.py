"""A long queue of orders is read from a history that the store writes down; nothing is lost and nothing read twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from connectors import changes, feeds, registry
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from connectors.ports.errors import ResultLost
from connectors.ports.orders import MAX_ORDERS, History, RemoteOrder, Wanted
from connectors.shopify import orders_history
from connectors.shopify.adapter import ShopifyStore
from orders import intake
from orders.models import IncomingOrder
from sandbox.server import running
from tests.connectors.shopify.test_against_sandbox import Server
from tests.connectors.shopify.test_orders_on_sandbox import control
from tests.factories.connectors import StoreFactory
from tests.orders.test_intake import NINE, SECOND, Shop, order
from tests.pacers import OpenPacer

pytestmark = pytest.mark.django_db

MANY = MAX_ORDERS + 5
"""One read by reference is not enough for so many."""


@dataclass
class Archive(Shop):
    """A shop that writes down `pages` of its orders, when it is `ready`, or loses what it wrote."""

    pages: list[list[RemoteOrder]] = field(default_factory=list)
    ready: bool = True
    lost: bool = False
    prepared: list[tuple[dt.datetime, int]] = field(default_factory=list)

    def prepare_orders(self, since: dt.datetime, *, wanted: int, patience: float = 0.0) -> History | None:
        self.prepared.append((since, wanted))
        return History("t", as_of=NINE + SECOND, ready=self.ready)

    def iter_orders(self, history: History, wanted: Wanted) -> Iterator[list[RemoteOrder]]:
        for page in self.pages:
            asked = wanted([one.ref for one in page])
            if self.lost:
                raise ResultLost(service="Shop", operation="read", cause="It is gone.", remedy="Again.")
            yield [one for one in page if one.ref in asked and one.updated_at == self.orders[one.ref].updated_at]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Archive:
    shop = Archive()
    monkeypatch.setattr(registry, "store_for", lambda store: shop)
    return shop


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def heard_of(store: Store, *orders: RemoteOrder) -> None:
    changes.notice(store, "order", {one.ref: one.updated_at for one in orders}, by="polling")


def waiting(store: Store) -> list[str]:
    return sorted(RemoteChange.objects.filter(store=store, state=ChangeState.WAITING).values_list("ref", flat=True))


def told(archive: Archive, store: Store, *, written: int = MANY) -> list[RemoteOrder]:
    """So many orders of the shop, all heard of, of which the first `written` are in its history."""
    orders = [order(number) for number in range(1, MANY + 1)]
    archive.add(*orders)
    archive.pages = [orders[: written // 2], orders[written // 2 : written]]
    heard_of(store, *orders)
    return orders


def test_what_waits_is_kept_from_the_history_and_asked_for_once(archive: Archive, store: Store) -> None:
    orders = told(archive, store)

    assert intake.read_changes(store) == MANY

    assert waiting(store) == []
    assert archive.asked == []
    assert archive.prepared == [(NINE, MANY)]
    assert {row.order.ref for row in IncomingOrder.objects.filter(store=store)} == {one.ref for one in orders}


def test_a_short_queue_is_read_by_reference(archive: Archive, store: Store) -> None:
    archive.add(order(1))
    heard_of(store, order(1))

    assert intake.read_changes(store) == 1
    assert archive.prepared == []


def test_what_the_history_holds_and_nobody_waits_for_is_left_alone(archive: Archive, store: Store) -> None:
    told(archive, store)
    archive.add(order(900))
    archive.pages.append([order(900)])

    assert intake.read_changes(store) == MANY
    assert not IncomingOrder.objects.filter(ref=order(900).ref).exists()


def test_an_order_that_changed_since_it_was_written_down_is_read_by_reference(archive: Archive, store: Store) -> None:
    orders = told(archive, store)
    newer = order(1, updated_at=NINE + SECOND, name="#changed")
    archive.add(newer)

    assert intake.read_changes(store) == MANY

    assert archive.asked == [[orders[0].ref]]
    assert IncomingOrder.objects.get(ref=newer.ref).name == "#changed"


def test_an_order_told_of_again_while_the_history_is_read_waits_on(archive: Archive, store: Store) -> None:
    orders = told(archive, store)
    plain = archive.iter_orders

    def interrupted(history: History, wanted: Wanted) -> Iterator[list[RemoteOrder]]:
        for part in plain(history, wanted):
            changes.notice(store, "order", {orders[0].ref: NINE + SECOND}, by="webhook")
            yield part

    archive.iter_orders = interrupted  # type: ignore[method-assign]

    intake.read_changes(store)

    assert waiting(store) == [orders[0].ref]


def test_what_the_history_lacks_is_read_by_reference_afterwards(archive: Archive, store: Store) -> None:
    told(archive, store, written=MANY - 2)

    assert intake.read_changes(store) == MANY - 2
    assert intake.read_changes(store) == 2
    assert waiting(store) == []


def test_while_the_history_is_written_only_what_it_cannot_hold_is_read(archive: Archive, store: Store) -> None:
    told(archive, store)
    fresh = order(800, updated_at=NINE + 2 * SECOND)
    archive.add(fresh)
    heard_of(store, fresh)
    archive.ready = False

    assert [intake.read_changes(store) for _ in range(2)] == [1, 0]

    assert archive.asked == [[fresh.ref]]
    assert len(waiting(store)) == MANY


def test_a_history_that_is_lost_leaves_nothing_behind(archive: Archive, store: Store) -> None:
    told(archive, store)
    archive.lost = True

    assert sum(iter(lambda: intake.read_changes(store), 0)) == MANY

    assert waiting(store) == []
    assert IncomingOrder.objects.filter(store=store).count() == MANY


def test_a_shop_s_history_is_imported_by_one_bulk_query(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_history, "BULK_ABOVE", 100)
    server = Server("standard")
    with running(server.sandbox) as server.url:
        port = ShopifyStore(api_version="2026-10", **server.settings(OpenPacer()))
        port.bulk.pause = server.sandbox.clock.advance
        monkeypatch.setattr(registry, "store_for", lambda store: port)
        control(server, "orders/batch", count=300)
        feeds.poll(store, begin="beginning")

        assert intake.read_changes(store, at_leisure=True) == 300

        asked = {call.operation for call in server.sandbox.calls.matching({})}
        port.close()
    assert waiting(store) == []
    assert IncomingOrder.objects.filter(store=store).count() == 300
    assert "BulkRunQuery" in asked
    assert "OrdersByIds" not in asked
