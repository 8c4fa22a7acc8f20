"""Levels set aside: frozen after an undo, or quarantined because the store refused them; and how a person lets them go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.db import transaction

from connectors.models import SyncRun
from inventory import holding, publications, two_writers
from inventory.models import LevelPublication
from inventory.models.publications import SET_ASIDE, PublicationQuerySet, PublicationState
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RIGHT: Final = "inventory.release_freeze"


def set_aside() -> PublicationQuerySet:
    """Levels that wait for a person to let them go."""
    return LevelPublication.objects.filter(state__in=SET_ASIDE)


class ReleaseRefused(Refusal):
    """No level was let go; says why and what to do."""


def cause_of(undo: SyncRun) -> str:
    """What is said of a level that the run `undo` has taken back."""
    return f"Run #{undo.undoes_id} was undone here by run #{undo.pk}."


def freeze_all(causes: Mapping[int, str]) -> None:
    """Keep deltas away from these publications (by id, with the cause), inside the caller's transaction."""
    locked = publications.lock(causes)
    for publication in locked:
        freeze(publication, causes[publication.pk])
    publications.save_all(locked)


def freeze(publication: LevelPublication, cause: str) -> None:
    """Keep deltas away from a locked publication, which the caller saves. What was undone is still owed to it."""
    publication.state, publication.state_cause = PublicationState.FROZEN, cause


def thaw(publication: LevelPublication, undo: SyncRun) -> None:
    """The undo was not carried out on this locked publication after all."""
    if is_frozen_by(publication, undo):
        publication.state, publication.state_cause = PublicationState.LIVE, ""


def is_frozen_by(publication: LevelPublication, undo: SyncRun) -> bool:
    """Frozen, and by this run."""
    return publication.state == PublicationState.FROZEN and publication.state_cause == cause_of(undo)


@transaction.atomic
def release(publication_ids: Iterable[int], *, by: User, reason: str) -> int:
    """Let levels take part again: the next delta sends what is owed to them then. Returns how many were let go; those that
    somebody else has let go already are not counted.

    Raises ReleaseRefused without the right or a reason, or where a push of a level is on its way.
    """
    if not by.has_perm(RIGHT):
        raise ReleaseRefused("Your role may not let levels go.", "An operator or an administrator can.")
    if not reason.strip():
        raise ReleaseRefused("It needs a reason.", "Say what was corrected, or why it is to be sent after all.")
    locked = [row for row in publications.lock(publication_ids) if row.state in SET_ASIDE]
    if any(row.claim_id for row in locked):
        raise ReleaseRefused("A push of one of these levels is on its way.", "Try again when it is answered.")
    for publication in locked:
        known = publication.baseline_at is not None
        publication.state = PublicationState.LIVE if known else PublicationState.NO_BASELINE
        publication.state_cause = ""
        publication.needs_look = True
        holding.release(publication)
    publications.save_all(locked, by=by, why=reason.strip())
    two_writers.count_anew([row.pk for row in locked])
    if locked:
        titles = [str(row.pk) for row in locked[:20]]
        audit.record(by, "let levels go", f"{len(locked)} levels", after={"reason": reason.strip(), "levels": titles})
    return len(locked)
