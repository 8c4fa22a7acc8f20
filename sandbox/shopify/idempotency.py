"""What `@idempotent(key:)` remembers: for 24 hours, per app and shop, the outcome of every keyed mutation (reference §3.5)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KEPT_SECONDS = 24 * 3600

RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"


@dataclass
class Attempt:
    """One key's first use."""

    fingerprint: str
    started: float
    state: str = RUNNING
    outcome: Any = None


class Memory:
    """Keys of one app at one shop. Safe for threads."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now  # seconds by the sandbox's clock
        self._attempts: dict[str, Attempt] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._attempts)

    def begin(self, key: str, fingerprint: str) -> tuple[str | None, Attempt]:
        """Claim a key. Returns (None, new attempt) to go on, or why not, with the attempt that holds the key.

        The reasons are Shopify's codes, or ``REPLAY`` when the same call has succeeded before.
        """
        with self._lock:
            self._forget()
            held = self._attempts.get(key)
            if held is None:
                attempt = self._attempts[key] = Attempt(fingerprint, self._now())
                return None, attempt
            if held.fingerprint != fingerprint:
                return "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", held
            if held.state == RUNNING:
                return "IDEMPOTENCY_CONCURRENT_REQUEST", held
            if held.state == FAILED:
                return "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", held
            return "REPLAY", held

    def finish(self, attempt: Attempt, succeeded: bool, outcome: Any) -> None:
        """Keep what came of an attempt."""
        with self._lock:
            attempt.outcome = outcome
            attempt.state = SUCCEEDED if succeeded else FAILED

    def drop(self, key: str) -> None:
        """Forget an attempt that never ran (the simulator broke, or refused the call before executing it)."""
        with self._lock:
            self._attempts.pop(key, None)

    def _forget(self) -> None:
        """Keys stand in the order of their first use, so the old ones are at the front."""
        limit = self._now() - KEPT_SECONDS
        while self._attempts:
            oldest = next(iter(self._attempts))
            if self._attempts[oldest].started > limit:
                return
            del self._attempts[oldest]


def fingerprint(field: str, arguments: dict[str, Any]) -> str:
    """A digest of a call's exact parameters; the order of rows and of their fields takes part."""
    text = json.dumps([field, arguments], separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
