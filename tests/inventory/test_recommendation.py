"""Daily or weekly, by what was measured."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from inventory import knowledge, recommendation
from inventory.jobs import Job
from inventory.knowledge import OrderLag
from inventory.models import HoldChange, LevelPublication
from inventory.recommendation import Recommendation
from tests.worlds import World

pytestmark = pytest.mark.django_db


def measured(world: World, monkeypatch: pytest.MonkeyPatch, orders: int, p99: float) -> Recommendation:
    monkeypatch.setattr(knowledge.order_books(), "lag", lambda store, since: OrderLag(orders, p99))
    return recommendation.of_store.anew(world.store.pk).value


def test_daily_fits_where_orders_come_quickly_and_nothing_is_held_for_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.item("A", here=5, there=5)
    quick = measured(world, monkeypatch, 1_204, 180)
    assert quick.job is Job.DAILY
    assert quick.sentence == (
        "Daily fits: 99 % of the orders of the last 7 days (1,204) were here within 3 min (limit 15 min), and no level was held."
    )
    assert measured(world, monkeypatch, 10, 899).job is Job.DAILY
    assert measured(world, monkeypatch, 10, 900).job is Job.WEEKLY
    LevelPublication.objects.update(hold_test="b", held_since=timezone.now() - dt.timedelta(hours=23))
    assert measured(world, monkeypatch, 10, 60).job is Job.DAILY
    LevelPublication.objects.update(held_since=timezone.now() - dt.timedelta(hours=25))
    slow = measured(world, monkeypatch, 10, 60)
    assert slow.job is Job.WEEKLY
    assert "the longest hold lasted 1 d 1 h (limit 24 h)" in slow.sentence


def test_a_long_hold_that_has_ended_still_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publication, now = world.item("A", here=5, there=5), timezone.now()
    for hours, test in ((60, "a"), (59, ""), (50, "a"), (40, "b"), (20, ""), (10, "a"), (9, "")):
        HoldChange.objects.create(publication=publication, at=now - dt.timedelta(hours=hours), test=test)
    found = measured(world, monkeypatch, 10, 60)
    assert found.longest_hold == dt.timedelta(hours=30)
    assert found.job is Job.WEEKLY


def test_a_clone_that_waited_for_a_person_says_nothing_of_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publication, now = world.item("A", here=5, there=5), timezone.now()
    for hours, test in ((60, "q"), (10, "")):
        HoldChange.objects.create(publication=publication, at=now - dt.timedelta(hours=hours), test=test)
    assert measured(world, monkeypatch, 10, 60).longest_hold is None


def test_nothing_measured_recommends_the_careful_one(world: World) -> None:
    found = recommendation.of_store(world.store.pk)
    assert found.job is Job.WEEKLY
    assert "none has come in" in found.sentence
