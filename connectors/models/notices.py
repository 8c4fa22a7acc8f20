"""Notices: who is told what, and every message that was to go out."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from connectors.models.stores import Store
from syncconsole.kernel.secrets import EncryptedTextField
from syncconsole.kernel.status import Meaning


class NoticeEvent(models.TextChoices):
    RUN_FAILED = "run_failed", "A run failed"
    AWAITING_APPROVAL = "awaiting_approval", "A plan waits for approval"
    GATE_LOST = "gate_lost", "A gate was lost"
    AUDIT_RED = "audit_red", "The ledger check found a difference"
    STORE_PAUSED = "store_paused", "Writes were paused"
    HELD_LONG = "held_long", "Levels are held past the store's limit"
    TWO_WRITERS = "two_writers", "Two writers alternate on a level"


class NoticeRule(models.Model):
    """Who is told about which events, where, and when not."""

    name = models.CharField(max_length=120, help_text="Who reads it, e.g. Stock team.")
    store = models.ForeignKey(
        Store,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="notice_rules",
        help_text="Empty: all stores, and what concerns the installation.",
    )
    events = ArrayField(models.CharField(max_length=20, choices=NoticeEvent.choices))
    address = EncryptedTextField(help_text="Kept encrypted, never shown. docs/operators/notices.md lists the forms.")
    quiet_from = models.TimeField(null=True, blank=True, help_text="Nothing is sent from then …")
    quiet_to = models.TimeField(null=True, blank=True, help_text="… until then, in the store's time zone; sent after.")
    repeat_minutes = models.PositiveIntegerField(
        default=30,
        validators=[MaxValueValidator(10_080)],
        help_text="The same news is sent once in this time. 0: every time.",
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=models.F("quiet_to"))),
                name="quiet_hours_have_two_ends",
                violation_error_message="Quiet hours need two different times, or none.",
            ),
            models.CheckConstraint(
                condition=~Q(events=[]),
                name="rule_names_an_event",
                violation_error_message="Choose at least one event.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a rule without an address, and an address that notices are not sent to, with the reason."""
        super().clean()
        from connectors.notice_addresses import AddressRefused, check_address

        if not self.address:
            raise ValidationError({"address": "Enter where notices go, e.g. mailtos://user:password@example.com."})
        try:
            check_address(self.address)
        except AddressRefused as exc:
            raise ValidationError({"address": f"{exc.cause} {exc.remedy}"}) from exc


class NoticeStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not sent"

    @property
    def meaning(self) -> Meaning:
        return {
            NoticeStatus.WAITING: Meaning.WAITS,
            NoticeStatus.SENDING: Meaning.RUNNING,
            NoticeStatus.SENT: Meaning.OK,
            NoticeStatus.FAILED: Meaning.STOPPED,
        }[self]


class Notice(models.Model):
    """One message for one rule: first what is to be sent, then the record of it."""

    rule = models.ForeignKey(NoticeRule, on_delete=models.CASCADE, related_name="notices")
    store = models.ForeignKey(Store, null=True, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=20, help_text="One of the rule's events, or test.")
    subject = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64, help_text="The same news has the same digest.")
    repeats = models.PositiveIntegerField(default=0, help_text="How often the same news came again and was not sent.")
    status = models.CharField(max_length=8, choices=NoticeStatus.choices, default=NoticeStatus.WAITING)
    not_before = models.DateTimeField(help_text="Later than created: quiet hours, or the next try.")
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=400, blank=True)
    remedy = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["rule", "digest", "-created_at"], name="notice_same_news"),
            models.Index(
                fields=["not_before"], condition=Q(status__in=("waiting", "sending")), name="notice_to_be_sent"
            ),
        ]

    def __str__(self) -> str:
        return self.subject
