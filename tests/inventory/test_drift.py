"""What a store shows and nothing explains stands from the read that shows it first to what ends it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory import frozen, two_writers
from inventory.models import Drift, HoldChange
from inventory.models.drifts import DriftCause, DriftState
from inventory.models.publications import PublicationState
from tests.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(world: World) -> World:
    """A store that shows what we wrote there: ten of A and of B."""
    for sku in "AB":
        world.item(sku, here=10, there=7)
    world.rest()
    world.full("go-live")
    return world


def look(world: World, after: float = 3600) -> None:
    """The store rests, and every level is read; nothing is written."""
    world.rest(after)
    run = world.plan_full()
    run.status = "cancelled"
    run.save(update_fields=["status"])


def states(sku: str) -> list[tuple[str, int]]:
    rows = Drift.objects.filter(publication__listed__variant__sku=sku).order_by("pk")
    return list(rows.values_list("state", "quantity"))


def test_a_manual_edit_stands_from_its_first_settled_read_on(live: World) -> None:
    live.edit("A", 3)
    look(live)
    (first,) = Drift.objects.all()
    look(live)
    (again,) = Drift.objects.all()

    assert (again.pk, again.quantity, again.shown, again.state) == (first.pk, 3, 13, DriftState.OPEN)
    assert again.first_seen_at == first.first_seen_at
    assert again.seen_at > first.seen_at


def test_what_moved_a_moment_ago_is_no_drift_yet(live: World) -> None:
    live.edit("A", 3)
    look(live, after=1)
    assert not Drift.objects.exists()


def test_a_level_without_baseline_cannot_drift(world: World) -> None:
    world.item("A", here=5, there=9)
    world.rest()
    world.plan_full()
    assert not Drift.objects.exists()


def test_a_difference_of_another_size_is_another_drift(live: World) -> None:
    live.edit("A", 3)
    look(live)
    live.edit("A", 2)
    look(live)
    assert states("A") == [(DriftState.CLEARED, 3), (DriftState.OPEN, 5)]


def test_what_the_store_takes_back_is_gone_by_itself(live: World) -> None:
    live.edit("A", 3)
    look(live)
    live.edit("A", -3)
    look(live)
    assert states("A") == [(DriftState.CLEARED, 3)]


def test_an_overwrite_ends_it(live: World) -> None:
    live.edit("A", 3)
    look(live)
    live.full()
    assert states("A") == [(DriftState.OVERWRITTEN, 3)]
    assert live.shown("A") == 10


def test_a_difference_that_becomes_the_target_is_adopted_and_gone(live: World) -> None:
    live.edit("A", 3)
    look(live)
    live.post("A", 3)
    live.full()
    assert states("A") == [(DriftState.CLEARED, 3)]


def test_a_delta_leaves_it(live: World) -> None:
    live.edit("A", 3)
    look(live)
    live.post("A", 5)
    live.delta()
    assert live.shown("A") == 18
    look(live)
    assert states("A") == [(DriftState.OPEN, 3)]


def test_where_nothing_drifts_a_group_costs_one_look(live: World) -> None:
    live.rest()
    with CaptureQueriesContext(connection) as asked:
        live.plan_full()
    assert len([query for query in asked if "inventory_drift" in query["sql"]]) == 1


def rounds(world: World, times: int) -> None:
    """Another app sets A back to 50 after each of our writes."""
    for _ in range(times):
        world.edit("A", 50 - world.shown("A"))
        look(world)
        if world.publication("A").state == PublicationState.LIVE:
            world.full()


def test_two_writers_are_paused_after_two_rounds_and_the_level_is_written_no_more(live: World) -> None:
    rounds(live, 1)
    assert live.publication("A").state == PublicationState.LIVE
    rounds(live, 1)

    paused = live.publication("A")
    assert paused.state == PublicationState.FROZEN
    assert "Two writers alternate" in paused.state_cause
    assert [change.test for change in HoldChange.objects.filter(publication=paused)] == ["s"]
    assert Drift.objects.get(state=DriftState.OPEN).cause == DriftCause.TWO_WRITERS
    live.post("A", 5)
    live.delta()
    live.full()
    assert live.shown("A") == 50
    assert live.publication("B").state == PublicationState.LIVE


def test_the_turns_of_two_writers_tell_what_the_store_showed_after_each(live: World) -> None:
    for _ in range(2):
        live.post("A", 5)
        live.delta()
        live.edit("A", -5)
        look(live)

    (pair,) = two_writers.pairs([Drift.objects.get(state=DriftState.OPEN)])

    assert [turn.shown for turn in pair.turns if turn.ours] == [15, 15]
    assert [turn.shown for turn in pair.turns if not turn.ours] == [10, 10]
    assert "was off by −5 on" in live.publication("A").state_cause
    assert "and by −10 on" in live.publication("A").state_cause


def test_two_edits_without_a_write_of_ours_between_them_are_no_second_writer(live: World) -> None:
    for by in (3, 2, 4):
        live.edit("A", by)
        look(live)
    assert live.publication("A").state == PublicationState.LIVE


def test_a_day_later_it_counts_anew(live: World) -> None:
    rounds(live, 1)
    live.rest(25 * 3600)
    rounds(live, 1)
    assert live.publication("A").state == PublicationState.LIVE


def test_resumed_with_a_reason_it_goes_on_and_counts_anew(live: World) -> None:
    rounds(live, 2)
    level = live.publication("A")

    assert frozen.release([level.pk], by=live.operator, reason="The stock app is switched off.") == 1

    live.full()
    assert live.shown("A") == 10
    rounds(live, 1)
    assert live.publication("A").state == PublicationState.LIVE
    rounds(live, 1)
    assert live.publication("A").state == PublicationState.FROZEN
