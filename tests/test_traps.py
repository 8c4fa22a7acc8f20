"""The table of Shopify's traps names tests that exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "adapters" / "shopify-traps.md"


def rows() -> list[tuple[int, str]]:
    """Number of each trap, and the cell that says what holds it."""
    found = re.findall(r"^\| (\d+) \| .+? \| (.+) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    return [(int(number), held) for number, held in found]


@cache
def known_tests() -> frozenset[str]:
    """Names of all test functions of this suite."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    return frozenset(name for text in texts for name in re.findall(r"def (test_\w+)\(", text))


def test_all_45_traps_are_listed_once() -> None:
    assert [number for number, _ in rows()] == list(range(1, 46))


@pytest.mark.parametrize(("number", "held"), rows())
def test_every_test_that_a_trap_names_exists(number: int, held: str) -> None:
    named = re.findall(r"`(test_\w+)`", held)
    assert named or held.startswith("not yet"), f"Trap {number} names no test and does not say that it is open."
    assert set(named) <= known_tests()
