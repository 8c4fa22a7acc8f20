"""Schedules of a store's jobs: what is due is started once, whoever asks; what a gate keeps shut says so.

The rows are the truth: a slot is taken under the row's lock in the transaction that opens the run, so two beats start one
run, and a worker that dies between the two takes neither. A slot that nobody took in time is made up for once.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from connectors import notices
from connectors.models import NoticeEvent, Store
from connectors.models.runs import Trigger
from connectors.runs import Gate, RunAlreadyOpen, RunRefused
from inventory import gates, jobs
from inventory.jobs import Job
from inventory.models import Schedule
from inventory.rhythms import Every, upcoming
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal
from syncconsole.kernel.templatetags.console import duration

log = structlog.get_logger(__name__)

DEFAULTS: Final[dict[Job, dict[str, Any]]] = {
    Job.DELTA: {"enabled": True, "every_minutes": 15},
    Job.RECENT: {"every_minutes": 60},
    Job.OBSERVE: {"enabled": True, "at": dt.time(2, 0)},
    Job.DAILY: {"at": dt.time(3, 0)},
    Job.WEEKLY: {"at": dt.time(4, 0), "weekday": 6},
}
"""What a store has until somebody changes it, in the order in which it is shown."""

OVERWRITING: Final = (Job.DAILY, Job.WEEKLY)
"""One of these at most: each corrects what the other would."""

LATE: Final = dt.timedelta(minutes=3)
"""A run that starts so long after its slot says so."""

TRIED: Final = dt.timedelta(hours=3)
"""How long a slot that comes once a day, or once a week, is tried again while a gate is shut."""

PASSING: Final = {"no_run", "order_queue"}
"""Gates that open by themselves: nobody is told of them."""

LOCKS: Final = {"baseline", "ats_validated"}
"""Gates that a person opens once: until then the job stays locked."""


class ScheduleRefused(Refusal):
    """A schedule was not changed. `cause` and `remedy` say why, and what opens it."""


def of_stores(stores: Iterable[Store]) -> dict[int, list[Schedule]]:
    """Store id → its schedules in the order of DEFAULTS, those never saved as they are by default. One query."""
    stores = list(stores)
    kept: dict[int, dict[str, Schedule]] = defaultdict(dict)
    for schedule in Schedule.objects.filter(store__in=stores).select_related("run"):
        kept[schedule.store_id][schedule.job] = schedule
    found = {}
    for store in stores:
        rows = [kept[store.pk].get(job) or Schedule(store=store, job=job, **given) for job, given in DEFAULTS.items()]
        for row in rows:
            row.store = store
        found[store.pk] = rows
    return found


def of_store(store: Store) -> dict[Job, Schedule]:
    """The store's schedules by job, as `of_stores`."""
    return {Job(schedule.job): schedule for schedule in of_stores([store])[store.pk]}


def next_slots(schedule: Schedule, count: int = 1) -> list[dt.datetime]:
    """When it runs next, if it is on and its store is live; the first may have passed when it still waits."""
    if not schedule.live:
        return []
    begin, rhythm = _counts_from(schedule), schedule.rhythm
    first = rhythm.first_after(begin, schedule.store.zone)
    if schedule.waits_since:
        return [first, *upcoming(rhythm, timezone.now(), schedule.store.zone, count - 1)]
    return upcoming(rhythm, max(begin, timezone.now()), schedule.store.zone, count)


def locks(store: Store, among: Iterable[Job] = DEFAULTS) -> dict[Job, Gate]:
    """Job → the gate that keeps it locked: no baseline, ATS not validated. Jobs that may be switched on are not in it."""
    facts = gates.look(store)
    shut = {job: [gate for gate in gates.judged(facts, job) if gate.name in LOCKS and not gate.passed] for job in among}
    return {job: found[0] for job, found in shut.items() if found}


def save(
    store: Store,
    job: Job,
    *,
    by: User | None,
    enabled: bool | None = None,
    every_minutes: int | None = None,
    at: dt.time | None = None,
    weekday: int | None = None,
    address: str | None = None,
) -> Schedule:
    """Change what is given of a job's schedule. Switching on daily switches weekly off, and the other way round.

    Raises ScheduleRefused when a gate of the job keeps it locked, or for times that no rhythm of this job has.
    """
    if job not in DEFAULTS:
        raise ScheduleRefused(f"{job.label} has no schedule.", "A person starts it.")
    given = {"every_minutes": every_minutes, "at": at, "weekday": weekday}
    times = {name: value for name, value in given.items() if value is not None}
    _check_times(job, times)
    if enabled and job in OVERWRITING and (gate := locks(store, [job]).get(job)):
        raise ScheduleRefused(f"{job.label} stays off: {gate.detail}", gate.remedy)
    with transaction.atomic():
        _keep_defaults([store])
        rows = {row.job: row for row in Schedule.objects.filter(store=store).select_for_update().order_by("pk")}
        if enabled and job in OVERWRITING:
            _change(rows[next(other for other in OVERWRITING if other is not job)], {"enabled": False}, by, address)
        schedule = rows[job]
        schedule.store = store
        _change(schedule, {**times, **({} if enabled is None else {"enabled": enabled})}, by, address)
    return schedule


def _check_times(job: Job, times: dict[str, Any]) -> None:
    if unknown := times.keys() - DEFAULTS[job].keys():
        said = "every so many minutes" if "every_minutes" in DEFAULTS[job] else "at a time of day"
        raise ScheduleRefused(f"{job.label} runs {said}.", f"Leave out {', '.join(sorted(unknown))}.")
    try:
        Schedule(job=job, **{**DEFAULTS[job], **times}).clean_fields(exclude=["store"])
    except ValidationError as wrong:
        said = "Write the minutes as a number from 1 to 1,440, the time as HH:MM."
        raise ScheduleRefused(f"The schedule of {job.label} was not saved: {wrong.messages[0]}", said) from wrong


def _change(schedule: Schedule, wanted: dict[str, Any], by: User | None, address: str | None) -> None:
    """Slots from before the change are not owed any more."""
    before = {name: getattr(schedule, name) for name, value in wanted.items() if getattr(schedule, name) != value}
    if not before:
        return
    for name in before:
        setattr(schedule, name, wanted[name])
    schedule.since, schedule.waits_since = timezone.now(), None
    schedule.cause = schedule.remedy = ""
    schedule.save()
    audit.record(
        by,
        "change schedule",
        f"{schedule.get_job_display()} of {schedule.store}",
        before={name: str(value) for name, value in before.items()},
        after={name: str(wanted[name]) for name in before},
        address=address,
    )


def start_due() -> int:
    """Start what is due now in every live store. Returns how many runs were started."""
    _keep_defaults(Store.objects.filter(live_at__isnull=False))
    waiting = Schedule.objects.filter(enabled=True, store__live_at__isnull=False).select_related("store")
    return sum(_take(schedule.pk) for schedule in waiting if _owed(schedule, timezone.now()))


def _keep_defaults(stores: Iterable[Store]) -> None:
    """Rows for schedules that nobody has saved yet."""
    missing = [schedule for rows in of_stores(stores).values() for schedule in rows if schedule._state.adding]
    Schedule.objects.bulk_create(missing, ignore_conflicts=True)


def _counts_from(schedule: Schedule) -> dt.datetime:
    """Slots later than this are owed."""
    return max(filter(None, [schedule.since, schedule.slot_at, schedule.store.live_at]))


def _owed(schedule: Schedule, now: dt.datetime) -> dt.datetime | None:
    """The oldest slot that has passed and was not taken."""
    first = schedule.rhythm.first_after(_counts_from(schedule), schedule.store.zone)
    return first if first <= now else None


@transaction.atomic
def _take(pk: int) -> bool:
    """Take the due slot of a schedule and start its job; False when another worker has it, or a gate is shut."""
    rows = Schedule.objects.select_related("store").filter(pk=pk, enabled=True)
    schedule = rows.select_for_update(of=("self",), skip_locked=True).first()
    now = timezone.now()
    owed = _owed(schedule, now) if schedule else None
    if schedule is None or owed is None:
        return False
    try:
        run = jobs.start(schedule.store, Job(schedule.job), trigger=Trigger.SCHEDULE)
    except RunAlreadyOpen as already:
        # It does what the slot asks for.
        _taken(schedule, now, run=already.run)
        return False
    except RunRefused as refused:
        _refused(schedule, now, refused)
        return False
    late = now - owed
    if late > LATE:
        schedule.late_seconds = int(late.total_seconds())
        schedule.late_cause = schedule.cause[:300] if schedule.waits_since else "the worker was down."
        log.warning("scheduled_run_late", run=run.pk, job=schedule.job, seconds=schedule.late_seconds)
    else:
        schedule.late_seconds, schedule.late_cause = 0, ""
    schedule.cause = schedule.remedy = ""
    _taken(schedule, now, run=run)
    return True


def _taken(schedule: Schedule, now: dt.datetime, **changes: Any) -> None:
    """The newest slot is taken, and with it all that were missed before."""
    schedule.slot_at = schedule.rhythm.last_until(now, schedule.store.zone)
    schedule.waits_since = None
    for name, value in changes.items():
        setattr(schedule, name, value)
    schedule.save()


def _refused(schedule: Schedule, now: dt.datetime, refused: RunRefused) -> None:
    """Nothing is started. What comes often waits for its next slot; what comes once a day is tried again for a while."""
    store = schedule.store
    gate = refused.gates[0]
    log.info("scheduled_run_refused", store=store.slug, job=schedule.job, cause=gate.detail)
    news = gate.detail[:500] != schedule.cause
    schedule.cause, schedule.remedy = gate.detail[:500], gate.remedy[:500]
    schedule.waits_since = schedule.waits_since or now
    if isinstance(schedule.rhythm, Every) or now - schedule.waits_since >= TRIED:
        _taken(schedule, now)
    else:
        schedule.save()
    if news and gate.name not in PASSING:
        subject = f"{schedule.get_job_display()} of {store} does not start: {gate.label.lower()}."
        body = f"{gate.detail} {gate.remedy}"
        notices.notify(NoticeEvent.GATE_LOST, store, subject, body, link=f"/console/stores/{store.slug}/schedule/")


def late_text(schedule: Schedule) -> str:
    """What to say of a last run that began after its time; nothing when it began in time."""
    if not schedule.late_seconds:
        return ""
    return f"Ran {duration(schedule.late_seconds)} late: {schedule.late_cause}"
