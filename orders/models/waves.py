"""Waves: goods of several orders that are picked together at one of our locations."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from inventory.models import Location
from orders.models.stock import OrderStock
from syncconsole.kernel.status import Meaning


class WaveState(models.TextChoices):
    OPEN = "open", "Picking"
    COMPLETED = "completed", "Completed"
    VOIDED = "voided", "Voided"

    @property
    def meaning(self) -> Meaning:
        return {
            WaveState.OPEN: Meaning.RUNNING,
            WaveState.COMPLETED: Meaning.OK,
            WaveState.VOIDED: Meaning.OFF,
        }[self]


class WaveLineState(models.TextChoices):
    """What became of a line of a wave."""

    OPEN = "open", "To pick"
    DONE = "done", "Picked"
    """What was picked was shipped; the rest went back to released."""
    COVERED = "covered", "Sent in the store"
    """Its store fulfilled all of it before it was picked here."""
    VOIDED = "voided", "Voided"

    @property
    def meaning(self) -> Meaning:
        return {
            WaveLineState.OPEN: Meaning.RUNNING,
            WaveLineState.DONE: Meaning.OK,
            WaveLineState.COVERED: Meaning.OK,
            WaveLineState.VOIDED: Meaning.OFF,
        }[self]


class Wave(models.Model):
    """One round of picking at one of our locations. Its goods stay released: what can be sold does not change. People know
    it by its id, which counts through the whole installation."""

    intent = models.UUIDField(unique=True)
    """Made with the form: the same form sent twice makes one wave."""
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="waves")
    state = models.CharField(max_length=12, choices=WaveState.choices, default=WaveState.OPEN)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    """None of a closed wave: the last of its lines was settled by its store."""
    reason = models.CharField(max_length=300, blank=True)
    """Why it was voided, or closed without a person."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="wave_closed_when_not_open",
            ),
            models.CheckConstraint(condition=~Q(state="voided") | ~Q(reason=""), name="wave_voided_with_reason"),
        ]
        permissions = [("wave_orders", "Can put orders in waves, complete and void these")]

    def __str__(self) -> str:
        return f"Wave {self.pk}"

    @property
    def standing(self) -> WaveState:
        """The state as a member of its enum."""
        return WaveState(self.state)

    @property
    def is_open(self) -> bool:
        return self.state == WaveState.OPEN


class WaveLine(models.Model):
    """Units of one order line to pick. A line whose units change is voided and made again; it keeps what replaced it."""

    wave = models.ForeignKey(Wave, on_delete=models.PROTECT, related_name="lines")
    stock = models.ForeignKey(OrderStock, on_delete=models.PROTECT, related_name="wave_lines")
    quantity = models.PositiveIntegerField()
    fulfilled_before = models.PositiveIntegerField()
    """What the store had sent of the stock row when the line was made."""
    picked = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=WaveLineState.choices, default=WaveLineState.OPEN)
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    """Why it was voided."""
    replaced_by = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaces")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["stock"], condition=Q(state="open"), name="stock_in_one_open_wave"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="wave_line_of_units"),
            models.CheckConstraint(
                condition=Q(state="done", picked__isnull=False, picked__lte=F("quantity"))
                | (~Q(state="done") & Q(picked=None)),
                name="wave_line_picked_when_done",
            ),
            models.CheckConstraint(condition=~Q(state="voided") | ~Q(reason=""), name="wave_line_voided_with_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.stock.variant} of {self.stock.order}"

    @property
    def standing(self) -> WaveLineState:
        """The state as a member of its enum."""
        return WaveLineState(self.state)

    @property
    def short(self) -> int:
        """Units that were not picked and went back to released."""
        return 0 if self.picked is None else self.quantity - self.picked
