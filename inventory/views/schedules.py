"""When the jobs of a store start by themselves: in sentences, with the next run and what came of the last one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from connectors import feeds
from connectors.models import FeedPosition, Store, SyncRun
from connectors.progress import headline
from connectors.runs import Gate
from connectors.views.frame import StorePage
from inventory import at_once, recommendation, schedules
from inventory.jobs import Job
from inventory.models import Schedule
from inventory.rhythms import DAYS, At
from inventory.schedules import DEFAULTS, OVERWRITING, ScheduleRefused
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.status import Meaning

RIGHT = "inventory.change_schedule"
SHOWN_AFTER_SAVING = 3

WORDS = {
    Job.DELTA: "sends what changed here",
    Job.RECENT: "reads levels that are out of date, then corrects the difference",
    Job.OBSERVE: "reads every level, writes nothing, notes drift",
    Job.DAILY: "reads every level, overwrites what differs",
    Job.WEEKLY: "overwrites differences that nothing explains and that stay",
}


@dataclass(frozen=True)
class Row:
    """One schedule as it is shown."""

    schedule: Schedule
    next_at: dt.datetime | None
    lock: Gate | None = None
    instead_of: str = ""
    """The other overwriting job, where that is on: this one is not needed, and switching it on switches that off."""
    run: SyncRun | None = None
    said: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def does(self) -> str:
        return WORDS[Job(self.schedule.job)]

    @property
    def asks_first(self) -> bool:
        """Switching it on is confirmed, because it overwrites."""
        return self.schedule.job in OVERWRITING

    @property
    def state(self) -> tuple[Meaning, str]:
        """Whether it runs, in shape and word."""
        if self.lock:
            return Meaning.WAITS, "Locked"
        if not self.schedule.enabled:
            return Meaning.OFF, "Off"
        return (Meaning.ATTENTION, "Not started") if self.schedule.cause else (Meaning.OK, "On")


@dataclass(frozen=True)
class OrderFeed:
    """How often orders are asked for; set under Orders."""

    minutes: int
    last_at: dt.datetime | None
    next_at: dt.datetime | None
    cause: str
    remedy: str

    @property
    def state(self) -> tuple[Meaning, str]:
        """Whether the last pass ended well, in shape and word."""
        return (Meaning.ATTENTION, "Not read") if self.cause else (Meaning.OK, "On")


def row_of(schedule: Schedule, *, others: Iterable[Schedule] = (), lock: Gate | None = None) -> Row:
    """A schedule with its next slot, its last run and what is to be known about its times."""
    now, store = timezone.now(), schedule.store
    notes = [schedules.late_text(schedule)]
    if isinstance(schedule.rhythm, At) and schedule.enabled:
        notes.append(schedule.rhythm.clock_change(now, store.zone))
    other = next((one for one in others if one.job in OVERWRITING and one.enabled and one.job != schedule.job), None)
    slots = schedules.next_slots(schedule)
    return Row(
        schedule,
        slots[0] if slots else None,
        lock,
        Job(other.job).label if other and schedule.job in OVERWRITING else "",
        schedule.run,
        headline(schedule.run) if schedule.run else "",
        [note for note in notes if note],
    )


def order_feeds(stores: Iterable[Store]) -> dict[int, OrderFeed]:
    """Store id → how its orders are asked for. One query."""
    found = {row.store_id: row for row in FeedPosition.objects.filter(store__in=stores, kind=feeds.ORDER)}
    return {
        store.pk: OrderFeed(
            store.import_minutes,
            position.finished_at if (position := found.get(store.pk)) else None,
            max(position.begun_at + dt.timedelta(minutes=store.import_minutes), timezone.now())
            if position and position.begun_at
            else None,
            position.cause if position else "",
            position.remedy if position else "",
        )
        for store in stores
    }


class TimesForm(forms.Form):
    """What was typed of a rhythm; which of it a job has is for `inventory.schedules` to say."""

    every_minutes = forms.IntegerField(label="Minutes", min_value=1, max_value=1440, required=False)
    at = forms.TimeField(label="Time", required=False, input_formats=["%H:%M", "%H.%M"])
    weekday = forms.TypedChoiceField(label="Day", choices=list(enumerate(DAYS)), coerce=int, required=False)


class StoreSchedulePage(StorePage):
    """The schedules of one store; each row is saved, switched and run by itself."""

    permission = "inventory.view_schedule"
    tab: ClassVar[str] = "schedule"
    title = "Schedule"
    template_name = "inventory/schedule.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, problem: str = "", remedy: str = "", typed: Any = None) -> HttpResponse:
        """The rows, and a problem with the last attempt beside what was typed."""
        kept = schedules.of_store(self.store)
        locks = schedules.locks(self.store)
        rows = [row_of(schedule, others=kept.values(), lock=locks.get(job)) for job, schedule in kept.items()]
        return self.page(
            status=status,
            rows=rows,
            days=list(enumerate(DAYS)),
            at_once=at_once.said(self.store) if kept[Job.DELTA].enabled else "",
            fits=recommendation.of_store(self.store.pk),
            orders=order_feeds([self.store])[self.store.pk],
            may_change=self.can(RIGHT),
            may_run=self.can("connectors.start_run"),
            problem=problem,
            remedy=remedy,
            typed=typed or {},
        )

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        if not self.can(RIGHT):
            return self.refuse(RIGHT)
        job = named_job(request.POST.get("job", ""))
        form = TimesForm(request.POST)
        if not form.is_valid():
            said = " ".join(str(error) for errors in form.errors.values() for error in errors)
            remedy = "Write the minutes as a number from 1 to 1,440, the time as HH:MM."
            return self.show(status=422, problem=said, remedy=remedy, typed=request.POST)
        times = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
        enabled = {"on": True, "off": False}.get(request.POST.get("switch", ""))
        address = request.META.get("REMOTE_ADDR")
        try:
            saved = schedules.save(self.store, job, by=self.person, enabled=enabled, address=address, **times)
        except ScheduleRefused as refused:
            return self.show(status=422, problem=refused.cause, remedy=refused.remedy, typed=request.POST)
        messages.success(request, told(saved))
        return redirect("admin:store_schedule", self.store.slug)


class SchedulesPage(ConsolePage):
    """The schedules of every store."""

    permission = "inventory.view_schedule"
    title = "Schedules"
    template_name = "inventory/schedules.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        stores = list(Store.objects.all())
        kept, orders = schedules.of_stores(stores), order_feeds(stores)
        groups = [(store, [row_of(one) for one in kept[store.pk]], orders[store.pk]) for store in stores]
        return self.page(groups=groups)


def named_job(mode: str) -> Job:
    """The job with a schedule that `mode` names. Raises Http404 for any other word."""
    try:
        job = Job.of_mode(mode)
    except ValueError as unknown:
        raise Http404(mode) from unknown
    if job not in DEFAULTS:
        raise Http404(mode)
    return job


def told(schedule: Schedule) -> str:
    """What was saved, with the next times by the store's clock."""
    name = schedule.get_job_display()
    if not schedule.enabled:
        return f"{name} of {schedule.store} is off; its times are kept: {schedule.rhythm.sentence}."
    slots = schedules.next_slots(schedule, SHOWN_AFTER_SAVING)
    if not slots:
        return f"{name} of {schedule.store} runs {schedule.rhythm.sentence}, once the first full sync is done."
    times = ", ".join(f"{slot.astimezone(schedule.store.zone):%a %-d %b %H:%M}" for slot in slots)
    return f"{name} of {schedule.store} runs {schedule.rhythm.sentence}. Next: {times}."
