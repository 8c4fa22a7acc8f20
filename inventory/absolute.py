"""Absolute jobs: read the store, compare, and overwrite only where that is safe (algorithms.md §6 and §7).

One procedure for all of them; a job says which levels it looks at, and which differences it takes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connectors import planning
from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import Outcome
from connectors.planning import Line
from connectors.ports.store import MAX_CHANGES
from connectors.registry import store_for
from connectors.runs import Gate, RunKind
from inventory import (
    gates,
    holding,
    participation,
    plain,
    publications,
    pushes,
    readings,
    sending,
    settled,
    verification,
)
from inventory.delta import covers
from inventory.jobs import Job
from inventory.knowledge import order_books
from inventory.models import LevelPublication, PushBatch
from inventory.models.publications import PublicationState
from inventory.models.pushes import WriteKind
from inventory.naming import Title, titles
from inventory.pump import Pump
from inventory.pushes import Claim
from inventory.readings import Group
from inventory.settled import Hold, Reading

SLICE = 128 * MAX_CHANGES
MOVED_TIMES = 3
"""Times a level may move between its read and its write before it is left to deltas as busy."""


class AbsoluteRun(RunKind):
    """Reads levels of the store and makes them show their target. Only settled levels are written; others are held."""

    moves_quantities = True
    job: ClassVar[Job]
    write: ClassVar[WriteKind] = WriteKind.SET

    @classmethod
    def gates(cls, store: Store) -> list[Gate]:
        return gates.gates_for(store, cls.job)

    def scope(self) -> QuerySet[LevelPublication]:
        """The levels that are read."""
        return LevelPublication.objects.filter(store=self.run.store).eligible()

    def chosen(self, lines: list[Line]) -> list[Line]:
        """Those of a group's lines (differences, and levels held although they differ) that the job takes on."""
        return lines

    def looked(self, group: Mapping[int, Reading], lines: list[Line]) -> None:
        """A group was read and judged, and these are its lines. Inside the transaction, its publications locked."""

    def plan_slice(self) -> bool:
        """Read the next levels and write a line for each that differs, is to be adopted, or is held."""
        run, cursor = self.run, self.run.cursor
        if cursor.get("planned"):
            return False
        scope = self.scope()
        if "levels" not in cursor:
            levels = scope.count()
            cursor = {"levels": levels, "read": levels, "after": 0}
            SyncRun.objects.filter(pk=run.pk).update(progress_total=cursor["levels"])
            run.progress_total = cursor["levels"]
        order_books().bring_in(run.store)
        with Pump(sending.width(run.store), self.tick) as pump:
            sending.resume(pump, self)
            groups = readings.groups(scope.filter(pk__gt=cursor["after"]).order_by("pk")[:SLICE])
            reader = readings.Reader(run.store, self.spend)
            reader.read(pump, groups, lambda _, found: pump.book(lambda: self._plan_group(found), self.did))
        looked = [publication_id for group in groups for publication_id, _, _ in group.members]
        cursor = {**cursor, "after": max(looked)} if looked else {**cursor, "planned": True}
        self.note_progress(run.progress_done + len(looked), cursor=cursor)
        return bool(looked)

    @transaction.atomic
    def _plan_group(self, found: dict[int, Reading]) -> int:
        """Returns how many levels it has looked at."""
        publications.lock_ids(found)
        believed = plain.observe(found)
        odd = {pk: reading for pk, reading in found.items() if pk not in believed}
        lines = self.chosen(_plain_lines(found, believed) + _judged_lines(odd))
        planning.add_lines(self.run, lines)
        self.looked(found, lines)
        return len(found)

    def apply_slice(self) -> bool:
        """Adopt what is right already; read the next lines again, then overwrite those that did not move."""
        run = self.run
        order_books().bring_in(run.store)
        adopted = self._adopt_slice()
        changing = run.items.filter(outcome=Outcome.PLANNED).exclude(delta=0)
        lines = {
            subject: Planned(item, before, after)
            for subject, item, before, after in changing.values_list("subject_id", "pk", "before", "after")[:SLICE]
        }
        rows = LevelPublication.objects.filter(pk__in=lines).order_by("pk")

        def write(group: Group, found: dict[int, Reading]) -> None:
            pump.book(lambda: self._claim(group.location_ref, lines, found), send)

        def send(batches: list[PushBatch]) -> None:
            for batch in batches:
                sending.send(pump, self, batch)

        with Pump(sending.width(run.store), self.tick) as pump:
            sending.resume(pump, self)
            reader = readings.Reader(run.store, self.spend)
            for group in readings.groups(rows):
                if self.asked_to_stop:
                    break
                reader.read(pump, [group], write)
        sending.note_progress(self, run.items.exclude(delta=0))
        return bool(lines) or adopted

    @transaction.atomic
    def _adopt_slice(self) -> bool:
        """Lines where the store showed the target already: believe it, without a call. Right also when it has moved
        since: what the store booked later is dated later, and counts."""
        lines = list(self.run.items.filter(outcome=Outcome.PLANNED, delta=0).order_by("pk")[:SLICE])
        locked = publications.lock(line.subject_id for line in lines)
        kept = []
        for publication in locked:
            unsure = publication.state == PublicationState.UNSURE
            if (publication.claim_id and not unsure) or publication.observed_revision != publication.revision:
                continue
            if unsure or publication.state in (PublicationState.NO_BASELINE, PublicationState.LIVE):
                settled.adopt(publication, cause=f"Equal in run #{self.run.pk}")
                kept.append(publication.pk)
        publications.save_all(locked)
        pushes.mark_items([line for line in lines if line.subject_id in kept], Outcome.UNCHANGED)
        left = [line for line in lines if line.subject_id not in kept]
        pushes.mark_items(left, Outcome.LEFT, "It moved here since it was read.", "The next run reads it again.")
        return bool(lines)

    @transaction.atomic
    def _claim(self, location_ref: str, lines: dict[int, Planned], found: dict[int, Reading]) -> list[PushBatch]:
        """Judge the second read; claim and store the levels that are as they were planned, in batches."""
        publications.lock_ids(found)
        claims = _plain_claims(location_ref, lines, found)
        claimed = {claim.publication_id for claim in claims}
        if odd := {pk: reading for pk, reading in found.items() if pk not in claimed}:
            claims += self._judged_claims(location_ref, odd)
        port = store_for(self.run.store)
        parts = [claims[start : start + MAX_CHANGES] for start in range(0, len(claims), MAX_CHANGES)]
        return [pushes.store_batch(self.run, port, self.write, part) for part in parts]

    def _judged_claims(self, location_ref: str, found: dict[int, Reading]) -> list[Claim]:
        """Levels that have moved, or have something to be decided; each gets its outcome, or its claim."""
        lines = {line.subject_id: line for line in self.run.items.filter(subject_id__in=list(found))}
        moved_before = publications.observed_moves(found)
        versions = pushes.versions_of(found)
        views = judge_group(found)
        claims = []
        for view in views:
            publication, line = view.publication, lines[view.publication.pk]
            action = _decide(view, line, moved=_moved(view, moved_before[publication.pk]))
            if action is None:
                if publication.state == PublicationState.UNSURE:
                    settled.adopt(publication, cause=settled.NEVER_ANSWERED)
                was = view.reading.level.available
                _replan(line, was, view.target)
                claims.append(
                    Claim(
                        publication.pk,
                        publication.item_ref,
                        location_ref,
                        line.pk,
                        view.target,
                        was,
                        publication.revision,
                        versions.get(publication.pk, {}),
                    )
                )
            else:
                outcome, cause, remedy = action
                _settle_line(line, outcome, cause, remedy)
        publications.save_all(view.publication for view in views)
        return claims

    def verify_slice(self) -> bool:
        """Read back a sample."""
        verification.read_back(self)
        participation.forget_count(self.run.store)
        return False


class Planned(NamedTuple):
    """The line of a level that is to be overwritten: its id, what the store showed, what it should show."""

    item_id: int
    before: int | None
    after: int | None


def _plain_claims(location_ref: str, lines: dict[int, Planned], found: dict[int, Reading]) -> list[Claim]:
    """Plain levels that neither moved since the plan nor are owed anything else than was planned."""
    unmoved = plain.unmoved(found)
    targets = publications.targets(unmoved)
    versions = pushes.versions_of(unmoved)
    claims = []
    for pk, level in unmoved.items():
        shown, target = found[pk].level.available, targets[pk]
        item_id, *planned = lines[pk]
        if planned == [shown, target]:
            seen = versions.get(pk, {})
            claims.append(Claim(pk, level.item_ref, location_ref, item_id, target, shown, level.revision, seen))
    return claims


def _plain_lines(found: dict[int, Reading], believed: dict[int, bool]) -> list[Line]:
    """Lines for plain levels: none where the store shows the target, and we believe that it does."""
    if not believed:
        return []
    targets = publications.targets(believed)
    wanted = [pk for pk in believed if not believed[pk] or found[pk].level.available != targets[pk]]
    names = titles(wanted)
    return [_change(pk, found[pk].level.available, targets[pk], names[pk]) for pk in wanted]


def _judged_lines(found: dict[int, Reading]) -> list[Line]:
    """Lines for levels about which there is something to decide."""
    if not found:
        return []
    views = judge_group(found)
    publications.save_all(view.publication for view in views)
    names = titles(found)
    return [line for view in views if (line := _line(view, names[view.publication.pk]))]


@dataclass(frozen=True, slots=True)
class View:
    """One locked level after a read: what was read, what it should show, and the hold if it may not be overwritten.
    `was`: available, committed and unavailable at the read before."""

    publication: LevelPublication
    reading: Reading
    target: int
    hold: Hold | None
    was: tuple[int | None, int | None, int | None]

    @property
    def in_step(self) -> bool:
        """It shows what it should, and that is what we believe: there is nothing to be planned, held or written."""
        live = self.publication.state == PublicationState.LIVE
        return live and self.reading.level.available == self.target == self.publication.expected_quantity


def judge_group(found: dict[int, Reading]) -> list[View]:
    """Lock the levels read, judge and observe each. Inside the caller's transaction; the caller saves them.

    A hold is a change that is planned and not safe yet: a level in step is not held, whatever the tests say of it.
    """
    locked = publications.lock(found, times=False)
    verdicts: list[Hold | None] = []
    was = [(p.observed_available, p.observed_committed, p.observed_unavailable) for p in locked]
    for publication in locked:
        reading = found[publication.pk]
        verdict = settled.judge(publication, reading)
        settled.observe(publication, reading)
        if verdict is None:
            settled.learn(publication, reading)
        verdicts.append(verdict)
    verdicts = settled.note_drift(locked, verdicts)
    # Target depends on what is stored as withheld.
    publications.save_all(p for p in locked if p.withheld != p.stored["withheld"])
    targets = publications.targets(found)
    views = []
    for publication, verdict, before in zip(locked, verdicts, was, strict=True):
        reading, target = found[publication.pk], targets[publication.pk]
        hold = verdict or _raises_over_offset(publication, reading, target)
        view = View(publication, reading, target, hold, before)
        if verdict is None or view.in_step:
            holding.release(publication)
        else:
            holding.hold(publication, verdict.test, verdict.cause, verdict.remedy)
        views.append(view)
    return views


def _raises_over_offset(publication: LevelPublication, reading: Reading, target: int) -> Hold | None:
    if publication.acknowledged_offset and target > reading.level.available:
        return Hold(
            "b", "Orders we do not know hold stock here; it may be lowered, not raised.", "Import those orders."
        )
    return None


def _line(view: View, title: Title) -> Line | None:
    """The plan's line for a level, or None where nothing is to be done."""
    publication, shown = view.publication, view.reading.level.available
    if view.in_step:
        return None
    if view.hold:
        return Line(
            publication.pk,
            title.label,
            title.place,
            shown,
            shown,
            flags=[f"hold_{view.hold.test}"],
            outcome=Outcome.HELD,
            cause=view.hold.cause[:400],
            remedy=view.hold.remedy[:400],
        )
    return _change(publication.pk, shown, view.target, title)


def _change(publication_id: int, shown: int, target: int, title: Title) -> Line:
    """The line of a level that may be overwritten, or adopted where it shows the target already."""
    line = Line(publication_id, title.label, title.place, before=shown, after=target)
    if shown != target:
        line.delta = target - shown
        line.value = title.value(line.delta)
        line.risk = planning.risk(shown, target)
        line.flags = planning.flags(shown, target)
    return line


def _moved(view: View, moved_before: int | None) -> bool:
    level = view.reading.level
    return view.was != (level.available, level.committed, level.unavailable) or (
        level.moved_at is not None and moved_before != publications.microseconds(level.moved_at)
    )


def _decide(view: View, line: RunItem, *, moved: bool) -> tuple[Outcome, str, str] | None:
    """None: overwrite it now. Otherwise the line's outcome with cause and remedy (PLANNED: read it once more)."""
    if view.in_step:
        return Outcome.UNCHANGED, "", ""
    if view.hold:
        return Outcome.HELD, view.hold.cause, view.hold.remedy
    owed = view.target - view.reading.level.available
    if not owed:
        settled.adopt(view.publication, cause=f"Equal in run #{line.run_id}")
        return Outcome.UNCHANGED, "", ""
    if not covers(line.delta, owed):
        return Outcome.LEFT, f"Changed since the plan: {owed:+d} now, {line.delta:+d} was planned.", "Plan again."
    if not moved:
        return None
    times = line.flags.count("moved") + 1
    line.flags = [*line.flags, "moved"]
    if times >= MOVED_TIMES:
        return (
            Outcome.HELD,
            "Busy: it moves between reading and writing.",
            "Deltas keep it right; no overwrite is needed.",
        )
    return Outcome.PLANNED, "", ""


def _replan(line: RunItem, before: int, after: int) -> None:
    """The line says what is really written, where that is less than was planned."""
    if (line.before, line.after) != (before, after):
        line.before, line.after, line.delta = before, after, after - before
        line.save(update_fields=["before", "after", "delta"])


def _settle_line(line: RunItem, outcome: Outcome, cause: str, remedy: str) -> None:
    if outcome == Outcome.HELD:
        line.flags = [*line.flags, "held_late"]
    line.outcome, line.cause, line.remedy = outcome, cause[:400], remedy[:400]
    line.settled_at = None if outcome == Outcome.PLANNED else timezone.now()
    line.save(update_fields=["outcome", "cause", "remedy", "flags", "settled_at"])
