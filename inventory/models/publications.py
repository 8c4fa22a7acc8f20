"""What each store is believed to show, level by level, and why (algorithms.md §1–2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Self

from django.db import models
from django.db.models import Case, ExpressionWrapper, F, IntegerField, Q, Sum, Value, When
from django.db.models.base import ModelState
from django.db.models.functions import Floor, Greatest, Least

from catalog.models import ListedVariant
from connectors.models import Store, StoreLocation
from inventory.models.ledger import InventoryLevel
from syncconsole.kernel.status import Meaning


class PublicationState(models.TextChoices):
    NO_BASELINE = "no_baseline", "No baseline"
    LIVE = "live", "Live"
    UNSURE = "unsure", "Unsure"
    FROZEN = "frozen", "Frozen"
    QUARANTINED = "quarantined", "Quarantined"
    CLOSED = "closed", "Closed"

    @property
    def meaning(self) -> Meaning:
        return {
            PublicationState.NO_BASELINE: Meaning.WAITS,
            PublicationState.LIVE: Meaning.OK,
            PublicationState.UNSURE: Meaning.ATTENTION,
            PublicationState.FROZEN: Meaning.OFF,
            PublicationState.QUARANTINED: Meaning.NEEDS_YOU,
            PublicationState.CLOSED: Meaning.OFF,
        }[self]


SET_ASIDE: Final = (PublicationState.FROZEN, PublicationState.QUARANTINED)
"""Frozen after an undo or for two writers, or refused by the store: nothing is pushed until a person lets it go."""


class Exclusion(models.TextChoices):
    """Why a publication takes no part for now; entries go on being recorded."""

    NONE = "", "–"
    OUT_OF_SCOPE = "out_of_scope", "Left the tag filter"
    UNTRACKED = "untracked", "Track quantity is off in the store"
    GONE = "gone", "Not in the store any more"
    CLONE = "clone", "Clone suspect: a person decides"
    UNMAPPED = "unmapped", "Location is not mapped any more"
    SERVICE = "service", "Stock is managed by a fulfilment service"
    INACTIVE = "inactive", "Location is deactivated in the store"
    NOT_STOCKED = "not_stocked", "Not stocked at this location of the store"


class PublicationQuerySet(models.QuerySet["LevelPublication"]):
    def live(self) -> PublicationQuerySet:
        """Has a baseline, and nothing about it is in doubt."""
        return self.filter(state=PublicationState.LIVE)

    def eligible(self) -> PublicationQuerySet:
        """Takes part in jobs: listed, in the tag filter, tracked, mapped, active."""
        return self.filter(excluded=Exclusion.NONE).exclude(state=PublicationState.CLOSED)

    def with_target(self) -> models.QuerySet[Any]:
        """Annotate `ats` (the group's sum), `target` (what the store should show) and `pending` (target − expected).

        The one definition of target (algorithms.md §1); one join, no history. A group without levels should show 0: our
        goods are sold from elsewhere. Filter before calling it, so that few publications stay cheap; over all rows it is
        a single pass.
        """
        ats = Sum(F("members__level__on_hand") - F("members__level__released"))
        whole = ExpressionWrapper(Floor(ats), output_field=IntegerField())
        held_back = Case(When(store__unavailable_left_out=True, then=Value(0)), default=F("withheld"))
        less_withheld = ExpressionWrapper(whole - held_back, output_field=IntegerField())
        less_buffer = Least(
            less_withheld,
            Greatest(Value(0), ExpressionWrapper(less_withheld - F("store__buffer"), output_field=IntegerField())),
        )
        clamped = Case(
            When(ats=None, then=Value(0)),
            When(store__never_below_zero=True, then=Greatest(Value(0), less_buffer)),
            default=less_buffer,
            output_field=IntegerField(),
        )
        return self.annotate(ats=ats, target=clamped).annotate(
            pending=ExpressionWrapper(F("target") - F("expected_quantity"), output_field=IntegerField())
        )

    def owed(self) -> models.QuerySet[Any]:
        """With target, and only where the store should show something else than it is believed to."""
        return self.with_target().exclude(pending=0)


class LevelPublication(models.Model):
    """One store × inventory item × location of the store, with our levels mapped to it (its group).

    `expected_quantity` = sum of its applied entries = what we believe the store shows. What is owed is always
    target − expected, never a sum of entries after a cursor.
    """

    store = models.ForeignKey(Store, on_delete=models.PROTECT, db_index=False, related_name="publications")
    listed = models.ForeignKey(ListedVariant, on_delete=models.PROTECT, related_name="publications")
    item_ref = models.CharField("inventory item", max_length=120)
    store_location = models.ForeignKey(
        StoreLocation, on_delete=models.PROTECT, db_index=False, related_name="publications"
    )

    state = models.CharField(max_length=12, choices=PublicationState.choices, default=PublicationState.NO_BASELINE)
    state_cause = models.CharField(max_length=400, blank=True)
    stocked = models.BooleanField(default=True, help_text="The store stocks the item there, as far as it told.")
    excluded = models.CharField(max_length=14, choices=Exclusion.choices, default=Exclusion.NONE, blank=True)
    excluded_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when it is excluded for this reason: a trigger keeps it."
    )
    expected_quantity = models.IntegerField(default=0)
    withheld = models.IntegerField(default=0)
    open_remote = models.IntegerField(default=0)
    acknowledged_offset = models.IntegerField(default=0)
    revision = models.IntegerField(default=0, help_text="Number of entries: the seq of the newest one.")
    # Without an index, which three writes of every push would have to keep: pushes know their publication.
    claim = models.ForeignKey(
        "inventory.Push", null=True, on_delete=models.PROTECT, db_index=False, related_name="claimed"
    )
    needs_look = models.BooleanField(
        default=True, help_text="Something moved since the last look. An accelerator only."
    )
    marked_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when, whoever marked it: a trigger keeps it."
    )
    verify = models.BooleanField(
        default=False, help_text="Times were too close to tell: the next settled read decides."
    )

    observed_available = models.IntegerField(null=True)
    observed_committed = models.IntegerField(null=True)
    observed_unavailable = models.IntegerField(null=True)
    observed_moved_at = models.DateTimeField(null=True, help_text="When it last moved there, by the store's clock.")
    observed_at = models.DateTimeField(null=True, help_text="When it was read, by the store's clock.")
    observed_revision = models.IntegerField(null=True, help_text="Our revision just before that read.")

    baseline_at = models.DateTimeField(null=True)
    overwritten_at = models.DateTimeField(null=True, help_text="The store's time of our last overwrite (t_w).")
    hold_test = models.CharField(max_length=1, blank=True, help_text="Which test of algorithms.md §6 failed: a to e.")
    hold_cause = models.CharField(max_length=400, blank=True)
    hold_remedy = models.CharField(max_length=400, blank=True)
    held_since = models.DateTimeField(null=True)
    hold_told_at = models.DateTimeField(null=True, help_text="When people were told that it is held past the limit.")

    objects = PublicationQuerySet.as_manager()

    stored: dict[str, Any]
    """Column → value as the database has it, since `inventory.publications.lock`: only what differs is written."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "item_ref", "store_location"],
                condition=~Q(state="closed"),
                name="one_publication_per_item_and_location",
            )
        ]
        indexes = [
            models.Index(fields=["store", "id"], condition=Q(needs_look=True), name="publication_needs_look"),
            models.Index(fields=["store", "id"], condition=~Q(hold_test=""), name="publication_held"),
            models.Index(fields=["store", "id"], name="publication_of_store"),
            models.Index(fields=["store", "store_location", "id"]),
            # The few among many that a store's health counts.
            models.Index(fields=["store", "excluded", "id"], condition=~Q(excluded=""), name="publication_excluded"),
            models.Index(
                fields=["store", "id"],
                condition=Q(state__in=("unsure", "frozen", "quarantined")),
                name="publication_set_aside",
            ),
            models.Index(fields=["store", "id"], condition=Q(state="no_baseline"), name="publication_unpublished"),
        ]
        permissions = [("release_freeze", "Can let a frozen or quarantined level be pushed again")]

    def __str__(self) -> str:
        return f"{self.listed.variant} at {self.store_location}, {self.store}"

    @classmethod
    def from_db(  # type: ignore[override]  # the types are of a later Django, which passes a fetch mode
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        """As Django's, without setting thirty fields one by one: jobs load these rows by the hundred thousand."""
        found = cls.__new__(cls)
        found._state = ModelState()
        found._state.adding, found._state.db = False, db
        found.__dict__.update(zip(field_names, values, strict=True))
        return found

    @property
    def drift(self) -> int | None:
        """Read quantity less what was expected; None before the first read or the baseline."""
        if self.observed_available is None or self.baseline_at is None:
            return None
        return self.observed_available - self.expected_quantity


class PublishedLevel(models.Model):
    """One of our levels in the group of a publication; a level is in one group per store."""

    publication = models.ForeignKey(LevelPublication, on_delete=models.CASCADE, related_name="members")
    level = models.ForeignKey(InventoryLevel, on_delete=models.PROTECT, related_name="published")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, db_index=False, related_name="+")
    published_version = models.IntegerField(null=True, help_text="Version of the level when it was last pushed.")
    since = models.DateTimeField(
        null=True, editable=False, help_text="When it joined the group; empty: before that was kept."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "level"], name="level_in_one_group_per_store")]

    def __str__(self) -> str:
        return f"{self.level} in {self.publication_id}"


class PublicationKind(models.TextChoices):
    BASELINE = "baseline", "Baseline"
    OVERWRITTEN = "overwritten", "Overwritten"
    PUSHED = "pushed", "Pushed"
    STORE_BOOKED = "store_booked", "Booked by the store"
    ADOPTED = "adopted", "Adopted"
    WITHHELD = "withheld", "Withheld"


class PublicationEntry(models.Model):
    """One immutable change of what a store is believed to show. `applied` False: recorded, not counted (§4)."""

    publication = models.ForeignKey(LevelPublication, on_delete=models.PROTECT, db_index=False, related_name="entries")
    seq = models.IntegerField()
    kind = models.CharField(max_length=12, choices=PublicationKind.choices)
    quantity = models.IntegerField()
    applied = models.BooleanField(default=True)
    key = models.CharField(max_length=255, unique=True)
    cause = models.CharField(max_length=300, blank=True)
    effective_at = models.DateTimeField(null=True, help_text="The store's time of it; empty when unknown.")
    recorded_at = models.DateTimeField()
    # Without an index: the entry of a push is found among those of its publication.
    push = models.ForeignKey(
        "inventory.Push", null=True, on_delete=models.PROTECT, db_index=False, related_name="entries"
    )

    class Meta:
        verbose_name_plural = "publication entries"
        constraints = [models.UniqueConstraint(fields=["publication", "seq"], name="publication_entry_seq_once")]
        indexes = [models.Index(fields=["recorded_at", "id"], name="publication_entry_in_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.quantity:+d} ({self.key})"
