"""Numbers that a page shows each time, and that take long to count where there is much."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from django.core.cache import cache

KEPT_TIMES = 300
"""A count is kept so many times as long as counting took: one of a second for five minutes, one of a millisecond not at all."""

Counted = TypeVar("Counted")


def kept(name: str, count: Callable[[], Counted]) -> Counted:
    """What `count` finds, or found lately where it takes long. `name` is its own."""
    found: Counted | None = cache.get(name)
    if found is None:
        began = monotonic()
        found = count()
        cache.set(name, found, int(KEPT_TIMES * (monotonic() - began)))
    return found
