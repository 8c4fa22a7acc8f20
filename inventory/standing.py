"""How a level stands against its store, in one word: what lists and pages show and filter by."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from inventory import holds
from inventory.models import Drift, LevelPublication, PublishedLevel
from inventory.models.drifts import DriftState
from inventory.models.publications import Exclusion, PublicationState
from syncconsole.kernel.status import Meaning


class Standing(models.TextChoices):
    """The word for a level in a store; the first that applies."""

    EXCLUDED = "excluded", "Excluded"
    QUARANTINED = "quarantined", "Quarantined"
    FROZEN = "frozen", "Frozen"
    UNSURE = "unsure", "Unsure"
    BUSY = "busy", "Busy"
    HELD = "held", "Held"
    NO_BASELINE = "no_baseline", "No baseline"
    DRIFT = "drift", "Drift"
    TO_PUSH = "to_push", "To push"
    IN_STEP = "in_step", "In step"
    NOT_LISTED = "not_listed", "Not listed"

    @property
    def meaning(self) -> Meaning:
        return {
            Standing.QUARANTINED: Meaning.NEEDS_YOU,
            Standing.UNSURE: Meaning.ATTENTION,
            Standing.DRIFT: Meaning.ATTENTION,
            Standing.BUSY: Meaning.WAITS,
            Standing.HELD: Meaning.WAITS,
            Standing.NO_BASELINE: Meaning.WAITS,
            Standing.TO_PUSH: Meaning.WAITS,
            Standing.IN_STEP: Meaning.OK,
        }.get(self, Meaning.OFF)


@dataclass(frozen=True, slots=True)
class Stands:
    """The word, and the reason in a few more words (empty when the word says it all)."""

    word: Standing
    reason: str = ""


NEVER_PUBLISHED = "Nothing was written to it yet: a manual or full run takes it on."
BY_STATE = {
    PublicationState.QUARANTINED: Standing.QUARANTINED,
    PublicationState.FROZEN: Standing.FROZEN,
    PublicationState.UNSURE: Standing.UNSURE,
}


def stands(publication: LevelPublication, pending: int, *, drifts: bool) -> Stands:
    """How `publication` stands. `pending` is its target − expected (`with_target`), `drifts` as IN_DRIFT says."""
    if publication.excluded == Exclusion.CLONE:
        return Stands(Standing.QUARANTINED, Exclusion.CLONE.label)
    if publication.excluded:
        return Stands(Standing.EXCLUDED, Exclusion(publication.excluded).label)
    if publication.state == PublicationState.CLOSED:
        return Stands(Standing.EXCLUDED, publication.state_cause)
    if state := BY_STATE.get(PublicationState(publication.state)):
        return Stands(state, publication.state_cause)
    if holds.is_busy(publication):
        return Stands(Standing.BUSY, "It sells too fast to rest; deltas keep it right.")
    if publication.hold_test:
        return Stands(Standing.HELD, publication.hold_cause)
    if publication.state == PublicationState.NO_BASELINE:
        return Stands(Standing.NO_BASELINE, publication.state_cause or NEVER_PUBLISHED)
    if pending:
        return Stands(Standing.TO_PUSH)
    if drifts:
        return Stands(Standing.DRIFT)
    return Stands(Standing.IN_STEP)


IN_DRIFT = Exists(Drift.objects.filter(publication=OuterRef("pk"), state=DriftState.OPEN))
"""Publications whose drift nobody has decided yet, as a filter."""


IN_QUARANTINE = Q(state=PublicationState.QUARANTINED) | Q(excluded=Exclusion.CLONE)
"""Publications that a person has to let go: the store refused them, or they are of clone suspects."""


def found(
    rows: QuerySet[LevelPublication, LevelPublication], word: str
) -> QuerySet[LevelPublication, LevelPublication]:
    """`rows` narrowed to those that stand as `word`; an unknown word narrows nothing."""
    live = Q(state=PublicationState.LIVE, excluded=Exclusion.NONE)
    match word:
        case Standing.BUSY:
            return rows.filter(holds.BUSY).eligible()  # type: ignore[attr-defined, no-any-return]
        case Standing.HELD:
            return rows.exclude(hold_test="").eligible()  # type: ignore[attr-defined, no-any-return]
        case Standing.DRIFT:
            return rows.filter(IN_DRIFT, live, hold_test="")
        case Standing.TO_PUSH:
            marked = rows.filter(live, hold_test="", needs_look=True)
            owed = _owed(marked)
            return marked if owed is None else rows.filter(pk__in=owed)
        case Standing.IN_STEP:
            rows = rows.filter(~IN_DRIFT, live, hold_test="")
            owed = _owed(rows.filter(needs_look=True))
            return rows.filter(needs_look=False) if owed is None else rows.exclude(pk__in=owed)
        case Standing.EXCLUDED:
            return rows.exclude(excluded__in=(Exclusion.NONE, Exclusion.CLONE))
        case Standing.QUARANTINED:
            return rows.filter(IN_QUARANTINE)
        case Standing.NO_BASELINE:
            return rows.filter(state=word, excluded=Exclusion.NONE, hold_test="")
        case Standing.FROZEN | Standing.UNSURE:
            return rows.filter(state=word, excluded=Exclusion.NONE)
        case _:
            return rows


def _owed(marked: QuerySet[LevelPublication, LevelPublication]) -> list[int] | None:
    """Ids of the marked rows whose target is not what we expect; None where so many are marked that the mark must do."""
    few = list(marked.order_by("pk").values_list("pk", flat=True)[: WORKED_OUT_AT_MOST + 1])
    if len(few) > WORKED_OUT_AT_MOST:
        return None
    owed = LevelPublication.objects.filter(pk__in=few).with_target().exclude(pending=0)
    return list(owed.values_list("pk", flat=True))


WORKED_OUT_AT_MOST = 2000
"""Publications whose target a filter works out; with more, paging by id stays fast without it."""


def at_zero() -> Exists:
    """A level of the group has nothing left to sell: the filter "to zero"."""
    members = PublishedLevel.objects.filter(publication=OuterRef("pk"))
    return Exists(members.filter(level__on_hand__lte=F("level__released")))
