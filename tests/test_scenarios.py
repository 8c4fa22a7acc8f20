"""The table of scenarios names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.tables import known_tests, rows

TABLE = rows("scenarios.md")


def test_all_37_scenarios_and_18_histories_are_listed_once() -> None:
    scenarios = [str(number) for number in range(1, 38)]
    assert [number for number, _ in TABLE] == scenarios + [f"K{number}" for number in range(1, 19)]


@pytest.mark.parametrize(("number", "held"), TABLE)
def test_every_test_that_holds_a_scenario_exists(number: str, held: str) -> None:
    named = re.findall(r"`([\w/]+\.py::test_\w+)`", held)
    assert named or held.startswith(("open: ", "with billing")), f"{number} names no test and does not say it is open."
    assert set(named) == {f"{name}" for name in re.findall(r"`([^`]+)`", held)}, "a test is named with its file"
    assert {f"tests/{name}" for name in named} <= known_tests()
