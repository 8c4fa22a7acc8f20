"""Reading levels for an absolute job: the store is asked directly, then each answer is judged under the row's lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from connectors import lags
from connectors.models import Store
from connectors.ports.store import MAX_CHANGES, LevelsRead, StorePort
from inventory import settled
from inventory.knowledge import order_books
from inventory.models import LevelPublication
from inventory.pump import Pump
from inventory.settled import Reading

Seen = tuple[int, str, int]
"""(publication id, item ref, revision just before the read)"""


@dataclass(frozen=True, slots=True)
class Group:
    """Up to 250 publications of one location of the store, read in one call."""

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
        Group(ref, members[start : start + MAX_CHANGES])
        for ref, members in by_location.items()
        for start in range(0, len(members), MAX_CHANGES)
    ]


def read(
    pump: Pump,
    port: StorePort,
    store: Store,
    wanted: Sequence[Group],
    then: Callable[[Group, dict[int, Reading]], None],
) -> None:
    """Read each group in the pump; `then` gets its readings by publication id, in the caller's thread."""

    def answer(group: Group) -> Callable[[LevelsRead], None]:
        def judge(found: LevelsRead) -> None:
            known = order_books().known(store)
            margin = lags.margin(store)
            limit = settled.watermark(found.read_at, known, margin)
            readings = {
                publication_id: Reading(
                    level, found.read_at, revision, limit, known.waiting.get(level.item_ref, ""), margin
                )
                for (publication_id, _, revision), level in zip(group.members, found.levels, strict=True)
            }
            then(group, readings)

        return judge

    def question(group: Group) -> Callable[[], LevelsRead]:
        return lambda: port.read_levels(group.location_ref, [item for _, item, _ in group.members])

    for group in wanted:
        pump.call(question(group), answer(group))
