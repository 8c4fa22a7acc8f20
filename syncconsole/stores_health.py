"""One word for a store and its reason: the worst that applies (docs/operators/health.md)."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Final

from django.utils import timezone

from catalog.models import ConflictKind
from connectors.models import Store
from connectors.models.runs import RunStatus
from connectors.models.stores import Health
from connectors.models.webhooks import ChangeState
from connectors.pausing import writes_allowed
from inventory import drift, holds, schedules
from inventory.jobs import Job
from inventory.models.publications import PublicationState
from inventory.monitoring import Trouble, Watch
from inventory.standing import IN_QUARANTINE

FAILURES_IN_A_ROW: Final = 3
LAG_TARGET: Final = dt.timedelta(minutes=20)
FINISHED: Final = (RunStatus.COMPLETED, RunStatus.PARTIAL, RunStatus.FAILED)


def store_health(store: Store) -> tuple[Health, str]:
    """The worst word that applies to `store` now, and why, in a sentence."""
    for word, reasons in LADDER:
        for reason in reasons:
            if said := reason(store):
                return word, said
    return Health.HEALTHY, "Nothing waits, nothing is held."


def _levels(count: int) -> str:
    return f"{count:,} level{'' if count == 1 else 's'}"


def _paused(store: Store) -> str:
    return writes_allowed(store).cause


def _connection(store: Store) -> str:
    return store.connection_cause


def _resting(store: Store) -> str:
    if store.rests_until is None or not store.rests:
        return ""
    minutes = math.ceil((store.rests_until - timezone.now()).total_seconds() / 60)
    return f"{store.rest_cause} It is asked again in {minutes} min."


def _failing(store: Store) -> str:
    last = list(store.runs.filter(status__in=FINISHED).values_list("status", "cause")[:FAILURES_IN_A_ROW])
    if len(last) == FAILURES_IN_A_ROW and all(status == RunStatus.FAILED for status, _ in last):
        return f"The last {FAILURES_IN_A_ROW} runs failed: {last[0][1]}"
    return ""


def _plans(store: Store) -> str:
    waiting = list(store.runs.filter(status=RunStatus.AWAITING_APPROVAL).values_list("pk", flat=True))
    if len(waiting) > 1:
        return f"{len(waiting)} plans wait for approval."
    return f"The plan of run #{waiting[0]} waits for approval." if waiting else ""


def _conflicts(store: Store) -> str:
    count = store.link_conflicts.exclude(kind=ConflictKind.ONLY_THERE).count()
    return (
        f"{count} variant{'' if count == 1 else 's'} of the store cannot be linked without a decision." if count else ""
    )


def _quarantined(store: Store) -> str:
    count = store.publications.filter(IN_QUARANTINE).count()
    return f"{_levels(count)} in quarantine." if count else ""


def _held(store: Store) -> str:
    late = holds.past_limit(store).count()
    hours = "an hour" if store.hold_hours == 1 else f"{store.hold_hours} hours"
    return f"{_levels(late)} held for over {hours}." if late else ""


def _unsure(store: Store) -> str:
    count = store.publications.filter(state=PublicationState.UNSURE).count()
    return f"{_levels(count)} unsure: a push had no answer." if count else ""


def _not_read(store: Store) -> str:
    count = store.changes.filter(state=ChangeState.FAILED).count()
    return f"{count:,} changed object{'' if count == 1 else 's'} could not be read from the store." if count else ""


def _drift(store: Store) -> str:
    count = drift.undecided().filter(store=store).count()
    return f"{_levels(count)} in drift: the store shows something else than we pushed." if count else ""


def _missed(store: Store) -> str:
    count = Watch(store).found(Trouble.MISSED).count()
    return f"{_levels(count)} missed: out of date, and nothing says that they wait." if count else ""


def _duplicate(store: Store) -> str:
    count = Watch(store).found(Trouble.DUPLICATE).count()
    return f"{_levels(count)} may have been changed twice by one push." if count else ""


def _last_run(store: Store) -> str:
    last = store.runs.filter(status__in=FINISHED).first()
    if last is None or last.status == RunStatus.COMPLETED:
        return ""
    if last.status == RunStatus.FAILED:
        return f"{last.label} #{last.pk} failed: {last.cause}"
    return f"{last.label} #{last.pk} was carried out in part."


def _late(store: Store) -> str:
    """Deltas are on, the baseline is there, and none has finished for longer than it should."""
    delta = schedules.of_store(store)[Job.DELTA]
    if not (delta.live and store.inventory_owner and store.live_at):
        return ""
    limit = max(LAG_TARGET, 2 * dt.timedelta(minutes=delta.every_minutes or 0))
    newest = store.runs.filter(status__in=FINISHED).values_list("finished_at", flat=True).first()
    since = max(filter(None, [newest, store.live_at]))
    waited = timezone.now() - since
    return f"No run has finished for {waited.total_seconds() // 60:.0f} min." if waited > limit else ""


def _not_tested(store: Store) -> str:
    return "" if store.connection_checked_at else "The connection has not been tested yet."


def _not_mapped(store: Store) -> str:
    if not store.inventory_owner or store.location_mappings.exists():
        return ""
    return "No location is mapped yet."


def _not_linked(store: Store) -> str:
    if not store.inventory_owner or store.publications.exclude(state=PublicationState.CLOSED).exists():
        return ""
    return "No item is linked yet."


def _no_baseline(store: Store) -> str:
    if not store.inventory_owner or store.publications.filter(state=PublicationState.LIVE).exists():
        return ""
    return "No full sync has been done yet, so there is no baseline."


LADDER: Final[list[tuple[Health, list[Callable[[Store], str]]]]] = [
    (Health.PAUSED, [_paused, _connection, _failing]),
    (Health.NEEDS_YOU, [_resting, _plans, _conflicts, _quarantined]),
    (Health.ATTENTION, [_held, _unsure, _duplicate, _missed, _last_run, _late, _not_read, _drift]),
    (Health.SETTING_UP, [_not_tested, _not_mapped, _not_linked, _no_baseline]),
]
