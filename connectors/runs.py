"""Runs: opened once, moved forward in slices by whoever holds them, resumed where they broke off.

A run's kind names a class (`RUN_KINDS` in the settings) that preflights, plans, applies and verifies it. All state is
in rows, so a worker may be killed anywhere: the next one goes on from what was committed.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import time
import uuid
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.utils import timezone
from django.utils.module_loading import import_string

from connectors import notices, pausing, planning, resting
from connectors.models import NoticeEvent, RunItem, Store, SyncRun
from connectors.models.runs import BY_ITSELF, OPEN, WORKING, Outcome, RunStatus, Trigger
from connectors.ports.errors import (
    AccountResting,
    ConnectorError,
    ConnectorUnavailable,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
)
from syncconsole.kernel.models import User

log = structlog.get_logger(__name__)

PATIENCE = dt.timedelta(minutes=10)
"""A service that stays unreachable for so long ends the run."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One precondition, evaluated now. `remedy` says what opens it."""

    name: str
    label: str
    passed: bool
    detail: str
    remedy: str = ""

    @classmethod
    def open(cls, name: str, label: str, detail: str) -> Gate:
        """A gate that lets the job through."""
        return cls(name=name, label=label, passed=True, detail=detail)

    @classmethod
    def shut(cls, name: str, label: str, detail: str, remedy: str) -> Gate:
        """A gate that does not, with what opens it."""
        return cls(name=name, label=label, passed=False, detail=detail, remedy=remedy)

    def as_dict(self) -> dict[str, Any]:
        """For storage with the run and for JSON output."""
        return asdict(self)


PAUSED_LOOK = dt.timedelta(seconds=15)
"""While writes are paused, a run that was writing looks so often whether it may go on."""


class RunRefused(Exception):
    """A run was not started. `gates` are the ones that did not let it through; commands exit with 2."""

    def __init__(self, cause: str, remedy: str, gates: list[Gate] | None = None) -> None:
        super().__init__(f"{cause} {remedy}".strip())
        self.cause = cause
        self.remedy = remedy
        self.gates = gates or []


class RunAlreadyOpen(RunRefused):
    """A run of this kind is open for the store; `run` is that one."""

    def __init__(self, run: SyncRun) -> None:
        super().__init__(
            f"{run.label} of {run.store} is open already: run #{run.pk}, {run.state.label.lower()}.",
            "Approve, reject or cancel it first."
            if run.status == RunStatus.AWAITING_APPROVAL
            else "Wait until it is done.",
        )
        self.run = run


class NotYet(Exception):
    """A kind of run has nothing to do for `seconds`: the service works on what was asked of it. Not a fault."""

    def __init__(self, cause: str, *, seconds: float) -> None:
        super().__init__(cause)
        self.cause = cause
        self.seconds = seconds


class RunTakenOver(Exception):
    """Another worker holds this run now; whoever reads this stops touching it."""


class Lease:
    """A worker's hold on a run: kept alive by ticking, lost to whoever takes over a silent run."""

    EVERY_SECONDS = 1.0

    def __init__(self, run: SyncRun, worker: str) -> None:
        self.run = run
        self.worker = worker
        self.asked_to_stop = False
        self.ahead = 0
        """Lines that are done since `run.progress_done` was counted."""
        self._told = 0.0
        self._spent: deque[tuple[int, int]] = deque()

    def spend(self, points: int, calls: int) -> None:
        """Note what calls have cost, from any thread; the run's next sign of life carries it."""
        self._spent.append((points, calls))

    def tick(self) -> None:
        """Say that we live, at most once a second, and learn what people asked for meanwhile. Raises RunTakenOver."""
        if time.monotonic() - self._told >= self.EVERY_SECONDS:
            self.renew()

    def renew(self) -> None:
        """Say that we live, now. Raises RunTakenOver when the run is not ours any more."""
        self._told = time.monotonic()
        signs = {"heartbeat_at": timezone.now(), **self._costs()}
        if self.ahead:
            signs["progress_done"] = min(self.run.progress_done + self.ahead, self.run.progress_total)
        ours = SyncRun.objects.filter(pk=self.run.pk, owner=self.worker).update(**signs)
        if not ours:
            raise RunTakenOver
        cancelled_by = SyncRun.objects.values_list("cancel_requested_by", flat=True).get(pk=self.run.pk)
        self.run.cancel_requested_by_id = cancelled_by
        self.asked_to_stop = bool(cancelled_by) or not pausing.writes_allowed(self.run.store).ok

    def settle(self) -> None:
        """Keep the costs that no sign of life has carried yet."""
        if costs := self._costs():
            SyncRun.objects.filter(pk=self.run.pk).update(**costs)

    def _costs(self) -> dict[str, Any]:
        points = calls = 0
        while self._spent:
            more_points, more_calls = self._spent.popleft()
            points, calls = points + more_points, calls + more_calls
        return {"points": F("points") + points, "calls": F("calls") + calls} if calls else {}


class RunKind(ABC):
    """What a kind of run does. Each slice is short (seconds), commits its work, and may be repeated after a crash.

    A slice raises NotYet while it can only wait. A kind that has nothing to write may `finish` its run while planning.
    """

    always_asks = False
    """True: a person approves the plan even within the limits."""
    moves_quantities = False
    """True: its lines can be taken back, and it may be planned again."""

    def __init__(self, run: SyncRun, lease: Lease) -> None:
        self.run = run
        self.tick = lease.tick
        """Call it at least every few seconds of work: it keeps the run ours and raises RunTakenOver when it is not."""
        self._lease = lease

    @property
    def asked_to_stop(self) -> bool:
        """Somebody cancelled the run or paused writes: send nothing new."""
        return self._lease.asked_to_stop

    def spend(self, points: int, calls: int = 1) -> None:
        """Add to what the run has cost."""
        self._lease.spend(points, calls)

    def did(self, lines: int) -> None:
        """So many more are done: people see it with the next sign of life, long before the slice ends."""
        self._lease.ahead += lines

    def note_progress(self, done: int, **more: Any) -> None:
        """Keep how many are done, as counted, and `more` fields of the run."""
        self._lease.ahead = 0
        SyncRun.objects.filter(pk=self.run.pk).update(progress_done=done, **more)
        for name, value in {"progress_done": done, **more}.items():
            setattr(self.run, name, value)

    @staticmethod
    @abstractmethod
    def gates(store: Store) -> list[Gate]:
        """Preconditions, failing ones first."""

    @abstractmethod
    def plan_slice(self) -> bool:
        """Write the next lines of the plan; False when the plan is complete."""

    @abstractmethod
    def apply_slice(self) -> bool:
        """Carry out the next lines; False when none is left."""

    @abstractmethod
    def verify_slice(self) -> bool:
        """Read back what was written; False when done."""


def kind_class(kind: str) -> type[RunKind]:
    """The class that carries out `kind`. Raises KeyError for a kind that wiring does not name."""
    found: type[RunKind] = import_string(settings.RUN_KINDS[kind])
    return found


def open_run(
    store: Store,
    kind: str,
    *,
    trigger: Trigger,
    requested_by: User | None = None,
    reason: str = "",
    plan_only: bool = False,
    undoes: SyncRun | None = None,
) -> SyncRun:
    """A queued run, or a refusal with its gates. The database lets one run per store and kind be open.

    Raises RunRefused when a gate is shut, RunAlreadyOpen when such a run is open. A refusal that a person or a
    command asked for is kept as a row, so that it can be read later.
    """
    gates = kind_class(kind).gates(store)
    fields = {
        "store": store,
        "kind": kind,
        "trigger": trigger,
        "requested_by": requested_by,
        "reason": reason,
        "plan_only": plan_only,
        "undoes": undoes,
        "gates": [gate.as_dict() for gate in gates],
        "snapshot": planning.settings_snapshot(store),
    }
    shut = [gate for gate in gates if not gate.passed]
    if shut:
        refusal = RunRefused(f"Not started: {shut[0].detail}", shut[0].remedy, shut)
        if trigger not in BY_ITSELF:
            now = timezone.now()
            SyncRun.objects.create(
                **fields, status=RunStatus.REFUSED, cause=refusal.cause, remedy=refusal.remedy, finished_at=now
            )
        raise refusal
    try:
        with transaction.atomic():
            return SyncRun.objects.create(**fields)
    except IntegrityError as exc:
        open_already = store.runs.filter(kind=kind, status__in=OPEN).first()
        if open_already is None:
            raise
        raise RunAlreadyOpen(open_already) from exc


def advance(run_id: int, *, until: dt.datetime | None = None) -> SyncRun:
    """Move a run forward until it is done, waits for a person, must wait for a service, or `until` has passed.

    Returns the run as stored. Does nothing when another worker holds it. Faults of a service become the run's cause
    and remedy; a fault of ours fails the run with its text and is raised.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    if not _take(run_id, worker):
        return SyncRun.objects.select_related("store").get(pk=run_id)
    run = SyncRun.objects.select_related("store", "requested_by").get(pk=run_id)
    log.info("run_taken", run=run.pk, kind=run.kind, store=run.store.slug, status=run.status)
    lease = Lease(run, worker)
    try:
        kind = kind_class(run.kind)(run, lease)
        while run.status in WORKING and not _must_stop(run, until):
            lease.renew()
            if rest := resting.rest_of(run.store):
                raise rest
            _step(run, kind)
    except RunTakenOver:
        log.warning("run_taken_over", run=run.pk)
        return SyncRun.objects.select_related("store").get(pk=run_id)
    except NotYet as waits:
        later = timezone.now() + dt.timedelta(seconds=waits.seconds)
        _move(run, run.state, not_before=later, cause=waits.cause, remedy="", unreachable_since=None)
    except ConnectorError as error:
        _wait_or_fail(run, error)
    except Exception as error:
        finish(
            run,
            RunStatus.FAILED,
            cause=f"A fault in Sync Console: {error}"[:500],
            remedy="Report it with the run's number.",
        )
        raise
    finally:
        lease.settle()
        SyncRun.objects.filter(pk=run_id, owner=worker).update(owner="", heartbeat_at=timezone.now())
    run.refresh_from_db()
    return run


def _take(run_id: int, worker: str) -> bool:
    taken = SyncRun.objects.due().filter(pk=run_id).update(owner=worker, heartbeat_at=timezone.now())
    return bool(taken)


def _must_stop(run: SyncRun, until: dt.datetime | None) -> bool:
    now = timezone.now()
    return bool(until and now >= until) or bool(run.not_before and run.not_before > now)


def _step(run: SyncRun, kind: RunKind) -> None:
    if run.cancel_requested_by_id:
        _cancel_now(run)
    elif run.status == RunStatus.QUEUED:
        _move(run, RunStatus.PLANNING, started_at=timezone.now())
    elif run.status == RunStatus.PLANNING:
        if not kind.plan_slice():
            _planned(run, kind)
    elif run.status == RunStatus.APPLYING and not (allowed := pausing.writes_allowed(run.store)).ok:
        later = timezone.now() + PAUSED_LOOK
        _move(run, run.state, not_before=later, cause=allowed.cause, remedy=allowed.remedy)
        return
    elif run.status == RunStatus.APPLYING:
        if not kind.apply_slice():
            _move(run, RunStatus.VERIFYING)
    elif not kind.verify_slice():
        conclude(run)
    if run.cause and run.status in WORKING:
        # What it waited for has passed.
        _move(run, run.state, attempts=0, not_before=None, unreachable_since=None, cause="", remedy="")


def _move(run: SyncRun, status: RunStatus, **changes: Any) -> None:
    """Change the run's row only if it still is what we think it is."""
    moved = SyncRun.objects.filter(pk=run.pk, status=run.status).update(status=status, **changes)
    if not moved:
        raise RunTakenOver
    run.status = status
    for name, value in changes.items():
        setattr(run, name, value)


def _planned(run: SyncRun, kind: RunKind) -> None:
    """The plan is complete: add it up, then apply, or ask a person when it passes a limit."""
    totals = planning.totals(run)
    passed = planning.limits_passed(run, totals)
    changes: dict[str, Any] = {
        "totals": totals,
        "limits_passed": passed,
        "progress_done": 0,
        "progress_total": totals["rows"],
    }
    open_items = run.items.filter(outcome=Outcome.PLANNED).exists()
    if not open_items:
        # Its readings change what stands in the books as a write does: one run of a store at a time here, too.
        _let_write(run, RunStatus.VERIFYING, cursor={}, **changes)
    elif passed or run.plan_only or kind.always_asks:
        expires = timezone.now() + dt.timedelta(hours=run.store.approval_hours)
        _move(run, RunStatus.AWAITING_APPROVAL, expires_at=expires, **changes)
        log.info("run_awaits_approval", run=run.pk, rows=totals["rows"])
        subject = f"{run.label} of {run.store} waits for approval: {totals['rows']:,} changes."
        body = " ".join(passed) or "A person approves every full sync."
        notices.notify(NoticeEvent.AWAITING_APPROVAL, run.store, subject, body, link=run_link(run))
    else:
        start_applying(run, **changes)


def start_applying(run: SyncRun, **changes: Any) -> None:
    """Let the writing begin. Raises RunRefused when another inventory run of the store is writing (a constraint)."""
    _let_write(run, RunStatus.APPLYING, apply_started_at=timezone.now(), cursor={}, **changes)


def _let_write(run: SyncRun, status: RunStatus, **changes: Any) -> None:
    """Move a run to a state in which one inventory run of a store may be at a time (a constraint)."""
    try:
        with transaction.atomic():
            _move(run, status, **changes)
    except IntegrityError:
        run.refresh_from_db(fields=["status"])
        if run.status == RunStatus.PLANNING:
            # The plan stands; the next try sees whether the other run is done.
            _move(run, RunStatus.PLANNING, not_before=timezone.now() + dt.timedelta(seconds=5))
            return
        raise RunRefused("Another inventory run of this store is writing.", "Approve again when it is done.") from None


def conclude(run: SyncRun) -> None:
    """Close a run whose work is over: done, or partial when a line was not carried out."""
    counts = count_outcomes(run)
    missed = sum(counts.get(outcome, 0) for outcome in (Outcome.LEFT, Outcome.REFUSED, Outcome.UNSURE))
    held_late = RunItem.objects.filter(run=run, outcome=Outcome.HELD, flags__contains=["held_late"]).exists()
    finish(run, RunStatus.PARTIAL if missed or held_late else RunStatus.COMPLETED)


def count_outcomes(run: SyncRun) -> dict[str, int]:
    """Outcome → number of lines, counted now."""
    rows = run.items.order_by().values("outcome").annotate(n=Count("pk"))
    return {row["outcome"]: row["n"] for row in rows}


def recount(run: SyncRun) -> None:
    """A line of an ended run was settled later: its counts follow."""
    run.counts = count_outcomes(run)
    run.save(update_fields=["counts"])


def finish(run: SyncRun, status: RunStatus, *, cause: str = "", remedy: str = "") -> None:
    """Close a run for good and say how it went; publishes what notices need to know."""
    counts = count_outcomes(run)
    _move(
        run,
        status,
        counts=counts,
        cause=cause[:500],
        remedy=remedy[:500],
        finished_at=timezone.now(),
        not_before=None,
        owner="",
    )
    log.info("run_finished", run=run.pk, kind=run.kind, status=status, **counts)
    if status == RunStatus.FAILED:
        subject = f"{run.label} of {run.store} stopped: {cause}"
        notices.notify(NoticeEvent.RUN_FAILED, run.store, subject, remedy, link=run_link(run))


def run_link(run: SyncRun) -> str:
    """Path of the run's page in the console."""
    return f"/console/runs/{run.pk}/"


def _cancel_now(run: SyncRun) -> None:
    by = run.cancel_requested_by
    run.items.filter(outcome=Outcome.PLANNED).update(outcome=Outcome.CANCELLED)
    finish(run, RunStatus.CANCELLED, cause=f"Cancelled by {by}. What was written stays.")


def _wait_or_fail(run: SyncRun, error: ConnectorError) -> None:
    """A service did not answer as hoped: try later, or end the run with cause and remedy."""
    run.refresh_from_db()
    if run.status not in WORKING:
        return
    since = run.unreachable_since or timezone.now()
    transient = isinstance(error, ConnectorUnavailable | OutcomeUnknown)
    rests = isinstance(error, AccountResting)
    if not transient or (not rests and timezone.now() - since > PATIENCE):
        if isinstance(error, CredentialsRejected):
            pausing.pause_for_credentials(run.store, error)
        run.items.filter(outcome=Outcome.PLANNED).update(outcome=Outcome.CANCELLED)
        finish(run, RunStatus.FAILED, cause=error.cause, remedy=error.remedy)
        return
    pause = min(60.0, 2.0 ** min(run.attempts, 6))
    if isinstance(error, RateLimited):
        pause = max(pause, error.retry_after)
    log.warning("run_waits", run=run.pk, cause=error.cause, seconds=pause)
    _move(
        run,
        run.state,
        attempts=F("attempts") + 1,
        not_before=timezone.now() + dt.timedelta(seconds=pause),
        cause=error.cause[:500],
        remedy=error.remedy[:500],
        unreachable_since=run.unreachable_since if rests else since,
    )
