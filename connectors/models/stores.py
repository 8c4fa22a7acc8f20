"""Stores: one Shopify shop we are connected to, its settings and the locations read from it."""

from __future__ import annotations

import re
import secrets
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from connectors.http import HostNotAllowed, check_host
from syncconsole.kernel.secrets import EncryptedTextField
from syncconsole.kernel.status import Meaning


class SyncDirection(models.TextChoices):
    TO_STORE = "to_store", "Sync Console → store"
    FROM_STORE = "from_store", "Store → Sync Console"


class Grant(models.TextChoices):
    """Ways to a token (reference: Shopify 1)."""

    STATIC = "static", "Token of a custom app"
    CLIENT_CREDENTIALS = "client_credentials", "Client credentials, renewed every day"


def new_webhook_key() -> str:
    """The secret part of the address that a store's webhooks are sent to."""
    return secrets.token_urlsafe(32)


class Plan(models.TextChoices):
    """Sets only the first guess of the call budget; the store's own answers correct it."""

    STANDARD = "standard", "Standard"
    ADVANCED = "advanced", "Advanced"
    PLUS = "plus", "Plus"
    ENTERPRISE = "enterprise", "Enterprise"


class OpeningOrders(models.TextChoices):
    """What orders older than the integration date, and still open, mean for our stock (algorithms.md §3)."""

    RESERVE = "reserve", "Reserve their goods"
    LEFT_OUT = "left_out", "Our stock already leaves them out"


class ExcludedRefunds(models.TextChoices):
    """What becomes of refunds of orders that are excluded by date (algorithms.md §8b 7)."""

    LISTED = "listed", "List them, make no document"
    DOCUMENTS = "documents", "Make documents for them"


class AtOnce(models.TextChoices):
    """Which changes here are sent as they happen, without waiting for the next scheduled delta."""

    SHARED = "shared", "Where stores share stock"
    ALWAYS = "always", "Always"
    NEVER = "never", "Never"


class Health(models.TextChoices):
    """One word for a store; the worst that applies."""

    PAUSED = "paused", "Paused"
    NEEDS_YOU = "needs_you", "Needs you"
    ATTENTION = "attention", "Attention"
    SETTING_UP = "setting_up", "Setting up"
    HEALTHY = "healthy", "Healthy"

    @property
    def meaning(self) -> Meaning:
        return {
            Health.PAUSED: Meaning.STOPPED,
            Health.NEEDS_YOU: Meaning.NEEDS_YOU,
            Health.ATTENTION: Meaning.ATTENTION,
            Health.SETTING_UP: Meaning.WAITS,
            Health.HEALTHY: Meaning.OK,
        }[self]


def check_time_zone(value: str) -> None:
    """Refuse a name the time zone database does not know."""
    if value not in available_timezones():
        raise ValidationError(f"{value} is not a time zone. Write it like Europe/Bucharest.")


TAX_FIELD = re.compile(r"(order|customer)\.[A-Za-z0-9_$:-]{2,64}\.[A-Za-z0-9_-]{2,64}")
FIELDS_AT_MOST = 5
"""Custom fields of one owner that one question about an order names."""


def check_tax_fields(value: list[str]) -> None:
    """Refuse what is no name of a field, and more fields of one owner than are asked for."""
    if strange := next((name for name in value if not TAX_FIELD.fullmatch(name)), None):
        raise ValidationError(
            f"“{strange}” names no metafield. Write it like order.custom.vat_number or customer.custom.vat_number."
        )
    for owner in ("order", "customer"):
        if sum(name.startswith(f"{owner}.") for name in value) > FIELDS_AT_MOST:
            raise ValidationError(f"Name at most {FIELDS_AT_MOST} metafields of the {owner}.")


def tags() -> Any:
    """A list of tags as people type them; compared without case."""
    return ArrayField(models.CharField(max_length=255), default=list, blank=True)


class Store(models.Model):
    """One Shopify shop we are connected to."""

    slug = models.SlugField(unique=True, help_text="Short name in addresses and commands, e.g. bucovina-ro.")
    name = models.CharField(max_length=120)
    shop_domain = models.CharField(
        max_length=120,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$", "Write the shop's own domain, e.g. bucovina-ro.myshopify.com."
            )
        ],
        help_text="The permanent domain, ending in .myshopify.com.",
    )
    grant = models.CharField(
        "access",
        max_length=20,
        choices=Grant.choices,
        default=Grant.STATIC,
        help_text="How the app obtains its Admin API token.",
    )
    access_token = EncryptedTextField("Admin API token", blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    token_renews_at = models.DateTimeField(null=True, blank=True, editable=False)
    client_id = models.CharField("client ID", max_length=120, blank=True)
    client_secret = EncryptedTextField(
        "client secret", blank=True, help_text="Of the app; it also signs the store's webhooks."
    )
    previous_client_secret = EncryptedTextField(blank=True, editable=False)
    secret_replaced_at = models.DateTimeField(null=True, blank=True, editable=False)
    webhook_key = models.CharField(max_length=43, unique=True, default=new_webhook_key, editable=False)
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)
    rest_cause = models.CharField(max_length=300, blank=True, editable=False)
    rest_remedy = models.CharField(max_length=300, blank=True, editable=False)
    api_version = models.CharField(
        max_length=10,
        default="2026-10",
        validators=[RegexValidator(r"^\d{4}-(01|04|07|10)$", "Write it like 2026-10.")],
    )
    api_base_url = models.URLField(
        "API base URL",
        blank=True,
        help_text="Empty: the shop domain over https. Another host must be allowed by the installation.",
    )
    plan = models.CharField(max_length=12, choices=Plan.choices, default=Plan.STANDARD)
    time_zone = models.CharField(max_length=60, default="Europe/Bucharest", validators=[check_time_zone])
    sync_direction = models.CharField(max_length=12, choices=SyncDirection.choices, default=SyncDirection.TO_STORE)

    tags_any = tags()
    tags_all = tags()
    tags_none = tags()

    inventory_owner = models.BooleanField(
        default=True, help_text="This account pushes inventory to the shop domain. Only one account per domain may."
    )
    buffer = models.PositiveIntegerField(default=0, help_text="Units held back from every quantity shown in the store.")
    never_below_zero = models.BooleanField(default=False, help_text="Show 0 where ATS is negative.")
    unavailable_left_out = models.BooleanField(
        "our stock leaves out unavailable units",
        default=False,
        help_text="On: units the store keeps as damaged, reserved or safety stock are already missing from our on hand.",
    )

    limit_units = models.PositiveIntegerField("units moved", null=True, blank=True, default=2000)
    limit_value = models.DecimalField(
        "value moved, at cost",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    limit_to_zero = models.PositiveIntegerField("levels that go to zero", null=True, blank=True, default=25)
    limit_share = models.PositiveSmallIntegerField(
        "share of levels changed, percent", null=True, blank=True, default=10, validators=[MaxValueValidator(100)]
    )
    second_person = models.BooleanField(
        "a second person approves plans over a limit",
        default=True,
        help_text="Off: the person who started a run may approve its plan, too.",
    )
    approval_hours = models.PositiveSmallIntegerField(default=12, help_text="A plan not approved by then expires.")
    settle_seconds = models.PositiveIntegerField(
        default=120,
        help_text="A level that moved in the store within this time is not overwritten; longer where changes are told late.",
    )
    at_once = models.CharField(
        "changes leave at once",
        max_length=10,
        choices=AtOnce.choices,
        default=AtOnce.SHARED,
        help_text="Within seconds, while the delta is on. What is not sent then goes with the next delta.",
    )
    drift_hours = models.PositiveSmallIntegerField(
        "hours before a weekly run corrects",
        default=48,
        help_text="A difference that nothing explains is left alone so long; then a weekly run overwrites it.",
    )
    hold_hours = models.PositiveSmallIntegerField(
        "hours a level may be held",
        default=2,
        validators=[MinValueValidator(1)],
        help_text="A level held for longer is told of once, and shows in the store's health.",
    )

    integration_date = models.DateField(
        null=True,
        blank=True,
        help_text="Orders placed from this day on, in the store's time zone, become sales orders. Empty: none do.",
    )
    opening_orders = models.CharField(
        "older orders still open", max_length=12, choices=OpeningOrders.choices, default=OpeningOrders.RESERVE
    )
    keep_goods = models.BooleanField(
        "keep goods cancelled without restock",
        default=False,
        help_text="Off: units cancelled without restock are written off here, as in the store.",
    )

    send_fulfilments = models.BooleanField(
        "tell the store what is shipped here first",
        default=False,
        help_text="On: goods booked as shipped here are marked as fulfilled in the store, once, with their tracking.",
    )
    excluded_refunds = models.CharField(
        "refunds of excluded orders", max_length=10, choices=ExcludedRefunds.choices, default=ExcludedRefunds.LISTED
    )
    tax_fields = ArrayField(
        models.CharField(max_length=140),
        verbose_name="tax ids in metafields",
        default=list,
        blank=True,
        validators=[check_tax_fields],
        help_text="Metafields of the order or the customer that hold a business buyer's tax id.",
    )
    keep_months = models.PositiveSmallIntegerField(
        "months that customers' data is kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1200)],
        help_text="Counted from the day an order was placed. Empty: for ever.",
    )

    import_minutes = models.PositiveSmallIntegerField(
        "minutes between order imports",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text="Webhooks bring most orders at once; this finds what they missed.",
    )
    reread_until = models.DateTimeField(null=True, blank=True, editable=False)
    """Until when all orders that the store shows are listed once a night; None: they are not."""
    reread_at = models.DateTimeField(null=True, blank=True, editable=False)
    reread_listed = models.PositiveIntegerField(default=0, editable=False)
    reread_found = models.PositiveIntegerField(default=0, editable=False)
    """Orders of the last one that neither a webhook nor the feed had told of."""

    writes_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=300, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)

    connection_checked_at = models.DateTimeField(null=True, editable=False)
    connection_cause = models.CharField(max_length=300, blank=True, editable=False)
    connection_remedy = models.CharField(max_length=300, blank=True, editable=False)
    granted_scopes = ArrayField(models.CharField(max_length=60), default=list, blank=True, editable=False)
    live_at = models.DateTimeField("live since", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop_domain"],
                condition=models.Q(inventory_owner=True),
                name="one_inventory_owner_per_shop_domain",
                violation_error_message="Another account already pushes inventory to this shop domain.",
            )
        ]
        permissions = [
            ("change_credentials", "Can replace the token of a store"),
            ("pause_writes", "Can pause all writes of a store"),
            ("test_connection", "Can test the connection of a store"),
            ("map_locations", "Can map locations of a store"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a base URL on a host that the installation does not allow."""
        super().clean()
        if self.api_base_url:
            try:
                check_host(self.api_base_url, settings.ALLOWED_API_HOSTS)
            except HostNotAllowed as exc:
                raise ValidationError({"api_base_url": f"{exc.cause} {exc.remedy}"}) from exc

    @property
    def base_url(self) -> str:
        """Where the Admin API is reached."""
        return self.api_base_url or f"https://{self.shop_domain}"

    @property
    def origin(self) -> str:
        """How entries of the ledger name what first happened there."""
        return f"store:{self.slug}"

    @property
    def rests(self) -> bool:
        """Shopify has closed the store to us, and it is not yet time to ask again."""
        return self.rests_until is not None and self.rests_until > timezone.now()

    @property
    def has_client_secret(self) -> bool:
        """A client secret is kept, whether or not today's keys open it."""
        return bool(self.__dict__.get("client_secret"))

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def scopes(self) -> frozenset[str]:
        """What the token may do, as far as the last test saw; `write_x` implies `read_x`."""
        granted = set(self.granted_scopes)
        return frozenset(granted | {scope.replace("write_", "read_", 1) for scope in granted})

    def other_owner(self) -> Store | None:
        """The account that owns inventory of this shop domain, when that is not this one."""
        if self.inventory_owner:
            return None
        return Store.objects.filter(shop_domain=self.shop_domain, inventory_owner=True).exclude(pk=self.pk).first()


class StoreLocation(models.Model):
    """A location of a store, as last read from it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="locations")
    ref = models.CharField(max_length=120)
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    is_fulfillment_service = models.BooleanField(default=False)
    holds_stock = models.BooleanField(default=False, help_text="The store has inventory of some item there.")
    vacated = models.BooleanField(
        default=False, help_text="All goods of ours that it showed are sold from elsewhere since: it should show 0."
    )
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["store", "ref"], name="store_location_once")]

    def __str__(self) -> str:
        return self.name
