"""A worker killed at any moment of a run leaves nothing that the next one cannot finish, and nothing twice."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from connectors import registry, runs
from connectors.models import SyncRun
from connectors.models.runs import RunStatus, Trigger
from connectors.ports.store import PreparedWrite, WriteReply
from inventory import jobs, sending
from inventory.jobs import Job
from tests.deaths import Death, Killed, forgotten
from tests.fakes import FakeStore
from tests.worlds import World


class MortalStore(FakeStore):
    """Where the worker may die around a call."""

    death: Death | None = None

    def send(self, prepared: PreparedWrite) -> WriteReply:
        if self.death:
            self.death.boundary()
        reply = super().send(prepared)
        if self.death:
            self.death.boundary()
        return reply


def live_until(death: Death, fake: MortalStore, run: SyncRun) -> bool:
    """One worker moves the run forward; True when it was killed on the way."""
    fake.death = death
    try:
        with connection.execute_wrapper(death.statement):
            runs.advance(run.pk)
    except Killed:
        return True
    finally:
        fake.death = None
    return False


def next_worker(run: SyncRun) -> SyncRun:
    """After the silence that tells a dead worker from a slow one."""
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - dt.timedelta(minutes=5))
    return runs.advance(run.pk)


def delta_world(world: World) -> tuple[SyncRun, dict[str, int]]:
    for sku, there in {"A": 10, "B": 20, "C": 30}.items():
        world.item(sku, here=there, there=there)
    world.full("go-live")
    world.post("A", 5)
    world.post("B", -7)
    world.post("C", 1)
    run = jobs.start(world.store, Job.DELTA, trigger=Trigger.SCHEDULE)
    return run, {"A": 15, "B": 13, "C": 31}


def full_world(world: World) -> tuple[SyncRun, dict[str, int]]:
    for sku, (here, there) in {"A": (15, 10), "B": (13, 20), "C": (30, 30)}.items():
        world.item(sku, here=here, there=there)
    run = jobs.start(world.store, Job.FULL, reason="go-live", trigger=Trigger.COMMAND)
    run = runs.advance(run.pk)
    assert run.status == RunStatus.AWAITING_APPROVAL
    runs.start_applying(run)
    return run, {"A": 15, "B": 13, "C": 30}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("story", [delta_world, full_world])
def test_killed_at_every_boundary_ends_like_one_clean_run(
    db: None, monkeypatch: pytest.MonkeyPatch, story: Callable[[World], tuple[SyncRun, dict[str, int]]]
) -> None:
    monkeypatch.setattr(sending, "width", lambda store: 1)
    kills, fake = 0, MortalStore()
    monkeypatch.setattr(registry, "_build", lambda store: fake)
    registry.forget_all()
    with forgotten():
        world = World(fake)
        run, wanted = story(world)
        before = copy.deepcopy(fake)
        while True:
            with forgotten():
                # The store as it was, beside the database as it was.
                world.fake = fake = copy.deepcopy(before)
                registry.forget_all()
                death = Death(at=kills + 1)
                killed = live_until(death, fake, run)
                run_now = next_worker(run) if killed else SyncRun.objects.get(pk=run.pk)
                said = f"killed at boundary {death.at}"
                assert run_now.status == RunStatus.COMPLETED, (said, run_now.status, run_now.cause, run_now.counts)
                assert {sku: world.shown(sku) for sku in wanted} == wanted, said
                for sku in wanted:
                    publication = world.publication(sku)
                    assert publication.claim_id is None, said
                    assert publication.expected_quantity == publication.target == wanted[sku], said
                world.assert_sound()
            if not killed:
                break
            kills += 1
    assert kills > 40, "the run has more boundaries than that; the test is not killing"
