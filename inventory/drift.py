"""Drift: a settled read that differs from what was expected, kept from the read that shows it first to what ends it.

A settled read is the only teacher (`inventory.settled`): whoever keeps one tells `note` what it showed, in the
transaction that locked the publications.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from inventory import two_writers
from inventory.models import Drift, HoldChange, LevelPublication, Push
from inventory.models.drifts import STANDING, DriftCause, DriftState
from inventory.models.publications import Exclusion, PublicationState
from syncconsole.kernel import bulk


@dataclass(frozen=True, slots=True)
class Residual:
    """What a settled read at `read_at` (the store's time) showed, and by how many units that differs from what we
    expected of it."""

    store_id: int
    shown: int
    quantity: int
    revision: int
    read_at: dt.datetime
    cause: DriftCause = DriftCause.UNKNOWN


def note(residuals: Mapping[int, Residual]) -> dict[int, str]:
    """Settled reads of these locked publications (by id, those with a baseline): a difference that is new begins to
    stand, one that is the same was seen again, one that is gone or of another size has ended.

    One look-up where nothing differs. Returns those that the caller is to freeze, because two writers alternate on them:
    id → cause.
    """
    read = RawSQL("SELECT unnest(%s::bigint[])", [bulk.ids(residuals)])
    standing = {drift.publication_id: drift for drift in Drift.objects.filter(publication__in=read, state__in=STANDING)}
    if not standing and not any(residual.quantity for residual in residuals.values()):
        return {}
    ended, same, begun = [], [], []
    for publication_id, residual in residuals.items():
        before = standing.get(publication_id)
        if before and before.quantity == residual.quantity:
            before.shown, before.seen_at = residual.shown, residual.read_at
            same.append(before)
            continue
        if before:
            ended.append(before.pk)
        if residual.quantity:
            begun.append(_new(publication_id, residual))
    Drift.objects.filter(pk__in=ended).update(state=DriftState.CLEARED, closed_at=timezone.now())
    _restart(same)
    Drift.objects.bulk_update(same, ["shown", "seen_at", "steady_since"], batch_size=1000)
    return two_writers.pause(Drift.objects.bulk_create(begun, batch_size=1000))


def _restart(drifts: Sequence[Drift]) -> None:
    """Those that stand although their level was pushed or held since are steady from now on. By our clock, as pushes and holds
    are."""
    if not drifts:
        return
    ids = [drift.publication_id for drift in drifts]
    pushed = Push.objects.filter(publication__in=ids).order_by().values_list("publication").annotate(Max("created_at"))
    holds = HoldChange.objects.filter(publication__in=ids).exclude(test="").order_by()
    last, held = dict(pushed), dict(holds.values_list("publication").annotate(Max("at")))
    for drift in drifts:
        moments = [moments[drift.publication_id] for moments in (last, held) if drift.publication_id in moments]
        since = drift.steady_since or drift.first_seen_at
        drift.steady_since = timezone.now() if moments and max(moments) >= since else since


def _new(publication_id: int, residual: Residual) -> Drift:
    return Drift(
        publication_id=publication_id,
        store_id=residual.store_id,
        quantity=residual.quantity,
        shown=residual.shown,
        revision=residual.revision,
        cause=residual.cause,
        first_seen_at=residual.read_at,
        seen_at=residual.read_at,
        steady_since=timezone.now(),
    )


def in_state(state: DriftState) -> QuerySet[Drift, Drift]:
    """Drifts in `state`, of levels that take part."""
    taking_part = Q(publication__excluded=Exclusion.NONE) & ~Q(publication__state=PublicationState.CLOSED)
    return Drift.objects.filter(taking_part, state=state)


def undecided() -> QuerySet[Drift, Drift]:
    """Drifts that wait for a person."""
    return in_state(DriftState.OPEN)


def left_alone() -> QuerySet[Drift, Drift]:
    """Drifts that a person decided to ignore, and that still stand."""
    return in_state(DriftState.IGNORED)


def stood_before(publication: LevelPublication, quantity: int, seq: int) -> bool:
    """A drift of so many units stands that was read before the entry of this number was recorded."""
    standing = publication.drifts.filter(state__in=STANDING, quantity=quantity, revision__lt=seq)
    return standing.exists()


def stood(publication: LevelPublication) -> int:
    """Units of the drift that stands, and stood before any push that was never answered."""
    standing = publication.drifts.filter(state__in=STANDING).exclude(cause=DriftCause.UNANSWERED)
    return standing.values_list("quantity", flat=True).first() or 0


def close(publication_ids: Iterable[int], state: DriftState) -> None:
    """What these locked publications show is what we expect from now on: a drift of theirs has ended as `state`."""
    Drift.objects.filter(publication__in=list(publication_ids), state__in=STANDING).update(
        state=state, closed_at=timezone.now()
    )


def residual(publication: LevelPublication) -> Residual | None:
    """What the settled reading kept on the locked `publication` left unexplained; None before its baseline."""
    if publication.drift is None or publication.observed_at is None:
        return None
    unsure = publication.state == PublicationState.UNSURE
    return Residual(
        publication.store_id,
        publication.observed_available or 0,
        publication.drift,
        publication.revision,
        read_at=publication.observed_at,
        cause=DriftCause.UNANSWERED if unsure else DriftCause.UNKNOWN,
    )
