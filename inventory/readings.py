"""Reading levels for an absolute job: the store is asked directly, then each answer is judged under the row's lock."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django.db.models import QuerySet

from connectors import lags
from connectors.models import Store
from connectors.ports.store import MAX_CHANGES, LevelsRead
from connectors.registry import store_for
from inventory import settled
from inventory.knowledge import Knowledge, order_books
from inventory.models import LevelPublication
from inventory.pump import Pump
from inventory.settled import Reading

POINTS = 3
"""What a call costs that reads 250 levels (algorithms.md §6)."""
TOGETHER = 4 * MAX_CHANGES
"""Levels of a group. The database is asked a dozen times for each, however many there are."""
KNOWN_FOR = 3.0
"""Seconds for which one answer about what is known of a store's orders serves."""

Seen = tuple[int, str, int]
"""(publication id, item ref, revision just before the read)"""


@dataclass(frozen=True, slots=True)
class Group:
    """Publications of one location of the store that are read and judged together, in some calls and one transaction."""

    location_ref: str
    members: list[Seen]


def groups(rows: QuerySet[LevelPublication]) -> list[Group]:
    """Publications packed for reading, by location. Their revisions are noted here, before anything is read."""
    by_location: dict[str, list[Seen]] = {}
    for ref, publication_id, item_ref, revision in rows.values_list(
        "store_location__ref", "pk", "item_ref", "revision"
    ):
        by_location.setdefault(ref, []).append((publication_id, item_ref, revision))
    return [
        Group(ref, members[start : start + TOGETHER])
        for ref, members in by_location.items()
        for start in range(0, len(members), TOGETHER)
    ]


class Reader:
    """Reads groups of one store's levels, and notes by `spend` what it costs. What is known of its orders is asked anew every
    few seconds; in between, the older answer holds a level or two more, and never lets one through that the newer would
    hold: whatever it does not know of yet moved the level after its watermark."""

    def __init__(self, store: Store, spend: Callable[[int], None] = lambda points: None) -> None:
        self._store, self._port, self._spend = store, store_for(store), spend
        self._asked = -math.inf
        self._known, self._margin = Knowledge(), dt.timedelta(0)

    def read(self, pump: Pump, wanted: Sequence[Group], then: Callable[[Group, dict[int, Reading]], None]) -> None:
        """Read each group in the pump; `then` gets its readings by publication id, in the caller's thread."""
        for group in wanted:
            self._read(pump, group, then)

    def _read(self, pump: Pump, group: Group, then: Callable[[Group, dict[int, Reading]], None]) -> None:
        gathered: dict[int, Reading] = {}

        def answered(found: LevelsRead, members: Sequence[Seen]) -> None:
            self._spend(POINTS)
            gathered.update(self._readings(found, members))
            if len(gathered) == len(group.members):
                then(group, gathered)

        for start in range(0, len(group.members), MAX_CHANGES):
            members = group.members[start : start + MAX_CHANGES]
            items = [item for _, item, _ in members]
            pump.call(partial(self._port.read_levels, group.location_ref, items), partial(answered, members=members))

    def _readings(self, found: LevelsRead, members: Sequence[Seen]) -> dict[int, Reading]:
        self._ask_what_is_known()
        limit = settled.watermark(found.read_at, self._known, self._margin)
        waiting, zone = self._known.waiting, self._store.zone
        return {
            publication_id: Reading(
                level, found.read_at, revision, limit, waiting.get(level.item_ref, ""), self._margin, zone
            )
            for (publication_id, _, revision), level in zip(members, found.levels, strict=True)
        }

    def _ask_what_is_known(self) -> None:
        if time.monotonic() - self._asked > KNOWN_FOR:
            self._known, self._margin = order_books().known(self._store), lags.margin(self._store)
            self._asked = time.monotonic()
