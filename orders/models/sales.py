"""Sales orders: what a store sold, in the store's own figures; who bought stands apart, so that it can be erased."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from catalog.models import Variant
from connectors.models import Store
from orders.models.incoming import IncomingOrder
from syncconsole.kernel.currencies import written
from syncconsole.kernel.status import Meaning

if TYPE_CHECKING:
    AmountField = models.DecimalField[Decimal | int | str, Decimal]


def money(name: str = "") -> AmountField:
    """An amount of money. Four places: no currency in use has more, and the store's own figures are kept as they are."""
    return models.DecimalField(name or None, max_digits=20, decimal_places=4, default=Decimal(0))


def words() -> ArrayField[list[str], list[str]]:
    """Names as the store wrote them, each once."""
    return ArrayField(models.CharField(max_length=255), default=list, blank=True)


class OrderStatus(models.TextChoices):
    """Where an order stands; derived from what the store says of its goods."""

    RELEASED = "released", "Released"
    WAVED = "waved", "Waved"
    SHIPPED = "shipped", "Shipped"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def meaning(self) -> Meaning:
        return {
            OrderStatus.RELEASED: Meaning.WAITS,
            OrderStatus.WAVED: Meaning.RUNNING,
            OrderStatus.SHIPPED: Meaning.OK,
            OrderStatus.CANCELLED: Meaning.OFF,
        }[self]


class SalesOrder(models.Model):
    """One order of a store, as its newest version that could be carried says.

    Identity is the incoming order's: (store, remote reference). `number` is what people see; it is not unique and is
    never shown without the store. Amounts are in `currency`, the buyer's; those ending in `_shop` in the shop's. They
    are as ordered, before returns, except `current_total`.
    """

    incoming = models.OneToOneField(IncomingOrder, on_delete=models.PROTECT, related_name="sales_order")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="sales_orders")
    number = models.CharField(max_length=120)
    third_party_ref = models.CharField("third-party reference", max_length=255, blank=True)
    """The order's id where it was first taken (a marketplace, a till); one order of a store has it."""
    channel = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=12, choices=OrderStatus.choices, default=OrderStatus.RELEASED)
    financial_status = models.CharField(max_length=30, blank=True)
    placed_at = models.DateTimeField()
    """Creation in the store; never its back-dated `processed_at`."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    remote_updated_at = models.DateTimeField()
    revision = models.PositiveIntegerField()
    """The version of the incoming order that stands here."""
    written_at = models.DateTimeField()

    currency = models.CharField(max_length=3)
    shop_currency = models.CharField(max_length=3)
    taxes_included = models.BooleanField()
    """Prices of lines and of delivery contain their taxes."""
    goods = money()
    """Lines after all discounts, tips left out: the store's subtotal."""
    shipping = money()
    """Delivery after discounts."""
    tax = money()
    duties = money()
    fees = money()
    tips = money()
    discounts = money()
    """Already taken off goods and shipping."""
    total = money()
    current_total = money()
    received = money()
    refunded = money()
    rounding = money("cash rounding")
    """What cash rounding added to the payment; not in the total."""
    goods_shop = money()
    shipping_shop = money()
    tax_shop = money()
    duties_shop = money()
    fees_shop = money()
    tips_shop = money()
    discounts_shop = money()
    total_shop = money()
    current_total_shop = money()
    received_shop = money()
    refunded_shop = money()
    rounding_shop = money("cash rounding in the shop's currency")
    conversion_shop = money("rounding of the conversion")
    """Σ of the shop's amounts is so far from the shop's total, because each was converted and rounded by itself."""

    gateways = words()
    shipping_methods = words()
    tax_names = words()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "third_party_ref"], condition=~Q(third_party_ref=""), name="third_party_ref_once"
            )
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="sales_order_newest"),
            models.Index(fields=["store", "-placed_at", "-id"], name="sales_order_of_store"),
            models.Index(fields=["store", "status", "-placed_at", "-id"], name="sales_order_by_status"),
            models.Index(Upper("number"), name="sales_order_number"),
            models.Index(Upper("third_party_ref"), name="sales_order_third", condition=~Q(third_party_ref="")),
        ]
        permissions = [("edit_order", "Can change an order here until the store's next update")]

    def __str__(self) -> str:
        return self.number

    @property
    def state(self) -> OrderStatus:
        """The status as a member of its enum."""
        return OrderStatus(self.status)

    @property
    def payment(self) -> str:
        """The store's word for the payment, e.g. partially paid; empty where it says nothing."""
        return self.financial_status.replace("_", " ")


class Buyer(models.Model):
    """Who bought, and where it goes: everything of an order that names a person, in one row that can be erased."""

    order = models.OneToOneField(SalesOrder, on_delete=models.CASCADE, related_name="buyer")
    name = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=255, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    company = models.CharField(max_length=255, blank=True)
    tax_id = models.CharField("tax id", max_length=120, blank=True)
    business = models.CharField(max_length=255, blank=True)
    """What tells a business from others (`orders.buyers.business`), which is mapped; empty for a private buyer."""
    billing_address = models.JSONField(null=True, blank=True)
    shipping_address = models.JSONField(null=True, blank=True)
    note = models.TextField(blank=True)
    withheld = words()
    """What the store refused to tell."""
    redacted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["business"], condition=~Q(business=""), name="buyer_business")]

    def __str__(self) -> str:
        return self.company or self.name


class LineKind(models.TextChoices):
    GOODS = "goods", "Goods"
    GIFT_CARD = "gift_card", "Gift card"
    TIP = "tip", "Tip"
    CUSTOM = "custom", "Custom line"
    BUNDLE = "bundle", "Bundle"
    COMPONENT = "component", "Part of a bundle"
    SHIPPING = "shipping", "Delivery"
    DUTY = "duty", "Duty"
    FEE = "fee", "Fee"


class SalesOrderLine(models.Model):
    """Something that was charged. Net = unit price × quantity − discount. A bundle only heads its parts, and is worth 0.

    `quantity` is as ordered; what was removed or refunded is missing from `current_quantity`. `open_quantity` is still
    to be sent, `shipped_quantity` was. Units are whole.
    """

    order = models.ForeignKey(SalesOrder, on_delete=models.CASCADE, related_name="lines")
    ref = models.CharField(max_length=120)
    """The store's own; for what has none there, a word of ours."""
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind.choices)
    parent_ref = models.CharField(max_length=120, blank=True)
    """The bundle of a part, the line of a duty."""
    variant = models.ForeignKey(Variant, null=True, blank=True, on_delete=models.PROTECT, related_name="order_lines")
    item_ref = models.CharField("inventory item", max_length=120, blank=True)
    sku = models.CharField("SKU", max_length=255, blank=True)
    title = models.CharField(max_length=512)
    method = models.CharField(max_length=255, blank=True)
    """Of a delivery: the store's name of the shipping method, which is mapped."""

    quantity = models.PositiveIntegerField()
    current_quantity = models.PositiveIntegerField()
    open_quantity = models.PositiveIntegerField("open", default=0)
    shipped_quantity = models.PositiveIntegerField("shipped", default=0)
    removed = models.BooleanField(default=False)
    """A delivery that was taken off the order; it is in no total."""

    unit_price = money()
    discount = money()
    net = money()
    tax = money()
    unit_price_shop = money()
    discount_shop = money()
    net_shop = money()
    tax_shop = money()
    taxes = models.JSONField(default=list)
    """Of each tax: name (which is mapped), title, rate as a share or null, amount, amount_shop; amounts as text."""

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "ref"], name="sales_line_once")]
        indexes = [models.Index(fields=["item_ref"], condition=~Q(item_ref=""), name="sales_line_of_item")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_goods(self) -> bool:
        """Something that is sent, or could be."""
        return self.kind in (LineKind.GOODS, LineKind.COMPONENT, LineKind.CUSTOM, LineKind.GIFT_CARD)

    @property
    def off(self) -> Decimal:
        """What the discount did to the price: never above zero."""
        return -self.discount


class SalesOrderPayment(models.Model):
    """A movement of money on an order, or a try at one, as the store tells of it (`connectors.ports.orders.Transaction`)."""

    order = models.ForeignKey(SalesOrder, on_delete=models.CASCADE, related_name="payments")
    ref = models.CharField(max_length=120)
    kind = models.CharField(max_length=30)
    status = models.CharField(max_length=30)
    gateway = models.CharField(max_length=255, blank=True)
    manual = models.BooleanField(default=False, help_text="Collected by the merchant: cash on delivery, bank transfer.")
    test = models.BooleanField(default=False)
    amount = money()
    rounding = money()
    currency = models.CharField(max_length=3)
    amount_shop = money()
    processed_at = models.DateTimeField(null=True, blank=True)
    parent_ref = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["processed_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["order", "ref"], name="sales_payment_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class EditedField(models.TextChoices):
    QUANTITY = "quantity", "Quantity"
    UNIT_PRICE = "unit_price", "Unit price"


class LocalEdit(models.Model):
    """A value of a line that a person changed here. It stands until the store's next update, which overwrites it."""

    order = models.ForeignKey(SalesOrder, on_delete=models.CASCADE, related_name="edits")
    line_ref = models.CharField(max_length=120)
    line_title = models.CharField(max_length=512)
    field = models.CharField(max_length=12, choices=EditedField.choices)
    before = money()
    ours = money()
    reason = models.CharField(max_length=300)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()
    overwritten_at = models.DateTimeField(null=True, blank=True)
    theirs = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    """What the store's update put in its place."""

    class Meta:
        ordering = ["edited_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "line_ref", "field"],
                condition=Q(overwritten_at=None),
                name="one_standing_edit_per_value",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_field_display()} of {self.line_title}"

    def shown(self, value: Decimal, currency: str) -> str:
        """A value of this field as people read it."""
        return f"{value:,.0f}" if self.field == EditedField.QUANTITY else written(value, currency)
