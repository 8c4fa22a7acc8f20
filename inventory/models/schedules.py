"""Schedules: when a job of a store starts by itself, and what came of its last slot."""

from __future__ import annotations

import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from connectors.models import Store, SyncRun
from inventory.jobs import Job
from inventory.rhythms import DAYS, At, Every, Rhythm


class Schedule(models.Model):
    """One job of one store. Either `every_minutes` or `at` is set, `weekday` only beside `at`; times are the store's."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="schedules")
    job = models.CharField(max_length=40, choices=Job.choices)
    enabled = models.BooleanField(default=False)
    every_minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    at = models.TimeField(null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(null=True, blank=True, choices=list(enumerate(DAYS)))

    since = models.DateTimeField(default=timezone.now, editable=False)
    """Slots after this moment count: when it was switched on, or its times were changed."""
    slot_at = models.DateTimeField(null=True, editable=False)
    """The last slot that was taken, whether or not a run came of it."""
    run = models.ForeignKey(SyncRun, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    late_seconds = models.PositiveIntegerField(default=0, editable=False)
    late_cause = models.CharField(max_length=300, blank=True, editable=False)
    waits_since = models.DateTimeField(null=True, editable=False)
    """When the slot that is due now was first refused; it is tried again for some hours."""
    cause = models.CharField(max_length=500, blank=True, editable=False)
    """Why the last slot that was tried started nothing; empty when it did."""
    remedy = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ["store", "job"]
        constraints = [
            models.UniqueConstraint(fields=["store", "job"], name="schedule_once_per_store_and_job"),
            models.UniqueConstraint(
                fields=["store"],
                condition=models.Q(enabled=True, job__in=["inventory.daily", "inventory.weekly"]),
                name="daily_or_weekly_never_both",
            ),
            models.CheckConstraint(
                condition=models.Q(every_minutes__range=(1, 1440), at=None, weekday=None)
                | models.Q(every_minutes=None, at__isnull=False),
                name="schedule_has_one_rhythm",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_job_display()} of {self.store}"

    @property
    def rhythm(self) -> Rhythm:
        """When it runs."""
        if self.every_minutes is not None:
            return Every(self.every_minutes)
        return At(self.at or dt.time(), self.weekday)

    @property
    def mode(self) -> str:
        """Its word in addresses and commands."""
        return Job(self.job).mode

    @property
    def live(self) -> bool:
        """It is on, and its store has had its first full sync."""
        return self.enabled and self.store.live_at is not None
