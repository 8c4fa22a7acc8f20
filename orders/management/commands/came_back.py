"""`came_back STORE ORDER`: goods that left here and that their store cancelled with restock: say how many came back."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from orders import came_back
from orders.commands import GoodsCommand
from orders.models import IncomingOrder, OrderStock
from orders.shipping import Units, Wanted
from syncconsole.kernel.commands import acting_person
from syncconsole.kernel.models import User


class Command(GoodsCommand):
    help = "Say how many units in doubt came back (LINE=0/2: none of that line); without --units, --all, --none: list them."
    held = "in doubt"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="How you know; kept in the audit log.")

    def further(self, which: Any) -> None:
        which.add_argument("--none", action="store_const", const="none", dest="whole", help="None of them came back.")

    def goods(self, row: IncomingOrder) -> Sequence[OrderStock]:
        return came_back.in_doubt(row)

    def units_of(self, stock: OrderStock) -> int:
        return stock.in_doubt

    def book(self, row: IncomingOrder, wanted: Wanted, actor: User | None, options: dict[str, Any]) -> tuple[int, str]:
        person = acting_person(actor, "Saying what came back")
        came = {pk: Units(0, of=units.of) for pk, units in wanted.items()} if options["whole"] == "none" else wanted
        units = came_back.settle(row, came, reason=options["reason"], by=person)
        gone = sum(each.of for each in came.values()) - units
        return units, f"back and can be sold again, {gone} did not come back"
