"""`move_allocation STORE ORDER --to LOCATION`: goods of an order are held, and will be sent, from another location."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from inventory.commands import named_location
from orders import allocation
from orders.commands import GoodsCommand
from orders.models import IncomingOrder
from orders.shipping import Wanted
from syncconsole.kernel.commands import Refused
from syncconsole.kernel.models import User


class Command(GoodsCommand):
    help = "Hold goods of an order at another of our locations; without --all and --units, list what it holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--to", metavar="CODE", help="Our location that holds them from now on.")

    def book(self, row: IncomingOrder, wanted: Wanted, actor: User | None, options: dict[str, Any]) -> tuple[int, str]:
        if not options["to"]:
            raise Refused("No location was given.", "Say with --to CODE where the goods are held from now on.")
        to = named_location(options["to"])
        return allocation.move(row, wanted, to, by=actor), f"held at {to} from now on"
