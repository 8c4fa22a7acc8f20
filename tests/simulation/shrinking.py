"""A failing history made short: whatever can be left out and it still fails."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.histories import History


def shrink(told: History, fails: Callable[[History], bool], *, most: int = 60) -> History:
    """The shortest failing history found in `most` plays: big pieces are tried first, then single steps."""
    size = max(1, len(told.steps) // 2)
    while size:
        start = len(told.steps) - size
        while start >= 0 and most > 0:
            shorter = told.without(range(start, start + size))
            most -= 1
            if fails(shorter):
                told = shorter
            start -= size
        size //= 2
    return told
