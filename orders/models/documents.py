"""Refunds, and the documents they become: immutable once posted, numbered without gaps, cancelled only by others."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from connectors.models import Store
from orders.models.incoming import IncomingOrder
from orders.models.sales import money
from orders.refund_money import PartKind
from orders.verdict import DocumentKind as Kind
from orders.verdict import Readiness
from syncconsole.kernel.status import Meaning


class RefundState(models.TextChoices):
    """What the documents of a refund wait for; `orders.verdict.Readiness` in words for people."""

    READY = Readiness.READY.value, "Done"
    WAITS = Readiness.WAITS.value, "Waits for money"
    NEEDS_PERSON = Readiness.NEEDS_PERSON.value, "Needs you"
    LISTED = "listed", "Listed only"
    """Its order is left out by date, and the store's setting makes no documents for such."""

    @property
    def meaning(self) -> Meaning:
        return {
            RefundState.LISTED: Meaning.OFF,
            RefundState.READY: Meaning.OK,
            RefundState.WAITS: Meaning.WAITS,
            RefundState.NEEDS_PERSON: Meaning.NEEDS_YOU,
        }[self]


class DocumentKind(models.TextChoices):
    """What a document is, and the code of its series."""

    INVENTORY_CREDIT_MEMO = Kind.INVENTORY_CREDIT_MEMO.value, "Inventory credit memo"
    CREDIT_MEMO = Kind.CREDIT_MEMO.value, "Credit memo"
    ORDER_CHANGE = Kind.ORDER_CHANGE.value, "Order change note"

    @property
    def code(self) -> str:
        return {"inventory_credit_memo": "ICM", "credit_memo": "CM", "order_change": "OC"}[self.value]


class DocumentState(models.TextChoices):
    """Where a document stands. Only posted ones have a number, and they keep it for ever."""

    DRAFT = "draft", "Draft"
    """Only inside the transaction that posts it."""
    WAITS = "waits", "Waits for money"
    NEEDS_PERSON = "needs_person", "Needs you"
    POSTED = "posted", "Posted"
    COUNTERED = "countered", "Countered"
    """Cancelled whole by a counter-document."""

    @property
    def meaning(self) -> Meaning:
        return {
            DocumentState.DRAFT: Meaning.WAITS,
            DocumentState.WAITS: Meaning.WAITS,
            DocumentState.NEEDS_PERSON: Meaning.NEEDS_YOU,
            DocumentState.POSTED: Meaning.OK,
            DocumentState.COUNTERED: Meaning.OFF,
        }[self]


class Refund(models.Model):
    """One refund of a store, exactly once, with what it became and why. A cancellation of an invoiced order without a
    refund stands here, too, under a reference of our own."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="refunds")
    order = models.ForeignKey(IncomingOrder, on_delete=models.PROTECT, related_name="refunds")
    ref = models.CharField(max_length=160)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=RefundState.choices)
    sentence = models.TextField()
    """Why it became what it became."""
    stock_check = models.TextField()
    money_check = models.TextField()
    equal_check = models.TextField()
    currency = models.CharField(max_length=3)
    shop_currency = models.CharField(max_length=3)
    paid = money()
    paid_shop = money()
    pending = money()
    settled_at = models.DateTimeField()
    decided_on = models.TextField(blank=True)
    """The sentence that a person saw and accepted; a verdict that differs needs another decision."""
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["store", "ref"], name="refund_once")]
        indexes = [
            models.Index(fields=["-made_at", "-id"], name="refund_newest"),
            models.Index(fields=["store"], condition=Q(state__in=["waits", "needs_person"]), name="refund_open"),
            models.Index(fields=["-made_at", "-id"], condition=Q(state="listed"), name="refund_listed"),
        ]
        permissions = [("decide_refund", "Can decide what a refund becomes that waits for a person")]

    def __str__(self) -> str:
        return f"{self.order} · {self.ref.rpartition('/')[2]}"

    @property
    def standing(self) -> RefundState:
        return RefundState(self.state)


class DocumentSeries(models.Model):
    """The last number given in a series. The row is locked while a document is posted, so no number is lost or doubled."""

    code = models.CharField(max_length=10, primary_key=True)
    last_number = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "document series"

    def __str__(self) -> str:
        return f"{self.code} {self.last_number:,}"


class Document(models.Model):
    """One document of a refund. `purpose` names what for: the kind for the first, `kind:n` for the n-th one that counters
    it, so that nothing can be written twice. Amounts are what the buyer gets back, in the buyer's currency and (`_shop`)
    in the shop's."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="documents")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="documents")
    purpose = models.CharField(max_length=40)
    kind = models.CharField(max_length=24, choices=DocumentKind.choices)
    counters = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="counter_documents")
    """The first document of this purpose, whose figures this one changes."""
    series = models.CharField(max_length=10)
    number = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=12, choices=DocumentState.choices)
    currency = models.CharField(max_length=3)
    shop_currency = models.CharField(max_length=3)
    total = money()
    total_shop = money()
    sentence = models.TextField()
    stock_check = models.TextField()
    money_check = models.TextField()
    equal_check = models.TextField()
    dated_at = models.DateTimeField()
    """When the refund was made, by the store's clock."""
    posted_at = models.DateTimeField(null=True)
    fiscal_number = models.CharField(max_length=60, blank=True)
    """Series and number of the fiscal document that a billing service issued for it."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["refund", "purpose"], name="document_once"),
            models.UniqueConstraint(fields=["series", "number"], name="document_number_once"),
            models.CheckConstraint(
                condition=Q(number__isnull=True, posted_at__isnull=True, state__in=["draft", "waits", "needs_person"])
                | Q(number__gt=0, posted_at__isnull=False, state__in=["posted", "countered"]),
                name="document_numbered_when_posted",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "-id"], name="document_kind"),
            models.Index(fields=["store", "-id"], name="document_store"),
            models.Index(fields=["fiscal_number"], condition=~Q(fiscal_number=""), name="document_fiscal"),
            models.Index(F("posted_at").desc(), F("id").desc(), condition=Q(number__gt=0), name="document_posted"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """`ICM-0042`, or what it will be called before it has a number."""
        return f"{self.series}-{self.number:04}" if self.number else f"{self.series}, no number yet"

    @property
    def filename(self) -> str:
        """What to call it as a file, without an ending."""
        return self.label if self.number else f"{self.series}-draft-{self.pk}"

    @property
    def standing(self) -> DocumentState:
        return DocumentState(self.state)

    @property
    def is_posted(self) -> bool:
        return self.number is not None


class DocumentLine(models.Model):
    """One line of a document: units, shipping, a duty, an adjustment, or what took a difference away."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value.capitalize()) for kind in PartKind])
    label = models.CharField(max_length=300)
    sku = models.CharField(max_length=255, blank=True)
    line_ref = models.CharField(max_length=120, blank=True)
    refund_line_ref = models.CharField(max_length=120, blank=True)
    quantity = models.IntegerField(default=0)
    fate = models.CharField(max_length=12, blank=True)
    """What became of the units (`orders.refund_goods.Fate`)."""
    location_ref = models.CharField(max_length=120, blank=True)
    amount = money()
    amount_shop = money()
    tax = money()
    """Within the amount."""
    tax_shop = money()

    class Meta:
        ordering = ["document", "position"]
        constraints = [models.UniqueConstraint(fields=["document", "position"], name="document_line_once")]

    def __str__(self) -> str:
        return self.label
