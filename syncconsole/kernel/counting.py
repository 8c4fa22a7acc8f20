"""Numbers that a page shows each time, and that take long to count where there is much."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from django.core.cache import cache

KEPT_SECONDS = 10
KEPT_TIMES = 300
"""Where counting takes long, a count is kept so many times as long: one of a second for five minutes."""

Counted = TypeVar("Counted")


def kept(name: str, count: Callable[[], Counted]) -> Counted:
    """What `count` found, at most some seconds ago, or longer where it takes long. `name` is its own."""
    found: Counted | None = cache.get(name)
    if found is None:
        began = monotonic()
        found = count()
        cache.set(name, found, max(KEPT_SECONDS, int(KEPT_TIMES * (monotonic() - began))))
    return found
