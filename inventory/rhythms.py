"""When a job is due by the clock of a store: arithmetic of walls, calendars and daylight saving; asks nobody.

A time of day that the clocks skip is taken at the next moment that exists, one that comes twice is taken the first time;
so every day has its slot once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = dt.timedelta(days=1)
AHEAD = dt.timedelta(days=366)
"""How far ahead changes of the clock are told."""


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many minutes, round the clock; by the minutes of UTC, which no change of the clock moves."""

    minutes: int

    @property
    def sentence(self) -> str:
        """As people say it."""
        return "every minute" if self.minutes == 1 else f"every {self.minutes} minutes"

    def first_after(self, moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The first slot later than `moment`."""
        return self.last_until(moment, zone) + dt.timedelta(minutes=self.minutes)

    def last_until(self, moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The newest slot not later than `moment`."""
        step = self.minutes * 60
        return dt.datetime.fromtimestamp(moment.timestamp() // step * step, dt.UTC)


@dataclass(frozen=True, slots=True)
class At:
    """At a time of the store's day: every day, or on one day of the week (0 = Monday)."""

    time: dt.time
    weekday: int | None = None

    @property
    def sentence(self) -> str:
        """As people say it."""
        return f"{'daily' if self.weekday is None else f'{DAYS[self.weekday]}s'} at {self.time:%H:%M}"

    def first_after(self, moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The first slot later than `moment`."""
        day = moment.astimezone(zone).date() - DAY
        while not (self._falls_on(day) and (slot := moment_of(day, self.time, zone)) > moment):
            day += DAY
        return slot

    def last_until(self, moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The newest slot not later than `moment`."""
        day = moment.astimezone(zone).date() + DAY
        while not (self._falls_on(day) and (slot := moment_of(day, self.time, zone)) <= moment):
            day -= DAY
        return slot

    def clock_change(self, moment: dt.datetime, zone: ZoneInfo) -> str:
        """The next slot within a year that a change of the clock touches, in a sentence; nothing where none does."""
        day = moment.astimezone(zone).date()
        for _ in range(AHEAD.days):
            if self._falls_on(day) and moment_of(day, self.time, zone) > moment and (said := self._said_of(day, zone)):
                return said
            day += DAY
        return ""

    def _falls_on(self, day: dt.date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday

    def _said_of(self, day: dt.date, zone: ZoneInfo) -> str:
        wall = dt.datetime.combine(day, self.time)
        if not exists(wall, zone):
            runs = moment_of(day, self.time, zone).astimezone(zone)
            return f"{day:%-d %b %Y}: {self.time:%H:%M} does not exist, runs at {runs:%H:%M} once."
        if wall.replace(tzinfo=zone).utcoffset() != wall.replace(tzinfo=zone, fold=1).utcoffset():
            return f"{day:%-d %b %Y}: {self.time:%H:%M} comes twice, runs once, the first time."
        return ""


Rhythm = Every | At


def exists(wall: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of `zone` ever show `wall`."""
    return wall.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) == wall


def moment_of(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """The moment, in UTC, when the clocks of `zone` first show `time` on `day`; where they skip it, when they go on."""
    wall = dt.datetime.combine(day, time)
    as_before = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    if exists(wall, zone):
        return as_before
    # The clocks were put forward between these two readings of the wall: by the offset after it, and by the one before.
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC), as_before
    before = low.astimezone(zone).utcoffset()
    while high - low > dt.timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def upcoming(rhythm: Rhythm, moment: dt.datetime, zone: ZoneInfo, count: int) -> list[dt.datetime]:
    """The next `count` slots after `moment`."""
    found: list[dt.datetime] = []
    while len(found) < count:
        found.append(moment := rhythm.first_after(moment, zone))
    return found
