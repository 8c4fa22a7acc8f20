"""`change_line STORE ORDER`: lines of a sales order; with `--line`, `--units` or `--price` and `--yes`, another value until the
store's next update overwrites it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from orders import edits
from orders.commands import OrderCommand, named_line
from orders.edits import EditRefused
from orders.models import EditedField, SalesOrder, SalesOrderLine
from syncconsole.kernel.commands import Refused, Report, acting_person
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import money


class Command(OrderCommand):
    help = "List the lines of a sales order, or change the units or the price of one until its store's next update."
    permission = "orders.view_salesorder"
    refusals = (EditRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--line", metavar="LINE", help="SKU of the line, or its number as listed.")
        value = parser.add_mutually_exclusive_group()
        value.add_argument("--units", metavar="N", help="So many units were ordered.")
        value.add_argument("--price", metavar="AMOUNT", help="So much for one unit, in the order's currency.")
        parser.add_argument("--reason", default="", help="Kept with the change and in the audit log.")
        parser.add_argument(
            "--yes", action="store_true", help="Change it; needs --as. Without it, what stands is said."
        )

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        row = self.order(options)
        sale = SalesOrder.objects.select_related("store").filter(incoming=row).first()
        if sale is None:
            raise Refused(
                f"{row.name} of {row.store} is no sales order.", "Look at the order queue for what it waits for."
            )
        field, typed = _asked(options)
        lines, changed = [], ""
        if field is not None:
            skus = dict(sale.lines.values_list("pk", "sku"))
            line = sale.lines.get(pk=named_line(options["line"], skus))
            lines = list(edits.OVERWRITTEN)
            if options["yes"]:
                person = acting_person(actor, "A change", edits.EDIT_RIGHT)
                edit = edits.change_line(line, field, typed, reason=options["reason"], by=person)
                changed = f"{edit} is {edit.shown(edit.ours, sale.currency)} until the store's next update."
                lines = [changed]
            else:
                lines.append(f"{field.label} of {line} would be {typed}. Say --yes to change it.")
        told = [_told(line) for line in sale.lines.all()]
        lines += [
            f"{each['line']:>8}  {each['units']} × {money(each['price'], sale.currency)} = "
            f"{money(each['net'], sale.currency)}  {each['title']} {each['sku']}".rstrip()
            for each in told
        ]
        data = {"store": row.store.slug, "order": sale.number, "currency": sale.currency, "total": sale.total}
        return Report({**data, "changed": changed, "lines": told}, lines)


def _asked(options: dict[str, Any]) -> tuple[EditedField | None, str]:
    """Which value, and what was typed for it. Raises Refused where one is given without the other."""
    units, price = options["units"], options["price"]
    if options["line"] is None and units is None and price is None and not options["yes"]:
        return None, ""
    if options["line"] is None or (units is None and price is None):
        raise Refused("Nothing says what to change.", "Give --line, and --units or --price.")
    return (EditedField.QUANTITY, units) if units is not None else (EditedField.UNIT_PRICE, price)


def _told(line: SalesOrderLine) -> dict[str, Any]:
    return {
        "line": line.pk,
        "kind": line.kind,
        "sku": line.sku,
        "title": line.title,
        "units": line.quantity,
        "price": line.unit_price,
        "discount": line.discount,
        "net": line.net,
    }
