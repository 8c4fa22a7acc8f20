"""Numbers that are dear to count are kept for a while, others are counted each time."""

from __future__ import annotations

import itertools

import pytest

from syncconsole.kernel import counting


@pytest.mark.parametrize(("seconds", "second_answer"), [(0.001, 2), (2.0, 1)])
def test_a_count_is_kept_as_it_was_dear(monkeypatch: pytest.MonkeyPatch, seconds: float, second_answer: int) -> None:
    clock, counted = itertools.count(0.0, seconds), itertools.count(1)
    monkeypatch.setattr(counting, "monotonic", lambda: next(clock))
    assert counting.kept(f"stock-takes-{seconds}", lambda: next(counted)) == 1
    assert counting.kept(f"stock-takes-{seconds}", lambda: next(counted)) == second_answer
