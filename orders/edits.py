"""Values of a store's order that a person changes here: they stand until the store's next update overwrites them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from django.db import transaction
from django.utils import timezone

from orders.models import EditedField, IncomingOrder, LineKind, LocalEdit, SalesOrder, SalesOrderLine
from syncconsole.kernel import audit
from syncconsole.kernel.currencies import rounded
from syncconsole.kernel.models import User
from syncconsole.kernel.refusals import Refusal

EDIT_RIGHT = "orders.edit_order"
LARGEST = Decimal(1_000_000_000)
UNEDITED = (LineKind.BUNDLE, LineKind.TIP)
"""Kinds of lines whose values are made of others'."""


OVERWRITTEN: Final = (
    (
        "What you change here is overwritten by the store's next update of the order, whatever it is about; both values "
        "are kept and shown."
    ),
    "To change it for good, edit the order in the store.",
)
"""What a person reads before they change a value."""


class EditRefused(Refusal):
    """A value that cannot stand; `cause` and `remedy` say why and what can."""


def change_line(line: SalesOrderLine, field: EditedField, typed: str, *, reason: str, by: User) -> LocalEdit:
    """Put the value that a person typed in place of the store's, and keep both.

    Totals, taxes and stock stay the store's: the order's page then shows by how much its lines are apart from them. A
    second change before the store's next update replaces the first. Raises `EditRefused`.
    """
    if not reason.strip():
        raise EditRefused("No reason was given.", "Write in a few words why the store's value is not right.")
    if line.kind in UNEDITED:
        raise EditRefused(f"{line} is worth what its parts are.", "Change one of its parts.")
    with transaction.atomic():
        sale = _locked(line.order)
        line = sale.lines.get(pk=line.pk)
        ours, before = _value(field, typed, sale.currency), Decimal(getattr(line, field))
        if ours == before:
            raise EditRefused("It is the value that stands already.", "Type another one.")
        edit, _ = LocalEdit.objects.get_or_create(
            order=sale,
            line_ref=line.ref,
            field=field,
            overwritten_at=None,
            defaults={"line_title": line.title, "before": before, "ours": ours, "edited_at": timezone.now()},
        )
        edit.ours, edit.reason, edit.edited_by, edit.edited_at = ours, reason.strip()[:300], by, timezone.now()
        edit.save()
        _put(line, sale, field, ours)
        shown = {str(edit): edit.shown(ours, sale.currency), "reason": edit.reason}
        audit.record(
            by,
            "change order",
            f"{sale} of {sale.store}",
            before={str(edit): edit.shown(before, sale.currency)},
            after=shown,
        )
    return edit


def _locked(order: SalesOrder) -> SalesOrder:
    """The order, under the lock that its import takes, too."""
    IncomingOrder.objects.select_for_update(of=("self",)).get(pk=order.incoming_id)
    return SalesOrder.objects.select_related("store").get(pk=order.pk)


def _value(field: EditedField, typed: str, currency: str) -> Decimal:
    try:
        value = Decimal(typed.strip())
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and 0 <= value < LARGEST):
        raise EditRefused(f"{typed!r} is no {field.label.lower()}.", "Write it in digits with a point, from 0 up.")
    if value != (rounded(value, currency) if field == EditedField.UNIT_PRICE else value.to_integral_value()):
        raise EditRefused(f"{typed} has too many decimals.", "Units are whole, and prices end with the smallest coin.")
    return value


def _put(line: SalesOrderLine, sale: SalesOrder, field: EditedField, ours: Decimal) -> None:
    if field == EditedField.QUANTITY:
        line.quantity = int(ours)
    else:
        rate = sale.total_shop / sale.total if sale.total else Decimal(1)
        line.unit_price, line.unit_price_shop = ours, rounded(ours * rate, sale.shop_currency)
    line.net = line.unit_price * line.quantity - line.discount
    line.net_shop = line.unit_price_shop * line.quantity - line.discount_shop
    line.save(update_fields=["quantity", "unit_price", "unit_price_shop", "net", "net_shop"])
