"""Orders that are imported at one go end as one after the other, and one that is refused holds up no other."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.utils import timezone

from connectors.models import Store
from connectors.ports.orders import RemoteOrder
from inventory.models import LevelPublication
from orders import imports, intake
from orders.models import Document, IncomingOrder, IncomingState, OrderStock
from orders.told import Refusals, Told
from tests.deaths import forgotten
from tests.factories.orders import price
from tests.orders.shelves import NINE, Shelves
from tests.orders.test_import_crash import CANCELLED, PENDING, REFUNDED, books, fresh_world, opened, versions
from tests.orders.test_imports import SKU, statements_of_a_pass
from tests.worlds import World

pytestmark = pytest.mark.django_db

SOME = 6


def lives() -> list[list[RemoteOrder]]:
    """What a store tells of some orders, which share two items, one version of each after the other, in no order."""
    chance = random.Random(31)
    every = [versions(f"order/{number:02}", (REFUNDED, CANCELLED, PENDING)[number % 3]) for number in range(SOME)]
    rounds = [[life[turn] for life in every if turn < len(life)] for turn in range(max(map(len, every)))]
    for told in rounds:
        chance.shuffle(told)
    return rounds


def lived(store: Store, rounds: list[list[RemoteOrder]]) -> dict[str, list[str]]:
    """The books when all of it is imported; after the first round the store's levels are overwritten, once before some of
    the effects that are still to come, and once too close to tell."""
    for told in rounds:
        intake.keep(store, told, asked_at=timezone.now())
        imports.import_waiting(store)
        LevelPublication.objects.update(overwritten_at=told[0].updated_at)
    believed = LevelPublication.objects.values_list("item_ref", "expected_quantity", "verify", "needs_look")
    return books() | {"verify": sorted(map(str, believed))}


def test_orders_that_share_levels_end_as_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    for limits in ((1, 1), (imports.AT_ONCE, imports.LINES), (imports.AT_ONCE, 7)):
        monkeypatch.setattr(imports, "AT_ONCE", limits[0])
        monkeypatch.setattr(imports, "LINES", limits[1])
        with forgotten():
            world = fresh_world(monkeypatch)
            kept.append(lived(opened(world), lives()))
            world.assert_sound()

    alone, together, by_lines = kept
    assert len(alone["Document"]) > SOME
    for name, rows in alone.items():
        assert together[name] == rows, name
        assert by_lines[name] == rows, name


def shop_of(world: World, count: int) -> list[RemoteOrder]:
    """So many orders of one item."""
    world.store.integration_date = (NINE - dt.timedelta(days=1)).date()
    world.store.save()
    item = world.item(SKU, here=500, there=500).item_ref
    shops = [Shelves(item=item, number=number) for number in range(1, count + 1)]
    for shop in shops:
        shop.place(3, world.there)
        shop.fulfil(1, world.there)
        shop.come_back(1, world.there)
    return [shop.told() for shop in shops]


def bring(store: Store, told: list[RemoteOrder]) -> dict[str, tuple[IncomingState, str]]:
    intake.keep(store, told, asked_at=timezone.now())
    imports.import_waiting(Store.objects.get(pk=store.pk))
    return {row.name: (IncomingState(row.state), row.cause) for row in IncomingOrder.objects.filter(store=store)}


def of_a_stranger(order: RemoteOrder) -> RemoteOrder:
    work = replace(order.fulfilment_orders[0].lines[0], item_ref="item/404")
    works = (replace(order.fulfilment_orders[0], lines=(work,)),)
    return replace(order, fulfilment_orders=works)


def elsewhere(order: RemoteOrder) -> RemoteOrder:
    return replace(order, fulfilment_orders=(replace(order.fulfilment_orders[0], location_ref="location/404"),))


def wrong_sum(order: RemoteOrder) -> RemoteOrder:
    return replace(order, total=price("3.00"))


def told_twice(order: RemoteOrder) -> RemoteOrder:
    """One line twice, as no store should: the database refuses to write one row twice."""
    return replace(order, lines=order.lines * 2)


@pytest.mark.parametrize(
    ("change", "cause", "held"),
    [
        (of_a_stranger, "is not linked to a variant of ours", 0),
        (elsewhere, "assigned to location/404, which no location of ours is mapped to", 0),
        (wrong_sum, "3.00 RON apart", 2),
        (told_twice, "A fault of Sync Console: ProgrammingError", 2),
    ],
)
def test_the_one_that_is_refused_waits_alone(
    world: World, change: Callable[[RemoteOrder], RemoteOrder], cause: str, held: int
) -> None:
    told = shop_of(world, 5)
    told[2] = change(told[2])

    became = bring(world.store, told)

    state, why = became.pop(told[2].name)
    assert (state, cause in why) == (IncomingState.FAILED, True), why
    assert set(became.values()) == {(IncomingState.IMPORTED, "")}
    assert Document.objects.filter(state="posted").count() == 4
    assert world.level(SKU).released == 4 * 2 + held, "stock never waits for the rest"
    world.assert_sound()


def test_a_fault_takes_nothing_from_the_orders_beside_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told, write = shop_of(world, 5), imports.sales.write

    def breaks(orders: Told) -> Refusals:
        refused = write(orders)
        if any(row.name == told[3].name for row in orders):
            raise KeyError("after all of it was written")
        return refused

    monkeypatch.setattr(imports.sales, "write", breaks)
    became = bring(world.store, told)
    assert [name for name, (state, _) in became.items() if state == IncomingState.FAILED] == [told[3].name]
    assert [each.number for each in Document.objects.order_by("number")] == [1, 2, 3, 4]

    monkeypatch.undo()
    imports.retry(IncomingOrder.objects.all())
    assert set(bring(world.store, [])) == {order.name for order in told}
    assert [each.number for each in Document.objects.order_by("number")] == [1, 2, 3, 4, 5]
    assert world.level(SKU).released == 5 * 2
    world.assert_sound()


def test_of_two_orders_with_one_reference_the_second_is_refused(world: World) -> None:
    told = [replace(order, source_identifier="emag/7") for order in shop_of(world, 2)]

    became = bring(world.store, told)

    assert became[told[0].name] == (IncomingState.IMPORTED, "")
    assert f"is that of order {told[0].name}" in became[told[1].name][1]


def test_a_reference_that_one_order_gives_up_is_free_for_the_next(world: World) -> None:
    first, second = shop_of(world, 2)
    bring(world.store, [replace(first, source_identifier="emag/7")])

    later = replace(first, updated_at=first.updated_at + dt.timedelta(minutes=1))
    second = replace(second, source_identifier="emag/7", updated_at=later.updated_at + dt.timedelta(minutes=1))

    assert set(bring(world.store, [second, later]).values()) == {(IncomingState.IMPORTED, "")}


def test_fifty_orders_cost_hardly_more_statements_than_one_whatever_was_there_before(world: World) -> None:
    told = shop_of(world, 100)
    later = [replace(order, updated_at=order.updated_at + dt.timedelta(hours=1)) for order in told[:50]]
    counts = []
    for some in (told[:50], told[50:], later):
        assert intake.keep(world.store, some, asked_at=timezone.now()) == 50
        counts.append(statements_of_a_pass(world.store))

    assert max(counts) <= 40
    assert counts[0] == counts[1]
    assert OrderStock.objects.count() == 100


@pytest.mark.django_db(transaction=True)
def test_an_order_that_a_person_works_on_holds_up_no_other_and_is_waited_for(world: World) -> None:
    told = shop_of(world, 4)
    intake.keep(world.store, told, asked_at=timezone.now())
    taken, done = threading.Event(), threading.Event()

    def person() -> None:
        try:
            with transaction.atomic():
                IncomingOrder.objects.select_for_update().get(name=told[0].name)
                taken.set()
                done.wait(20)
        finally:
            connection.close()

    def worker() -> None:
        try:
            imports.import_waiting(Store.objects.get(pk=world.store.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=person), threading.Thread(target=worker)]
    threads[0].start()
    assert taken.wait(20)
    threads[1].start()
    deadline = time.monotonic() + 20
    while (waiting := pending()) != [told[0].name] and time.monotonic() < deadline:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()

    assert waiting == [told[0].name]
    assert pending() == []
    world.assert_sound()


def pending() -> list[str]:
    return list(IncomingOrder.objects.filter(state=IncomingState.PENDING).values_list("name", flat=True))
