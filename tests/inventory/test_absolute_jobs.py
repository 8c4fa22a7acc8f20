"""Daily, weekly, recent, manual, observe: which levels each looks at, and which differences it takes on."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db.models import F
from django.utils import timezone

from connectors.models import SyncRun
from connectors.models.runs import Outcome, RunStatus
from connectors.ports.store import PreparedWrite, WriteReply
from inventory.jobs import Job
from inventory.models import Drift, HoldChange, LevelPublication, PublicationEntry, Push
from inventory.models.drifts import DriftState
from inventory.models.publications import PublicationKind, PublicationState
from tests.worlds import World

LONG_AGO = dt.timedelta(hours=49)


@pytest.fixture
def live(world: World) -> World:
    """A store whose two levels show what they should."""
    world.item("A", here=20, there=20)
    world.item("B", here=5, there=5)
    world.full("go-live")
    return world


def seen(world: World, sku: str, ago: dt.timedelta, **fields: object) -> None:
    """The level differs by its last read, and has done so for some time."""
    publication = world.publication(sku)
    fields = {"quantity": world.shown(sku) - publication.expected_quantity, **fields}
    began = timezone.now() - ago
    row = {"store": world.store, "shown": world.shown(sku), "first_seen_at": began, "seen_at": began}
    row |= {"steady_since": began, **fields}
    Drift.objects.update_or_create(publication_id=publication.pk, state=row.pop("state", DriftState.OPEN), defaults=row)


def sent(world: World) -> list[dict[str, object]]:
    """The bodies of the writes that the store was sent."""
    return [json.loads(call.body) for call in world.fake.calls if call.name == "send" and call.body]


def test_daily_overwrites_what_differs_without_asking(live: World) -> None:
    live.edit("A", 4)
    live.rest()

    run = live.run(Job.DAILY)

    assert run.approved_by is None
    assert live.shown("A") == 20
    assert live.shown("B") == 5
    assert [(line.before, line.after) for line in run.items.all()] == [(24, 20)]
    live.assert_sound()


def test_daily_leaves_a_sale_alone_that_is_not_known_here(live: World) -> None:
    live.sell("A", 3)
    live.rest()

    run = live.run(Job.DAILY)

    assert live.shown("A") == 17
    assert run.items.get().outcome == Outcome.HELD
    assert live.publication("A").hold_test == "b"


def test_a_level_in_step_is_not_held_because_it_moved_just_now(live: World) -> None:
    live.edit("A", 1)
    live.edit("A", -1)

    live.run(Job.DAILY)

    assert live.publication("A").hold_test == ""
    assert not SyncRun.objects.get(kind=Job.DAILY).items.exists()


def test_levels_never_published_are_left_to_a_manual_run(live: World) -> None:
    live.item("NEW", here=7, there=0)
    live.rest()

    live.run(Job.DAILY)
    assert live.shown("NEW") == 0

    run = live.run(Job.MANUAL)
    assert run.approved_by == live.operator
    assert live.shown("NEW") == 7
    assert live.publication("NEW").state == PublicationState.LIVE
    assert run.items.count() == 1


def test_a_manual_run_leaves_published_levels_alone(live: World) -> None:
    live.edit("A", 4)
    live.item("NEW", here=7, there=0)
    live.rest()

    live.run(Job.MANUAL)

    assert live.shown("A") == 24


def test_weekly_gives_a_new_difference_the_time_to_be_explained(live: World) -> None:
    live.edit("A", 4)
    live.rest()
    live.run(Job.OBSERVE)
    seen(live, "A", dt.timedelta(hours=47))

    live.run(Job.WEEKLY)
    assert live.shown("A") == 24

    seen(live, "A", LONG_AGO)
    live.run(Job.WEEKLY)
    assert live.shown("A") == 20


@pytest.mark.parametrize("state", [DriftState.IGNORED, DriftState.ACCEPTED])
def test_weekly_leaves_a_difference_that_a_person_decided(live: World, state: DriftState) -> None:
    live.edit("A", 4)
    live.rest()
    live.run(Job.OBSERVE)
    Drift.objects.all().delete()
    seen(live, "A", LONG_AGO, state=state)

    live.run(Job.WEEKLY)

    assert live.shown("A") == 24


def test_weekly_begins_anew_where_something_was_pushed_meanwhile(live: World) -> None:
    live.edit("A", 4)
    live.rest()
    live.run(Job.OBSERVE)
    seen(live, "A", LONG_AGO)
    live.post("A", 1)
    live.delta()
    live.rest()

    live.run(Job.WEEKLY)
    assert live.shown("A") == 25, "the first settled read after a push begins anew"

    Push.objects.update(created_at=F("created_at") - LONG_AGO)
    Drift.objects.update(steady_since=F("steady_since") - LONG_AGO)
    live.run(Job.WEEKLY)
    assert live.shown("A") == 21, "so that a level that is sold from elsewhere is not left out for ever"


def test_weekly_begins_anew_where_the_level_was_held_meanwhile(live: World) -> None:
    live.edit("A", 4)
    live.rest()
    live.run(Job.OBSERVE)
    Drift.objects.all().delete()
    seen(live, "A", LONG_AGO)
    HoldChange.objects.create(publication=live.publication("A"), at=timezone.now() - dt.timedelta(hours=3), test="b")

    live.run(Job.WEEKLY)

    assert live.shown("A") == 24


def test_recent_looks_at_what_moved_here_and_corrects_it_by_the_difference(live: World) -> None:
    live.delta()  # nothing is marked any more
    live.edit("B", 2)
    live.edit("A", 4)
    live.post("A", 3)
    live.rest()
    live.fake.calls.clear()

    run = live.run(Job.RECENT)

    assert live.shown("A") == 23
    assert live.shown("B") == 7
    assert run.items.get().outcome == Outcome.APPLIED
    (body,) = sent(live)
    assert body["kind"] == "adjust"
    assert [row[2:] for row in body["rows"]] == [[-1, 24]]  # type: ignore[index]
    assert PublicationEntry.objects.filter(kind=PublicationKind.OVERWRITTEN).count() == 1
    live.assert_sound()


def test_recent_never_adjusts_a_quantity_that_is_not_the_one_it_read(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = live.publication("A")
    live.post("A", 3)
    live.rest()
    send = live.fake.send

    def sold_just_before(prepared: PreparedWrite) -> WriteReply:
        monkeypatch.setattr(live.fake, "send", send)
        live.fake.sell(publication.item_ref, live.there, 2)
        return send(prepared)

    monkeypatch.setattr(live.fake, "send", sold_just_before)
    run = live.run(Job.RECENT)

    assert live.shown("A") == 18
    assert run.items.get().outcome == Outcome.HELD
    assert live.publication("A").claim_id is None


def test_a_lost_reply_of_a_compared_adjustment_counts_once(live: World) -> None:
    live.post("A", 3)
    live.rest()
    live.fake.lose_next_reply()

    live.run(Job.RECENT)
    live.delta()

    assert live.shown("A") == 23
    live.assert_sound()


def test_recent_leaves_no_mark_where_nothing_is_owed(live: World) -> None:
    live.post("A", 3)
    live.post("A", -3)
    live.rest()

    live.run(Job.RECENT)

    assert not LevelPublication.objects.filter(needs_look=True).exists()


def test_observe_reads_everything_and_writes_nothing(live: World) -> None:
    live.edit("A", 4)
    live.rest()
    live.fake.calls.clear()

    run = live.run(Job.OBSERVE)

    assert run.status == RunStatus.COMPLETED
    assert sent(live) == []
    assert run.totals["summary"] == "2 levels read, nothing written, 1 drift by 4 units."
    assert live.publication("A").drift == 4
    assert not run.items.exists()
