"""Schedules from the command line: the same rows as on the store's page."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.utils import timezone

from connectors.commands import named_store
from connectors.models import Store
from inventory import schedules
from inventory.jobs import Job
from inventory.models import Schedule
from inventory.rhythms import DAYS, At
from inventory.schedules import DEFAULTS, ScheduleRefused
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User

NEXT = 3


class Command(JsonCommand):
    help = "Show when jobs start by themselves, or change it: schedules STORE --job delta --every 5 --on."
    permission = "inventory.view_schedule"
    refusals = (ScheduleRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", nargs="?", help="Slug of the store; without it every store is shown.")
        parser.add_argument("--job", choices=[job.mode for job in DEFAULTS], help="The job to change.")
        parser.add_argument("--every", type=int, metavar="MINUTES", help="Every so many minutes.")
        parser.add_argument("--at", type=_time_of_day, metavar="HH:MM", help="At this time by the store's clock.")
        parser.add_argument("--day", choices=DAYS, help="On this day of the week.")
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument("--on", action="store_true", default=None, dest="enabled", help="Switch it on.")
        switch.add_argument("--off", action="store_false", default=None, dest="enabled", help="Switch it off.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        stores = [named_store(options["store"])] if options["store"] else list(Store.objects.all())
        wanted = {"enabled": options["enabled"], "every_minutes": options["every"], "at": options["at"]}
        wanted["weekday"] = DAYS.index(options["day"]) if options["day"] else None
        turned_off: list[Job] = []
        if any(value is not None for value in wanted.values()):
            if not (options["store"] and options["job"]):
                raise Refused("Nothing was changed: which schedule?", "Name the store and --job.")
            if actor and not actor.has_perm("inventory.change_schedule"):
                raise Refused(f"{actor} may not change schedules.", "Ask an administrator for a role that may.")
            job, before = Job.of_mode(options["job"]), schedules.of_store(stores[0])
            schedules.save(stores[0], job, by=actor, **wanted)
            after = schedules.of_store(stores[0])
            turned_off = [
                each for each in after if before[each].enabled and not after[each].enabled and each is not job
            ]
        rows = [
            schedule
            for planned in schedules.of_stores(stores).values()
            for schedule in planned
            if options["job"] in (None, schedule.mode)
        ]
        said = [f"{job.label} is off now: daily and weekly are never both on." for job in turned_off]
        data = {"schedules": [_row(row) for row in rows], "turned_off": [job.mode for job in turned_off]}
        return Report(data=data, lines=[*map(_line, rows), *said])


def _time_of_day(text: str) -> dt.time:
    try:
        return dt.time.fromisoformat(text)
    except ValueError as exc:
        raise ArgumentTypeError(f"{text} is no time of day. Write it as HH:MM, e.g. 03:00.") from exc


def _row(schedule: Schedule) -> dict[str, Any]:
    zone, rhythm = schedule.store.zone, schedule.rhythm
    return {
        "store": schedule.store.slug,
        "job": schedule.mode,
        "enabled": schedule.enabled,
        "when": rhythm.sentence,
        "time_zone": zone.key,
        "next": [slot.astimezone(zone) for slot in schedules.next_slots(schedule, NEXT)],
        "last_run": schedule.run_id,
        "late": schedules.late_text(schedule),
        "clock_change": rhythm.clock_change(timezone.now(), zone) if isinstance(rhythm, At) else "",
        "cause": schedule.cause,
        "remedy": schedule.remedy,
    }


def _line(schedule: Schedule) -> str:
    row = _row(schedule)
    state = "on " if schedule.enabled else "off"
    following = f"next {row['next'][0]:%a %-d %b %H:%M}" if row["next"] else ""
    told = " ".join(filter(None, [row["late"], row["cause"], row["remedy"], row["clock_change"]]))
    return f"{row['store']:20} {schedule.mode:8} {state} {row['when']:24} {following:22} {told}".rstrip()
