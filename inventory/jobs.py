"""Inventory jobs: one way to start each, whoever asks for it (design §5.4)."""

from __future__ import annotations

from django.db import models

from connectors import runs
from connectors.models import Store, SyncRun
from connectors.models.runs import Trigger
from connectors.runs import RunRefused
from syncconsole.kernel.models import User


class Job(models.TextChoices):
    """Kinds of runs that move or compare quantities; the value is the run's `kind`."""

    FULL = "inventory.full", "Full"
    DAILY = "inventory.daily", "Daily (hard sync)"
    WEEKLY = "inventory.weekly", "Weekly"
    DELTA = "inventory.delta", "Delta"
    RECENT = "inventory.recent", "Recent changes"
    MANUAL = "inventory.manual", "Manual"
    OBSERVE = "inventory.observe", "Observe"

    @property
    def mode(self) -> str:
        """Its word on the command line and in addresses, e.g. delta."""
        return self.value.rpartition(".")[2]

    @classmethod
    def of_mode(cls, mode: str) -> Job:
        """The job of a mode's word. Raises ValueError for a word that is none."""
        return cls(f"inventory.{mode}")


def start(
    store: Store,
    job: Job,
    *,
    trigger: Trigger,
    requested_by: User | None = None,
    reason: str = "",
    plan_only: bool = False,
    confirmation: str = "",
) -> SyncRun:
    """Open a run of `job` and hand it to the workers. A full sync needs its `reason`, and after go-live the store's slug,
    typed, as `confirmation`.

    Raises RunRefused (gates, no reason, no confirmation) or RunAlreadyOpen.
    """
    from connectors.tasks import advance_run

    if job is Job.FULL:
        _check_full(store, reason, confirmation)
    run = runs.open_run(
        store, job.value, trigger=trigger, requested_by=requested_by, reason=reason, plan_only=plan_only
    )
    advance_run.send(run.pk)
    return run


def _check_full(store: Store, reason: str, confirmation: str) -> None:
    if not reason.strip():
        raise RunRefused("A full sync needs its reason.", "Say go-live, major discrepancy, or what happened.")
    if store.live_at and confirmation != store.slug:
        raise RunRefused(
            f"{store.name} is live: a full sync overwrites every quantity in it.", f"Type {store.slug} to confirm."
        )
