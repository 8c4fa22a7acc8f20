"""Random histories: whatever the order, no sale is erased, nothing is pushed twice, and the store ends up right."""

from __future__ import annotations

import random

import pytest
import time_machine
from django.utils import timezone

from connectors import approval, runs
from connectors.models.runs import WORKING, RunStatus
from inventory import frozen
from inventory.models.publications import PublicationState
from tests.worlds import World

SOLD, EDITED = ("S1", "S2"), ("E1", "E2")


@pytest.mark.parametrize("seed", range(4))
def test_any_history_ends_with_every_sale_kept_and_every_level_right(world: World, seed: int) -> None:
    chance = random.Random(seed)
    sold = dict.fromkeys(SOLD, 0)
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def pass_time(seconds: int) -> None:
            clock.shift(seconds)
            world.fake.now = timezone.now()

        def finish(run: object) -> None:
            """Whatever the fault: the next worker comes after the pause."""
            for _ in range(20):
                run = world.store.runs.get(pk=run.pk)  # type: ignore[attr-defined]
                if run.status == RunStatus.AWAITING_APPROVAL:
                    approval.approve(run, world.operator)
                elif run.status not in WORKING:
                    return
                pass_time(90)
                runs.advance(run.pk)

        for sku in (*SOLD, *EDITED):
            quantity = chance.randint(5, 50)
            world.item(sku, here=quantity, there=chance.choice([quantity, chance.randint(0, 50)]))
        finish(world.full("go-live"))
        for _ in range(14):
            pass_time(chance.choice([1, 30, 200, 4000]))
            match chance.randrange(8):
                case 0 | 1:
                    world.post(chance.choice([*SOLD, *EDITED]), chance.randint(-6, 9))
                case 2:
                    sku = chance.choice(SOLD)
                    sold[sku] += 1
                    world.sell(sku, 1)
                case 3:
                    world.edit(chance.choice(EDITED), chance.randint(-4, 4))
                case 4 | 5:
                    chance.choice([world.fake.lose_next_reply, world.fake.drop_next_request, int, int, int])()
                    finish(world.delta())
                case 6:
                    chance.choice([world.fake.lose_next_reply, world.fake.refuse_next_connection, int, int])()
                    finish(world.full())
                case 7:
                    world.fake.fail_next_read()
            world.assert_sound()
        pass_time(7200)
        finish(world.full())
        # Edits that look like a second writer's pause their level, until a person has looked into it.
        paused = world.store.publications.filter(state=PublicationState.FROZEN).values_list("pk", flat=True)
        frozen.release(list(paused), by=world.operator, reason="these edits are the test's")
        finish(world.full())
        finish(world.delta())
        finish(world.delta())

    open_runs = world.store.runs.exclude(status__in=[RunStatus.COMPLETED, RunStatus.PARTIAL])
    assert not open_runs.exists(), [(run.status, run.cause) for run in open_runs]
    for sku in EDITED:
        assert world.shown(sku) == world.publication(sku).target, sku
    for sku, units in sold.items():
        # Orders are not imported in this world: what was sold stays missing in the store, to the unit.
        assert world.shown(sku) == world.publication(sku).target - units, sku
    world.assert_sound()
