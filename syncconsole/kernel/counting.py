"""Numbers that pages show, and that take long to count where there is much: kept, and renewed behind the page.

`@kept` makes one of a function of plain values. Called, it answers what was counted some time ago. Where that is young no
longer, a worker is asked to count again, so that nobody waits for it. A decision never rests on what is kept: it takes
`anew`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from importlib import import_module
from time import monotonic
from typing import Any, Final, Generic, TypeVar, TypeVarTuple

import structlog
from django.conf import settings
from django.core.cache import cache
from django.utils.timezone import now

from syncconsole.kernel.tasks import recount

log = structlog.get_logger(__name__)

YOUNG_SECONDS: Final = 10
YOUNG_TIMES: Final = 10
"""A count is young for so many seconds, or so many times as long as it took: a tenth of the time is spent on it at most."""
SHOWN_SECONDS: Final = 60
SHOWN_TIMES: Final = 300
"""A count that is young no longer is shown so long, while a worker renews it: one of a second for five minutes."""
ASKED_SECONDS: Final = 60
"""No other worker is asked meanwhile. A worker that was asked longer ago leaves it be (`expires` of the task)."""

Given = TypeVarTuple("Given")
Counted = TypeVar("Counted")
_known: Final[dict[str, Kept[*tuple[Any, ...], Any]]] = {}


@dataclass(frozen=True)
class Count(Generic[Counted]):
    """What was counted. Counting began `at`, and `took` so many seconds."""

    value: Counted
    at: dt.datetime
    took: float

    @property
    def age(self) -> float:
        """Seconds since counting began."""
        return (now() - self.at).total_seconds()

    @property
    def young(self) -> bool:
        """Nothing needs to be done about it."""
        return self.age < max(YOUNG_SECONDS, YOUNG_TIMES * self.took)

    @property
    def shown_at(self) -> dt.datetime | None:
        """When it was counted, if that is so long ago that a page says so."""
        return self.at if self.age > SHOWN_SECONDS else None


class Kept(Generic[*Given, Counted]):
    """A function whose answers are kept, by its name and what it was given: numbers, words, None; ids, not rows."""

    def __init__(self, count: Callable[[*Given], Counted]) -> None:
        self._count = count
        self.name = f"{count.__module__}.{count.__qualname__}"
        update_wrapper(self, count)
        _known[self.name] = self

    def __call__(self, *given: *Given) -> Counted:
        """What the function answered a while ago, or answers now."""
        return self.counted(*given).value

    def counted(self, *given: *Given, since: dt.datetime | None = None) -> Count[Counted]:
        """As calling it, with the moment. What was counted before `since` is counted now."""
        found = self.known(*given)
        if found is None or (since and found.at < since):
            return self.anew(*given)
        if not found.young and cache.add(self._asked(given), 1, timeout=ASKED_SECONDS):
            recount.send(self.name, given)
        return found

    def known(self, *given: *Given) -> Count[Counted] | None:
        """What is kept, if anything; nothing is counted."""
        found: Count[Counted] | None = cache.get(self._key(given))
        return found

    def anew(self, *given: *Given) -> Count[Counted]:
        """Counted now, and kept."""
        at, began = now(), monotonic()
        value = self._count(*given)
        count = Count(value, at, monotonic() - began)
        cache.set(self._key(given), count, max(SHOWN_SECONDS, int(SHOWN_TIMES * count.took)))
        return count

    def renew(self, *given: *Given) -> None:
        """Count again, unless somebody has done so since a worker was asked."""
        found = self.known(*given)
        if found is None or not found.young:
            self.anew(*given)
        cache.delete(self._asked(given))

    def _key(self, given: tuple[Any, ...]) -> str:
        return ":".join(("kept", settings.VERSION, self.name, *map(repr, given)))

    def _asked(self, given: tuple[Any, ...]) -> str:
        return f"{self._key(given)}:asked"


def kept(count: Callable[[*Given], Counted]) -> Kept[*Given, Counted]:
    """Decorator of a function of a module: its answers are kept."""
    return Kept(count)


def renew(name: str, given: list[Any]) -> None:
    """Count again what a page has asked for. Only what is `@kept` answers to its name: a message calls nothing else."""
    # What pages show is known once the pages are.
    import_module(settings.ROOT_URLCONF)
    if name in _known:
        _known[name].renew(*given)
    else:
        log.warning("not_kept", name=name)
