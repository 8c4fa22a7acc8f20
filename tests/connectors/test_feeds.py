"""What webhooks lose is found by asking: from where the last pass got to, in the store's own time, and by one worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connections
from django.utils import timezone

from connectors import changes, feed_tasks, feeds, registry
from connectors.models import FeedPosition, RemoteChange, Store
from connectors.ports.errors import ConnectorUnavailable
from connectors.ports.orders import ChangedOrder, ChangesPage, OrdersWindow
from tests.factories.connectors import StoreFactory

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Shop:
    """A shop whose clock and changes the test sets. `during` happens while the first page is used."""

    now: dt.datetime = NINE
    changed: dict[str, dt.datetime] = field(default_factory=dict)
    during: dict[str, dt.datetime] = field(default_factory=dict)
    asked: list[dt.datetime | None] = field(default_factory=list)
    breaks_after: int | None = None
    days_shown: int | None = 60

    def orders_window(self) -> OrdersWindow:
        return OrdersWindow(days=self.days_shown, read_at=self.now)

    def iter_changed_orders(
        self, since: dt.datetime | None, *, until: dt.datetime | None = None
    ) -> Iterator[ChangesPage]:
        self.asked.append(since)
        read_at = self.now
        found = [ChangedOrder(ref, at) for ref, at in self.changed.items() if since is None or at >= since]
        rows = sorted(found, key=lambda one: one.updated_at)
        for start in range(0, max(len(rows), 1), 2):
            if self.breaks_after is not None and start >= self.breaks_after:
                raise ConnectorUnavailable(service="Shop", operation="list", cause="It went away.", remedy="Wait.")
            yield ChangesPage(orders=tuple(rows[start : start + 2]), read_at=read_at)
            self.now += MINUTE
            read_at = self.now
            self.changed |= self.during
            self.during = {}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(registry, "store_for", lambda store: shop)
    return shop


@pytest.fixture
def store() -> Store:
    return StoreFactory()


def watermark(store: Store) -> dt.datetime | None:
    return FeedPosition.objects.get(store=store, kind="order").watermark


def test_a_pass_begins_an_overlap_before_the_last_one_and_ends_where_the_shops_clock_was(
    shop: Shop, store: Store
) -> None:
    feeds.poll(store)
    shop.now = NINE + 10 * MINUTE
    feeds.poll(store)

    assert shop.asked[0] == NINE - dt.timedelta(days=30)
    assert shop.asked[2] == NINE - 5 * MINUTE
    assert watermark(store) == NINE + 10 * MINUTE


def test_only_what_nobody_had_told_of_counts_as_found(shop: Shop, store: Store) -> None:
    shop.changed = {"order/1": NINE - 3 * MINUTE, "order/2": NINE - 2 * MINUTE, "order/3": NINE - MINUTE}
    changes.notice(store, "order", {"order/1": NINE - 3 * MINUTE}, by="webhook")
    changes.notice(store, "order", {"order/2": NINE - 9 * MINUTE}, by="webhook")

    done = feeds.poll(store)

    assert (done.listed, done.found) == (3, 2)
    assert FeedPosition.objects.get(store=store).found == 2
    assert feeds.poll(store).found == 0


def test_an_order_in_the_overlap_that_was_read_is_not_read_again(shop: Shop, store: Store) -> None:
    shop.changed = {"order/1": NINE - 3 * MINUTE}
    feeds.poll(store)
    changes.settle(changes.claim(store, "order", 10))

    assert feeds.poll(store).found == 0
    assert changes.claim(store, "order", 10) == []


def test_a_change_during_the_pass_is_found_by_its_second_part(shop: Shop, store: Store) -> None:
    shop.changed = {"order/1": NINE - MINUTE}
    shop.during = {"order/2": NINE}

    assert feeds.poll(store).found == 2
    assert shop.asked[1] == NINE


def test_a_pass_that_broke_off_moves_nothing_keeps_what_it_found_and_says_why(shop: Shop, store: Store) -> None:
    shop.changed = {f"order/{number}": NINE - MINUTE for number in range(4)}
    shop.breaks_after = 2

    with pytest.raises(ConnectorUnavailable):
        feeds.poll(store)

    assert watermark(store) is None
    assert RemoteChange.objects.count() == 2
    assert FeedPosition.objects.get(store=store).cause == "It went away."

    shop.breaks_after = None
    assert feeds.poll(store).found == 2
    assert FeedPosition.objects.get(store=store).cause == ""


def test_one_pass_per_store_runs_at_a_time(shop: Shop, store: Store) -> None:
    other_worker = connections.create_connection("default")
    try:
        with other_worker.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('connectors.feeds.order'), %s)", [store.pk])
        with pytest.raises(feeds.PassRunning):
            feeds.poll(store)
        feeds.poll(StoreFactory())
        with other_worker.cursor() as cursor:  # let go in words: a closed connection's session ends a moment later
            cursor.execute("SELECT pg_advisory_unlock(hashtext('connectors.feeds.order'), %s)", [store.pk])
    finally:
        other_worker.close()

    assert len(shop.asked) == 2
    feeds.poll(store)


def test_the_whole_history_or_all_that_is_shown_can_be_asked_for(shop: Shop, store: Store) -> None:
    feeds.poll(store, begin="beginning")
    shop.now = NINE
    feeds.poll(store, begin="shown")

    assert shop.asked[0] is None
    assert shop.asked[2] == NINE - dt.timedelta(days=60)


def test_the_schedule_polls_stores_that_let_orders_be_read_and_do_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = timezone.now() + MINUTE
    reading = StoreFactory(granted_scopes=["read_orders"])
    writing = StoreFactory(granted_scopes=["write_orders"], rests_until=timezone.now() - MINUTE)
    StoreFactory(granted_scopes=["read_products"])
    StoreFactory(granted_scopes=["read_orders"], rests_until=soon)
    sent: list[int] = []
    monkeypatch.setattr(feed_tasks.poll_feed, "send", lambda store_id, kind: sent.append(store_id))

    feed_tasks.poll_feeds()

    assert sorted(sent) == sorted([reading.pk, writing.pk])


def test_a_store_that_does_not_answer_leaves_its_cause_with_the_feed(shop: Shop, store: Store) -> None:
    shop.breaks_after = 0

    feed_tasks.poll_feed(store.pk, "order")

    assert FeedPosition.objects.get(store=store).cause == "It went away."
