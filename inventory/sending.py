"""Sending batches through a pump: announce, deliver, settle, and what a settlement leaves to be sent."""

from __future__ import annotations

from django.db.models import F, QuerySet

from connectors import runs
from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import Outcome
from connectors.ports.errors import RequestRejected
from connectors.ports.store import StorePort, WriteReply
from inventory import pushes, settlement
from inventory.models import PushBatch
from inventory.pump import Pump

WIDTH = {"standard": 4, "advanced": 6, "plus": 8, "enterprise": 8}
"""Calls in flight per plan; more only wait for the same points."""


def width(store: Store) -> int:
    """How many calls may be in flight for `store`."""
    return WIDTH.get(store.plan, 4)


def send(pump: Pump, port: StorePort, run: SyncRun, batch: PushBatch) -> None:
    """Announce the batch, deliver it in the pump, settle the answer, send what is left of it the same way."""
    if not pushes.announce(batch):
        return
    body, rows = bytes(batch.body), batch.rows

    def attempt() -> WriteReply | RequestRejected:
        try:
            return pushes.deliver(port, body, rows)
        except RequestRejected as refused:
            return refused

    def settled(answer: WriteReply | RequestRejected) -> None:
        if isinstance(answer, RequestRejected):
            settlement.withdraw(batch, answer.cause)
            raise answer
        pump.book(lambda: _settle(port, run, batch, answer), again)

    def again(renewed: list[PushBatch]) -> None:
        for rest in renewed:
            send(pump, port, run, rest)

    pump.call(attempt, settled)


def _settle(port: StorePort, run: SyncRun, batch: PushBatch, answer: WriteReply) -> list[PushBatch]:
    count(run, answer.cost)
    return settlement.settle(port, batch, answer)


def count(run: SyncRun, points: int, calls: int = 1) -> None:
    """Add to what the run has cost."""
    SyncRun.objects.filter(pk=run.pk).update(calls=F("calls") + calls, points=F("points") + points)


def note_progress(run: SyncRun, lines: QuerySet[RunItem]) -> None:
    """Keep on the run how many of `lines` are done. Counts those that are not, which grow fewer."""
    to_do = lines.filter(outcome__in=(Outcome.PLANNED, Outcome.CLAIMED)).count()
    run.progress_done = max(run.progress_done, run.progress_total - to_do)
    SyncRun.objects.filter(pk=run.pk).update(progress_done=run.progress_done)


def resume(pump: Pump, port: StorePort, run: SyncRun) -> None:
    """What was stored or sent and not answered goes first: same key, same bytes, or unsure when that is too late."""
    left = pushes.unsettled(run.store, run)
    for batch in left:
        send(pump, port, run, batch)
    pump.drain()
    for ended in SyncRun.objects.filter(pk__in={batch.run_id for batch in left} - {run.pk}):
        runs.recount(ended)
