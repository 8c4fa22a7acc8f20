"""The leaky bucket of one app at one shop (reference §2.1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What a shop's plan allows. Points per second, and the most that can be saved up."""

    name: str
    display_name: str
    restore_rate: int
    maximum_available: int


PLANS = {
    plan.name: plan
    for plan in (
        Plan("standard", "Grow", 100, 2_000),
        Plan("advanced", "Advanced", 200, 4_000),
        Plan("plus", "Plus", 1_000, 20_000),
        Plan("enterprise", "Enterprise", 2_000, 40_000),
    )
}


class Bucket:
    """Points that refill with real time. `take` is the admission by requested cost; `give_back` returns what was not used."""

    def __init__(self, plan: Plan, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._plan = plan
        self._available = float(plan.maximum_available)
        self._at = monotonic()

    def take(self, requested: float) -> bool:
        """Debit the requested points if they are there; False = throttled, nothing debited."""
        with self._lock:
            self._refill()
            if requested > self._available:
                return False
            self._available -= requested
            return True

    def give_back(self, points: float) -> None:
        """Return the difference between requested and actual."""
        with self._lock:
            self._refill()
            self._available = min(self._available + points, float(self._plan.maximum_available))

    def empty(self) -> None:
        """Take everything that is there (a control for tests)."""
        with self._lock:
            self._refill()
            self._available = 0.0

    def fill(self, plan: Plan | None = None) -> None:
        """Start again full, on another plan if one is given."""
        with self._lock:
            self._plan = plan or self._plan
            self._available = float(self._plan.maximum_available)
            self._at = self._monotonic()

    def status(self) -> dict[str, float]:
        """`throttleStatus` as every answer carries it."""
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": float(self._plan.maximum_available),
                "currentlyAvailable": int(self._available),
                "restoreRate": float(self._plan.restore_rate),
            }

    def _refill(self) -> None:
        now = self._monotonic()
        self._available = min(
            self._available + (now - self._at) * self._plan.restore_rate, float(self._plan.maximum_available)
        )
        self._at = now
