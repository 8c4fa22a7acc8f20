"""Several workers and jobs at once: one claim at a time, one writer at a time, the same end."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connectors import approval, registry, runs
from connectors.approval import DecisionRefused
from connectors.models.runs import RunStatus, Trigger
from connectors.runs import RunRefused
from inventory import jobs
from inventory.jobs import Job
from inventory.models import Push
from tests.fakes import FakeStore
from tests.worlds import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_world(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> World:
    """Like `world`, with commits that other threads see."""
    fake = FakeStore()
    monkeypatch.setattr(registry, "_build", lambda store: fake)
    return World(fake)


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run the works in threads that start together; returns what they raised."""
    start = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def work(function: Callable[[], object]) -> None:
        try:
            start.wait()
            function()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(function,)) for function in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_workers_move_one_run_forward_once(open_world: World) -> None:
    for number in range(8):
        open_world.item(f"A{number}", here=10, there=10)
    open_world.full("go-live")
    for number in range(8):
        open_world.post(f"A{number}", 1)
    run = jobs.start(open_world.store, Job.DELTA, trigger=Trigger.SCHEDULE)

    raised = at_once(*[lambda: runs.advance(run.pk)] * 3)

    assert raised == []
    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED
    assert [open_world.shown(f"A{n}") for n in range(8)] == [11] * 8
    assert Push.objects.count() == 8
    open_world.assert_sound()


def test_delta_and_full_started_together_end_with_the_store_right(open_world: World) -> None:
    for number in range(6):
        open_world.item(f"A{number}", here=10, there=10)
    open_world.full("go-live")
    for number in range(6):
        open_world.post(f"A{number}", number)

    def full() -> None:
        open_world.full()

    def push() -> None:
        open_world.delta()

    raised = at_once(full, push)

    assert all(isinstance(error, RunRefused) or "is writing" in str(error) for error in raised), raised
    open_world.rest()
    for run in open_world.store.runs.working():
        open_world.store.runs.filter(pk=run.pk).update(not_before=None)  # it waited for the other one to end
        assert runs.advance(run.pk).status in (RunStatus.COMPLETED, RunStatus.PARTIAL)
    for run in open_world.store.runs.open():
        approval.reject(run, open_world.operator, "the other run was first")
    open_world.delta()
    assert [open_world.shown(f"A{n}") for n in range(6)] == [10 + n for n in range(6)]
    open_world.assert_sound()


def test_entries_posted_while_a_delta_runs_are_not_lost(open_world: World) -> None:
    for number in range(4):
        open_world.item(f"A{number}", here=10, there=10)
    open_world.full("go-live")

    def post() -> None:
        for _ in range(10):
            for number in range(4):
                open_world.post(f"A{number}", 1)

    def push() -> None:
        for _ in range(6):
            open_world.delta()

    assert at_once(post, push) == []
    open_world.delta()

    assert [open_world.shown(f"A{n}") for n in range(4)] == [20] * 4
    open_world.assert_sound()


def test_the_database_lets_one_inventory_run_of_a_store_write(open_world: World) -> None:
    open_world.item("A", here=10, there=5)
    first = open_world.plan_full()
    runs.start_applying(first)
    other = type(first).objects.create(
        kind="inventory.delta", store=open_world.store, trigger=Trigger.SCHEDULE, status=RunStatus.PLANNING
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        type(first).objects.filter(pk=other.pk).update(status=RunStatus.APPLYING)


def test_a_run_with_nothing_to_write_waits_for_the_one_that_writes(open_world: World) -> None:
    open_world.item("A", here=10, there=10)
    open_world.full("go-live")
    open_world.item("B", here=10, there=5)
    writing = open_world.plan_full()
    runs.start_applying(writing)
    idle = jobs.start(open_world.store, Job.OBSERVE, trigger=Trigger.COMMAND)

    waits = runs.advance(idle.pk, until=timezone.now() + dt.timedelta(seconds=2))

    assert waits.status == RunStatus.PLANNING
    assert waits.not_before is not None
    runs.advance(writing.pk)
    open_world.store.runs.filter(pk=idle.pk).update(not_before=None)
    assert runs.advance(idle.pk).status == RunStatus.COMPLETED


def test_all_jobs_started_together_on_one_level_end_with_it_right(open_world: World) -> None:
    """Scenario 20: whichever comes first, one claim at a time."""
    open_world.item("A", here=10, there=10)
    open_world.full("go-live")
    open_world.item("NEW", here=4, there=1)
    open_world.post("A", 5)
    open_world.rest()

    def work(job: Job) -> None:
        runs.advance(jobs.start(open_world.store, job, reason="test", trigger=Trigger.COMMAND).pk)

    raised = at_once(*(lambda job=job: work(job) for job in (Job.DELTA, Job.FULL, Job.DAILY, Job.MANUAL)))  # type: ignore[misc]

    assert all(isinstance(error, RunRefused) or "is writing" in str(error) for error in raised), raised
    for _ in range(6):
        open_world.rest()
        for run in open_world.store.runs.filter(status=RunStatus.AWAITING_APPROVAL):
            with suppress(DecisionRefused):  # another one is writing
                approval.approve(run, open_world.operator)
        for run in open_world.store.runs.working():
            open_world.store.runs.filter(pk=run.pk).update(not_before=None)
            runs.advance(run.pk)
    assert not open_world.store.runs.open().exists()
    open_world.delta()
    assert (open_world.shown("A"), open_world.publication("A").pending) == (15, 0)
    assert not Push.objects.filter(status__in=("claimed", "unsure")).exists()
    open_world.assert_sound()
