"""Opening stock: what a location holds when Sync Console takes over, as a plan that a person signs and that is posted once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import Variant
from connectors.models import Store
from inventory.models.locations import Location
from syncconsole.kernel.status import Meaning


class OpeningSource(models.TextChoices):
    """Who is believed about the opening."""

    STORE = "store", "Shopify's on hand, as last read"
    STORE_FILE = "store_file", "Shopify's inventory CSV"
    FILE = "file", "Our own CSV"


class OpeningState(models.TextChoices):
    """How far a plan is."""

    PLANNED = "planned", "To review"
    POSTING = "posting", "Posting"
    POSTED = "posted", "Posted"
    DROPPED = "dropped", "Dropped"

    @property
    def meaning(self) -> Meaning:
        return {
            OpeningState.PLANNED: Meaning.NEEDS_YOU,
            OpeningState.POSTING: Meaning.RUNNING,
            OpeningState.POSTED: Meaning.OK,
            OpeningState.DROPPED: Meaning.OFF,
        }[self]


class OpeningPlan(models.Model):
    """One location's opening from one source. A location has one plan that is open at most."""

    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="openings")
    source = models.CharField(max_length=12, choices=OpeningSource.choices)
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=OpeningState.choices, default=OpeningState.PLANNED)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    totals = models.JSONField(default=dict, help_text="Levels, changes, units, value at cost, levels without a cost.")
    problems = models.JSONField(default=list, help_text="Rows that were not taken: line, cause, remedy.")
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    posted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["location"], condition=Q(state__in=("planned", "posting")), name="one_open_opening_per_location"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("planned", "dropped")) | Q(signed_by__isnull=False, signed_at__isnull=False),
                name="opening_posted_when_signed",
            ),
        ]
        permissions = [("sign_opening", "Can plan and sign opening stock")]

    def __str__(self) -> str:
        return f"Opening stock of {self.location}"

    @property
    def status(self) -> OpeningState:
        return OpeningState(self.state)

    @property
    def origin(self) -> str:
        """Where it comes from, as the ledger names it."""
        return (f"file {self.file_name}" if self.file_name else f"store {self.store.slug if self.store else ''}")[:80]


class OpeningOutcome(models.TextChoices):
    """What became of a line."""

    PLANNED = "planned", "Planned"
    POSTED = "posted", "Posted"
    EQUAL = "equal", "Equal already"
    LEFT = "left", "Left out: changed since the plan"

    @property
    def meaning(self) -> Meaning:
        return {
            OpeningOutcome.PLANNED: Meaning.WAITS,
            OpeningOutcome.LEFT: Meaning.ATTENTION,
        }.get(self, Meaning.OK)


class OpeningLine(models.Model):
    """One variant: what was there at `as_of`, what the ledger said of that moment when planned, and the difference."""

    plan = models.ForeignKey(OpeningPlan, on_delete=models.CASCADE, db_index=False, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    ledger = models.DecimalField(max_digits=14, decimal_places=3, help_text="On hand at as_of, by our entries.")
    delta = models.DecimalField(max_digits=14, decimal_places=3)
    value = models.DecimalField(max_digits=14, decimal_places=2, null=True, help_text="Delta at cost; empty without.")
    rank = models.BigIntegerField(default=0, help_text="Thousandths of units that move: the largest are shown first.")
    outcome = models.CharField(max_length=8, choices=OpeningOutcome.choices, default=OpeningOutcome.PLANNED)
    cause = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "variant"], name="variant_opens_once_in_a_plan")]
        indexes = [
            models.Index(fields=["plan", "-rank", "id"], name="opening_line_ranked"),
            models.Index(fields=["plan", "id"], condition=Q(outcome="planned"), name="opening_line_to_post"),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} of {self.plan_id}"
