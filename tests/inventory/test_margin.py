"""A store that tells late is overwritten later: what moved within the margin is held, and says for how long."""

from __future__ import annotations

import pytest
from django.utils import timezone

from connectors.models import FeedLag
from connectors.models.runs import Outcome
from tests.worlds import World

pytestmark = pytest.mark.django_db


def test_a_level_is_held_for_three_times_what_the_store_is_late(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    FeedLag.objects.create(store=world.store, kind="order", day=timezone.now().date(), seconds=120, changes=1)
    world.edit("A", -2)
    world.rest(300)
    held = world.full().items.get()
    assert held.outcome == Outcome.HELD
    assert "its orders may be told up to 6 min late" in held.cause
    world.rest(61)
    world.full()
    assert world.shown("A") == 5


def test_a_store_that_tells_in_time_keeps_the_margin_of_its_setting(world: World) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    FeedLag.objects.create(store=world.store, kind="order", day=timezone.now().date(), seconds=0, changes=5000)
    world.edit("A", -2)
    world.rest(119)
    assert world.full().items.get().outcome == Outcome.HELD
    world.rest(2)
    world.full()
    assert world.shown("A") == 5
