"""`put_back STORE ORDER`: goods cancelled without a word of where they are: say if they are back, or gone."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from orders import put_back
from orders.commands import OrderCommand
from syncconsole.kernel.commands import Report, acting_person
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural


class Command(OrderCommand):
    help = "List what was written off because a cancellation told of no refund; with --answer, say what became of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--answer", choices=("back", "gone"), help="Back: the store restocked them, they are here.")
        parser.add_argument("--reason", default="", help="How you know; kept with the entries and in the audit log.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        row, units, lines = self.order(options), 0, []
        if options["answer"]:
            person, came_back = acting_person(actor, "An answer"), options["answer"] == "back"
            units = put_back.settle(row, came_back=came_back, reason=options["reason"], by=person)
            lines.append(
                f"{plural(units, 'unit is,units are')} back in stock." if came_back else "The write-off stands."
            )
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
        lines += [f"{each['units']} × {each['item']} at {each['location']}: back, or gone?" for each in asked]
        data = {"store": row.store.slug, "order": row.name, "ref": row.ref, "units": units, "in_question": asked}
        return Report(data, lines or [f"Nothing is asked of {row}."])
