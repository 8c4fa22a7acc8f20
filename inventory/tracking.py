"""Track quantity: which linked variants the store does not track, and switching it on there for many at once."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from catalog.models import ListedVariant
from connectors import planning, runs
from connectors.models import RunItem, Store, SyncRun
from connectors.models.runs import Outcome, Trigger
from connectors.planning import Line
from connectors.ports.errors import RequestRejected
from connectors.ports.store import StorePort
from connectors.registry import store_for
from connectors.runs import Gate, RunKind, RunRefused
from inventory import gates, participation, pushes, sending
from inventory.pump import Pump
from syncconsole.kernel import audit
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

KIND = "catalog.track"
SLICE = 50
"""Items switched before progress is told and a cancellation is heard."""


def untracked(store: Store) -> QuerySet[ListedVariant, ListedVariant]:
    """Linked variants that the store has and does not track: no job touches their levels."""
    return untracked_in([store])


def untracked_in(stores: Collection[Store]) -> QuerySet[ListedVariant, ListedVariant]:
    """The same of several stores."""
    return ListedVariant.objects.filter(store__in=stores, tracked=False, gone_at=None)


def start_tracking(
    store: Store, chosen: Collection[int] | None, *, trigger: Trigger, requested_by: User | None = None
) -> SyncRun:
    """Have the workers switch Track quantity on for `chosen` untracked variants (ids of `untracked`; None: all of them).

    Raises RunRefused: a gate is shut or none of them is untracked; RunAlreadyOpen.
    """
    from connectors.tasks import advance_run

    rows = untracked(store).select_related("variant__product").order_by("pk")
    if chosen is not None:
        rows = rows.filter(pk__in=chosen)
    if not rows.exists():
        raise RunRefused("None of these variants is untracked any more.", "Load the list again.")
    run = runs.open_run(store, KIND, trigger=trigger, requested_by=requested_by)
    with transaction.atomic():
        planning.add_lines(run, [Line(row.pk, row.variant.label[:300], "", None, None) for row in rows])
        SyncRun.objects.filter(pk=run.pk).update(cursor={"chosen": True})
        audit.record(requested_by, "switch Track quantity on", str(store), after={"variants": run.items.count()})
        advance_run.send(run.pk)
    return run


class TrackRun(RunKind):
    """One call an item; repeating one changes nothing, so a run that broke off goes on with what is left."""

    @staticmethod
    def gates(store: Store) -> list[Gate]:
        """Writes are allowed and the connection is tested."""
        return gates.gates_to_write(store)

    def plan_slice(self) -> bool:
        """The lines are those that somebody chose; a run whose maker died before they were written has none."""
        return False

    def apply_slice(self) -> bool:
        """Switch the next items on; each line keeps its own outcome."""
        run, port = self.run, store_for(self.run.store)
        lines = {item.subject_id: item for item in run.items.filter(outcome=Outcome.PLANNED).order_by("pk")[:SLICE]}
        listed = ListedVariant.objects.in_bulk(list(lines))
        with Pump(sending.width(run.store), self.tick) as pump:
            for pk, item in lines.items():
                if self.asked_to_stop:
                    break
                pump.call(partial(_switch_on, port, listed[pk].item_ref), partial(_keep, listed[pk], item))
        total = run.items.count()
        left = run.items.filter(outcome=Outcome.PLANNED).count()
        SyncRun.objects.filter(pk=run.pk).update(progress_total=total, progress_done=total - left)
        self.spend(points=10 * len(lines), calls=len(lines))
        return bool(lines)

    def verify_slice(self) -> bool:
        """Levels of what is tracked now take part again."""
        participation.refresh(self.run.store)
        counts = runs.count_outcomes(self.run)
        done, refused = counts.get(Outcome.APPLIED, 0), counts.get(Outcome.REFUSED, 0)
        said = f"Track quantity switched on for {plural(done, 'variant')}"
        said += (
            f", {refused} refused by the store." if refused else "; a manual run or a full sync takes their levels in."
        )
        self.run.totals = {**self.run.totals, "summary": said}
        SyncRun.objects.filter(pk=self.run.pk).update(totals=self.run.totals)
        return False


def _switch_on(port: StorePort, item_ref: str) -> RequestRejected | None:
    try:
        port.set_tracked(item_ref, tracked=True)
    except RequestRejected as refused:
        return refused
    return None


@transaction.atomic
def _keep(listed: ListedVariant, item: RunItem, refused: RequestRejected | None) -> None:
    if refused is not None:
        pushes.mark_items([item], Outcome.REFUSED, refused.cause, refused.remedy)
        return
    ListedVariant.objects.filter(pk=listed.pk).update(tracked=True)
    pushes.mark_items([item], Outcome.APPLIED)
