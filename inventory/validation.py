"""The ATS validation sheet: our numbers beside the store's as last read, a sample that people count, a signature."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus
from inventory import audit as ledger_check
from inventory import signatures
from inventory.jobs import Job
from inventory.models import LevelPublication, Validation, ValidationSample
from inventory.models.publications import PublicationState
from inventory.standing import IN_DRIFT
from syncconsole.kernel import audit
from syncconsole.kernel.counting import kept
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

RIGHT: Final = "inventory.validate_ats"
SAMPLE: Final = 20
"""Levels of a sheet that somebody counts."""
SHUFFLED: Final = 20_000
"""Up to so many levels are drawn from by shuffling all; from more, by random ids."""
READS_ALL: Final = (Job.FULL, Job.DAILY, Job.OBSERVE)
"""Jobs that read every level of the store."""


class ValidationRefused(Refusal):
    """The sheet was not changed; says why and what to do."""


@dataclass(frozen=True, slots=True)
class SheetCounts:
    """Levels of a store by how they compare; `levels` = `equal` + `differ` + `held`."""

    levels: int
    equal: int
    differ: int
    held: int

    def as_dict(self) -> dict[str, int]:
        """As plain values."""
        return asdict(self)


def rows_of(store: Store, which: str = "") -> QuerySet[LevelPublication, Any]:
    """The sheet's levels with `target`, `ats`, `on_hand`, `released`, `is_drifting`. `which`: differ, held, equal, or all.

    A level differs where the store showed something else than it should show now, or was never read. Differences are
    looked for among the levels that may have one (moved here, drift, no baseline), which are few.
    """
    rows = LevelPublication.objects.filter(store=store).eligible()
    rows = rows.exclude(hold_test="") if which == "held" else rows.filter(hold_test="") if which else rows
    if which == "differ":
        rows = rows.filter(_may_differ())
    named = rows.with_target().annotate(
        on_hand=Sum("members__level__on_hand"), released=Sum("members__level__released"), is_drifting=IN_DRIFT
    )
    unequal = Q(observed_available=None) | ~Q(observed_available=F("target"))
    found: QuerySet[LevelPublication, Any] = {"differ": named.filter(unequal), "equal": named.exclude(unequal)}.get(
        which, named
    )
    return found


def _may_differ() -> Q:
    return Q(needs_look=True) | IN_DRIFT | ~Q(state=PublicationState.LIVE) | Q(observed_available=None)


@kept
def counts(store_id: int) -> SheetCounts:
    """How many levels of a store compare how."""
    store = Store.objects.get(pk=store_id)
    levels = LevelPublication.objects.filter(store=store).eligible().count()
    differ, held = rows_of(store, "differ").count(), rows_of(store, "held").count()
    return SheetCounts(levels, levels - differ - held, differ, held)


def last_read(store: Store) -> SyncRun | None:
    """The last run that read every level."""
    done = store.runs.filter(kind__in=READS_ALL, status__in=(RunStatus.COMPLETED, RunStatus.PARTIAL))
    return done.filter(finished_at__isnull=False).first()


def open_sheet(store: Store) -> Validation | None:
    """The sheet that is being confirmed."""
    return store.validations.filter(signed_at=None, withdrawn_at=None).first()


def draw(store: Store, by: User | None) -> Validation:
    """Draw the sample of a new sheet, once: the sheet that is open already is returned as it is.

    Raises ValidationRefused without the right, or where no level of the store was read yet.
    """
    _check_right(by)
    if found := open_sheet(store):
        return found
    chosen = _random_levels(store)
    if not chosen:
        raise ValidationRefused("No level of the store was read yet.", "Run a full sync first: it takes the baseline.")
    try:
        with transaction.atomic():
            sheet = Validation.objects.create(store=store, drawn_at=timezone.now(), drawn_by=by)
            ValidationSample.objects.bulk_create(
                ValidationSample(validation=sheet, publication_id=chosen_id) for chosen_id in chosen
            )
    except IntegrityError:
        if found := open_sheet(store):  # somebody drew at the same moment
            return found
        raise
    return sheet


def _random_levels(store: Store) -> list[int]:
    rows = LevelPublication.objects.filter(store=store, observed_available__isnull=False).eligible()
    if rows[: SHUFFLED + 1].count() <= SHUFFLED:
        return list(rows.order_by("?").values_list("pk", flat=True)[:SAMPLE])
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    chosen: set[int] = set()
    while len(chosen) < SAMPLE:
        at = random.randint(ends["first"], ends["last"])  # noqa: S311 - a sample, not a secret
        chosen.add(rows.filter(pk__gte=at).order_by("pk").values_list("pk", flat=True)[0])
    return sorted(chosen)


@transaction.atomic
def count(sample: ValidationSample, counted: Decimal | None, note: str, by: User | None) -> ValidationSample:
    """Keep what was counted at a level (None takes a count back) beside what we have on hand there now, and the note.

    Raises ValidationRefused without the right, for a negative count, or when the sheet is signed.
    """
    _check_right(by)
    if counted is not None and counted < 0:
        raise ValidationRefused("A count is never negative.", "Write how many units are there: zero or more.")
    Validation.objects.select_for_update().get(pk=sample.validation_id)
    row = ValidationSample.objects.select_related("validation").get(pk=sample.pk)
    if row.validation.signed_at:
        raise ValidationRefused("This sheet is signed; its counts stay.", "Draw a new sheet to count again.")
    if (row.counted, row.note) == (counted, note[:300]):
        return row
    ours = row.publication.members.aggregate(on_hand=Sum("level__on_hand"))["on_hand"] or Decimal(0)
    row.counted, row.on_hand = counted, None if counted is None else ours
    row.note, row.counted_by = note[:300], by
    row.counted_at = None if counted is None else timezone.now()
    row.save(update_fields=["counted", "on_hand", "note", "counted_by", "counted_at"])
    return row


def left(sheet: Validation) -> int:
    """How many levels of the sample are neither equal nor explained."""
    return sum(1 for sample in sheet.samples.all() if not sample.confirmed)


def sign(store: Store, by: User) -> Validation:
    """Sign the open sheet: `by` confirms that these quantities were checked. A signature before it is replaced.

    Raises ValidationRefused: no right, no open sheet, a sample not confirmed, a broken ledger check.
    """
    _check_right(by)
    checked = ledger_check.latest()
    if checked and not checked.green:
        raise ValidationRefused(
            f"The ledger check found {checked.found:,} differences.", "Mend them and run audit_ledger, then sign."
        )
    now_counts = counts.anew(store.pk).value.as_dict()
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        sheet = store.validations.select_for_update().filter(signed_at=None, withdrawn_at=None).first()
        if sheet is None:
            raise ValidationRefused("No sheet is open.", "Draw one: its sample is counted first.")
        if waiting := left(sheet):
            raise ValidationRefused(
                f"{waiting} of {sheet.samples.count()} samples are neither equal nor noted.",
                "Count them, or add a note.",
            )
        signatures.withdraw("A new sheet was signed.", store)
        sheet.signed_at, sheet.signed_by, sheet.signed_zone = timezone.now(), by, store.time_zone
        sheet.counts = {**now_counts, "samples": sheet.samples.count()}
        sheet.save(update_fields=["signed_at", "signed_by", "signed_zone", "counts"])
        audit.record(by, "sign ATS", str(store), after=sheet.counts)
    return sheet


def _check_right(by: User | None) -> None:
    if by is not None and not by.has_perm(RIGHT):
        raise ValidationRefused("Your role may not confirm ATS.", "Onboarding staff or an administrator can.")
