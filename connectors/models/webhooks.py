"""Webhooks: what a store told us, kept before it is understood, and the subscriptions that make it tell."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from connectors.models.stores import Store
from syncconsole.kernel.status import Meaning


class DeliveryState(models.TextChoices):
    """What became of a delivery."""

    RECEIVED = "received", "Received"
    UNDERSTOOD = "understood", "Understood"
    FAILED = "failed", "Failed"
    IGNORED = "ignored", "Ignored"

    @property
    def meaning(self) -> Meaning:
        return {
            DeliveryState.RECEIVED: Meaning.WAITS,
            DeliveryState.UNDERSTOOD: Meaning.OK,
            DeliveryState.FAILED: Meaning.NEEDS_YOU,
            DeliveryState.IGNORED: Meaning.OFF,
        }[self]


class WebhookDelivery(models.Model):
    """One delivery, stored with its raw body before anything is read from it; a duplicate is the same row."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="deliveries")
    topic = models.CharField(max_length=60)
    delivery_ref = models.CharField(max_length=80)
    """The service's id of the delivery; with store and topic it tells a duplicate (reference 7.2)."""
    event_ref = models.CharField(max_length=80, blank=True)
    api_version = models.CharField(max_length=10, blank=True)
    triggered_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    body = models.BinaryField()
    duplicates = models.PositiveIntegerField(default=0)
    """How often it came again."""

    state = models.CharField(max_length=12, choices=DeliveryState.choices, default=DeliveryState.RECEIVED)
    object_ref = models.CharField(max_length=120, blank=True)
    """What it is about, in the store's own words, once understood."""
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    redacted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["store", "topic", "delivery_ref"], name="webhook_delivery_once")]
        indexes = [
            models.Index(fields=["id"], name="webhook_delivery_open", condition=Q(state="received")),
            models.Index(fields=["store", "-id"], name="webhook_delivery_of_store"),
            models.Index(fields=["store", "id"], name="webhook_delivery_failed", condition=Q(state="failed")),
            # Rows arrive in the order of time: a few pages tell where a day begins, and intake pays nearly nothing.
            BrinIndex(fields=["received_at"], name="webhook_delivery_when", pages_per_range=32),
        ]
        permissions = [
            ("handle_delivery", "Can retry and ignore webhook deliveries"),
            ("see_personal_data", "Can see personal data in webhook deliveries"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.delivery_ref}"

    @property
    def status(self) -> DeliveryState:
        """The state as a member of its enum."""
        return DeliveryState(self.state)


class SubscriptionState(models.TextChoices):
    """Whether a store tells us what it should."""

    ACTIVE = "active", "Active"
    MISSING = "missing", "Missing"
    CHANGED = "changed", "Changed"
    REFUSED = "refused", "Refused"

    @property
    def meaning(self) -> Meaning:
        return {
            SubscriptionState.ACTIVE: Meaning.OK,
            SubscriptionState.MISSING: Meaning.ATTENTION,
            SubscriptionState.CHANGED: Meaning.ATTENTION,
            SubscriptionState.REFUSED: Meaning.NEEDS_YOU,
        }[self]


class WebhookSubscription(models.Model):
    """One topic that a store should tell us about, as last found there."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="subscriptions")
    topic = models.CharField(max_length=60)
    ref = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12, choices=SubscriptionState.choices, default=SubscriptionState.MISSING)
    cause = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    restored = models.PositiveIntegerField(default=0)
    """How often it was found missing or changed and made again."""

    class Meta:
        ordering = ["topic"]
        constraints = [models.UniqueConstraint(fields=["store", "topic"], name="webhook_subscription_once")]

    def __str__(self) -> str:
        return self.topic

    @property
    def status(self) -> SubscriptionState:
        """The state as a member of its enum."""
        return SubscriptionState(self.state)


class ChangeState(models.TextChoices):
    """What became of a notice that something changed in a store."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Read"
    FAILED = "failed", "Failed"
    IGNORED = "ignored", "Ignored"

    @property
    def meaning(self) -> Meaning:
        return {
            ChangeState.WAITING: Meaning.WAITS,
            ChangeState.DONE: Meaning.OK,
            ChangeState.FAILED: Meaning.NEEDS_YOU,
            ChangeState.IGNORED: Meaning.OFF,
        }[self]


class RemoteChange(models.Model):
    """One object of a store that is to be read again, whoever noticed it: webhooks and polling share this queue.

    One row per object: notices coalesce. `noticed` grows with every notice, `read` is what it was when the object was
    last read to the end, so a notice that comes while it is read is never lost: the row waits while they differ.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20)
    """order, product, …: who reads it stands in settings.CHANGE_READERS."""
    ref = models.CharField(max_length=120)
    state = models.CharField(max_length=12, choices=ChangeState.choices, default=ChangeState.WAITING)
    noticed = models.PositiveIntegerField(default=1)
    read = models.PositiveIntegerField(default=0)
    by_webhook = models.PositiveIntegerField(default=0)
    by_polling = models.PositiveIntegerField(default=0)
    webhook_at = models.DateTimeField(null=True, blank=True)
    """When a webhook last told news of it."""
    polling_at = models.DateTimeField(null=True, blank=True)
    """When polling last found news of it that no webhook had told."""
    first_noticed_at = models.DateTimeField()
    noticed_at = models.DateTimeField()
    remote_updated_at = models.DateTimeField(null=True, blank=True)
    """The newest version heard of."""
    claimed_until = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind", "ref"], name="remote_change_once")]
        indexes = [
            models.Index(
                fields=["store", "kind", "noticed_at"], name="remote_change_open", condition=Q(state="waiting")
            ),
            models.Index(fields=["id"], name="remote_change_not_read", condition=~Q(state="done")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"

    @property
    def status(self) -> ChangeState:
        """The state as a member of its enum."""
        return ChangeState(self.state)

    @property
    def is_being_read(self) -> bool:
        """A worker reads it at this moment."""
        return self.claimed_until is not None and self.claimed_until > timezone.now()


class FeedState(models.TextChoices):
    """Whether a change feed could be read."""

    READ = "read", "Read"
    READING = "reading", "Being read"
    NOT_READ = "not_read", "Not read"

    @property
    def meaning(self) -> Meaning:
        return {
            FeedState.READ: Meaning.OK,
            FeedState.READING: Meaning.RUNNING,
            FeedState.NOT_READ: Meaning.ATTENTION,
        }[self]


class FeedPosition(models.Model):
    """How far a store's change feed of one kind has been read, in the store's own time."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="feeds")
    kind = models.CharField(max_length=20)
    watermark = models.DateTimeField(null=True, blank=True)
    """Everything the store dated up to then has been noticed; the next pass begins an overlap earlier."""
    begun_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    found = models.PositiveIntegerField(default=0)
    """Objects the last pass noticed that no webhook had told of."""
    cause = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind"], name="feed_position_once")]

    def __str__(self) -> str:
        return self.kind

    @property
    def status(self) -> FeedState:
        """What became of the last pass; one that a worker left unfinished counts as being read, and is begun again soon."""
        if self.cause:
            return FeedState.NOT_READ
        if self.finished_at is None or (self.begun_at is not None and self.begun_at > self.finished_at):
            return FeedState.READING
        return FeedState.READ


class PrivacyRequest(models.Model):
    """A request about a person's data that came through a store; answered by `done_at` at the latest 30 days on."""

    class Kind(models.TextChoices):
        DATA_REQUEST = "customers/data_request", "Customer asks for their data"
        CUSTOMER_REDACT = "customers/redact", "Erase a customer"
        SHOP_REDACT = "shop/redact", "Erase the shop"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="privacy_requests")
    delivery = models.OneToOneField(WebhookDelivery, on_delete=models.PROTECT, related_name="privacy_request")
    kind = models.CharField(max_length=30, choices=Kind.choices)
    customer_ref = models.CharField(max_length=120, blank=True)
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    report = models.JSONField(default=dict)
    """What was found, or erased, by table."""

    class Meta:
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}"
