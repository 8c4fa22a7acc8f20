"""Delta: send each level what it is owed, target − expected, as a relative adjustment (algorithms.md §5)."""

from __future__ import annotations

from django.db import transaction

from connectors import planning
from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import Outcome
from connectors.planning import Line
from connectors.ports.store import MAX_CHANGES
from connectors.registry import store_for
from connectors.runs import Gate, RunKind
from inventory import gates, participation, publications, pushes, sending, verification
from inventory.jobs import Job
from inventory.models import LevelPublication, PushBatch
from inventory.models.publications import PublicationState
from inventory.models.pushes import WriteKind
from inventory.naming import Title, titles
from inventory.publications import Look
from inventory.pump import Pump
from inventory.pushes import Claim

PLAN_SLICE = 5_000
APPLY_SLICE = 16 * MAX_CHANGES


def sweep(store: Store) -> int:
    """Mark every live publication whose target and expected differ and that is not marked: finds what a lost mark
    would hide. One pass over the store's levels, no history. Returns how many it found."""
    different = (
        LevelPublication.objects.filter(store=store, state=PublicationState.LIVE, needs_look=False)
        .eligible()
        .owed()
        .values_list("pk", flat=True)
    )
    found = 0
    ids = list(different)
    for start in range(0, len(ids), PLAN_SLICE):
        with transaction.atomic():
            locked = publications.lock_ids(ids[start : start + PLAN_SLICE])
            publications.mark(locked)
            found += len(locked)
    return found


class DeltaRun(RunKind):
    """Relative push of everything that is owed."""

    moves_quantities = True

    @staticmethod
    def gates(store: Store) -> list[Gate]:
        return gates.gates_for(store, Job.DELTA)

    def plan_slice(self) -> bool:
        """Look at marked levels in order of id; write a line for each that is owed something, clear the rest."""
        cursor = self.run.cursor
        if cursor.get("planned"):
            return False
        if "levels" not in cursor:
            with Pump(sending.width(self.run.store), self.tick) as pump:
                # A run that ended while the store could not be reached may have left batches and their claims.
                sending.resume(pump, self)
            cursor = {"levels": participation.count_live(self.run.store), "after": 0}
            if _target_settings_changed(self.run):
                sweep(self.run.store)
        with transaction.atomic():
            looked = self._look(cursor["after"])
            cursor = {**cursor, "after": looked[-1]} if looked else {**cursor, "planned": True}
            SyncRun.objects.filter(pk=self.run.pk).update(cursor=cursor)
        self.run.cursor = cursor
        return not cursor.get("planned")

    def _look(self, after: int) -> list[int]:
        marked = (
            LevelPublication.objects.filter(store=self.run.store, needs_look=True, pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:PLAN_SLICE]
        )
        looks = publications.look(marked)
        owed = [look for look in looks if look.takes_part and not look.claimed and look.pending]
        # A level that takes no part now, or has none yet, keeps no mark: it is marked again when that changes.
        done = {look.publication_id for look in looks if not (look.takes_part and look.claimed)}
        publications.clear_marks(done - {look.publication_id for look in owed})
        names = titles(look.publication_id for look in owed)
        planning.add_lines(self.run, [_line(look, names[look.publication_id]) for look in owed])
        return [look.publication_id for look in looks]

    def apply_slice(self) -> bool:
        """Claim, store and send up to some thousands of lines, several batches in flight."""
        return sending.send_planned(self, self._claim, APPLY_SLICE)

    @transaction.atomic
    def _claim(self) -> tuple[PushBatch | None, int]:
        """The next batch, claimed and stored; and how many lines were looked at (0: none is left)."""
        lines = list(self.run.items.filter(outcome=Outcome.PLANNED).order_by("pk")[:MAX_CHANGES])
        if not lines:
            return None, 0
        locked = {row.pk: row for row in publications.lock((line.subject_id for line in lines), times=False)}
        versions = pushes.versions_of(locked)
        targets = publications.targets(locked)
        refs = dict(LevelPublication.objects.filter(pk__in=locked).values_list("pk", "store_location__ref"))
        claims: list[Claim] = []
        left: dict[str, list[RunItem]] = {}
        for line in lines:
            publication = locked[line.subject_id]
            expected = publication.expected_quantity
            pending = targets[publication.pk] - expected
            reason = why_left(publication, line, pending)
            if reason:
                left.setdefault(reason, []).append(line)
            else:
                if line.delta != pending:
                    _replan(line, expected, pending)
                claims.append(
                    Claim(
                        publication.pk,
                        publication.item_ref,
                        refs[publication.pk],
                        line.pk,
                        pending,
                        expected,
                        publication.revision,
                        versions.get(publication.pk, {}),
                    )
                )
        for cause, rows in left.items():
            pushes.mark_items(rows, Outcome.LEFT, cause, "The next delta sends what is owed then.")
        if not claims:
            return None, len(lines)
        return pushes.store_batch(self.run, store_for(self.run.store), WriteKind.ADJUST, claims), len(lines)

    def verify_slice(self) -> bool:
        """Read back a sample of what was sent."""
        verification.read_back(self)
        return False


TARGET_SETTINGS = ("buffer", "never_below_zero", "unavailable_left_out")


def _target_settings_changed(run: SyncRun) -> bool:
    """Since the last delta, by its snapshot, or since the baseline where this is the first: then every target may have
    moved, and no entry marked it."""
    last = run.store.runs.filter(kind=Job.DELTA, started_at__isnull=False, pk__lt=run.pk).first()
    return last is None or any(last.snapshot.get(name) != run.snapshot.get(name) for name in TARGET_SETTINGS)


def why_left(publication: LevelPublication, line: RunItem, pending: int) -> str:
    """Why the line may not be sent as planned: only what is unchanged, or smaller in the same direction, goes."""
    if publication.state != PublicationState.LIVE:
        return f"The level is {PublicationState(publication.state).label.lower()} now."
    if publication.excluded:
        return "The level takes no part any more."
    if publication.claim_id:
        return "Another push of this level is on its way."
    if not pending:
        return "Nothing is owed any more."
    if not covers(line.delta, pending):
        return f"Changed since the plan: {pending:+d} is owed now, {line.delta:+d} was planned."
    return ""


def covers(planned: int, now: int) -> bool:
    """A plan for `planned` units covers `now` units: the same direction, and not more."""
    return planned * now > 0 and abs(now) <= abs(planned)


def _replan(line: RunItem, before: int, delta: int) -> None:
    """The line says what is really sent, where that is less than was planned."""
    line.before, line.after, line.delta = before, before + delta, delta
    line.save(update_fields=["before", "after", "delta"])


def _line(look: Look, title: Title) -> Line:
    before, after = look.expected, look.target
    return Line(
        subject_id=look.publication_id,
        label=title.label,
        place=title.place,
        before=before,
        after=after,
        delta=look.pending,
        value=title.value(look.pending),
        risk=planning.risk(before, after),
        flags=planning.flags(before, after),
    )
