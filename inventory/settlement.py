"""What an answer to a batch means for each of its rows (algorithms.md §5, outcome table).

Every function here takes the batch by a conditional update in the transaction that settles it, so an answer that two
workers hold is counted once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import structlog
from django.db import transaction
from django.utils import timezone

from connectors.models.runs import Outcome
from connectors.ports.store import (
    RemoteLevel,
    RowProblem,
    RowProblemKind,
    StorePort,
    WriteOutcome,
    WriteReply,
)
from inventory import booking, frozen, publications, pushes
from inventory.models import LevelPublication, Push, PushBatch
from inventory.models.publications import PublicationState
from inventory.models.pushes import UNSETTLED, BatchStatus, PushStatus, WriteKind

log = structlog.get_logger(__name__)

TOO_CLOSE = dt.timedelta(seconds=2)
"""Times nearer than this cannot be put in order (algorithms.md §4)."""


def settle(port: StorePort, batch: PushBatch, reply: WriteReply) -> list[PushBatch]:
    """Book a definite answer. Returns batches that take the rest of this one further, to be sent next.

    May read levels from the store first (never inside a transaction). Repeating it changes nothing.
    """
    if reply.outcome in (WriteOutcome.APPLIED, WriteOutcome.UNCHANGED):
        if batch.kind == WriteKind.ADJUST:
            _settle_adjusted(batch)
        else:
            _settle_overwritten(batch, reply)
        return []
    if reply.outcome == WriteOutcome.KEY_MISMATCH:
        pushes.make_unsure(batch, "The store knows this key with other contents; a fault of ours, never sent again.")
        return []
    if batch.kind != WriteKind.ADJUST:
        _give_back_overwrites(batch, reply)
        return []
    return _split_adjustment(port, batch, reply)


def _take(batch: PushBatch, status: BatchStatus, cause: str = "") -> bool:
    taken = PushBatch.objects.filter(pk=batch.pk, status__in=UNSETTLED).update(
        status=status, cause=cause[:400], settled_at=timezone.now()
    )
    return bool(taken)


def _locked(batch: PushBatch) -> tuple[list[Push], dict[int, LevelPublication]]:
    """Unsettled pushes of the batch by position, and their publications, locked by id."""
    rows = list(
        batch.pushes.filter(status__in=(PushStatus.CLAIMED, PushStatus.UNSURE))
        .select_related("item")
        .order_by("position")
    )
    found = {p.pk: p for p in publications.lock(push.publication_id for push in rows)}
    return rows, found


@transaction.atomic
def _settle_adjusted(batch: PushBatch) -> None:
    booking.lock_batch(batch)
    if _take(batch, BatchStatus.SETTLED):
        booking.book_adjusted(batch)


@transaction.atomic
def _settle_overwritten(batch: PushBatch, reply: WriteReply) -> None:
    booking.lock_batch(batch)
    if _take(batch, BatchStatus.SETTLED):
        written_at = reply.applied_at if reply.outcome == WriteOutcome.APPLIED else None
        booking.book_overwritten(batch, written_at, TOO_CLOSE)


def _drop(rows: Sequence[Push], found: dict[int, LevelPublication]) -> None:
    """Free the claims of pushes that were not applied and save their publications."""
    for push in rows:
        publication = found[push.publication_id]
        publication.claim_id = None
        publication.needs_look = True
    publications.save_all(found.values())
    Push.objects.filter(pk__in=[push.pk for push in rows]).update(status=PushStatus.DROPPED)


@transaction.atomic
def _give_back_overwrites(batch: PushBatch, reply: WriteReply) -> None:
    """A refused compare-and-swap: named rows leave with their reason, the rest goes back to a fresh read.

    The old number is never sent again. A row that was stale is read and planned again like the others.
    """
    rows, found = _locked(batch)
    if not _take(batch, BatchStatus.REFUSED, reply.cause):
        return
    named = {problem.index: problem for problem in reply.problems if problem.kind != RowProblemKind.STALE}
    if reply.outcome == WriteOutcome.REFUSED and len(rows) == 1 and not named:
        named = {rows[0].position: _unnamed(rows[0].position, reply)}
    _refuse(rows, found, named)
    back = [push for push in rows if push.position not in named]
    _drop(rows, found)
    pushes.mark_items([push.item for push in back if push.item], Outcome.PLANNED)


@transaction.atomic
def withdraw(batch: PushBatch, cause: str) -> None:
    """The request itself was at fault and was not executed: its levels are free again and stay marked."""
    rows, found = _locked(batch)
    if not _take(batch, BatchStatus.REFUSED, cause):
        return
    for publication in found.values():
        frozen.thaw(publication, batch.run)
    _drop(rows, found)
    pushes.mark_items([push.item for push in rows if push.item], Outcome.PLANNED)


def _unnamed(position: int, reply: WriteReply) -> RowProblem:
    cause = reply.cause or "The store refused the row without naming a reason."
    return RowProblem(position, RowProblemKind.OTHER, "", cause, "Look at the item in the store, then plan again.")


def _refuse(rows: Sequence[Push], found: dict[int, LevelPublication], named: dict[int, RowProblem]) -> None:
    """Quarantine the rows the store named, each with its own cause and remedy."""
    for push in rows:
        problem = named.get(push.position)
        if problem is None:
            continue
        publication = found[push.publication_id]
        publication.state, publication.state_cause = (
            PublicationState.QUARANTINED,
            f"{problem.cause} {problem.remedy}"[:400],
        )
        if push.item:
            pushes.mark_items([push.item], Outcome.REFUSED, problem.cause, problem.remedy)


def _split_adjustment(port: StorePort, batch: PushBatch, reply: WriteReply) -> list[PushBatch]:
    """A refused relative batch: named rows are quarantined, rows that look applied all the same become unsure, the rest
    goes on in a new batch with a new key. Where no row is named, both halves go on by themselves."""
    shown = read_batch(port, batch)
    with transaction.atomic():
        rows, found = _locked(batch)
        if not _take(batch, BatchStatus.REFUSED, reply.cause):
            return []
        named = {problem.index: problem for problem in reply.problems}
        if not named and len(rows) == 1:
            named = {rows[0].position: _unnamed(rows[0].position, reply)}
        _refuse(rows, found, named)
        applied_after_all = {
            push.position
            for push in rows
            if push.position not in named and _looks_applied(found[push.publication_id], push, shown)
        }
        _doubt([push for push in rows if push.position in applied_after_all], found)
        rest = [push for push in rows if push.position not in named and push.position not in applied_after_all]
        out = [push for push in rest if found[push.publication_id].excluded]
        pushes.mark_items([push.item for push in out if push.item], Outcome.LEFT, "The level takes no part any more.")
        rest = [push for push in rest if push not in out]
        dropped = [push for push in rows if push.position not in applied_after_all]
        for push in dropped:
            found[push.publication_id].claim_id = None
        publications.save_all(found.values())
        Push.objects.filter(pk__in=[push.pk for push in dropped]).update(status=PushStatus.DROPPED)
        parts = [rest] if named else [rest[: (len(rest) + 1) // 2], rest[(len(rest) + 1) // 2 :]]
        return [_again(port, batch, part, found) for part in parts if part]


def _looks_applied(publication: LevelPublication, push: Push, shown: dict[int, RemoteLevel]) -> bool:
    level = shown.get(publication.pk)
    return level is not None and level.available - publication.expected_quantity == push.quantity


def _doubt(rows: Sequence[Push], found: dict[int, LevelPublication]) -> None:
    cause = "The store refused the call, and yet shows the new quantity."
    for push in rows:
        publication = found[push.publication_id]
        publication.state, publication.state_cause = PublicationState.UNSURE, cause
    Push.objects.filter(pk__in=[push.pk for push in rows]).update(status=PushStatus.UNSURE)
    pushes.mark_items(
        [push.item for push in rows if push.item], Outcome.UNSURE, cause, "The next settled read decides by itself."
    )


def _again(port: StorePort, batch: PushBatch, rows: Sequence[Push], found: dict[int, LevelPublication]) -> PushBatch:
    """The same quantities in a new batch with a new key."""
    locations = dict(
        LevelPublication.objects.filter(pk__in=[push.publication_id for push in rows]).values_list(
            "pk", "store_location__ref"
        )
    )
    claims = [
        pushes.Claim(
            push.publication_id,
            found[push.publication_id].item_ref,
            locations[push.publication_id],
            push.item_id,
            push.quantity,
            push.before,
            found[push.publication_id].revision,
            {int(level): version for level, version in push.versions.items()},
        )
        for push in rows
    ]
    return pushes.store_batch(batch.run, port, WriteKind.ADJUST, claims, retry_of=batch)


def read_batch(port: StorePort, batch: PushBatch) -> dict[int, RemoteLevel]:
    """What the store shows for the batch's levels, by publication id."""
    by_location: dict[str, dict[str, int]] = {}
    for publication in LevelPublication.objects.filter(pushes__batch=batch).select_related("store_location"):
        by_location.setdefault(publication.store_location.ref, {})[publication.item_ref] = publication.pk
    shown = {}
    for location_ref, items in by_location.items():
        for level in port.read_levels(location_ref, list(items)).levels:
            if level.known and level.exists:
                shown[items[level.item_ref]] = level
    return shown
