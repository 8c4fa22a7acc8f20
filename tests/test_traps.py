"""The table of Shopify's traps names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.tables import known_tests, rows

TABLE = rows("adapters/shopify-traps.md")


def test_all_45_traps_are_listed_once() -> None:
    assert [number for number, _ in TABLE] == [str(number) for number in range(1, 46)]


@pytest.mark.parametrize(("number", "held"), TABLE)
def test_every_test_that_a_trap_names_exists(number: str, held: str) -> None:
    named = re.findall(r"`(test_\w+)`", held)
    assert named or held.startswith("not yet"), f"Trap {number} names no test and does not say that it is open."
    assert set(named) <= {test.partition("::")[2] for test in known_tests()}
