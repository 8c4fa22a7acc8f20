"""How late a store tells of its changes: a histogram for each day."""

from __future__ import annotations

from django.db import models

from connectors.models.stores import Store


class FeedLag(models.Model):
    """So many changes of one kind, heard of on one day, were told within `seconds` (`connectors.lags.STEPS`) of the moment
    up to which everything was believed to be known; 0: in time."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="feed_lags", db_index=False)
    kind = models.CharField(max_length=20)
    day = models.DateField()
    seconds = models.PositiveIntegerField()
    changes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind", "day", "seconds"], name="feed_lag_once")]

    def __str__(self) -> str:
        return f"{self.kind}, {self.day}: {self.changes} within {self.seconds} s"
