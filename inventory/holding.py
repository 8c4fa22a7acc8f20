"""How a level comes to be held and is let go, and the history of that. The publications are locked and saved by the caller
(`publications.save_all`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from inventory.models import HoldChange, LevelPublication
from inventory.models.hold_changes import ASIDE
from inventory.models.publications import SET_ASIDE, Exclusion
from syncconsole.kernel.models import User


def hold(publication: LevelPublication, test: str, cause: str, remedy: str) -> None:
    """Mark a publication as held; the time of its first hold in a row is kept. One in quarantine is held by that until it is
    let go, and by nothing more that would outlast it; what was read of it is not believed either."""
    if publication.excluded == Exclusion.CLONE:
        publication.observed_revision = None
        return
    if not publication.hold_test:
        publication.held_since = timezone.now()
    publication.hold_test, publication.hold_cause, publication.hold_remedy = test, cause[:400], remedy[:400]


def release(publication: LevelPublication) -> None:
    """The reason to hold is gone."""
    if not publication.hold_test:
        return
    publication.hold_test = publication.hold_cause = publication.hold_remedy = ""
    publication.held_since = None


def note_changes(publications: Iterable[LevelPublication], *, by: User | None = None, why: str = "") -> None:
    """Keep which of these levels began, or ceased, to be held since they were locked. One that is set aside is held by that
    all the while. So is one in quarantine: what holds it besides is kept when it is let go, by the trigger that keeps both
    ends of a quarantine. `by` whom, and `why`, those were let go that are held no more."""
    now, changes = timezone.now(), []
    for row in publications:
        before, after = _held_by(row.stored or row.__dict__), _held_by(row.__dict__)
        if before[0] != after[0] and row.excluded != Exclusion.CLONE:
            test, cause = after
            by_whom, said = (None, cause) if test else (by, why[:400])
            changes.append(HoldChange(publication_id=row.pk, at=now, test=test, cause=said, by=by_whom))
    HoldChange.objects.bulk_create(changes)


def _held_by(values: Mapping[str, Any]) -> tuple[str, str]:
    """By which test a level is held, and why; empty where none holds it."""
    if values["state"] in SET_ASIDE:
        return ASIDE, values["state_cause"]
    return values["hold_test"], values["hold_cause"]
