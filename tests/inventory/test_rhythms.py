"""When a job is due by a store's clock."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rhythms import At, Every, Rhythm, upcoming

BUCHAREST = ZoneInfo("Europe/Bucharest")
EVENING = dt.datetime(2026, 11, 21, 18, 5, tzinfo=dt.UTC)


def local(slots: list[dt.datetime], zone: ZoneInfo = BUCHAREST) -> list[str]:
    return [f"{slot.astimezone(zone):%a %-d %b %H:%M}" for slot in slots]


def test_rhythms_are_said_as_people_say_them() -> None:
    assert Every(15).sentence == "every 15 minutes"
    assert Every(1).sentence == "every minute"
    assert At(dt.time(3)).sentence == "daily at 03:00"
    assert At(dt.time(4), 6).sentence == "Sundays at 04:00"


def test_slots_follow_the_clock_of_the_store() -> None:
    assert local(upcoming(Every(15), EVENING, BUCHAREST, 3)) == [
        "Sat 21 Nov 20:15",
        "Sat 21 Nov 20:30",
        "Sat 21 Nov 20:45",
    ]
    assert local(upcoming(At(dt.time(3)), EVENING, BUCHAREST, 2)) == ["Sun 22 Nov 03:00", "Mon 23 Nov 03:00"]
    assert local(upcoming(At(dt.time(4), 6), EVENING, BUCHAREST, 2)) == ["Sun 22 Nov 04:00", "Sun 29 Nov 04:00"]
    assert At(dt.time(3)).last_until(EVENING, BUCHAREST) == dt.datetime(2026, 11, 21, 1, tzinfo=dt.UTC)
    assert At(dt.time(4), 6).last_until(EVENING, BUCHAREST) == dt.datetime(2026, 11, 15, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize("time", [dt.time(3), dt.time(3, 30), dt.time(3, 59)])
def test_a_time_that_the_clocks_skip_runs_once_when_they_go_on(time: dt.time) -> None:
    before = dt.datetime(2027, 3, 27, 12, tzinfo=dt.UTC)
    slots = upcoming(At(time), before, BUCHAREST, 2)
    assert slots[0] == dt.datetime(2027, 3, 28, 1, tzinfo=dt.UTC)
    assert local(slots) == ["Sun 28 Mar 04:00", f"Mon 29 Mar {time:%H:%M}"]


def test_a_time_that_comes_twice_runs_the_first_time_only() -> None:
    slots = upcoming(At(dt.time(3, 30)), dt.datetime(2026, 10, 24, 12, tzinfo=dt.UTC), BUCHAREST, 2)
    assert slots == [dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), dt.datetime(2026, 10, 26, 1, 30, tzinfo=dt.UTC)]


def test_changes_of_the_clock_are_said_beforehand() -> None:
    assert At(dt.time(3)).clock_change(EVENING, BUCHAREST) == "28 Mar 2027: 03:00 does not exist, runs at 04:00 once."
    summer = dt.datetime(2027, 4, 1, tzinfo=dt.UTC)
    assert (
        At(dt.time(3), 6).clock_change(summer, BUCHAREST)
        == "31 Oct 2027: 03:00 comes twice, runs once, the first time."
    )
    assert At(dt.time(5)).clock_change(EVENING, BUCHAREST) == ""
    assert At(dt.time(3), 2).clock_change(EVENING, BUCHAREST) == "", "clocks change on Sundays"


RHYTHMS = st.one_of(
    st.builds(Every, st.integers(1, 1440)),
    st.builds(At, st.times().map(lambda time: time.replace(second=0, microsecond=0)), st.none() | st.integers(0, 6)),
)
MOMENTS = st.integers(1_577_000_000, 2_051_000_000).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
ZONES = st.sampled_from(
    ["Europe/Bucharest", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"]
)


@settings(max_examples=50)
@given(RHYTHMS, MOMENTS, ZONES.map(ZoneInfo))
def test_no_moment_lies_between_two_neighbours(rhythm: Rhythm, moment: dt.datetime, zone: ZoneInfo) -> None:
    last, following = rhythm.last_until(moment, zone), rhythm.first_after(moment, zone)
    assert last <= moment < following
    assert rhythm.first_after(last, zone) == following
    assert rhythm.last_until(following, zone) == following


@settings(max_examples=10)
@given(MOMENTS, st.times(), ZONES.map(ZoneInfo))
def test_every_day_has_its_slot_once(moment: dt.datetime, time: dt.time, zone: ZoneInfo) -> None:
    days = [
        slot.astimezone(zone).date() for slot in upcoming(At(time.replace(second=0, microsecond=0)), moment, zone, 400)
    ]
    assert days == [days[0] + dt.timedelta(days=n) for n in range(400)]
