"""Every number explains itself, now and at any past moment."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from connectors.models import Store
from inventory import explanation, mapping, offsets
from inventory.explanation import Explanation
from inventory.models import LevelPublication, Push
from inventory.models.ledger import EntryKind
from orders.models import IncomingOrder, IncomingState
from tests.factories.connectors import StoreLocationFactory
from tests.factories.orders import NOON
from tests.worlds import World


def total(terms: list[explanation.Term]) -> Decimal:
    return sum((term.quantity for term in terms), Decimal(0))


def assert_adds_up(explained: Explanation) -> None:
    assert total(explained.on_hand_terms) == explained.on_hand
    assert total(explained.target_terms) == explained.target
    if explained.expected is not None:
        assert total(explained.expected_terms) == explained.expected
        assert explained.pending == explained.target - explained.expected


@pytest.mark.parametrize("seed", range(4))
def test_terms_sum_to_the_numbers_in_random_worlds_now_and_then(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.store.buffer = chance.choice([0, 0, 3])
    world.store.never_below_zero = chance.choice([False, True])
    world.store.save()
    world.item("A", here=chance.randint(0, 40), there=chance.randint(0, 40))
    publication = world.publication("A")
    moments: list[tuple[dt.datetime, Explanation]] = []
    clock = timezone.now()
    for _ in range(10):
        clock += dt.timedelta(hours=1)
        world.fake.now = clock
        with time_machine.travel(clock, tick=False):
            match chance.randrange(4):
                case 0:
                    world.post("A", Decimal(chance.randint(-30, 30)) / 2, released=chance.randint(0, 2))
                case 1:
                    world.post("A", -chance.randint(1, 5), kind=EntryKind.DAMAGED)
                case 2:
                    world.full("trial")
                case 3 if world.publication("A").state == "live":
                    world.delta()
            now = explanation.explain(publication.pk)
            row = world.publication("A")
            assert_adds_up(now)
            assert (now.target, now.on_hand) == (row.target, world.level("A").on_hand)
            assert now.expected in (None, row.expected_quantity)
            moments.append((clock + dt.timedelta(minutes=1), now))

    for moment, then in moments:
        past = explanation.explain(publication.pk, moment)
        assert_adds_up(past)
        assert (past.on_hand, past.target, past.expected) == (then.on_hand, then.target, then.expected)


def test_the_sum_names_what_the_store_shows_beyond_it(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.edit("A", 5)
    world.rest()
    world.plan_full("major discrepancy")

    explained = explanation.explain(world.publication("A").pk)

    assert (explained.observed, explained.expected, explained.not_explained) == (25, 20, 5)
    assert "Not explained" in explained.text()


def test_a_level_that_was_right_from_the_start_has_nothing_unexplained(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")

    explained = explanation.explain(world.publication("A").pk)

    assert (explained.observed, explained.expected, explained.not_explained) == (20, 20, 0)


def test_what_was_read_back_after_a_push_is_what_the_store_showed(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.post("A", 4)
    world.delta()

    explained = explanation.explain(world.publication("A").pk)

    assert (explained.observed, explained.expected, explained.not_explained) == (24, 24, 0)


def test_a_push_says_which_run_and_who_caused_it(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.post("A", 4)
    run = world.delta()

    last = explanation.explain(world.publication("A").pk).last_push

    assert last is not None
    assert last.quantity == 4
    assert f"run #{run.pk}" in last.detail
    assert str(world.operator) in last.detail


def test_a_past_target_is_explained_by_the_settings_and_withheld_units_of_then(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    first = (timezone.now(), 20)
    world.store.buffer = 3
    world.store.save()
    second = (timezone.now(), 17)
    LevelPublication.objects.filter(pk=publication.pk).update(withheld=2)
    third = (timezone.now(), 15)
    Store.objects.filter(pk=world.store.pk).update(buffer=0, unavailable_left_out=True)

    assert explanation.explain(publication.pk).target == 20
    for moment, target in (first, second, third):
        then = explanation.explain(publication.pk, moment)
        assert then.target == target
        assert_adds_up(then)


def test_a_past_number_is_that_of_the_levels_that_were_mapped_to_it_then(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    before = timezone.now()
    elsewhere = StoreLocationFactory(store=world.store, name="POS")
    mapping.map_locations(world.store, {world.here.pk: elsewhere.pk}, None)
    world.post("A", 7)
    there = LevelPublication.objects.get(store_location=elsewhere)

    gone, then = explanation.explain(publication.pk), explanation.explain(publication.pk, before)
    assert (gone.on_hand, gone.target, gone.expected) == (0, 0, 20)
    assert (then.on_hand, then.target, then.expected) == (20, 20, 20)
    assert explanation.explain(there.pk).on_hand == 27
    assert explanation.explain(there.pk, before).on_hand == 20, "nothing was mapped to it yet: its first levels"
    for explained in (gone, then):
        assert_adds_up(explained)


def test_released_units_name_their_orders(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    for number in range(1, 8):
        world.allocate("A", number, document=f"order:{world.store.slug}:#{1000 + number}")
    world.allocate("A", -1, document=f"order:{world.store.slug}:#1001")  # sent or cancelled since

    explained = explanation.explain(publication.pk)

    released = [(term.label, int(term.quantity)) for term in explained.target_terms if term.kind == "released"]
    assert released == [
        ("Released to order #1007", -7),
        ("Released to order #1006", -6),
        ("Released to order #1005", -5),
        ("Released to order #1004", -4),
        ("Released to order #1003", -3),
        ("Released to 1 more order", -2),
    ]
    assert explained.target == 20 - 27
    assert_adds_up(explained)


def test_shadow_orders_are_called_so(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    IncomingOrder.objects.create(
        store=world.store,
        ref="gid://shopify/Order/1",
        name="#1001",
        state=IncomingState.SHADOW,
        remote_created_at=NOON,
        remote_updated_at=NOON,
        received_at=NOON,
        total=1,
        currency="RON",
        snapshot={},
    )
    world.allocate("A", 2, document=f"order:{world.store.slug}:#1001")

    assert "Released to shadow order #1001" in explanation.explain(publication.pk).text()


def test_a_push_that_was_on_its_way_at_a_past_moment_is_told_for_that_moment(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    world.post("A", 4)
    world.delta()
    push = Push.objects.get(quantity=4)
    between = push.created_at + (push.batch.settled_at - push.created_at) / 2

    assert explanation.explain(publication.pk, between).in_flight == 4
    assert explanation.explain(publication.pk, push.batch.settled_at).in_flight == 0
    assert explanation.explain(publication.pk).in_flight == 0


def test_what_is_owed_says_when_it_goes(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    world.delta()
    assert explanation.explain(publication.pk).next_push is None
    world.post("A", 4)

    explained = explanation.explain(publication.pk)

    assert explained.next_push is not None
    assert timezone.now() <= explained.next_push <= timezone.now() + dt.timedelta(minutes=15)
    assert "Next push" in explained.text()


def test_what_is_owed_says_which_gate_keeps_it_back(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    world.post("A", 4)
    Store.objects.update(connection_cause="The token is refused.", connection_remedy="Enter a new one.")

    told = explanation.explain(publication.pk).text()

    assert "Next push: waits. The token is refused. Enter a new one." in told


def test_the_last_push_is_told_with_its_time_and_who_asked_for_it(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    world.post("A", 4)
    run = world.delta()

    (line,) = [line for line in explanation.explain(publication.pk).text().splitlines() if line.startswith("Last push")]

    assert f"run #{run.pk}" in line
    assert str(world.operator) in line


def test_a_hold_and_the_units_signed_for_are_told_for_a_past_moment(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    world.sell("A", 2)
    world.rest()
    before = timezone.now()
    world.full()
    held = timezone.now()
    offsets.acknowledge(publication.pk, committed=2, open_here=0, by=world.operator, reason="Two old orders.")
    world.rest()
    world.full()

    then, signed = explanation.explain(publication.pk, held), explanation.explain(publication.pk, timezone.now())

    assert "2 committed" in then.hold
    assert (then.offset, signed.offset) == (0, 2)
    assert (explanation.explain(publication.pk, before).hold, signed.hold) == ("", "")


def test_an_item_is_found_by_number_or_sku(world: World) -> None:
    world.item("TS-BLK-M", here=1, there=1)

    assert [row.pk for row in explanation.find(world.store, "TS-BLK-M")] == [world.publication("TS-BLK-M").pk]
    assert explanation.find(world.store, "XG-9") == []
