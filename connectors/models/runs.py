"""Runs: one execution of a job for one store, with a line for each thing it would change."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone

from connectors.models.stores import Store
from syncconsole.kernel.status import Meaning


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    PLANNING = "planning", "Planning"
    AWAITING_APPROVAL = "awaiting_approval", "Awaiting approval"
    APPLYING = "applying", "Applying"
    VERIFYING = "verifying", "Verifying"
    COMPLETED = "completed", "Done"
    PARTIAL = "partial", "Partial"
    FAILED = "failed", "Failed"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"

    @property
    def meaning(self) -> Meaning:
        return {
            RunStatus.QUEUED: Meaning.WAITS,
            RunStatus.AWAITING_APPROVAL: Meaning.NEEDS_YOU,
            RunStatus.COMPLETED: Meaning.OK,
            RunStatus.PARTIAL: Meaning.ATTENTION,
            RunStatus.FAILED: Meaning.STOPPED,
            RunStatus.REFUSED: Meaning.STOPPED,
            RunStatus.CANCELLED: Meaning.OFF,
            RunStatus.EXPIRED: Meaning.OFF,
        }.get(self, Meaning.RUNNING)


WORKING = (RunStatus.QUEUED, RunStatus.PLANNING, RunStatus.APPLYING, RunStatus.VERIFYING)
"""A worker moves these forward."""
WRITING = (RunStatus.APPLYING, RunStatus.VERIFYING)
OPEN = (*WORKING, RunStatus.AWAITING_APPROVAL)
NOT_UNDONE = (RunStatus.CANCELLED, RunStatus.EXPIRED, RunStatus.REFUSED, RunStatus.FAILED)
"""How an undo ends that took nothing back, or not all of it: its run may be undone again."""


class Trigger(models.TextChoices):
    PERSON = "person", "a person"
    SCHEDULE = "schedule", "the schedule"
    COMMAND = "command", "a command"
    CHANGE = "change", "a change here"


BY_ITSELF = (Trigger.SCHEDULE, Trigger.CHANGE)
"""Nobody waits for the answer."""


SILENCE = dt.timedelta(seconds=45)
"""A run whose worker said nothing for so long may be taken over."""


class RunQuerySet(models.QuerySet["SyncRun"]):
    def open(self) -> RunQuerySet:
        """Not finished yet, waiting for approval included."""
        return self.filter(status__in=OPEN)

    def working(self) -> RunQuerySet:
        """To be moved forward by a worker."""
        return self.filter(status__in=WORKING)

    def due(self) -> RunQuerySet:
        """To be moved forward now, and nobody does: never taken, given back, or its worker went silent."""
        now = timezone.now()
        free = models.Q(owner="") | models.Q(heartbeat_at=None) | models.Q(heartbeat_at__lt=now - SILENCE)
        return self.working().filter(free, models.Q(not_before=None) | models.Q(not_before__lte=now))


class SyncRun(models.Model):
    """One execution of a job. `kind` names the class that carries it out (`syncconsole.wiring.RUN_KINDS`)."""

    kind = models.CharField(max_length=40)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=20, choices=RunStatus.choices, default=RunStatus.QUEUED)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)
    plan_only = models.BooleanField(default=False, help_text="Stop after the plan, whatever its size.")
    snapshot = models.JSONField("settings snapshot", default=dict)

    undoes = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")
    """The run that this one takes back."""

    gates = models.JSONField(default=list)
    totals = models.JSONField(default=dict, help_text="What the plan adds up to.")
    limits_passed = models.JSONField(default=list, help_text="Sentences: which limit the plan passes, by how much.")
    counts = models.JSONField(default=dict, help_text="Outcome → items.")
    cursor = models.JSONField(default=dict, help_text="Where planning or verifying goes on after a break.")
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    points = models.PositiveIntegerField(default=0)
    pace = models.CharField(max_length=200, blank=True, help_text="Why it goes no faster, when it is paced.")

    cause = models.CharField(max_length=500, blank=True)
    remedy = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Breaks survived since the last progress.")
    not_before = models.DateTimeField(null=True, blank=True)
    unreachable_since = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    apply_started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    owner = models.CharField(max_length=80, blank=True, help_text="The worker that moves it forward now.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "kind"], condition=models.Q(status__in=OPEN), name="one_open_run_per_store_and_kind"
            ),
            models.UniqueConstraint(
                fields=["store"],
                condition=models.Q(status__in=WRITING, kind__startswith="inventory."),
                name="one_writing_inventory_run_per_store",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"]),
            models.Index(fields=["status"], condition=models.Q(status__in=OPEN), name="run_open"),
        ]
        permissions = [
            ("start_run", "Can start a run"),
            ("approve_run", "Can approve or reject a plan"),
            ("cancel_run", "Can cancel a run"),
        ]

    def __str__(self) -> str:
        return f"{self.label} · {self.store} · #{self.pk}"

    @property
    def label(self) -> str:
        """The job's name as people say it, e.g. Delta."""
        return self.kind.rpartition(".")[2].capitalize()

    @property
    def state(self) -> RunStatus:
        return RunStatus(self.status)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def undone(self) -> SyncRun | None:
        """The run that undoes this one, or did; None while one may be asked for: none was, it came to nothing, or it left
        levels as they were, e.g. because they had just moved."""
        newest = self.undone_by.exclude(status__in=NOT_UNDONE).first()
        if newest is None or newest.is_open:
            return newest
        return None if any(count for outcome, count in newest.counts.items() if outcome != Outcome.APPLIED) else newest


class Outcome(models.TextChoices):
    PLANNED = "planned", "Planned"
    CLAIMED = "claimed", "Being sent"
    APPLIED = "applied", "Changed"
    UNCHANGED = "unchanged", "Already right"
    HELD = "held", "Held"
    LEFT = "left", "Left: changed since the plan"
    REFUSED = "refused", "Refused by the store"
    UNSURE = "unsure", "Unsure: no answer"
    CANCELLED = "cancelled", "Not written"

    @property
    def meaning(self) -> Meaning:
        return {
            Outcome.PLANNED: Meaning.WAITS,
            Outcome.CLAIMED: Meaning.RUNNING,
            Outcome.APPLIED: Meaning.OK,
            Outcome.UNCHANGED: Meaning.OK,
            Outcome.HELD: Meaning.WAITS,
            Outcome.LEFT: Meaning.ATTENTION,
            Outcome.REFUSED: Meaning.STOPPED,
            Outcome.UNSURE: Meaning.ATTENTION,
            Outcome.CANCELLED: Meaning.OFF,
        }[self]


class RunItem(models.Model):
    """One line of a plan. `subject_id` names a row of the app that the run's kind belongs to
    (a publication for inventory runs); labels are kept as they were, so that history needs no joins."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, db_index=False, related_name="items")
    subject_id = models.BigIntegerField()
    label = models.CharField(max_length=300)
    place = models.CharField(max_length=255, blank=True)
    before = models.IntegerField(null=True)
    after = models.IntegerField(null=True)
    delta = models.IntegerField(default=0)
    value = models.DecimalField(max_digits=14, decimal_places=2, null=True, help_text="Δ × cost; empty without a cost.")
    risk = models.IntegerField(default=0, help_text="Higher is shown first: to zero, then percent, then units.")
    flags = models.JSONField(default=list)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.PLANNED)
    cause = models.CharField(max_length=400, blank=True)
    remedy = models.CharField(max_length=400, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "subject_id"], name="one_line_per_subject_and_run")]
        indexes = [
            models.Index(fields=["run", "-risk", "id"]),
            models.Index(fields=["run", "outcome", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.label}, {self.place}: {self.before} → {self.after}"
