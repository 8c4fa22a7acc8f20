"""Delta: what is owed is target − expected, sent once (algorithms.md §5, §9, §10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from connectors import pausing, runs
from connectors.models.runs import Outcome, RunStatus, Trigger
from connectors.ports.errors import CredentialsRejected, RequestRejected
from connectors.ports.store import PreparedWrite, WriteReply
from connectors.runs import RunAlreadyOpen, RunRefused
from inventory import deciding, delta, jobs, pushes
from inventory.deciding import Decision
from inventory.jobs import Job
from inventory.models import Drift, LevelPublication, PushBatch
from inventory.models.drifts import DriftCause, DriftState
from inventory.models.publications import PublicationState
from inventory.models.pushes import BatchStatus
from tests.worlds import World


@pytest.fixture
def live(world: World) -> World:
    """A store with three levels in step."""
    for sku, quantity in {"A": 20, "B": 30, "C": 40}.items():
        world.item(sku, here=quantity, there=quantity)
    world.full("go-live")
    return world


def test_without_a_baseline_it_is_refused_with_the_remedy(world: World) -> None:
    world.item("A", here=5, there=3)

    with pytest.raises(RunRefused) as refused:
        jobs.start(world.store, Job.DELTA, trigger=Trigger.PERSON)

    assert [gate.name for gate in refused.value.gates] == ["baseline"]
    assert "full sync" in refused.value.remedy
    assert world.store.runs.get().status == RunStatus.REFUSED


def test_a_second_delta_meets_the_open_one(live: World) -> None:
    first = jobs.start(live.store, Job.DELTA, trigger=Trigger.PERSON)

    with pytest.raises(RunAlreadyOpen) as refused:
        jobs.start(live.store, Job.DELTA, trigger=Trigger.SCHEDULE)

    assert refused.value.run == first


def test_a_sale_in_the_store_is_not_pushed_back(live: World) -> None:
    live.sell("A", 2)
    live.post("A", 1)

    live.delta()

    assert live.shown("A") == 19


def test_half_units_are_sent_when_they_make_a_whole(live: World) -> None:
    live.post("A", Decimal("0.5"))
    live.delta()
    assert live.shown("A") == 20

    live.post("A", Decimal("0.5"))
    live.delta()
    assert live.shown("A") == 21


def test_a_clamped_level_gets_only_the_true_difference(live: World) -> None:
    live.store.never_below_zero = True
    live.store.save()
    live.post("A", -22)
    live.delta()
    assert live.shown("A") == 0

    live.post("A", 5)
    live.delta()

    assert live.shown("A") == 3


def test_a_negative_ats_is_sent_as_it_is(live: World) -> None:
    live.post("A", -22)
    live.delta()
    assert live.shown("A") == -2


def test_the_first_delta_looks_at_every_level(live: World) -> None:
    """A setting that moves every target may have changed since the baseline, when no delta could see that it did."""
    LevelPublication.objects.update(needs_look=False)
    live.store.buffer = 5
    live.store.save()

    live.run(Job.DELTA)

    assert [live.shown(sku) for sku in "ABC"] == [15, 25, 35]
    live.assert_sound()


def test_the_buffer_is_left_out_of_what_the_store_shows(live: World) -> None:
    live.delta()
    live.store.buffer = 5
    live.store.save()
    assert live.publication("A").target == 15

    live.delta()

    assert (live.shown("A"), live.shown("C")) == (15, 35)


def test_a_lost_reply_is_settled_by_the_same_bytes(live: World) -> None:
    live.post("A", 5)
    live.fake.lose_next_reply()

    run = live.delta()

    assert run.status == RunStatus.COMPLETED
    first, second = live.fake.called("send")
    assert first.body == second.body
    assert live.shown("A") == 25
    assert live.publication("A").expected_quantity == 25


def test_a_refused_connection_waits_and_sends_the_same_batch_later(live: World) -> None:
    live.post("A", 5)
    live.fake.refuse_next_connection()

    run = live.delta()
    assert run.status == RunStatus.APPLYING
    assert run.not_before is not None
    assert run.cause
    assert live.shown("A") == 20

    with time_machine.travel(run.not_before + dt.timedelta(seconds=1), tick=False):
        run = runs.advance(run.pk)

    assert run.status == RunStatus.COMPLETED
    assert live.shown("A") == 25
    assert len({call.key for call in live.fake.called("send")}) == 1


def test_an_unanswered_push_is_never_resent_after_23_hours(live: World) -> None:
    live.post("A", 5)
    for _ in range(4):
        live.fake.lose_next_reply()
    run = live.delta()
    assert run.status == RunStatus.APPLYING
    sent = len(live.fake.called("send"))

    live.fake.advance(25 * 3600)
    live.fake.forget_keys()
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25), tick=False):
        run = runs.advance(run.pk)

        assert len(live.fake.called("send")) == sent
        publication = live.publication("A")
        assert publication.state == PublicationState.UNSURE
        assert publication.claim_id is not None
        assert run.status == RunStatus.PARTIAL
        assert run.items.get().outcome == Outcome.UNSURE

        live.full()

    publication = live.publication("A")
    assert publication.state == PublicationState.LIVE
    assert (live.shown("A"), publication.expected_quantity) == (25, 25)
    live.assert_sound()


@pytest.mark.parametrize(("happened", "sold"), [(True, 0), (False, 0), (True, 3), (False, 3)])
def test_an_unsure_push_is_decided_by_a_settled_read(live: World, happened: bool, sold: int) -> None:
    live.post("A", 5)
    for _ in range(4):
        if happened:
            live.fake.lose_next_reply()
        else:
            live.fake.drop_next_request()
    run = live.delta()
    live.fake.advance(25 * 3600)
    live.fake.forget_keys()
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25), tick=False):
        runs.advance(run.pk)
        live.edit("A", -sold)
        live.rest()
        live.full()
        live.delta()

    # An absolute run ends the doubt: the store shows what we have, whatever became of the push.
    assert live.shown("A") == 25
    assert live.publication("A").pending == 0
    live.assert_sound()


def test_a_request_that_is_itself_at_fault_stops_the_run_and_frees_its_levels(live: World) -> None:
    live.post("A", 5)
    fault = RequestRejected(service="Shopify", operation="adjust", cause="The API version is gone.", remedy="Upgrade.")
    live.fake.fail_next_send(fault)

    run = live.delta()

    assert (run.status, run.cause) == (RunStatus.FAILED, "The API version is gone.")
    assert live.publication("A").claim_id is None
    assert live.delta().status == RunStatus.COMPLETED
    assert live.shown("A") == 25
    live.assert_sound()


def test_refused_credentials_pause_the_store_and_lose_nothing(live: World) -> None:
    live.post("A", 5)
    refused = CredentialsRejected(service="Shopify", operation="adjust", cause="Token revoked.", remedy="Replace it.")
    live.fake.fail_next_send(refused)

    run = live.delta()

    live.store.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert live.store.writes_paused
    with pytest.raises(RunRefused) as shut:
        live.delta()
    assert {gate.name for gate in shut.value.gates} >= {"writes_allowed"}
    live.store.writes_paused = False
    live.store.connection_cause = ""
    live.store.save()
    assert live.delta().status == RunStatus.COMPLETED
    assert live.shown("A") == 25
    run.refresh_from_db()
    assert run.counts == {Outcome.APPLIED: 1}
    live.assert_sound()


def test_pausing_writes_stops_a_run_that_was_about_to_write_and_resuming_lets_it_go_on(live: World) -> None:
    live.store.limit_units = 1
    live.store.save()
    live.post("A", 5)
    run = live.delta()
    runs.start_applying(run)
    pausing.pause_store(live.store, by=live.operator, reason="Stock count")

    run = runs.advance(run.pk)

    assert run.status == RunStatus.APPLYING
    assert "Stock count" in run.cause
    assert live.fake.called("send") == []

    pausing.resume_store(live.store, by=live.operator)
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1), tick=False):
        run = runs.advance(run.pk)
    assert run.status == RunStatus.COMPLETED
    assert live.shown("A") == 25


def test_a_poisoned_row_is_named_and_the_rest_goes(live: World) -> None:
    for sku in "ABC":
        live.post(sku, 1)
    live.fake.poison(live.publication("B").item_ref)

    run = live.delta()

    assert run.status == RunStatus.PARTIAL
    assert (live.shown("A"), live.shown("B"), live.shown("C")) == (21, 30, 41)
    refused = run.items.get(outcome=Outcome.REFUSED)
    assert refused.label.startswith("B")
    assert refused.cause
    assert refused.remedy
    assert live.publication("B").state == PublicationState.QUARANTINED
    assert PushBatch.objects.filter(status=BatchStatus.REFUSED).count() == 1
    live.assert_sound()


def test_a_plan_over_a_limit_waits_and_then_sends_only_what_it_covers(live: World) -> None:
    live.store.limit_units = 8
    live.store.save()
    live.post("A", 10)
    live.post("B", 10)
    live.post("C", 10)

    run = live.delta()
    assert run.status == RunStatus.AWAITING_APPROVAL
    assert "30 units move (limit 8)." in run.limits_passed
    assert live.fake.called("send") == []

    live.post("A", -6)  # now 4 are owed: less in the same direction
    live.post("B", 5)  # now 15: more than was approved
    live.post("C", -12)  # now −2: the other direction
    runs.start_applying(run)
    run = runs.advance(run.pk)

    assert run.status == RunStatus.PARTIAL
    assert (live.shown("A"), live.shown("B"), live.shown("C")) == (24, 30, 40)
    assert {item.label[0]: item.outcome for item in run.items.all()} == {
        "A": Outcome.APPLIED,
        "B": Outcome.LEFT,
        "C": Outcome.LEFT,
    }


def test_cancelling_leaves_what_was_not_sent(live: World) -> None:
    live.post("A", 5)
    run = jobs.start(live.store, Job.DELTA, trigger=Trigger.PERSON)
    run.cancel_requested_by = live.operator
    run.save()

    run = runs.advance(run.pk)

    assert run.status == RunStatus.CANCELLED
    assert live.shown("A") == 20
    assert live.delta().status == RunStatus.COMPLETED
    assert live.shown("A") == 25


def test_a_sweep_finds_what_no_mark_names(live: World) -> None:
    live.delta()
    live.post("A", 5)
    LevelPublication.objects.update(needs_look=False)
    assert live.delta().items.count() == 0

    assert delta.sweep(live.store) == 1

    live.delta()
    assert live.shown("A") == 25


def test_an_untracked_or_frozen_level_is_left_alone(live: World) -> None:
    live.post("A", 5)
    live.post("B", 5)
    LevelPublication.objects.filter(listed__variant__sku="A").update(state=PublicationState.FROZEN)
    LevelPublication.objects.filter(listed__variant__sku="B").update(excluded="untracked")

    live.delta()

    assert (live.shown("A"), live.shown("B")) == (20, 30)


@pytest.mark.parametrize("happened", [True, False], ids=["applied", "not applied"])
def test_a_lost_reply_is_asked_for_with_the_same_bytes_until_23_hours_later(
    live: World, monkeypatch: pytest.MonkeyPatch, happened: bool
) -> None:
    monkeypatch.setattr(pushes, "TRIES_AT_ONCE", 1)
    live.post("A", 5)
    live.fake.lose_next_reply() if happened else live.fake.drop_next_request()
    run = live.delta()
    live.sell("A", 2)
    live.rest(22 * 3600)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=22), tick=False):
        run = runs.advance(run.pk)

    first, second = live.fake.called("send")
    assert (run.status, first.body == second.body) == (RunStatus.COMPLETED, True)
    assert (live.shown("A"), live.publication("A").pending) == (23, 0)
    live.assert_sound()


@contextmanager
def unsure(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    *,
    happened: bool,
    edited: int = 0,
    reserved: int = 0,
    received: int = 0,
) -> Iterator[None]:
    """A push of 5 to a level at 20, carried out or not, whose answer is lost for longer than its key lives; somebody
    edits the level meanwhile, or a draft reserves units of it, a delta passes it by, and it is read once."""
    monkeypatch.setattr(pushes, "TRIES_AT_ONCE", 1)
    world.post("A", 5)
    world.fake.lose_next_reply() if happened else world.fake.drop_next_request()
    run = world.delta()
    world.edit("A", edited)
    world.reserve("A", reserved)
    world.rest(25 * 3600)
    world.fake.forget_keys()
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25), tick=False):
        runs.advance(run.pk)
        if received:
            world.post("A", received)
            world.delta()
        world.run(Job.OBSERVE)
        yield
    world.assert_sound()


@pytest.mark.parametrize(("happened", "expected"), [(False, 20), (True, 25)])
def test_a_settled_read_that_writes_nothing_says_what_became_of_an_unsure_push(
    live: World, monkeypatch: pytest.MonkeyPatch, happened: bool, expected: int
) -> None:
    """r = 0: it was not applied and is owed; r = q: it was."""
    with unsure(live, monkeypatch, happened=happened):
        publication = live.publication("A")
        assert (publication.state, publication.claim_id) == (PublicationState.LIVE, None)
        assert publication.expected_quantity == expected
        live.delta()
        live.delta()

    assert live.shown("A") == 25
    assert len({call.key for call in live.fake.called("send")}) == (1 if happened else 2)


@pytest.mark.parametrize("happened", [False, True])
def test_what_came_while_a_push_was_unsure_is_sent_once_it_is_decided(
    live: World, monkeypatch: pytest.MonkeyPatch, happened: bool
) -> None:
    """A delta that passes the level by meanwhile takes its mark; the read that decides gives it back."""
    with unsure(live, monkeypatch, happened=happened, received=3):
        live.delta()
    assert live.shown("A") == 28


@pytest.mark.parametrize("drifted", [2, -5])
@pytest.mark.parametrize("happened", [False, True])
def test_drift_that_stood_before_an_unsure_push_stands_afterwards(
    live: World, monkeypatch: pytest.MonkeyPatch, happened: bool, drifted: int
) -> None:
    """Also where it is as many units as the push took: the two are not taken for each other."""
    live.edit("A", drifted)
    live.rest()
    live.run(Job.OBSERVE)
    with unsure(live, monkeypatch, happened=happened):
        standing = Drift.objects.get(state=DriftState.OPEN)
        assert (standing.quantity, standing.cause) == (drifted, DriftCause.UNKNOWN)
        assert live.publication("A").state == PublicationState.LIVE
        live.delta()
    assert (live.shown("A"), live.publication("A").expected_quantity) == (25 + drifted, 25)


@pytest.mark.parametrize(("happened", "shown"), [(False, 18), (True, 23)])
def test_units_reserved_while_a_push_was_unsure_do_not_hide_what_became_of_it(
    live: World, monkeypatch: pytest.MonkeyPatch, happened: bool, shown: int
) -> None:
    with unsure(live, monkeypatch, happened=happened, reserved=2):
        publication = live.publication("A")
        assert (publication.state, publication.withheld) == (PublicationState.LIVE, 2)
        assert (publication.expected_quantity, live.shown("A")) == (shown, shown)
        assert not Drift.objects.filter(state=DriftState.OPEN).exists()
        live.delta()
    assert live.shown("A") == live.publication("A").target == 23


def test_an_overwrite_of_an_unsure_level_leaves_out_what_the_store_withholds(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand edit besides: nobody knows what became of the push, and yet the reserved units are not sold."""
    with unsure(live, monkeypatch, happened=False, edited=1, reserved=2):
        standing = Drift.objects.get(state=DriftState.OPEN)
        assert (live.publication("A").state, standing.quantity) == (PublicationState.UNSURE, 1)
        live.rest()
        live.full()
    publication = live.publication("A")
    assert (publication.state, publication.withheld) == (PublicationState.LIVE, 2)
    assert live.shown("A") == publication.target == 23


@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize("ends", ["kept", "full", "equal"])
def test_an_unsure_push_of_a_level_that_was_edited_too_waits_for_a_person_or_an_overwrite(
    live: World, monkeypatch: pytest.MonkeyPatch, happened: bool, ends: str
) -> None:
    """r is neither 0 nor q: nothing is sent on a guess, and no unit twice."""
    with unsure(live, monkeypatch, happened=happened, edited=2):
        standing = Drift.objects.get(state=DriftState.OPEN)
        assert (standing.cause, standing.quantity) == (DriftCause.UNANSWERED, 7 if happened else 2)
        live.delta()
        assert (live.publication("A").state, live.shown("A")) == (PublicationState.UNSURE, 20 + standing.quantity)
        refused = deciding.decide([standing.pk], Decision.ACCEPT, by=live.operator, reason="ours is old")
        assert (refused.decided, "never answered" in refused.left[0].cause) == (0, True)
        if ends == "equal":
            live.post("A", standing.quantity - 5)
        if ends == "kept":
            to_store = deciding.preview([standing], Decision.KEEP).to_store
            assert live.shown("A") + to_store == live.publication("A").target
            assert deciding.decide([standing.pk], Decision.KEEP, by=live.operator, reason="counted").decided == 1
        else:
            live.rest()
            live.full()
        live.delta()

    publication = live.publication("A")
    assert (publication.state, publication.claim_id, publication.pending) == (PublicationState.LIVE, None, 0)
    assert live.shown("A") == publication.target
    assert not Drift.objects.filter(state=DriftState.OPEN).exists()


def test_a_store_that_applies_half_of_what_it_refuses_gets_no_unit_twice(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing promises that a refused call wrote nothing: rows that look written wait for a settled read."""
    for sku in "ABC":
        live.post(sku, 5)
    live.fake.poison(live.publication("B").item_ref)
    send, written = live.fake.send, live.publication("A").item_ref

    def half(prepared: PreparedWrite) -> WriteReply:
        monkeypatch.setattr(live.fake, "send", send)
        reply = send(prepared)
        live.fake.edit(written, live.there, 5)
        return reply

    monkeypatch.setattr(live.fake, "send", half)
    live.delta()

    assert (live.shown("A"), live.shown("B"), live.shown("C")) == (25, 30, 45)
    assert live.publication("A").state == PublicationState.UNSURE
    first, second = live.fake.called("send")
    assert (first.rows, second.rows, first.key == second.key) == (3, 1, False)
    live.rest()
    live.run(Job.OBSERVE)
    live.delta()
    assert (live.shown("A"), live.publication("A").pending) == (25, 0)
    assert len(live.fake.called("send")) == 2
    live.assert_sound()
