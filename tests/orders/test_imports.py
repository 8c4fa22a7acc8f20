"""Orders move our stock once, the other stores by the next delta, and never the store they came from."""

from __future__ import annotations

import datetime as dt
import random
import threading
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.models import Store, StoreLocation
from connectors.models.stores import OpeningOrders
from connectors.ports.orders import RemoteOrder
from inventory import participation
from inventory.models import LedgerEntry, LevelPublication, PublicationEntry
from orders import imports, intake
from orders.models import Document, IncomingOrder, IncomingState
from orders.told import Refusals, Told
from tests.factories.catalog import ListedVariantFactory
from tests.factories.connectors import StoreFactory, StoreLocationFactory
from tests.factories.inventory import LocationFactory, LocationMappingFactory
from tests.orders.shelves import NINE, Shelves
from tests.worlds import World

pytestmark = pytest.mark.django_db

SKU = "TS-BLK-M"
LATER = NINE + dt.timedelta(hours=6)


@pytest.fixture
def shop(world: World) -> Shelves:
    """20 of one item, here and in the store; orders count from the day before."""
    world.store.integration_date = (NINE - dt.timedelta(days=1)).date()
    world.store.save()
    publication = world.item(SKU, here=20, there=20)
    live(publication, expected=20)
    return Shelves(item=publication.item_ref)


def live(publication: LevelPublication, expected: int) -> None:
    """As after a first full sync, an hour before the orders."""
    LevelPublication.objects.filter(pk=publication.pk).update(
        state="live", expected_quantity=expected, baseline_at=NINE, overwritten_at=NINE - dt.timedelta(hours=1)
    )
    PublicationEntry.objects.create(
        publication=publication, seq=1, kind="baseline", quantity=expected, key="baseline", recorded_at=NINE
    )
    LevelPublication.objects.filter(pk=publication.pk).update(revision=1)


def bring(store: Store, *shops: Shelves) -> list[IncomingState]:
    """The store tells what these orders look like now, and they are imported."""
    for shop in shops:
        intake.keep(store, [shop.told()], asked_at=timezone.now())
    imports.import_waiting(Store.objects.get(pk=store.pk))
    rows = IncomingOrder.objects.filter(store=store).order_by("ref")
    return [IncomingState(row.state) for row in rows]


def figures(world: World) -> tuple[int, int, int, int]:
    """on hand, released, expected in the store, open there."""
    level = world.level(SKU)
    publication = LevelPublication.objects.get(store=world.store, store_location=world.store_location)
    return int(level.on_hand), level.released, publication.expected_quantity, publication.open_remote


def test_a_sale_its_shipment_and_its_return_move_each_number_once(world: World, shop: Shelves) -> None:
    shop.place(3, world.there)
    assert bring(world.store, shop) == [IncomingState.IMPORTED]
    assert figures(world) == (20, 3, 17, 3)

    shop.fulfil(3, world.there)
    bring(world.store, shop)
    assert figures(world) == (17, 0, 17, 0)

    shop.come_back(1, world.there)
    bring(world.store, shop)
    assert figures(world) == (18, 0, 18, 0)
    assert world.publication(SKU).pending == 0
    world.assert_sound()


def test_the_same_version_twice_and_an_older_one_late_change_nothing(world: World, shop: Shelves) -> None:
    shop.place(2, world.there)
    older = shop.told()
    shop.fulfil(1, world.there)
    bring(world.store, shop)
    entries = LedgerEntry.objects.count()

    intake.keep(world.store, [older], asked_at=timezone.now())
    bring(world.store, shop)
    IncomingOrder.objects.update(state=IncomingState.PENDING)
    bring(world.store, shop)

    assert LedgerEntry.objects.count() == entries
    assert figures(world) == (19, 1, 18, 1)


def test_a_sale_is_pushed_to_the_other_store_and_never_back(world: World, shop: Shelves) -> None:
    """Scenario 1: two stores share a level at 20."""
    other = second_store(world)
    shop.place(2, world.there)
    bring(world.store, shop)

    assert world.publication(SKU).pending == 0
    owed = LevelPublication.objects.with_target().get(store=other)
    assert owed.pending == -2


def second_store(world: World) -> Store:
    other: Store = StoreFactory()
    location = StoreLocationFactory(store=other)
    LocationMappingFactory(store_location=location, location=world.here)
    ListedVariantFactory(store=other, variant=world.level(SKU).variant, item_ref="item/other")
    participation.refresh(other)
    LevelPublication.objects.filter(store=other).update(state="live", expected_quantity=20)
    return other


def test_nothing_is_imported_before_the_day_is_set_from_which_orders_count(world: World, shop: Shelves) -> None:
    Store.objects.update(integration_date=None)
    shop.place(2, world.there)

    assert bring(world.store, shop) == [IncomingState.PENDING]
    assert figures(world) == (20, 0, 20, 0)


@pytest.mark.parametrize(
    ("opening", "numbers"), [(OpeningOrders.RESERVE, (20, 2, 18, 2)), (OpeningOrders.LEFT_OUT, (20, 0, 20, 2))]
)
def test_an_older_order_still_open_is_a_shadow(
    world: World, shop: Shelves, opening: str, numbers: tuple[int, ...]
) -> None:
    Store.objects.update(integration_date=(NINE + dt.timedelta(days=1)).date(), opening_orders=opening)
    shop.place(5, world.there)
    shop.fulfil(3, world.there)

    assert bring(world.store, shop) == [IncomingState.SHADOW]
    assert figures(world) == numbers
    assert not hasattr(IncomingOrder.objects.get(), "sales_order")


def test_an_older_order_that_is_done_counts_only_when_its_goods_come_back(world: World, shop: Shelves) -> None:
    Store.objects.update(integration_date=(NINE + dt.timedelta(days=1)).date())
    shop.place(5, world.there)
    shop.fulfil(5, world.there)
    shop.come_back(1, world.there)
    assert bring(world.store, shop) == [IncomingState.EXCLUDED]
    assert figures(world) == (20, 0, 20, 0)

    shop.come_back(2, world.there)
    assert bring(world.store, shop) == [IncomingState.EXCLUDED]
    assert figures(world) == (22, 0, 22, 0)
    bring(world.store, shop)
    assert figures(world) == (22, 0, 22, 0)


def test_the_day_is_that_of_the_stores_calendar(world: World, shop: Shelves) -> None:
    """09:00 UTC is the next day in Auckland."""
    Store.objects.update(integration_date=(NINE + dt.timedelta(days=1)).date(), time_zone="Pacific/Auckland")
    shop.now = NINE.replace(hour=12)
    shop.place(1, world.there)
    told = shop.told()
    row = IncomingOrder(store=Store.objects.get(pk=world.store.pk), remote_created_at=told.created_at.replace(hour=12))

    assert imports.placed_in_time(row)


def test_a_test_order_holds_goods_and_makes_no_sales_order(world: World, shop: Shelves) -> None:
    test = Shelves(item=shop.item, number=9, test=True)
    test.place(2, world.there)
    assert bring(world.store, test) == [IncomingState.SHADOW]
    assert figures(world) == (20, 2, 18, 2)

    test.fulfil(2, world.there)
    assert bring(world.store, test) == [IncomingState.EXCLUDED]
    assert figures(world) == (20, 0, 18, 0)
    assert world.publication(SKU).pending == 2


def test_an_order_waits_for_its_item_with_cause_and_goes_on_once_it_is_linked(world: World, shop: Shelves) -> None:
    stranger = Shelves(item="gid://shopify/InventoryItem/404", number=2)
    stranger.place(1, world.there)
    shop.place(1, world.there)
    assert bring(world.store, shop, stranger) == [IncomingState.IMPORTED, IncomingState.FAILED]
    waiting = IncomingOrder.objects.get(ref=stranger.ref)
    assert "(Tricou) is not linked to a variant of ours." in waiting.cause
    assert waiting.applied_revision == 0

    ListedVariantFactory(store=world.store, item_ref=stranger.item)
    assert bring(world.store) == [IncomingState.IMPORTED, IncomingState.IMPORTED]
    assert IncomingOrder.objects.get(ref=stranger.ref).cause == ""


def test_an_order_waits_for_its_location_to_be_mapped(world: World, shop: Shelves) -> None:
    unknown = StoreLocationFactory(store=world.store, name="Iași")
    shop.place(1, unknown.ref)
    assert bring(world.store, shop) == [IncomingState.FAILED]
    assert IncomingOrder.objects.get().cause == "The order is assigned to Iași, which no location of ours is mapped to."

    StoreLocation.objects.filter(pk=unknown.pk).update(vacated=True)
    imports.retry(IncomingOrder.objects.all())
    bring(world.store)
    moved = IncomingOrder.objects.get()
    assert f"our goods moved away from: they are sold from {world.store_location} now" in moved.cause
    assert "map a location of ours to Iași again" in moved.remedy

    LocationMappingFactory(store_location=unknown, location=LocationFactory())
    assert bring(world.store) == [IncomingState.IMPORTED]


def test_items_whose_quantity_the_store_does_not_track_hold_nothing(world: World, shop: Shelves) -> None:
    ListedVariantFactory(store=world.store, item_ref="item/digital", tracked=False)
    digital = Shelves(item="item/digital", number=3)
    digital.place(4, world.there)

    assert bring(world.store, digital) == [IncomingState.IMPORTED]
    assert not IncomingOrder.objects.get().stock.exists()


def test_a_return_to_another_location_raises_that_one(world: World, shop: Shelves) -> None:
    """Scenario 5."""
    shelf = StoreLocationFactory(store=world.store, name="Magazin")
    magazin = LocationFactory(name="Magazin")
    LocationMappingFactory(store_location=shelf, location=magazin)
    participation.refresh(world.store)
    shop.place(2, world.there)
    shop.fulfil(2, world.there)
    bring(world.store, shop)
    shop.come_back(1, shelf.ref)
    bring(world.store, shop)

    assert figures(world) == (18, 0, 18, 0)
    there = LevelPublication.objects.with_target().get(store_location=shelf)
    assert (int(magazin.levels.get().on_hand), there.expected_quantity, there.pending) == (1, 1, 0)


def test_what_happened_before_an_overwrite_that_did_not_know_it_is_owed_again(world: World, shop: Shelves) -> None:
    """§4, K16: the overwrite at 20 wiped the sale; the delta repairs the store."""
    LevelPublication.objects.update(overwritten_at=LATER)
    shop.place(2, world.there)
    bring(world.store, shop)

    assert figures(world) == (20, 2, 20, 2)
    assert world.publication(SKU).pending == -2
    assert not PublicationEntry.objects.get(kind="store_booked").applied


def test_times_too_close_to_tell_count_and_are_looked_at(world: World, shop: Shelves) -> None:
    LevelPublication.objects.update(overwritten_at=NINE + dt.timedelta(seconds=1))
    shop.place(2, world.there)
    bring(world.store, shop)

    publication = world.publication(SKU)
    assert (publication.expected_quantity, publication.verify) == (18, True)


def test_a_mapping_changed_since_leaves_the_goods_where_they_are_held(world: World, shop: Shelves) -> None:
    """Scenario 25: the order's goods are released where they were allocated."""
    shop.place(2, world.there)
    bring(world.store, shop)
    elsewhere = LocationFactory()
    world.store.location_mappings.all().delete()
    LocationMappingFactory(store_location=world.store_location, location=elsewhere)
    shop.take_off(2, world.there, world.there)
    bring(world.store, shop)

    assert world.level(SKU).released == 0
    assert not elsewhere.levels.exclude(released=0).exists()


def test_a_fault_of_ours_holds_up_one_order_alone(world: World, shop: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Shelves(item=shop.item, number=2)
    shop.place(1, world.there)
    other.place(1, world.there)
    write = imports.sales.write

    def breaks(told: Told) -> Refusals:
        if any(row.ref == shop.ref for row in told):
            raise KeyError("missing")
        return write(told)

    monkeypatch.setattr(imports.sales, "write", breaks)

    assert bring(world.store, shop, other) == [IncomingState.FAILED, IncomingState.IMPORTED]
    assert figures(world) == (20, 2, 18, 2), "stock never waits for the rest"

    monkeypatch.undo()
    assert imports.retry(IncomingOrder.objects.all()) == 1
    assert bring(world.store) == [IncomingState.IMPORTED, IncomingState.IMPORTED]
    assert figures(world) == (20, 2, 18, 2)


@pytest.mark.parametrize("lines", [1, 12])
def test_an_import_costs_few_statements_whatever_the_number_of_lines(world: World, shop: Shelves, lines: int) -> None:
    order = shop.told()
    for number in range(2, lines + 2):
        one = Shelves(item=world.item(f"SKU-{number}", here=20, there=20).item_ref, number=number)
        one.place(3, world.there)
        one.fulfil(1, world.there)
        one.come_back(1, world.there)
        order = with_line_of(order, one.told())
    around = statements_of_a_pass(world.store)
    intake.keep(world.store, [order], asked_at=timezone.now())

    assert statements_of_a_pass(world.store) - around <= 25 + 1, "and one look for more orders"
    assert Document.objects.filter(state="posted").exists()
    assert IncomingOrder.objects.get().state == IncomingState.IMPORTED
    assert LedgerEntry.objects.filter(kind="shipped").count() == lines


def statements_of_a_pass(store: Store) -> int:
    """What importing the orders that wait asks of the database."""
    with CaptureQueriesContext(connection) as asked:
        imports.import_waiting(Store.objects.get(pk=store.pk))
    return sum("SAVEPOINT" not in query["sql"] for query in asked.captured_queries)


def with_line_of(order: RemoteOrder, other: RemoteOrder) -> RemoteOrder:
    parts = {
        name: getattr(order, name) + getattr(other, name)
        for name in ("lines", "fulfilments", "fulfilment_orders", "refunds")
    }
    return replace(order, **parts)


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_shuffled_versions_end_as_one_clean_read(world: World) -> None:
    """Scenario 26, with races: versions of several orders come in any order, some twice, and two workers import."""
    world.store.integration_date = (NINE - dt.timedelta(days=1)).date()
    world.store.save()
    publication = world.item(SKU, here=100, there=100)
    live(publication, expected=100)
    chance = random.Random(7)
    shops = [Shelves(item=publication.item_ref, number=number) for number in range(1, 7)]
    versions = []
    for shop in shops:
        shop.place(4, world.there)
        versions.append(shop.told())
        shop.fulfil(2, world.there)
        versions.append(shop.told())
        shop.take_off(1, world.there, world.there)
        versions.append(shop.told())
        shop.come_back(1, world.there)
        versions.append(shop.told())
    versions *= 2
    chance.shuffle(versions)

    def work(told: list[object]) -> None:
        try:
            for version in told:
                intake.keep(world.store, [version], asked_at=timezone.now())  # type: ignore[arg-type]
                for pk in IncomingOrder.objects.filter(state="pending").values_list("pk", flat=True):
                    imports.import_orders([pk])
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(versions[start::2],)) for start in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    imports.import_waiting(Store.objects.get(pk=world.store.pk))

    assert figures(world) == (100 - 6 * 2 + 6, 6, 100 - 6 * 4 + 6 + 6, 6)
    world.assert_sound()


@pytest.mark.parametrize("end", ["fulfilled", "cancelled"])
def test_units_whose_money_went_back_wait_on_until_they_are_sent_or_taken_off(
    world: World, shop: Shelves, end: str
) -> None:
    """Scenario 4: 2 of 5 had left; 4 are refunded and nothing is put back."""
    shop.place(5, world.there)
    shop.fulfil(2, world.there)
    bring(world.store, shop)
    shop.money_only(4)
    bring(world.store, shop)

    entries = LedgerEntry.objects.filter(document__endswith=shop.name).order_by("pk")
    moves = [(int(entry.on_hand_delta), entry.released_delta) for entry in entries]
    assert sorted(moves[-2:]) == [(-2, 0), (2, 0)], "two are back and written off"
    assert figures(world) == (18, 3, 15, 3)

    if end == "fulfilled":
        shop.fulfil(3, world.there)
    else:
        shop.take_off(3, world.there, world.there)
    bring(world.store, shop)
    assert figures(world) == ((15, 0, 15, 0) if end == "fulfilled" else (18, 0, 18, 0))
    assert world.publication(SKU).pending == 0
    world.assert_sound()
