"""Who looked through the register, when, and what it came to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from connectors.models import Store
from orders.models.documents import Document, DocumentKind, DocumentState


class RegisterReview(models.Model):
    """A period of the register that a person looked through under some filters, with its totals as they were. It never
    changes; what is posted in the period afterwards is told apart by its time."""

    since = models.DateField()
    until = models.DateField()
    """The last day, included."""
    store = models.ForeignKey(Store, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24, choices=DocumentKind.choices, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=12, choices=DocumentState.choices, blank=True)
    documents = models.PositiveIntegerField()
    totals = models.JSONField()
    """One row per kind, store and currencies (`orders.register.Total`), amounts as text."""
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    class Meta:
        ordering = ["-reviewed_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(since__lte=F("until")), name="register_review_has_a_period"),
            models.UniqueConstraint(
                fields=["since", "until", "store", "kind", "currency", "state", "documents", "reviewed_by"],
                nulls_distinct=False,
                name="register_review_once",
            ),
        ]
        indexes = [models.Index(fields=["until", "since"], name="register_review_period")]
        permissions = [("close_review", "Can close a review of the register")]

    def __str__(self) -> str:
        return f"{self.since:%-d %b %Y} – {self.until:%-d %b %Y}"

    def covers(self, document: Document) -> bool:
        """The document is of the kind, store, currency and state that were looked through; its day is not asked."""
        return (
            self.store_id in (None, document.store_id)
            and self.kind in ("", document.kind)
            and self.currency in ("", document.currency, document.shop_currency)
            and self.state in ("", document.state)
        )
