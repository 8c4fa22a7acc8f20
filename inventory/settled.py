"""Settled levels: when a read of the store may be believed enough to overwrite it (algorithms.md §6, tests a–e)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.db.models import Q

from connectors.ports.store import RemoteLevel
from inventory import drift, frozen, publications, pushes
from inventory.knowledge import Knowledge
from inventory.models import LevelPublication, PublicationEntry, Push
from inventory.models.drifts import DriftState
from inventory.models.publications import Exclusion, PublicationKind, PublicationState
from inventory.models.pushes import PushStatus, WriteKind
from inventory.publications import Effect
from inventory.settlement import TOO_CLOSE
from syncconsole.kernel.templatetags.console import duration

NEVER_ANSWERED = "The outcome of a push was unknown; the store was read instead."
"""Why a level is adopted whose push nobody can ask about any more."""
OUT_OF_DATE = dt.timedelta(minutes=30)
"""Orders that are known no further are behind, not on their way."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a level is not overwritten now: the failed test (a to e), cause and remedy."""

    test: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A level as read, with the revision we had just before and the moment up to which the store's news is known.

    `watermark`: nothing that moved after it counts as settled (server time at which knowledge was complete − margin).
    """

    level: RemoteLevel
    read_at: dt.datetime
    revision: int
    watermark: dt.datetime
    waits: str = ""
    """Which order names this item and is not booked yet."""
    margin: dt.timedelta = dt.timedelta(0)
    """How late the store may tell of what moved (`connectors.lags.margin`)."""
    zone: dt.tzinfo = dt.UTC
    """The store's: people read times of a hold by its clock."""


def watermark(read_at: dt.datetime, known: Knowledge, margin: dt.timedelta) -> dt.datetime:
    """The moment up to which everything that moved in the store has had the time to become known here."""
    return min(read_at, known.until or read_at) - margin


def judge(publication: LevelPublication, reading: Reading) -> Hold | None:
    """The first test that the locked `publication` fails for `reading`, or None: the level is settled.

    Call it before `observe`: test (a) compares with the previous reading where the store tells no times.
    """
    return (
        _not_ours_to_fix(publication, reading.level)
        or _not_settled(publication, reading)
        or _other_orders(publication, reading.level)
        or _waits(reading)
        or _news_since(publication, reading)
    )


def _not_ours_to_fix(publication: LevelPublication, level: RemoteLevel) -> Hold | None:
    if publication.state in (PublicationState.QUARANTINED, PublicationState.FROZEN):
        return _set_aside(publication)
    if publication.excluded == Exclusion.CLONE:
        return Hold("e", "Clone suspect: another variant of the store is like it.", "Decide the pair under Quarantine.")
    if publication.excluded:
        return Hold("e", f"{Exclusion(publication.excluded).label}.", "It takes part again once that has changed.")
    if not level.known:
        return Hold("e", "The store does not know this inventory item any more.", "Link the store again.")
    if not level.tracked:
        return Hold("e", "Track quantity is off in the store.", "Switch it on in the store, then link again.")
    if not level.exists:
        return Hold(
            "e",
            "The item is not stocked at this location of the store.",
            "Stock it there in the store, then run again.",
        )
    if not level.is_active:
        return Hold("e", "The item is deactivated at this location of the store.", "Activate it there, then run again.")
    return None


def _set_aside(publication: LevelPublication) -> Hold:
    label = PublicationState(publication.state).label
    return Hold("e", f"{label}: {publication.state_cause}", "Decide it under Held and drift.")


def _not_settled(publication: LevelPublication, reading: Reading) -> Hold | None:
    moved_at = moved(publication, reading)
    if moved_at <= reading.watermark:
        return None
    if reading.read_at - reading.watermark > OUT_OF_DATE + reading.margin:
        known_to = reading.watermark.astimezone(reading.zone)
        cause = f"The store's orders are known only up to {known_to:%-d %b %H:%M %Z}; it moved since."
        return Hold("a", cause, "Import the store's orders; see under Changes what cannot be read.")
    if reading.level.moved_at is None:
        cause = "The store does not say when it last moved; a second, equal read some minutes later is needed."
    else:
        cause = f"It moved in the store at {moved_at.astimezone(reading.zone):%H:%M:%S %Z}, too recently to know why"
        cause += f": its orders may be told up to {duration(reading.margin)} late." if reading.margin else "."
    return Hold("a", cause, "Ends by itself once it rests; deltas go on meanwhile.")


def _other_orders(publication: LevelPublication, level: RemoteLevel) -> Hold | None:
    known = publication.open_remote + publication.acknowledged_offset
    if level.committed == known:
        return None
    if level.committed < publication.open_remote + publication.acknowledged_offset:
        # A signed offset may only shrink by itself: orders it stood for were fulfilled.
        offset = level.committed - publication.open_remote
        if 0 <= offset < publication.acknowledged_offset:
            publication.acknowledged_offset = offset
            return None
    return Hold(
        "b",
        f"The store has {level.committed} committed in orders, of which {known} are known here.",
        "The level follows when those orders are imported or shipped there.",
    )


def _waits(reading: Reading) -> Hold | None:
    return (
        Hold("c", reading.waits, "See the order under Sales; the level follows once it is booked.")
        if reading.waits
        else None
    )


def _news_since(publication: LevelPublication, reading: Reading) -> Hold | None:
    if publication.claim_id and publication.state != PublicationState.UNSURE:
        return Hold("d", "A push of this level is on its way.", "Ends by itself when it is answered.")
    if publication.revision != reading.revision:
        return Hold("d", "A push of this level was answered while it was read.", "Ends by itself at the next read.")
    return None


def moved(publication: LevelPublication, reading: Reading) -> dt.datetime:
    """When the level last moved in the store, at the latest. Where the store tells no times: when these quantities were
    first read, so that two equal reads a margin apart are needed before anything is believed."""
    level = reading.level
    if level.moved_at is not None:
        return level.moved_at
    same = (
        publication.observed_available == level.available
        and publication.observed_committed == level.committed
        and publication.observed_unavailable == level.unavailable
    )
    return publication.observed_moved_at if same and publication.observed_moved_at else reading.read_at


def observe(publication: LevelPublication, reading: Reading) -> None:
    """Keep what was read on the locked publication."""
    level = reading.level
    publication.observed_moved_at = moved(publication, reading)
    publication.observed_available = level.available
    publication.observed_committed = level.committed
    publication.observed_unavailable = level.unavailable
    publication.observed_at = reading.read_at


def learn(publication: LevelPublication, reading: Reading) -> None:
    """What a settled read teaches: an unsure push is decided, withheld follows the store's unavailable units.

    The publication is locked and `judge` found nothing. Afterwards expected may have moved.
    """
    undecided = publication.state == PublicationState.UNSURE and not _decide_unsure(publication, reading.level)
    _follow_unavailable(publication, reading.level)
    if publication.verify and not undecided:
        _decide_late_effect(publication, reading.level)
    publication.observed_revision = publication.revision


def note_drift(locked: Sequence[LevelPublication], verdicts: Sequence[Hold | None]) -> list[Hold | None]:
    """Keep what is left unexplained on the settled ones of these levels, after `learn`. Returns the verdicts, with a hold
    for each level that was found to have two writers."""
    rests = {row.pk: drift.residual(row) for row, hold in zip(locked, verdicts, strict=True) if hold is None}
    paused = drift.note({pk: rest for pk, rest in rests.items() if rest})
    for row in locked:
        if row.pk in paused:
            frozen.freeze(row, paused[row.pk])
    return [_set_aside(row) if row.pk in paused else hold for row, hold in zip(locked, verdicts, strict=True)]


def _decide_unsure(publication: LevelPublication, level: RemoteLevel) -> bool:
    """A push whose outcome nobody can ask any more (algorithms.md §5, Unsure): r = 0 was not applied, r = q was. Anything
    else waits for a person or the next job that overwrites, and is not decided. A compare-and-swap, and what is frozen
    afterwards: believe the store."""
    push = Push.objects.select_related("batch__run").filter(claimed=publication).first()
    relative = push is not None and push.batch.kind == WriteKind.ADJUST
    applied = _was_applied(publication, push, level) if push and relative else None
    if push and relative and applied is None and publication.baseline_at and not push.batch.run.undoes_id:
        publication.state_cause = (
            f"A push of {push.quantity:+d} was never answered, and something else moved the level, too. "
            "Decide it under Held and drift; a full sync ends it as well."
        )
        return False
    pushes.decided(publication)
    if publication.baseline_at is None and relative:
        publication.state = PublicationState.NO_BASELINE
    rest = level.available - publication.expected_quantity
    status = PushStatus.DROPPED
    if push and applied:
        effect = Effect(publication, PublicationKind.PUSHED, push.quantity, f"push:{push.pk}", push_id=push.pk)
        publications.record([effect])
        status = PushStatus.SETTLED
    elif (rest and applied is None) or publication.baseline_at is None:
        adopt(publication, cause=NEVER_ANSWERED)
    if push and push.batch.run.undoes_id and (rest or status == PushStatus.SETTLED):
        frozen.freeze(publication, frozen.cause_of(push.batch.run))
    if push:
        Push.objects.filter(pk=push.pk).update(status=status)
    return True


def _was_applied(publication: LevelPublication, push: Push, level: RemoteLevel) -> bool | None:
    """Whether the store shows the units of a relative push; None where it shows neither them nor what was there before:
    what we expected, and the drift that stood. Units that it withholds since then may have come out of these."""
    rest = level.available - publication.expected_quantity
    stood = 0 if push.batch.run.undoes_id else drift.stood(publication)
    moved = level.unavailable - publication.withheld
    for explained in (rest - stood, rest, rest - stood + moved, rest + moved):
        if explained in (0, push.quantity):
            return explained == push.quantity
    return None


def adopt(publication: LevelPublication, cause: str) -> None:
    """Believe the last reading kept on the locked publication; its `observed_revision` must still be current."""
    pushes.give_up(publication)
    first = publication.baseline_at is None
    shown = publication.observed_available or 0
    key = f"adopt:{publication.pk}:{publication.revision + 1}"
    kind = PublicationKind.BASELINE if first else PublicationKind.ADOPTED
    at = publication.observed_moved_at
    publications.record([Effect(publication, kind, shown - publication.expected_quantity, key, cause, effective_at=at)])
    publication.overwritten_at = at
    # The reading is now what we believe: nothing that came before it is unexplained.
    publication.observed_revision = publication.revision
    drift.close([publication.pk], DriftState.CLEARED)
    publications.become_live(publication, at)


def _follow_unavailable(publication: LevelPublication, level: RemoteLevel) -> None:
    """Units that the store itself withholds: target leaves them out; the part that came out of available is no drift."""
    moved = level.unavailable - publication.withheld
    if not moved:
        return
    rest = level.available - publication.expected_quantity
    publication.withheld = level.unavailable
    publication.needs_look = True
    if rest and publication.baseline_at:
        key = f"withheld:{publication.pk}:{publication.revision + 1}"
        publications.record([Effect(publication, PublicationKind.WITHHELD, -moved, key, effective_at=level.moved_at)])


def _decide_late_effect(publication: LevelPublication, level: RemoteLevel) -> None:
    """Times were too close to tell whether an overwrite wiped an effect: r = 0 says no, r = −e says yes (§4). An effect
    from another time was not wiped, whatever its size: then somebody else moved the level. Nor was one, whatever its time,
    where as much was unexplained before it was recorded."""
    rest, at = level.available - publication.expected_quantity, publication.overwritten_at
    publication.verify = False
    if not rest or at is None:
        return
    undated = Q(effective_at=None, seq__gt=_decided_up_to(publication))
    near = undated | Q(effective_at__range=(at - TOO_CLOSE, at + TOO_CLOSE))
    counted = publication.entries.filter(near, kind=PublicationKind.STORE_BOOKED, applied=True)
    wiped = _summing_to(-rest, list(counted.order_by("seq")))
    if wiped and not drift.stood_before(publication, rest, wiped[0].seq):
        publication.entries.filter(pk__in=[entry.pk for entry in wiped]).update(applied=False)
        publication.expected_quantity += rest
        publication.needs_look = True


def _summing_to(quantity: int, entries: Sequence[PublicationEntry]) -> Sequence[PublicationEntry]:
    """The newest of `entries` that is of so many units; else the first several that are together: they were recorded as
    they happened, and an overwrite wipes all that came before it. Empty where none are."""
    for entry in reversed(entries):
        if entry.quantity == quantity:
            return [entry]
    sums = accumulate(entry.quantity for entry in entries)
    return next((entries[:count] for count, units in enumerate(sums, start=1) if units == quantity), [])


def _decided_up_to(publication: LevelPublication) -> int:
    """Number of the last entry that the settled read before this one, or the overwrite since, took account of. An
    overwrite knows what was recorded when it was claimed, and not what came until it was answered."""
    last = publication.observed_revision or 0
    overwrites = publication.entries.filter(kind__in=(PublicationKind.OVERWRITTEN, PublicationKind.BASELINE), seq=last)
    claimed = overwrites.values_list("push__revision", flat=True).first()
    return last if claimed is None else claimed
