"""Two stores that sell the same shelf: each order moves the other store, once, and never its own (algorithms.md §3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from connectors import registry, runs
from connectors.models import Store
from connectors.models.runs import Trigger
from inventory import jobs, participation
from inventory.jobs import Job
from inventory.models import LevelPublication
from orders import imports, intake, knowledge
from tests.factories.catalog import ListedVariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationMappingFactory
from tests.fakes import FakeStore
from tests.orders.shelves import Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"


class Pair:
    """Store S is that of the world and live; T has the same item and shows `there` of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fakes: dict[int, FakeStore] = {}
        monkeypatch.setattr(registry, "_build", lambda store: self.fakes[store.pk])
        self.world = World(FakeStore())
        self.fakes[self.world.store.pk] = self.world.fake
        self.s = self.world.store
        self.since(self.s)
        self.item = self.world.item(SKU, here=20, there=20).item_ref
        self.world.full("go-live")
        self.world.rest()

    def since(self, store: Store) -> None:
        """Orders of the store count from the day before."""
        Store.objects.filter(pk=store.pk).update(
            integration_date=(timezone.now() - dt.timedelta(days=1)).date(),
            limit_units=None, limit_value=None, limit_to_zero=None, limit_share=None,
        )  # fmt: skip
        store.refresh_from_db()

    def connect(self, there: int) -> None:
        """T is connected, linked and mapped; it has no baseline yet."""
        self.t: Store = StoreFactory(name="Atelier Outlet")
        self.since(self.t)
        self.fake = self.fakes[self.t.pk] = FakeStore(now=self.world.fake.now)
        self.remote = self.fake.add_location("Outlet")
        self.fake.add_variant(sku=SKU, stock={self.remote: there})
        place = StoreLocationFactory(store=self.t, ref=self.remote, name="Outlet")
        LocationMappingFactory(store_location=place, location=self.world.here)
        ListedVariantFactory(store=self.t, variant=self.world.level(SKU).variant, item_ref="item/1")
        participation.refresh(self.t)

    def baseline(self) -> None:
        """T gets its first full sync."""
        self.fake.advance(3600)
        knowledge.bring_in(self.t)
        run = runs.advance(jobs.start(self.t, Job.FULL, reason="go-live", trigger=Trigger.COMMAND).pk)
        runs.start_applying(run)
        runs.advance(run.pk)
        self.t.refresh_from_db()

    def deltas(self) -> None:
        for store in (self.s, self.t):
            store.refresh_from_db()
            runs.advance(jobs.start(store, Job.DELTA, trigger=Trigger.SCHEDULE).pk)

    def shown(self) -> tuple[int, int]:
        return self.world.shown(SKU), self.fake.available("item/1", self.remote)

    def sends(self) -> tuple[int, int]:
        return len(self.world.fake.called("send")), len(self.fake.called("send"))


@pytest.fixture
def pair(db: None, monkeypatch: pytest.MonkeyPatch) -> Pair:
    pair = Pair(monkeypatch)
    pair.connect(there=20)
    pair.baseline()
    return pair


def test_a_sale_in_one_store_leaves_the_other_once(pair: Pair) -> None:
    """Scenario 1, to the end: both show 18."""
    pair.world.fake.place(pair.item, pair.world.there, 2)
    knowledge.bring_in(pair.s)
    pair.deltas()
    pair.deltas()

    assert pair.shown() == (18, 18)
    assert pair.sends() == (0, 1)
    pair.world.assert_sound()


def taken_off(shop: Shelves, there: str) -> None:
    shop.take_off(3, there, there)


def gone(shop: Shelves, there: str) -> None:
    shop.take_off(3, there, None)


@pytest.mark.parametrize(
    ("cancel", "keep_goods", "back", "shown", "on_hand"),
    [(taken_off, False, 3, (20, 20), 20), (gone, False, 0, (17, 17), 17), (gone, True, 0, (20, 20), 20)],
    ids=["put back", "not put back", "not put back, and the goods are kept"],
)
def test_a_cancelled_order_gives_each_store_what_it_has_not_got(
    pair: Pair,
    cancel: Callable[[Shelves, str], None],
    keep_goods: bool,
    back: int,
    shown: tuple[int, int],
    on_hand: int,
) -> None:
    Store.objects.filter(pk=pair.s.pk).update(keep_goods=keep_goods)
    shop, there = Shelves(item=pair.item), pair.world.there
    shop.now = pair.world.fake.now
    shop.place(3, there)
    pair.world.fake.sell(pair.item, there, 3)
    bring(pair, shop)
    assert pair.shown() == (17, 17)
    before = pair.sends()

    cancel(shop, there)
    pair.world.fake.fulfil(pair.item, there, 3)
    pair.world.fake.edit(pair.item, there, back)
    bring(pair, shop)

    assert pair.shown() == shown
    level = pair.world.level(SKU)
    assert (level.on_hand, level.released) == (on_hand, 0)
    to_s, to_t = (now - then for now, then in zip(pair.sends(), before, strict=True))
    assert (to_s, to_t) == (keep_goods, shown[1] > 17)
    pair.world.assert_sound()


def bring(pair: Pair, shop: Shelves) -> None:
    placed = dataclasses.replace(shop.told(), created_at=pair.world.fake.now)
    intake.keep(pair.s, [placed], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get(pk=pair.s.pk))
    pair.deltas()


def test_open_orders_of_a_store_that_is_connected_leave_the_other_at_once(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 24."""
    pair = Pair(monkeypatch)
    pair.connect(there=9)
    pair.fake.place("item/1", pair.remote, 4)
    knowledge.bring_in(pair.t)
    runs.advance(jobs.start(pair.s, Job.DELTA, trigger=Trigger.SCHEDULE).pk)
    assert pair.shown() == (16, 5), "S is lower by exactly the open units; T waits for its baseline"

    pair.baseline()
    assert pair.shown() == (16, 16)
    pair.deltas()

    assert pair.shown() == (16, 16)
    assert pair.sends() == (1, 1)
    assert not LevelPublication.objects.exclude(state="live").exists()
    pair.world.assert_sound()
