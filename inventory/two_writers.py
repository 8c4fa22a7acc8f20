"""Two writers: somebody in the store changes a level after each of our writes (algorithms.md §7). It is paused before the
two go on for ever; a person looks into it and lets it go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Max, Min
from django.utils import timezone

from connectors import notices
from connectors.models import NoticeEvent, Store
from inventory.models import Drift, PublicationEntry
from inventory.models.drifts import DriftCause, DriftState
from inventory.models.pushes import WriteKind
from syncconsole.kernel.templatetags.console import signed

WITHIN: Final = dt.timedelta(hours=24)


def pause(begun: Sequence[Drift]) -> dict[int, str]:
    """Of these drifts, which a settled read has just shown first, find those that came after a write of ours, as another
    one did within a day before: tell people. The publications are locked. Returns id → cause, for the caller to freeze."""
    # Of one with an unanswered push nobody can tell how many of the units somebody else moved.
    begun = [drift for drift in begun if drift.cause == DriftCause.UNKNOWN]
    before = _drifts_before(begun) if begun else {}
    written = _writes_of(before)
    paused = {}
    for drift in begun:
        last = before.get(drift.publication_id)
        first_write, last_write = written.get(drift.publication_id, (drift.revision, 0))
        if last is not None and first_write <= last.revision < last_write:
            paused[drift.publication_id] = _tell(drift, last)
    return paused


def _drifts_before(begun: Sequence[Drift]) -> dict[int, Drift]:
    """The newest earlier drift of each level within a day, that nobody accepted and no person has looked into."""
    since = min(drift.first_seen_at for drift in begun) - WITHIN
    rows = Drift.objects.filter(
        publication__in=[drift.publication_id for drift in begun], first_seen_at__gte=since, resumed_at=None
    ).exclude(pk__in=[drift.pk for drift in begun])
    rows = rows.exclude(state=DriftState.ACCEPTED).exclude(cause=DriftCause.UNANSWERED)
    return {row.publication_id: row for row in rows.order_by("pk")}


def _writes_of(before: dict[int, Drift]) -> dict[int, tuple[int, int]]:
    """Publication id → numbers of the first and the last entry that a write of ours made."""
    if not before:
        return {}
    entries = PublicationEntry.objects.filter(publication__in=list(before), push__isnull=False).order_by()
    rows = entries.values_list("publication_id").annotate(first=Min("seq"), last=Max("seq"))
    return {publication_id: (first, last) for publication_id, first, last in rows}


def _tell(drift: Drift, last: Drift) -> str:
    store = Store.objects.get(pk=drift.store_id)
    first, second = (each.first_seen_at.astimezone(store.zone) for each in (last, drift))
    cause = (
        f"Two writers alternate: after our writes the store was off by {signed(last.quantity)} on {first:%-d %b %H:%M} "
        f"and by {signed(drift.quantity)} on {second:%-d %b %H:%M}, and no order explains it."
    )
    drift.cause = DriftCause.TWO_WRITERS
    drift.save(update_fields=["cause"])
    subject = f"Two writers alternate on a level of {store}: it is paused."
    body = f"{drift.publication}. {cause} Find out who else writes this quantity, then resume it under Held and drift."
    notices.notify(NoticeEvent.TWO_WRITERS, store, subject, body, link="/console/held/?tab=drift")
    return cause


@dataclass(frozen=True, slots=True)
class Turn:
    """One write of one of the two: by whom, when, and what the store showed after it."""

    by: str
    at: dt.datetime
    shown: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """The turns that two writers took on a paused level, newest first."""

    drift: Drift
    turns: list[Turn]


TURNS: Final = 4
NOBODY_NAMED: Final = "Somebody else; Shopify does not tell who"


def pairs(drifts: Sequence[Drift]) -> list[Pair]:
    """Who wrote what in turn, for each of these levels that two writers had."""
    ids = [drift.publication_id for drift in drifts]
    theirs = Drift.objects.filter(publication__in=ids).order_by("-pk")
    ours = PublicationEntry.objects.filter(publication__in=ids, push__isnull=False).order_by("-pk")
    turns: dict[int, list[Turn]] = {publication_id: [] for publication_id in ids}
    drifted: dict[int, list[Drift]] = {publication_id: [] for publication_id in ids}
    for each in theirs[: TURNS * len(ids)]:
        drifted[each.publication_id].append(each)
        turns[each.publication_id].append(Turn(each.writer or NOBODY_NAMED, each.first_seen_at, each.shown, ours=False))
    for entry in ours.select_related("push__batch__run")[: TURNS * len(ids)]:
        push = entry.push
        if push is not None:
            run = push.batch.run
            after = push.quantity
            if push.batch.kind == WriteKind.ADJUST:
                after += push.before + _off(entry, drifted[entry.publication_id])
            turns[entry.publication_id].append(Turn(f"{run.label} #{run.pk}", entry.recorded_at, after, ours=True))
    return [
        Pair(each, sorted(turns[each.publication_id], key=lambda turn: turn.at, reverse=True)[:TURNS])
        for each in drifts
    ]


def _off(entry: PublicationEntry, drifts: Sequence[Drift]) -> int:
    """By how much the store was off what we expected then, by these drifts, newest first: a relative push leaves that as it
    is."""
    at = entry.recorded_at
    standing = [
        each for each in drifts if each.revision < entry.seq and (each.closed_at is None or each.closed_at > at)
    ]
    return standing[0].quantity if standing else 0


def count_anew(publication_ids: Sequence[int]) -> None:
    """A person has looked into these levels: what happened until now does not count any more."""
    Drift.objects.filter(publication__in=publication_ids, resumed_at=None).update(resumed_at=timezone.now())
