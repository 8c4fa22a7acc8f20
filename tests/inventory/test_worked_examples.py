"""Stories with numbers that a storekeeper can check."""

from __future__ import annotations

from decimal import Decimal

from connectors.models.runs import Outcome, RunStatus
from inventory import ledger
from inventory.ledger import Posting
from inventory.models.ledger import EntryKind
from tests.worlds import World


def test_baseline_makes_the_store_show_what_we_have(world: World) -> None:
    world.item("A", here=100, there=95)
    world.item("B", here=50, there=50)

    run = world.full("go-live")

    assert run.status == RunStatus.COMPLETED, run.cause
    assert world.shown("A") == 100
    assert world.publication("B").expected_quantity == 50
    assert run.counts == {Outcome.APPLIED: 1, Outcome.UNCHANGED: 1}
    world.store.refresh_from_db()
    assert world.store.live_at is not None
    world.assert_sound()


def test_count_of_eight_moves_the_store_by_two_and_once(world: World) -> None:
    world.item("A", here=10, there=10)
    world.full("go-live")
    world.edit("A", 5)  # the store shows 15 and nobody told us
    count = Posting(
        world.level("A").variant_id,
        world.here.pk,
        EntryKind.COUNT,
        "count:A:1",
        "test",
        world.fake.now,
        count_to=Decimal(8),
    )
    ledger.post([count])

    run = world.delta()
    assert run.status == RunStatus.COMPLETED, run.cause
    assert world.shown("A") == 13
    assert [call.rows for call in world.fake.called("send")] == [1]

    repeated = ledger.post([count])
    assert len(repeated.repeated) == 1
    world.delta()
    assert len(world.fake.called("send")) == 1
    world.assert_sound()


def test_damaged_unit_leaves_a_store_whose_sales_are_not_here_yet(world: World) -> None:
    world.item("A", here=5, there=5)
    world.full("go-live")
    world.sell("A", 4)
    world.post("A", -1, kind=EntryKind.DAMAGED)

    world.delta()

    assert world.shown("A") == 0


def test_received_goods_are_added_to_what_the_store_shows(world: World) -> None:
    world.item("A", here=10, there=10)
    world.full("go-live")
    world.post("A", 2)

    world.delta()

    assert world.shown("A") == 12


def test_only_levels_that_moved_are_pushed(world: World) -> None:
    for sku, quantity in {"A": 100, "B": 50, "C": 25, "D": 100, "E": 80}.items():
        world.item(sku, here=quantity, there=quantity)
    world.full("go-live")
    world.post("A", -5, kind=EntryKind.ISSUED)
    world.post("C", 5)

    run = world.delta()

    assert {item.label[0]: item.delta for item in run.items.all()} == {"A": -5, "C": 5}
    assert [call.rows for call in world.fake.called("send")] == [2]
    assert (world.shown("A"), world.shown("C"), world.shown("B")) == (95, 30, 50)
