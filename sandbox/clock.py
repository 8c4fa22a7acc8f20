"""The sandbox's own time: it runs with the real one and can be moved, so that 24 hours of key memory pass in a test at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

_ISO = "%Y-%m-%dT%H:%M:%SZ"


class Clock:
    """A movable clock in UTC. Reading it is cheap: the text of one second is made once."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._lock = threading.Lock()
        self._second = -1
        self._stamp = ""
        self._http_date = ""
        self.watchers: list[Callable[[], None]] = []  # told when the clock was moved

    def seconds(self) -> float:
        """Seconds since 1970 by this clock."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """The moment, aware, UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def stamp(self) -> str:
        """The moment as Shopify writes it: ISO 8601, UTC, whole seconds, e.g. ``2026-11-21T10:00:00Z``."""
        self._refresh()
        return self._stamp

    def http_date(self) -> str:
        """The moment as the HTTP ``Date`` header writes it."""
        self._refresh()
        return self._http_date

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds (negative: back)."""
        with self._lock:
            self._offset += seconds
        self._moved()

    def set(self, moment: datetime) -> None:
        """Move the clock to an aware moment; from there it runs on."""
        with self._lock:
            self._offset = moment.timestamp() - time.time()
        self._moved()

    def reset(self) -> None:
        """Back to the real time."""
        with self._lock:
            self._offset = 0.0
        self._moved()

    def _moved(self) -> None:
        for tell in self.watchers:
            tell()

    @property
    def offset(self) -> float:
        """Seconds this clock is ahead of the real one."""
        return self._offset

    def _refresh(self) -> None:
        second = int(self.seconds())
        if second != self._second:
            moment = datetime.fromtimestamp(second, UTC)
            with self._lock:
                self._stamp = moment.strftime(_ISO)
                self._http_date = format_datetime(moment, usegmt=True)
                self._second = second


def iso(moment: datetime) -> str:
    """An aware moment as Shopify writes it."""
    return moment.astimezone(UTC).strftime(_ISO)


def days_before(moment: datetime, days: float) -> str:
    """The moment so many days earlier, as Shopify writes it."""
    return iso(moment - timedelta(days=days))
