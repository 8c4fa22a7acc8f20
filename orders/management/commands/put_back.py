"""`put_back STORE ORDER`: goods cancelled without a word of where they are: say how many are back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from inventory.models import LedgerEntry
from orders import put_back
from orders.commands import OrderCommand, asked_units
from orders.shipping import Units
from syncconsole.kernel.commands import Report, acting_person
from syncconsole.kernel.models import User


class Command(OrderCommand):
    help = "List what was written off because a cancellation told of no refund; with --answer or --units, say what was put back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        answer = parser.add_mutually_exclusive_group()
        answer.add_argument(
            "--answer", choices=("back", "gone"), help="Back: the store restocked all of it, it is here."
        )
        answer.add_argument(
            "--units",
            nargs="+",
            default=[],
            metavar="ENTRY=N/OFF",
            help="So many of what was written off were put back, for each entry listed, e.g. 812=1/3; named by SKU, too.",
        )
        parser.add_argument("--reason", default="", help="How you know; kept with the entries and in the audit log.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        row, units, lines = self.order(options), 0, []
        if options["answer"] or options["units"]:
            person = acting_person(actor, "An answer")
            came = self._came(put_back.in_question(row), options)
            units = put_back.settle(row, came, reason=options["reason"], by=person)
            gone = sum(each.of for each in came.values()) - units
            lines.append(f"{units:,} back in stock, {gone:,} written off for good.")
            row.refresh_from_db()
        asked = [
            {
                "entry": entry.pk,
                "sku": entry.level.variant.sku,
                "item": entry.level.variant.label,
                "location": entry.level.location.code,
                "units": int(-entry.on_hand_delta),
            }
            for entry in put_back.in_question(row)
        ]
        lines += [
            f"{each['entry']:>8}  {each['units']} × {each['item']} at {each['location']}: back, or gone?"
            for each in asked
        ]
        data = {"store": row.store.slug, "order": row.name, "ref": row.ref, "units": units, "in_question": asked}
        return Report(data, lines or [f"Nothing is asked of {row}."])

    @staticmethod
    def _came(asked: list[LedgerEntry], options: dict[str, Any]) -> dict[int, Units]:
        if options["units"]:
            skus = {entry.pk: entry.level.variant.sku for entry in asked}
            return dict(asked_units(text, skus) for text in options["units"])
        off = {entry.pk: int(-entry.on_hand_delta) for entry in asked}
        return {pk: Units(units if options["answer"] == "back" else 0, of=units) for pk, units in off.items()}
