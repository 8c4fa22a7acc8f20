"""Products and variants, and how each store lists them."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from connectors.models import Store
from connectors.models.stores import tags
from syncconsole.kernel.status import Meaning


def fold_tags(values: Iterable[str]) -> list[str]:
    """Tags as they are compared: trimmed, case folded, each once, sorted."""
    return sorted({value.strip().casefold() for value in values if value.strip()})


class Product(models.Model):
    """What is described: one handle here, one or more variants."""

    handle = models.CharField(max_length=255, unique=True)
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    vendor = models.CharField(max_length=255, blank=True)
    product_type = models.CharField("type", max_length=255, blank=True)
    status = models.CharField(max_length=12, default="active")
    option_names = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    tags = tags()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]
        permissions = [("import_items", "Can import items from a file"), ("link_items", "Can link items to a store")]

    def __str__(self) -> str:
        return self.title


def options_label(option_values: Iterable[str]) -> str:
    """Option values as people read them; empty for a simple product."""
    return " / ".join(value for value in option_values if value != "Default Title")


def variant_label(number: str, title: str, option_values: Iterable[str]) -> str:
    """Number, title and options, e.g. "TS-BLK-M · Tricou negru / M"."""
    return f"{number} · {' / '.join(filter(None, [title, options_label(option_values)]))}"


class VariantQuerySet(models.QuerySet["Variant"]):
    def in_scope(self, store: Store) -> VariantQuerySet:
        """Variants that match the store's tag filter: any of, all of, none of."""
        matching = self
        if store.tags_any:
            matching = matching.filter(tag_keys__overlap=fold_tags(store.tags_any))
        if store.tags_all:
            matching = matching.filter(tag_keys__contains=fold_tags(store.tags_all))
        if store.tags_none:
            matching = matching.exclude(tag_keys__overlap=fold_tags(store.tags_none))
        return matching


class Variant(models.Model):
    """What is counted and sold. `item_number` is the ERP's key."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    item_number = models.CharField(max_length=255, unique=True)
    sku = models.CharField("SKU", max_length=255, blank=True, db_index=True)
    barcode = models.CharField(max_length=255, blank=True, db_index=True)
    option_values = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    price = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    cost = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)], help_text="Per unit."
    )
    tracked = models.BooleanField(default=True)
    tags = tags()
    tag_keys = ArrayField(
        models.CharField(max_length=255), default=list, editable=False, help_text="Folded tags of variant and product."
    )
    bin = models.CharField(max_length=120, blank=True, help_text="Kept here only; never sent to a store.")
    supplier = models.CharField(max_length=255, blank=True, help_text="Kept here only; never sent to a store.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VariantQuerySet.as_manager()

    class Meta:
        ordering = ["item_number"]
        indexes = [GinIndex(fields=["tag_keys"], name="variant_tag_keys")]

    def __str__(self) -> str:
        return self.label

    @property
    def options_label(self) -> str:
        """Option values as people read them; empty for a simple product."""
        return options_label(self.option_values)

    @property
    def label(self) -> str:
        """SKU or item number, title and options, e.g. "TS-BLK-M · Tricou negru / M"."""
        return variant_label(self.sku or self.item_number, self.product.title, self.option_values)


class Listing(models.Model):
    """A product as it exists in one store."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="listings")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="listings")
    remote_ref = models.CharField("remote id", max_length=120)
    handle = models.CharField(max_length=255, blank=True, help_text="As the store shows it.")
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "remote_ref", "product"], name="listing_once")]

    def __str__(self) -> str:
        return f"{self.product} in {self.store}"


class MatchedBy(models.TextChoices):
    REMOTE_ID = "remote_id", "remembered id"
    SKU = "sku", "SKU"
    BARCODE = "barcode", "barcode"
    OPTIONS = "options", "handle and options"
    PERSON = "person", "a person"


class ListedVariant(models.Model):
    """A variant as it exists in one store: its inventory item there. One inventory item belongs to one variant here."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="variants")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="listed_variants")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="listed")
    remote_ref = models.CharField("remote id", max_length=120)
    item_ref = models.CharField("inventory item", max_length=120)
    sku = models.TextField("SKU there", blank=True, default="")
    barcode = models.TextField("barcode there", blank=True, default="")
    tracked = models.BooleanField(default=True, help_text="The store tracks its quantity.")
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Not found in the store any more since then.")
    matched_by = models.CharField(max_length=12, choices=MatchedBy.choices)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Checked after each statement, not row by row: variants may pass their items on, or swap them.
            models.UniqueConstraint(
                fields=["store", "item_ref"],
                name="one_variant_per_inventory_item",
                deferrable=models.Deferrable.IMMEDIATE,
            ),
            models.UniqueConstraint(fields=["store", "variant"], name="one_inventory_item_per_variant"),
            models.UniqueConstraint(fields=["store", "remote_ref"], name="one_variant_per_remote_variant"),
        ]
        indexes = [
            models.Index(fields=["store", "id"], condition=models.Q(tracked=False), name="listed_not_tracked"),
        ]

    def __str__(self) -> str:
        return f"{self.variant} in {self.store}"


class ConflictKind(models.TextChoices):
    DUPLICATE_SKU_THERE = "duplicate_sku_there", "SKU on several variants of the store"
    DUPLICATE_SKU_HERE = "duplicate_sku_here", "SKU on several of our variants"
    DUPLICATE_BARCODE = "duplicate_barcode", "Barcode on several variants"
    SHARED_ITEM = "shared_item", "One inventory item behind several variants"
    ALREADY_LINKED = "already_linked", "Matches a variant that is linked already"
    ONLY_THERE = "only_there", "Only in the store"

    @property
    def meaning(self) -> Meaning:
        return Meaning.ATTENTION if self is ConflictKind.ONLY_THERE else Meaning.NEEDS_YOU


class LinkConflict(models.Model):
    """A variant of a store that linking could not bind without a guess. Replaced at each linking; nothing is pushed for it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="link_conflicts")
    kind = models.CharField(max_length=24, choices=ConflictKind.choices)
    remote_ref = models.CharField(max_length=120)
    item_ref = models.CharField(max_length=120)
    product_ref = models.CharField(max_length=120, blank=True, default="")
    """Empty where the store was last linked by a release that did not keep it."""
    sku = models.TextField("SKU there", blank=True, default="")
    barcode = models.TextField("barcode there", blank=True, default="")
    remote_label = models.CharField(max_length=400)
    candidates = models.ManyToManyField(Variant, blank=True, related_name="+")
    cause = models.CharField(max_length=400)
    remedy = models.CharField(max_length=400)
    first_seen_at = models.DateTimeField()

    class Meta:
        ordering = ["kind", "remote_label"]
        constraints = [models.UniqueConstraint(fields=["store", "remote_ref"], name="one_conflict_per_remote_variant")]

    def __str__(self) -> str:
        return self.remote_label


class CloneKind(models.TextChoices):
    """Why two variants of a store cannot both be believed."""

    SAME_SKU = "same_sku", "One SKU on two variants"
    SHARED_ITEM = "shared_item", "One inventory item behind two of ours"


class CloneDecision(models.TextChoices):
    """What a person said of a pair."""

    NONE = "", "Undecided"
    ORIGINAL = "original", "Original owns the stock"
    COPY = "copy", "The copy owns it"
    SAME = "same", "They are the same item"
    WAIT = "wait", "Wait until renamed"

    @property
    def meaning(self) -> Meaning:
        return {CloneDecision.NONE: Meaning.NEEDS_YOU, CloneDecision.WAIT: Meaning.WAITS}.get(self, Meaning.OK)


HOLDING = (CloneDecision.NONE, CloneDecision.WAIT)
"""Both sides are held so long."""


class CloneSuspect(models.Model):
    """Two variants of one store of which one may be a copy of the other, so that nobody knows whose stock is ours.

    One row per pair from the listing that shows it to the one that does not any more; a pair that comes back is another
    row. `original` and `copy` are the facts of both sides as last read; the older variant, or the one that is linked, is
    taken for the original.
    """

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="clone_suspects")
    kind = models.CharField(max_length=12, choices=CloneKind.choices)
    sku = models.TextField("SKU", blank=True, default="")
    variant = models.ForeignKey(
        Variant,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Ours; empty where several of ours have the SKU.",
    )
    original_ref = models.CharField(max_length=120)
    original_item = models.CharField(max_length=120)
    original = models.JSONField(default=dict)
    copy_ref = models.CharField(max_length=120)
    copy_item = models.CharField(max_length=120)
    copy = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    decision = models.CharField(max_length=8, choices=CloneDecision.choices, default=CloneDecision.NONE, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="The store shows the pair no more since then.")
    outcome = models.CharField(max_length=200, blank=True, help_text="How it ended by itself.")

    class Meta:
        ordering = ["first_seen_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                F("store"),
                Least("original_ref", "copy_ref"),
                Greatest("original_ref", "copy_ref"),
                condition=Q(closed_at=None),
                name="one_open_suspicion_per_pair",
            ),
            models.CheckConstraint(condition=~Q(original_ref=F("copy_ref")), name="suspect_is_a_pair"),
        ]
        indexes = [
            models.Index(fields=["store", "id"], condition=Q(closed_at=None), name="clone_suspect_open"),
            # What the pairs of an item are: asked for each level that is held, or let go.
            models.Index(fields=["store", "original_item"], name="clone_suspect_original"),
            models.Index(fields=["store", "copy_item"], name="clone_suspect_copy"),
        ]
        permissions = [("decide_clone", "Can decide which of two equal variants owns the stock")]

    def __str__(self) -> str:
        return f"{self.sku or self.original_item} in {self.store}"

    @property
    def verdict(self) -> CloneDecision:
        """The decision as its enum."""
        return CloneDecision(self.decision)

    @property
    def shared(self) -> bool:
        """Both sides have one inventory item, so orders of either are orders of both."""
        return self.original_item == self.copy_item

    @property
    def holds(self) -> bool:
        """Both sides are held."""
        return self.closed_at is None and self.verdict in HOLDING
