"""A few random histories at every change; `make simulate` plays as many as are asked for (docs/simulation.md)."""

from __future__ import annotations

import pytest

from tests.simulation import naive
from tests.simulation.histories import Weather, history
from tests.simulation.play import play
from tests.simulation.shrinking import shrink

SEED = 7


@pytest.mark.parametrize("weather", list(Weather))
def test_a_random_history_ends_with_every_number_right(db: None, weather: Weather) -> None:
    told = history(SEED, weather, items=2)
    found = play(told)
    assert found.good, f"{told}\n{found}"


def test_the_same_histories_oversell_under_a_blind_overwrite() -> None:
    assert sum(naive.oversold(history(seed, Weather.NORMAL)) for seed in range(4)) > 0


def test_a_seed_is_one_history_and_a_step_left_out_changes_no_other() -> None:
    told = history(SEED, Weather.SLOW)
    assert told == history(SEED, Weather.SLOW) != history(SEED + 1, Weather.SLOW)
    assert told.without(range(3, 5)).steps == (*told.steps[:3], *told.steps[5:])


def test_a_failing_history_is_made_short() -> None:
    told = history(SEED, Weather.NORMAL)
    needed = {told.steps[4], told.steps[9]}
    assert set(shrink(told, lambda shorter: needed <= set(shorter.steps)).steps) == needed
