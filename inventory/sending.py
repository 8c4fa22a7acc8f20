"""Sending batches through a pump: announce, deliver, settle, and what a settlement leaves to be sent."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from connectors import runs
from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import Outcome
from connectors.ports.errors import RequestRejected
from connectors.ports.store import WriteReply
from connectors.registry import store_for
from connectors.runs import RunKind
from inventory import pushes, settlement
from inventory.models import PushBatch
from inventory.pump import Pump

WIDTH = {"standard": 4, "advanced": 6, "plus": 8, "enterprise": 8}
"""Calls in flight per plan; more only wait for the same points."""


Claiming = Callable[[], tuple[PushBatch | None, int]]


def width(store: Store) -> int:
    """How many calls may be in flight for `store`."""
    return WIDTH.get(store.plan, 4)


def send(pump: Pump, kind: RunKind, batch: PushBatch) -> None:
    """Announce the batch, deliver it in the pump, settle the answer, send what is left of it the same way."""
    if not pushes.announce(batch):
        return
    port = store_for(kind.run.store)
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
        kind.spend(answer.cost)
        pump.book(lambda: settlement.settle(port, batch, answer), again)

    def again(renewed: list[PushBatch]) -> None:
        kind.did(rows - sum(rest.rows for rest in renewed))
        for rest in renewed:
            send(pump, kind, rest)

    pump.call(attempt, settled)


def send_planned(kind: RunKind, claim: Claiming, most: int) -> bool:
    """Claim and send the lines of a plan, up to about `most`, several batches in flight. `claim` gives the next batch,
    claimed and stored (None where none of its lines may go), and how many lines it looked at (0: none is left). Returns
    whether there may be more."""
    run, looked_at = kind.run, 0
    with Pump(width(run.store), kind.tick) as pump:
        resume(pump, kind)
        while looked_at < most and not kind.asked_to_stop and not pump.failed:
            kind.tick()
            batch, looked = claim()
            if not looked:
                break
            looked_at += looked
            if batch:
                send(pump, kind, batch)
    note_progress(kind, run.items.all())
    return looked_at > 0 or kind.asked_to_stop


def note_progress(kind: RunKind, lines: QuerySet[RunItem]) -> None:
    """Keep on the run how many of `lines` are done. Counts those that are not, which grow fewer."""
    to_do = lines.filter(outcome__in=(Outcome.PLANNED, Outcome.CLAIMED)).count()
    kind.note_progress(max(kind.run.progress_done, kind.run.progress_total - to_do))


def resume(pump: Pump, kind: RunKind) -> None:
    """What was stored or sent and not answered goes first: same key, same bytes, or unsure when that is too late."""
    run = kind.run
    left = pushes.unsettled(run.store, run)
    for batch in left:
        send(pump, kind, batch)
    pump.drain()
    for ended in SyncRun.objects.filter(pk__in={batch.run_id for batch in left} - {run.pk}):
        runs.recount(ended)
