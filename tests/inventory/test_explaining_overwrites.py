"""What an overwrite and later pushes brought is no unexplained rest."""

from __future__ import annotations

import pytest

from inventory import verification
from inventory.explanation import explain
from tests.worlds import World


def test_a_level_that_was_overwritten_and_pushed_since_leaves_nothing_unexplained(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SAMPLE", 0)  # one of the many levels of a large run that nobody reads back
    world.item("A", here=60, there=56)
    world.full("go-live")
    world.post("A", 24)
    world.delta()

    explained = explain(world.publication("A").pk)

    assert (explained.expected, explained.observed, explained.not_explained) == (84, 60, 0)


def test_what_was_sold_in_the_store_meanwhile_is_the_unexplained_rest(world: World) -> None:
    world.item("A", here=60, there=60)
    world.full("go-live")
    world.edit("A", -2)
    world.rest()
    world.plan_full()
    world.post("A", 5)
    world.delta()

    explained = explain(world.publication("A").pk)

    assert (explained.expected, explained.observed, explained.not_explained) == (65, 58, -2)
