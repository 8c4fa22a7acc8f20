"""How late a store tells of its changes, measured; and the margin that overwrites keep because of it (algorithms.md §6 a).

A finished pass over the feed says that everything dated before it began is known. A change with an earlier date that is
heard of only afterwards, by webhook or by a later pass, proves that wrong: its lag is the time from its date until it was
heard of. All others were in time, and count as 0. So the lag is that of what is believed, whatever brought the news.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from connectors import changes
from connectors.models import FeedLag, FeedPosition, Store
from syncconsole.kernel.templatetags.console import duration, plural

STEPS: Final = (0, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1800, 3600)
"""Seconds; a lag counts as the next larger step, one of over an hour as an hour."""
MEASURED: Final = dt.timedelta(days=7)
PART: Final = 0.999
TIMES: Final = 3
"""The margin is so many times the lag that `PART` of the changes do not exceed."""

COUNT: Final = """
INSERT INTO connectors_feedlag AS l (store_id, kind, day, seconds, changes)
SELECT %s, %s, %s, n.seconds, n.changes FROM unnest(%s::int[], %s::int[]) AS n(seconds, changes) ORDER BY n.seconds
    ON CONFLICT (store_id, kind, day, seconds) DO UPDATE SET changes = l.changes + excluded.changes
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """`p999` seconds are what 99.9 % of so many `changes` of the last seven days did not exceed."""

    changes: int
    p999: int


def heard(store: Store, kind: str, versions: Mapping[str, dt.datetime | None], *, at: dt.datetime) -> None:
    """Measure versions (ref → the store's time of it) that are heard of at `at`. Call it before they are noticed.

    Versions without a time, and those heard of before, are left out; nothing is measured before the first pass ended.
    """
    known_to = FeedPosition.objects.filter(store=store, kind=kind).values_list("watermark", flat=True).first()
    dated = {ref: updated_at for ref, updated_at in versions.items() if updated_at is not None}
    if known_to is None or not dated:
        return
    # Stores date to the second: what happened after the pass began may bear the second in which it began.
    late = {ref: updated_at for ref, updated_at in dated.items() if updated_at + changes.SAME_SECOND <= known_to}
    missed = changes.unheard(store, kind, late) if late else {}
    steps = Counter(_step((at - updated_at).total_seconds()) for updated_at in missed.values())
    steps[0] += len(dated) - len(late)
    counted = [(seconds, count) for seconds, count in sorted(steps.items()) if count]
    if counted:
        with connection.cursor() as cursor:
            columns = [list(column) for column in zip(*counted, strict=True)]
            cursor.execute(COUNT, [store.pk, kind, timezone.now().date(), *columns])


def _step(seconds: float) -> int:
    return STEPS[min(bisect_left(STEPS, seconds), len(STEPS) - 1)]


def measured(store: Store) -> Lag:
    """The lag of `store` over the last seven days, over all kinds."""
    since = timezone.now().date() - MEASURED
    rows = FeedLag.objects.filter(store=store, day__gt=since).order_by("seconds")
    steps = list(rows.values_list("seconds").annotate(n=Sum("changes")))
    total = sum(count for _, count in steps)
    rank, seen = math.ceil(PART * total), 0
    for seconds, count in steps:
        seen += count
        if seen >= rank:
            return Lag(total, seconds)
    return Lag(0, 0)


def margin(store: Store) -> dt.timedelta:
    """What moved in the store so lately may still be unknown here: the store's setting, or more where it tells late."""
    return dt.timedelta(seconds=max(store.settle_seconds, TIMES * measured(store).p999))


def said(store: Store) -> str:
    """The margin of `store` and what it rests on, in a sentence."""
    lag = measured(store)
    kept = f"A level that moved in the store within {duration(margin(store))} is not overwritten"
    if not lag.changes:
        return f"{kept}: how late its changes are told is not measured yet."
    told = "in time" if not lag.p999 else f"within {duration(lag.p999)}"
    return f"{kept}: 99.9 % of {plural(lag.changes, 'change')} of the last 7 days were told {told}."


def prune() -> int:
    """Delete what is no longer looked at. Returns the number of rows."""
    return FeedLag.objects.filter(day__lte=timezone.now().date() - 2 * MEASURED).delete()[0]
