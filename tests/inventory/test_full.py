"""Full: absolute writes on settled levels only; no sale is erased (algorithms.md §6, §7)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from connectors import approval, runs
from connectors.approval import DecisionRefused
from connectors.models import SyncRun
from connectors.models.runs import Outcome, RunStatus, Trigger
from connectors.progress import progress
from connectors.runs import Lease, RunRefused
from inventory import absolute, full, jobs, pump, readings, sending
from inventory.jobs import Job
from inventory.models import PublicationEntry
from inventory.models.publications import PublicationKind, PublicationState
from syncconsole.kernel.models import AuditEntry
from tests.factories.kernel import UserFactory
from tests.worlds import World


def test_a_level_with_orders_we_do_not_know_is_held_and_says_so(world: World) -> None:
    world.item("A", here=20, there=15)
    world.item("B", here=9, there=5)
    world.sell("A", 2)
    world.rest()

    run = world.full("go-live")

    assert world.shown("A") == 13
    assert world.shown("B") == 9
    held = world.publication("A")
    assert held.hold_test == "b"
    assert "2 committed" in held.hold_cause
    assert held.hold_remedy
    assert held.state == PublicationState.NO_BASELINE
    assert run.items.get(outcome=Outcome.HELD).label.startswith("A")


def test_a_hold_ends_by_itself_when_its_orders_are_gone(world: World) -> None:
    publication = world.item("A", here=20, there=15)
    world.item("B", here=1, there=1)
    world.sell("A", 2)
    world.rest()
    world.full("go-live")
    world.fake.fulfil(publication.item_ref, world.there, 2)
    world.post("A", -2)
    world.rest()

    world.full()

    assert world.shown("A") == 18
    assert world.publication("A").hold_test == ""
    assert world.publication("A").held_since is None


def test_levels_judged_together_are_read_and_written_within_the_stores_limits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "MAX_CHANGES", 2)
    monkeypatch.setattr(absolute, "MAX_CHANGES", 2)
    monkeypatch.setattr(readings, "TOGETHER", 5)
    for number in range(6):
        world.item(f"A-{number}", here=20 + number, there=5)
    before = len(world.fake.calls)

    run = world.full("go-live")

    asked = [(call.name, call.rows) for call in world.fake.calls[before:] if call.rows]
    reads = [("read_levels", rows) for rows in (2, 2, 1, 1)]
    assert sorted(asked[:4]) == sorted(reads)
    assert sorted(asked) == sorted(3 * reads + [("send", rows) for rows in (2, 2, 1, 1)])
    assert [world.shown(f"A-{number}") for number in range(6)] == [20 + number for number in range(6)]
    run.refresh_from_db()
    assert (run.progress_done, run.progress_total) == (6, 6)
    assert run.points >= 12 * 3


def test_progress_is_shown_before_a_slice_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "EVERY_SECONDS", 0)
    monkeypatch.setattr(sending, "width", lambda _: 1)
    monkeypatch.setattr(pump, "AT_THE_DESK", 0)
    monkeypatch.setattr(readings, "TOGETHER", 2)
    monkeypatch.setattr(readings, "MAX_CHANGES", 2)
    for number in range(6):
        world.item(f"A-{number}", here=20, there=5)
    run, told = world.plan_full(), []
    write = Lease.renew

    def renew(lease: Lease) -> None:
        write(lease)
        told.append(SyncRun.objects.get(pk=run.pk).progress_done)

    monkeypatch.setattr(Lease, "renew", renew)
    approval.approve(run, world.operator)
    runs.advance(run.pk)
    assert {2, 4} <= set(told) <= {0, 2, 4, 6}
    assert told == sorted(told)


def test_a_level_that_moved_just_now_is_held(world: World) -> None:
    world.item("A", here=20, there=15)
    world.edit("A", 1)

    world.full("go-live")
    assert world.shown("A") == 16
    held = world.publication("A")
    assert held.hold_test == "a"
    assert held.observed_moved_at
    moved_at = held.observed_moved_at.astimezone(world.store.zone)
    assert f"{moved_at:%H:%M:%S %Z}" in held.hold_cause, "by the store's clock"

    world.rest()
    world.full()
    assert world.shown("A") == 20


def test_a_sale_between_plan_and_write_survives(world: World) -> None:
    world.item("A", here=20, there=15)
    run = world.plan_full()
    world.sell("A", 3)
    world.rest()

    approval.approve(run, world.operator)
    run = runs.advance(run.pk)

    assert world.shown("A") == 12
    assert run.status == RunStatus.PARTIAL
    assert run.items.get().outcome == Outcome.HELD


def test_a_sale_between_the_last_read_and_the_write_survives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = world.item("A", here=20, there=15)
    run = world.plan_full()
    approval.approve(run, world.operator)
    send = world.fake.send

    def sold_just_before(prepared):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(world.fake, "send", send)
        world.fake.sell(publication.item_ref, world.there, 3)
        return send(prepared)

    monkeypatch.setattr(world.fake, "send", sold_just_before)
    run = runs.advance(run.pk)

    assert world.shown("A") == 12
    assert run.items.get().outcome == Outcome.HELD
    assert world.publication("A").claim_id is None
    world.assert_sound()


def test_an_edit_after_the_plan_is_planned_again_not_overwritten_beyond_it(world: World) -> None:
    world.item("A", here=20, there=15)
    world.item("B", here=20, there=15)
    run = world.plan_full()
    world.edit("A", 2)  # 3 are missing now: covered by the 5 that were approved
    world.edit("B", -9)  # 14 are missing: more than was approved
    world.rest()

    approval.approve(run, world.operator)
    run = runs.advance(run.pk)

    assert world.shown("A") == 20
    assert world.shown("B") == 6
    outcomes = {item.label[0]: (item.outcome, item.delta) for item in run.items.all()}
    assert outcomes["A"] == (Outcome.APPLIED, 3)
    assert outcomes["B"][0] == Outcome.LEFT


def test_a_lost_reply_of_a_baseline_is_settled_with_what_came_meanwhile(world: World) -> None:
    world.item("A", here=20, there=15)
    world.fake.lose_next_reply()

    run = world.full("go-live")
    world.post("A", 4)
    world.delta()

    assert run.status == RunStatus.COMPLETED
    assert world.shown("A") == 24
    assert PublicationEntry.objects.filter(kind=PublicationKind.BASELINE).count() == 1
    world.assert_sound()


def test_units_the_store_withholds_are_not_sold(world: World) -> None:
    publication = world.item("A", here=20, there=20)
    world.full("go-live")
    level = world.fake.level(publication.item_ref, world.there)
    level.available -= 2
    level.unavailable += 2
    level.moved_at = world.fake.now
    world.rest()

    world.full()

    assert world.shown("A") == 18
    assert world.publication("A").target == 18
    assert world.publication("A").expected_quantity == 18
    world.assert_sound()


def test_an_edit_in_the_store_is_put_right_by_a_full_sync(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.edit("A", 5)
    world.rest()

    run = world.full()

    assert world.shown("A") == 20
    assert run.totals["rows"] == 1
    assert world.publication("A").expected_quantity == 20


def test_a_level_not_stocked_there_is_held_with_the_remedy(world: World) -> None:
    world.item("A", here=20, there=None)

    world.full("go-live")

    assert world.publication("A").hold_test == "e"
    assert "not stocked" in world.publication("A").hold_cause


def test_a_store_that_tells_no_times_needs_two_equal_reads(world: World) -> None:
    publication = world.item("A", here=20, there=15)
    world.fake.level(publication.item_ref, world.there).moved_at = None

    world.full("go-live")
    assert world.shown("A") == 15
    assert world.publication("A").hold_test == "a"

    world.rest()
    world.full()
    assert world.shown("A") == 20


def test_one_item_that_turns_out_unwritable_stops_nobody_else(world: World) -> None:
    for number in range(6):
        world.item(f"A{number}", here=10 + number, there=1)
    world.fake.poison(world.publication("A3").item_ref)

    run = world.full("go-live")

    assert run.status == RunStatus.PARTIAL
    assert [world.shown(f"A{n}") for n in range(6)] == [10, 11, 12, 1, 14, 15]
    assert run.items.get(outcome=Outcome.REFUSED).label.startswith("A3")
    world.assert_sound()


def test_after_go_live_the_slug_must_be_typed(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.store.refresh_from_db()

    with pytest.raises(RunRefused) as refused:
        jobs.start(world.store, Job.FULL, reason="major discrepancy", trigger=Trigger.PERSON, confirmation="bucovina")

    assert world.store.slug in refused.value.remedy
    assert "seven" not in full.recent_full_warning(full.last_full(world.store))
    assert "last full sync" in full.recent_full_warning(full.last_full(world.store))


def test_the_person_who_planned_may_not_approve_over_a_limit(world: World) -> None:
    world.store.limit_to_zero = 0
    world.store.save()
    world.item("A", here=0, there=5)
    run = world.plan_full()
    assert run.limits_passed == ["1 levels go to zero (limit 0)."]

    with pytest.raises(DecisionRefused, match="someone else"):
        approval.approve(run, world.operator)
    approval.approve(run, UserFactory(is_superuser=True))

    assert runs.advance(run.pk).status == RunStatus.COMPLETED
    assert world.shown("A") == 0
    assert AuditEntry.objects.filter(action="approve plan").count() == 1


def test_a_plan_that_nobody_approves_expires_and_writes_nothing(world: World) -> None:
    world.item("A", here=20, there=5)
    run = world.plan_full()
    type(run).objects.filter(pk=run.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert approval.expire_plans() == 1

    run.refresh_from_db()
    assert run.status == RunStatus.EXPIRED
    assert world.shown("A") == 5
    with pytest.raises(DecisionRefused):
        approval.approve(run, world.operator)


def test_a_plan_of_ten_sends_nothing_after_a_delta_sent_them(world: World) -> None:
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.edit("A", 0)
    world.rest()
    world.post("A", 10)
    run = world.plan_full("major discrepancy")
    assert run.items.get().delta == 10

    world.delta()
    world.rest()
    approval.approve(run, world.operator)
    run = runs.advance(run.pk)

    assert world.shown("A") == 30
    assert run.items.get().outcome == Outcome.UNCHANGED


def test_the_headline_adds_up_to_the_levels_that_were_read(world: World) -> None:
    world.item("A", here=20, there=20)
    world.item("B", here=20, there=20)
    world.item("C", here=20, there=15)
    world.full("go-live")
    world.sell("A", 2)
    world.rest()

    run = world.full()

    assert progress(run).headline == "2 already right, 1 held."


def test_a_delta_that_was_built_before_an_overwrite_does_not_land_on_top_of_it(world: World) -> None:
    """K10: one unsettled push of a level, whatever the job."""
    world.item("A", here=20, there=20)
    world.full("go-live")
    world.post("A", 5)
    world.fake.refuse_next_connection()
    delta = world.delta()
    world.rest()

    with pytest.raises(RunRefused, match="is writing"):
        world.full()
    type(delta).objects.filter(pk=delta.pk).update(not_before=None)
    runs.advance(delta.pk)
    world.rest()
    world.full()

    assert (world.shown("A"), world.publication("A").pending) == (25, 0)
    world.assert_sound()


def test_what_was_read_is_not_believed_after_a_push_of_ours(world: World) -> None:
    """K15: 28 were read and are right by then; −5 go out; 28 is not adopted over it."""
    world.item("A", here=20, there=20)
    world.item("B", here=5, there=5)
    world.full("go-live")
    world.post("A", 8)
    world.edit("A", 8)
    world.edit("B", 1)
    world.rest()
    run = world.plan_full("major discrepancy")
    assert run.items.get(label__startswith="A").delta == 0
    world.post("A", -5)
    world.delta()
    approval.approve(run, world.operator)
    run = runs.advance(run.pk)

    assert run.items.get(label__startswith="A").outcome == Outcome.LEFT
    assert (world.publication("A").expected_quantity, world.publication("A").pending) == (23, 0)
    world.rest()
    world.full()
    assert (world.shown("A"), world.publication("A").target) == (23, 23)
    world.assert_sound()
