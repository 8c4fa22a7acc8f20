"""The reader of changed levels: what a store told of single levels is read from it directly, between runs.

A delivery says that something moved, not why, and its number may be old: only a read counts. Our own writes come back
this way, too; what shows the quantity we expect settles nothing and starts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import structlog
from django.db import transaction
from django.utils import timezone

from connectors import changes, lags
from connectors.changes import Claimed
from connectors.models import Store
from connectors.ports.store import MAX_CHANGES
from connectors.ports.webhooks import level_of, level_ref
from inventory import holding, holds, participation, publications, readings, sending, settled
from inventory.models import Drift, LevelPublication
from inventory.models.drifts import STANDING
from inventory.models.publications import Exclusion, PublicationState
from inventory.pump import Pump
from inventory.readings import Group
from inventory.settled import OUT_OF_DATE, Hold, Reading

log = structlog.get_logger(__name__)

KIND: Final = "level"
RESTS: Final = 60
"""Seconds beyond the store's margin until a level that has just moved is looked at again."""
PASSING: Final = ("a", "d")
"""Tests that a level passes by itself, after a while."""


def read_changes(store: Store) -> int:
    """Read some of the levels of `store` that it told of. Returns how many changes were settled, failed or put off; 0 when
    nothing waits or the store cannot be asked now."""
    return changes.attempt(changes.claim(store, KIND, MAX_CHANGES), partial(_read, store))


def ask_for(levels: Iterable[LevelPublication]) -> None:
    """Have these levels read again soon."""
    from connectors.webhook_tasks import have_changes_read

    refs: dict[Store, dict[str, None]] = {}
    for level in levels:
        refs.setdefault(level.store, {})[level_ref(level.item_ref, level.store_location.ref)] = None
    for store, wanted in refs.items():
        changes.notice(store, KIND, wanted, by="polling")
    transaction.on_commit(have_changes_read, robust=True)


def ask_for_held(publication_ids: Iterable[int]) -> None:
    """What these held levels waited for may have come: have them read again, so that the hold ends by itself."""
    ask_for(LevelPublication.objects.filter(pk__in=list(publication_ids)).select_related("store", "store_location"))


def ask_for_rested(store: Store) -> None:
    """Have those levels of `store` read again that a job held because they had just moved, or a push of theirs was on its
    way: by now they may rest, and no message tells of that."""
    long_ago = timezone.now() - lags.margin(store) - dt.timedelta(seconds=RESTS)
    rows = holds.held().filter(store=store, hold_test__in=PASSING, observed_at__lt=long_ago)
    ask_for(rows.select_related("store", "store_location"))


def ask_for_unstocked() -> None:
    """Have every level read again that its store was found not to stock: that it stocks it again may have been missed."""
    rows = LevelPublication.objects.filter(stocked=False).exclude(state=PublicationState.CLOSED)
    ask_for(rows.select_related("store", "store_location"))


def _read(store: Store, claims: Sequence[Claimed]) -> int:
    shelves = {level_of(claim.ref): claim for claim in claims}
    rows = (
        LevelPublication.objects.filter(
            store=store,
            item_ref__in={item for item, _ in shelves},
            store_location__ref__in={place for _, place in shelves},
        )
        .exclude(state=PublicationState.CLOSED)
        .order_by("pk")
    )
    # The cross product of items and locations holds levels that nobody told of.
    told = [pk for pk, *shelf in rows.values_list("pk", "item_ref", "store_location__ref") if tuple(shelf) in shelves]
    moving: set[tuple[str, str]] = set()

    def take_in(group: Group, found: dict[int, Reading]) -> None:
        moving.update((item, group.location_ref) for item in _take_in(store, found))

    with Pump(sending.width(store), lambda: None) as pump:
        groups = readings.groups(rows.filter(pk__in=told))
        readings.Reader(store).read(pump, groups, take_in)
    later = [shelves[shelf] for shelf in moving]
    changes.postpone(
        later,
        store.settle_seconds + RESTS,
        "It moved a moment ago, so it is not known yet what moved it.",
        "Nothing is to be done: it is read again once it rests.",
    )
    changes.settle([claim for claim in claims if claim not in later])
    log.info("levels_read", store=store.slug, asked=len(claims), ours=len(told), moving=len(later))
    return len(claims)


@transaction.atomic
def _take_in(store: Store, found: dict[int, Reading]) -> list[str]:
    """Keep these readings. Returns the items of levels that differ from what we expect and moved too recently to tell
    why."""
    locked = publications.lock(found)
    if _follow_stocking(locked, found):
        participation.forget_count(store)
    standing = Drift.objects.filter(publication__in=list(found), state__in=STANDING)
    drifting = set(standing.values_list("publication", flat=True))
    differing, verdicts = [], []
    for row in (row for row in locked if row.stocked):
        reading = found[row.pk]
        if row.pk not in drifting and _teaches_nothing(row, reading):
            settled.observe(row, reading)
            row.observed_revision = row.revision if row.baseline_at else None
            continue
        differing.append(row)
        verdicts.append(_judged(row, reading))
    verdicts = settled.note_drift(differing, verdicts)
    publications.save_all(locked)
    return [row.item_ref for row, hold in zip(differing, verdicts, strict=True) if _ends_soon(hold, found[row.pk])]


def _judged(row: LevelPublication, reading: Reading) -> Hold | None:
    verdict = settled.judge(row, reading)
    settled.observe(row, reading)
    if verdict is None:
        settled.learn(row, reading)
        holding.release(row)
    else:
        # What it shows is news, and may not be believed: no decision and no job rests on it.
        row.observed_revision = None
        if row.hold_test:
            holding.hold(row, verdict.test, verdict.cause, verdict.remedy)
    return verdict


def _teaches_nothing(row: LevelPublication, reading: Reading) -> bool:
    """The echo of our own write, or a sale that is booked here already; or a level of which nothing is expected yet. One that
    is held may be held no more."""
    echo = row.state == PublicationState.LIVE and reading.level.available == row.expected_quantity
    return not row.hold_test and (row.baseline_at is None or echo)


def _ends_soon(hold: Hold | None, reading: Reading) -> bool:
    """It is held for what passes by itself; what does not, the jobs that read every level find again."""
    if hold is None or hold.test not in PASSING:
        return False
    return hold.test == "d" or reading.read_at - reading.watermark <= OUT_OF_DATE


def _follow_stocking(locked: Sequence[LevelPublication], found: dict[int, Reading]) -> bool:
    """A level that the store stocks no more takes no part; when it does again, it begins anew, without a baseline.
    Returns whether one came or went."""
    changed = False
    for row in locked:
        level = found[row.pk].level
        stocked = level.exists and level.is_active
        if not level.known or stocked == row.stocked:
            continue
        changed, row.stocked, row.needs_look = True, stocked, True
        if not stocked:
            row.baseline_at = None
            if row.state == PublicationState.LIVE:
                row.state = PublicationState.NO_BASELINE
                row.state_cause = "The store did not stock the item there for a while."
        if row.excluded in (Exclusion.NONE, Exclusion.NOT_STOCKED):
            row.excluded = Exclusion.NONE if stocked else Exclusion.NOT_STOCKED
    return changed
