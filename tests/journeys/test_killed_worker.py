"""A worker is killed while it writes; another one finishes, and nothing is written twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from connectors.models import SyncRun
from connectors.models.runs import Outcome, RunStatus
from connectors.tasks import resume_runs
from inventory.models import PushBatch
from inventory.models.pushes import BatchStatus
from tests.embedded.process_watch import wait_until
from tests.journeys.merchants import Merchant, sku
from tests.journeys.workers import worker_process

LEVELS = 1500
BATCHES = LEVELS // 250


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_second_worker_finishes_what_a_killed_one_began(merchant: Callable[..., Merchant], tmp_path: Path) -> None:
    atelier = merchant(variants=LEVELS)
    assert atelier.full().status == RunStatus.COMPLETED
    atelier.post({sku(number): 5 for number in range(1, LEVELS + 1)})
    atelier.shop.fault("slow", "InventoryAdjust", delay_ms=400)

    with worker_process(tmp_path / "first.log") as first:
        run = atelier.start_delta()
        wait_until(lambda: len(atelier.shop.calls("InventoryAdjust")) >= 2, seconds=60)
        first.kill()
    run.refresh_from_db()
    assert run.status == RunStatus.APPLYING
    assert run.owner
    in_doubt = PushBatch.objects.filter(run=run, status=BatchStatus.SENT).count()
    assert in_doubt

    atelier.shop.sandbox.delete("/faults")
    # The first worker has been silent for a minute; the schedule looks for such runs.
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - dt.timedelta(minutes=1))
    with worker_process(tmp_path / "second.log"):
        resume_runs.delay()
        wait_until(lambda: not SyncRun.objects.working().filter(pk=run.pk).exists(), seconds=60)

    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED, run.cause
    assert run.counts == {Outcome.APPLIED: LEVELS}
    assert set(atelier.shop.available().values()) == {15}
    calls = atelier.shop.calls("InventoryAdjust")
    carried_out = [call for call in calls if call["status"] == 200 and not call["replayed"] and not call["codes"]]
    assert sum(call["rows"] for call in carried_out) == LEVELS
    keys = [key for call in carried_out for key in call["keys"]]
    assert len(keys) == len(set(keys)) == BATCHES
    assert len(calls) <= BATCHES + in_doubt
    atelier.assert_agrees()
