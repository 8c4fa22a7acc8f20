"""Jobs that start by themselves: once for each slot, late when they must, and never behind a shut gate."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from connectors import pausing, runs
from connectors.models import Notice, NoticeEvent, NoticeRule, Store, SyncRun
from connectors.models.runs import RunStatus, Trigger
from inventory import jobs, schedules
from inventory.jobs import Job
from inventory.models import Schedule, Validation
from inventory.schedules import ScheduleRefused
from syncconsole.kernel.models import AuditEntry
from tests.worlds import World

pytestmark = pytest.mark.django_db

NIGHT = dt.datetime(2026, 11, 21, 22, 2, tzinfo=dt.UTC)
"""00:02 on 22 November in Bucharest."""


def at(hour: int, minute: int = 0, day: int = 22) -> dt.datetime:
    """A time of November 2026 by the clock of Bucharest."""
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.UTC) - dt.timedelta(hours=2)


class Clock:
    """Moves the time, and lets beat tick."""

    def __init__(self, traveller: Any, world: World) -> None:
        self.traveller = traveller
        self.world = world

    def tick(self, moment: dt.datetime) -> list[str]:
        """Beat at `moment`: the modes of the runs that it started, each carried out."""
        self.traveller.move_to(moment)
        self.world.ask_for_orders()
        before = set(SyncRun.objects.values_list("pk", flat=True))
        schedules.start_due()
        started = list(SyncRun.objects.exclude(pk__in=before).order_by("pk"))
        for run in started:
            runs.advance(run.pk)
        return [run.kind.rpartition(".")[2] for run in started]


@pytest.fixture
def clock(world: World) -> Any:
    with time_machine.travel(NIGHT, tick=False) as traveller:
        world.fake.now = NIGHT - dt.timedelta(days=1)
        world.item("A", here=5, there=5)
        world.fake.now = NIGHT
        world.full()
        world.sign()
        schedules.start_due()
        yield Clock(traveller, world)


def kept(world: World, job: Job) -> Schedule:
    return schedules.of_store(Store.objects.get(pk=world.store.pk))[job]


def switch_on(world: World, job: Job, **times: Any) -> None:
    schedules.save(world.store, job, by=world.operator, enabled=True, **times)


def test_a_store_begins_with_deltas_every_quarter_of_an_hour_and_a_nightly_look(clock: Clock) -> None:
    assert {job.mode for job, row in schedules.of_store(clock.world.store).items() if row.enabled} == {
        "delta",
        "observe",
    }
    assert clock.tick(at(0, 14)) == []
    assert clock.tick(at(0, 15)) == ["delta"]
    assert clock.tick(at(0, 15)) == []
    assert clock.tick(at(0, 30)) == ["delta"]
    assert SyncRun.objects.filter(trigger=Trigger.SCHEDULE).count() == 2
    assert kept(clock.world, Job.DELTA).late_seconds == 0


def test_nothing_starts_before_the_first_full_sync(world: World) -> None:
    world.item("A", here=5, there=5)
    schedules.start_due()
    assert not Schedule.objects.exists()
    assert schedules.next_slots(kept(world, Job.DELTA)) == []


def test_the_observing_run_comes_once_a_night(clock: Clock) -> None:
    schedules.save(clock.world.store, Job.DELTA, by=None, enabled=False)
    assert [clock.tick(at(2, minute)) for minute in (0, 1)] == [["observe"], []]
    assert clock.tick(at(1, 59, day=23)) == []
    assert clock.tick(at(2, 0, day=23)) == ["observe"]


def test_a_slot_that_nobody_took_runs_once_late_and_says_so(clock: Clock) -> None:
    switch_on(clock.world, Job.OBSERVE, at=dt.time(1))
    schedules.save(clock.world.store, Job.DELTA, by=None, enabled=False)
    assert clock.tick(at(1, 42)) == ["observe"]
    assert clock.tick(at(1, 43)) == []
    assert schedules.late_text(kept(clock.world, Job.OBSERVE)) == "Ran 42 min late: the worker was down."
    assert clock.tick(at(1, 0, day=23)) == ["observe"]
    assert schedules.late_text(kept(clock.world, Job.OBSERVE)) == ""


def test_deltas_missed_by_the_dozen_run_once(clock: Clock) -> None:
    schedules.save(clock.world.store, Job.OBSERVE, by=None, enabled=False)
    assert clock.tick(at(3, 3)) == ["delta"]
    assert schedules.late_text(kept(clock.world, Job.DELTA)) == "Ran 2 h 48 min late: the worker was down."
    assert clock.tick(at(3, 14)) == []
    assert clock.tick(at(3, 15)) == ["delta"]


def test_what_was_missed_before_a_change_of_times_is_not_made_up_for(clock: Clock) -> None:
    schedules.save(clock.world.store, Job.DELTA, by=None, enabled=False)
    clock.traveller.move_to(at(5))
    switch_on(clock.world, Job.OBSERVE, at=dt.time(4))
    assert clock.tick(at(5, 1)) == []
    assert clock.tick(at(4, 0, day=23)) == ["observe"]


def test_a_shut_gate_is_told_once_and_shown(clock: Clock) -> None:
    NoticeRule.objects.create(
        name="Team", events=[NoticeEvent.GATE_LOST], address="jsons://hooks.example.com/x", repeat_minutes=0
    )
    schedules.save(clock.world.store, Job.OBSERVE, by=None, enabled=False)
    pausing.pause_store(clock.world.store, by=clock.world.operator, reason="Stock count in Cluj.")
    assert clock.tick(at(0, 15)) == []
    assert clock.tick(at(0, 30)) == []
    row = kept(clock.world, Job.DELTA)
    assert "Stock count in Cluj." in row.cause
    assert row.remedy
    assert Notice.objects.count() == 1
    pausing.resume_store(clock.world.store, by=clock.world.operator)
    assert clock.tick(at(0, 44)) == [], "a delta waits for its next slot"
    assert clock.tick(at(0, 45)) == ["delta"]
    assert kept(clock.world, Job.DELTA).cause == ""


def test_what_comes_once_a_day_waits_for_the_gate(clock: Clock) -> None:
    schedules.save(clock.world.store, Job.DELTA, by=None, enabled=False)
    Store.objects.update(connection_cause="The token was refused.")
    assert clock.tick(at(2)) == []
    Store.objects.update(connection_cause="")
    assert clock.tick(at(2, 20)) == ["observe"]
    said = schedules.late_text(kept(clock.world, Job.OBSERVE))
    assert said.startswith("Ran 20 min late: ")
    assert "The token was refused." in said


def test_after_some_hours_behind_a_shut_gate_the_day_is_left_out(clock: Clock) -> None:
    schedules.save(clock.world.store, Job.DELTA, by=None, enabled=False)
    Store.objects.update(connection_cause="The token was refused.")
    assert [clock.tick(at(hour)) for hour in (2, 4, 5)] == [[], [], []]
    Store.objects.update(connection_cause="")
    assert clock.tick(at(9)) == []
    assert "The token was refused." in kept(clock.world, Job.OBSERVE).cause
    assert clock.tick(at(2, 0, day=23)) == ["observe"]


def test_a_run_that_is_open_already_does_what_the_slot_asks_for(clock: Clock) -> None:
    run = jobs.start(clock.world.store, Job.DELTA, trigger=Trigger.PERSON, requested_by=clock.world.operator)
    assert clock.tick(at(0, 15)) == []
    assert kept(clock.world, Job.DELTA).run == run


def test_a_worker_that_dies_while_it_starts_a_run_takes_no_slot(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as killed:
        killed.setattr(jobs, "start", dies)
        with pytest.raises(ConnectionError):
            clock.tick(at(0, 15))
    assert clock.tick(at(0, 16)) == ["delta"]


def test_daily_and_weekly_are_never_both_on_and_neither_before_the_quantities_are_signed(clock: Clock) -> None:
    Validation.objects.all().delete()
    for job in schedules.OVERWRITING:
        with pytest.raises(ScheduleRefused, match="stays off: Nobody has confirmed the quantities"):
            switch_on(clock.world, job)
    clock.world.sign()
    switch_on(clock.world, Job.DAILY)
    switch_on(clock.world, Job.WEEKLY, weekday=2)
    assert not kept(clock.world, Job.DAILY).enabled
    assert kept(clock.world, Job.WEEKLY).rhythm.sentence == "Wednesdays at 04:00"
    with pytest.raises(IntegrityError), transaction.atomic():
        Schedule.objects.filter(job=Job.DAILY).update(enabled=True)


def test_times_that_no_rhythm_of_the_job_has_are_refused(world: World) -> None:
    for job, times in [
        (Job.DELTA, {"at": dt.time(3)}),
        (Job.DAILY, {"weekday": 3}),
        (Job.DELTA, {"every_minutes": 0}),
        (Job.WEEKLY, {"weekday": 7}),
        (Job.FULL, {}),
    ]:
        with pytest.raises(ScheduleRefused):
            schedules.save(world.store, job, by=world.operator, **times)
    assert not Schedule.objects.exclude(every_minutes=15).filter(job=Job.DELTA).exists()


def test_a_change_is_in_the_audit_log_with_both_values(world: World) -> None:
    schedules.save(world.store, Job.DELTA, by=world.operator, every_minutes=5)
    schedules.save(world.store, Job.DELTA, by=world.operator, every_minutes=5)
    entry = AuditEntry.objects.get(action="change schedule")
    assert (entry.actor, entry.before, entry.after) == (
        world.operator,
        {"every_minutes": "15"},
        {"every_minutes": "5"},
    )


def test_the_command_shows_and_changes_the_same_rows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("schedules", world.store.slug, "--job", "weekly", "--day", "Monday", "--at", "05:30", "--json")
    (row,) = json.loads(capsys.readouterr().out)["schedules"]
    assert (row["when"], row["enabled"], row["time_zone"]) == ("Mondays at 05:30", False, "Europe/Bucharest")
    call_command("schedules")
    assert "every 15 minutes" in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        call_command("schedules", world.store.slug, "--every", "5")
    assert refused.value.code == 2


def test_the_command_says_which_of_daily_and_weekly_went_off_for_the_other(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    world.sign()
    call_command("schedules", world.store.slug, "--job", "weekly", "--on")
    assert "is off now" not in capsys.readouterr().out
    call_command("schedules", world.store.slug, "--job", "daily", "--on")
    assert "Weekly is off now: daily and weekly are never both on." in capsys.readouterr().out


def test_a_time_that_no_clock_shows_is_refused_in_plain_words(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, CommandError)) as refused:
        call_command("schedules", world.store.slug, "--job", "daily", "--at", "25:00")
    said = f"{refused.value} {capsys.readouterr().err}"
    assert "25:00 is no time of day. Write it as HH:MM" in said


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_start_one_run(world: World) -> None:
    import threading

    world.item("A", here=5, there=5)
    world.rest()
    world.full()
    schedules.start_due()
    Schedule.objects.filter(job=Job.DELTA).update(since=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    Store.objects.update(live_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    Schedule.objects.exclude(job=Job.DELTA).update(enabled=False)
    together, started = threading.Barrier(2), []

    def beat() -> None:
        try:
            together.wait(timeout=30)
            started.append(schedules.start_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=beat) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [0, 1]
    assert SyncRun.objects.filter(kind=Job.DELTA).exclude(status=RunStatus.REFUSED).count() == 1
