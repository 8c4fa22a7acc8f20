"""Undo: a relative push that takes back what a run changed, level by level, and freezes those levels (algorithms.md §7).

Only levels that nothing else has touched since, and whose settled read shows what we expect, are taken back; what was
sold since stays sold. Frozen they must be: what the run sent is still owed, and the next delta would send it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from connectors import planning, runs
from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import Outcome, Trigger
from connectors.planning import Line
from connectors.ports.store import MAX_CHANGES
from connectors.registry import store_for
from connectors.runs import Gate, RunKind, RunRefused
from inventory import absolute, frozen, gates, participation, publications, pushes, readings, sending, verification
from inventory.absolute import View
from inventory.jobs import Job
from inventory.knowledge import order_books
from inventory.models import LevelPublication, PushBatch
from inventory.models.publications import PublicationState
from inventory.models.pushes import WriteKind
from inventory.naming import Title, titles
from inventory.pump import Pump
from inventory.pushes import Claim
from inventory.readings import Group
from inventory.settled import Reading
from syncconsole.kernel.models import User

KIND: Final = "inventory.undo"
PLAN_SLICE: Final = 16 * MAX_CHANGES
APPLY_SLICE: Final = 16 * MAX_CHANGES


def why_not(run: SyncRun) -> RunRefused | None:
    """The reason `run` cannot be undone, or None."""
    if run.is_open:
        return RunRefused(f"Run #{run.pk} is {run.state.label.lower()}.", "Cancel it first, or wait until it is done.")
    undone = run.undone()
    if undone is not None:
        return RunRefused(f"Run #{run.pk} is undone by run #{undone.pk}.", "Look there at what came of it.")
    if not runs.kind_class(run.kind).moves_quantities or not changed(run).exists():
        return RunRefused(f"Run #{run.pk} changed no quantity.", "There is nothing to take back.")
    return None


def changed(run: SyncRun) -> QuerySet[RunItem]:
    """The lines of `run` that moved a quantity of the store and that no undo has taken back."""
    taken_back = RunItem.objects.filter(run__undoes=run, outcome=Outcome.APPLIED, subject_id=OuterRef("subject_id"))
    return run.items.filter(~Exists(taken_back), outcome=Outcome.APPLIED).exclude(delta=0)


def start(run: SyncRun, *, trigger: Trigger, reason: str, requested_by: User | None = None) -> SyncRun:
    """Open the run that takes back what `run` changed; a person approves its plan. What an undo took back, none takes back
    again; what it left may be asked for again.

    Raises RunRefused: it cannot be undone, has no reason, or a gate is shut; RunAlreadyOpen.
    """
    from connectors.tasks import advance_run

    if refused := why_not(run):
        raise refused
    if not reason.strip():
        raise RunRefused("An undo needs its reason.", "Say what was wrong with the run.")
    undo = runs.open_run(
        run.store, KIND, trigger=trigger, requested_by=requested_by, reason=reason.strip()[:300], undoes=run
    )
    advance_run.send(undo.pk)
    return undo


class UndoRun(RunKind):
    """Takes back the lines of the run that it undoes."""

    always_asks = True

    @staticmethod
    def gates(store: Store) -> list[Gate]:
        """Those of a delta, which it is."""
        return gates.gates_for(store, Job.DELTA)

    def plan_slice(self) -> bool:
        """Read the next levels that the run changed; write a line for each, taken back or left with its reason."""
        run, cursor = self.run, self.run.cursor
        if cursor.get("planned"):
            return False
        undone = changed(self._undone())
        if "levels" not in cursor:
            cursor = {"levels": participation.count_live(run.store), "read": undone.count(), "after": 0}
            SyncRun.objects.filter(pk=run.pk).update(progress_total=cursor["read"])
            run.progress_total = cursor["read"]
        lines = list(undone.filter(pk__gt=cursor["after"]).order_by("pk")[:PLAN_SLICE])
        moved = {line.subject_id: line.delta for line in lines}
        order_books().bring_in(run.store)

        def plan(_: Group, found: dict[int, Reading]) -> None:
            self._plan_group(found, moved)

        with Pump(sending.width(run.store), self.tick) as pump:
            sending.resume(pump, self)
            groups = readings.groups(LevelPublication.objects.filter(pk__in=moved))
            readings.Reader(run.store, self.spend).read(pump, groups, plan)
        cursor = {**cursor, "after": lines[-1].pk} if lines else {**cursor, "planned": True}
        self.note_progress(run.progress_done + len(lines), cursor=cursor)
        return bool(lines)

    def _undone(self) -> SyncRun:
        if self.run.undoes is None:
            raise ValueError(f"Run #{self.run.pk} does not name the run that it undoes.")
        return self.run.undoes

    @transaction.atomic
    def _plan_group(self, found: dict[int, Reading], moved: Mapping[int, int]) -> None:
        views = absolute.judge_group(found)
        publications.save_all(view.publication for view in views)
        touched = touched_since(self._undone(), found)
        names = titles(found)
        lines = [
            _line(view, moved[pk], names[pk], touched=pk in touched) for view in views for pk in [view.publication.pk]
        ]
        planning.add_lines(self.run, lines)

    def apply_slice(self) -> bool:
        """Claim, freeze, store and send up to some thousands of lines, several batches in flight."""
        return sending.send_planned(self, self._claim, APPLY_SLICE)

    @transaction.atomic
    def _claim(self) -> tuple[PushBatch | None, int]:
        """The next batch, its levels frozen, claimed and stored; and how many lines were looked at (0: none is left)."""
        run = self.run
        lines = list(run.items.filter(outcome=Outcome.PLANNED).order_by("pk")[:MAX_CHANGES])
        if not lines:
            return None, 0
        locked = {row.pk: row for row in publications.lock((line.subject_id for line in lines), times=False)}
        touched = touched_since(self._undone(), locked)
        versions = pushes.versions_of(locked)
        refs = dict(LevelPublication.objects.filter(pk__in=locked).values_list("pk", "store_location__ref"))
        claims: list[Claim] = []
        left: list[RunItem] = []
        for line in lines:
            publication = locked[line.subject_id]
            free = publication.state == PublicationState.LIVE or frozen.is_frozen_by(publication, run)
            if publication.claim_id or publication.pk in touched or not free:
                left.append(line)
                continue
            frozen.freeze(publication, frozen.cause_of(run))
            claims.append(
                Claim(
                    publication.pk,
                    publication.item_ref,
                    refs[publication.pk],
                    line.pk,
                    line.delta,
                    publication.expected_quantity,
                    publication.revision,
                    versions.get(publication.pk, {}),
                )
            )
        publications.save_all(locked.values())
        pushes.mark_items(left, Outcome.LEFT, "Something else has changed it since the plan.", "Its number stays.")
        if not claims:
            return None, len(lines)
        return pushes.store_batch(run, store_for(run.store), WriteKind.ADJUST, claims), len(lines)

    def verify_slice(self) -> bool:
        """Read back a sample of what was sent."""
        verification.read_back(self)
        return False


# What made the store show something, by us or by decision, after the push of the undone run.
TOUCHED = """
SELECT DISTINCT later.publication_id
  FROM inventory_publicationentry later
  JOIN (SELECT q.publication_id, max(e.seq) AS seq
          FROM inventory_push q
          JOIN connectors_runitem i ON i.id = q.item_id
          JOIN inventory_publicationentry e ON e.publication_id = q.publication_id AND e.push_id = q.id
         WHERE i.run_id = %(run)s AND q.publication_id = ANY(%(publications)s)
         GROUP BY q.publication_id) AS own ON own.publication_id = later.publication_id
 WHERE later.seq > own.seq AND later.kind IN ('pushed', 'overwritten', 'baseline', 'adopted')
"""


def touched_since(run: SyncRun, publication_ids: Collection[int]) -> set[int]:
    """Those of the publications that were pushed, overwritten or adopted again after `run` had changed them."""
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED, {"run": run.pk, "publications": list(publication_ids)})
        return {publication_id for (publication_id,) in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why a level is left as it is."""

    outcome: Outcome
    cause: str
    remedy: str


def _line(view: View, moved: int, title: Title, *, touched: bool) -> Line:
    publication, shown = view.publication, view.reading.level.available
    line = Line(publication.pk, title.label, title.place, before=shown, after=shown - moved)
    if reason := _why_left(view, touched=touched):
        line.after = shown
        line.outcome, line.cause, line.remedy = reason.outcome, reason.cause[:400], reason.remedy[:400]
        return line
    line.delta, line.value = -moved, title.value(-moved)
    line.risk, line.flags = planning.risk(shown, shown - moved), planning.flags(shown, shown - moved)
    return line


def _why_left(view: View, *, touched: bool) -> _Reason | None:
    publication, shown = view.publication, view.reading.level.available
    if touched:
        return _Reason(Outcome.LEFT, "It was pushed or overwritten again since.", "Its number stays; look at Why.")
    if view.hold:
        return _Reason(Outcome.HELD, view.hold.cause, view.hold.remedy)
    if publication.state != PublicationState.LIVE:
        label = PublicationState(publication.state).label.lower()
        return _Reason(Outcome.LEFT, f"The level is {label}.", "Decide it under Held and drift first.")
    if shown != publication.expected_quantity:
        cause = f"The store shows {shown}, and {publication.expected_quantity} was expected: somebody changed it since."
        return _Reason(Outcome.LEFT, cause, "Decide the drift first.")
    return None
