"""Full: make the store show the target of every eligible level; the baseline of a new store, or a mended discrepancy."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus
from inventory import signatures
from inventory.absolute import AbsoluteRun
from inventory.jobs import Job
from inventory.models import LevelPublication
from syncconsole.kernel.counting import kept

RECENT = dt.timedelta(days=7)


def last_full(store: Store) -> SyncRun | None:
    """The last full sync that wrote, or tried to."""
    return store.runs.filter(kind=Job.FULL).exclude(status__in=(RunStatus.REFUSED, RunStatus.EXPIRED)).first()


@kept
def levels_of(store_id: int) -> int:
    """How many levels of a store a full sync looks at."""
    return LevelPublication.objects.filter(store=store_id).eligible().count()


def recent_full_warning(last: SyncRun | None) -> str:
    """A sentence when the `last_full` sync was under seven days ago, else nothing."""
    if last is None or timezone.now() - last.created_at > RECENT:
        return ""
    when = timezone.localtime(last.created_at, last.store.zone)
    return f"The last full sync was on {when:%d %b %H:%M}: {last.state.label.lower()}. A delta is usually enough."


class FullRun(AbsoluteRun):
    """Every eligible level. A person approves each."""

    job = Job.FULL
    always_asks = True

    def apply_slice(self) -> bool:
        """As every absolute job; quantities that somebody signed for are not these any more."""
        signatures.withdraw_before_writing(self.run)
        return super().apply_slice()

    def verify_slice(self) -> bool:
        """Read back a sample; a finished go-live marks the store as live."""
        more = super().verify_slice()
        Store.objects.filter(pk=self.run.store_id, live_at=None).update(live_at=timezone.now())
        return more
