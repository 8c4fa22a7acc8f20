"""`ship_order STORE ORDER`: goods of an order have left here; the store is told where its setting says so."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from orders import shipping
from orders.commands import GoodsCommand
from orders.forms import TrackingForm
from orders.models import IncomingOrder
from orders.shipping import Wanted
from orders.tracking import Tracking
from syncconsole.kernel.commands import Refused
from syncconsole.kernel.models import User


class Command(GoodsCommand):
    help = "Book goods of an order as shipped here, all or some; without --all and --units, list what it holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--carrier", default="", help="Who carries the parcel.")
        parser.add_argument("--tracking-number", default="")
        parser.add_argument("--tracking-url", default="", help="Page on which the parcel is followed.")
        parser.add_argument("--notify", action="store_true", help="The store writes to the customer.")

    def book(self, row: IncomingOrder, wanted: Wanted, actor: User | None, options: dict[str, Any]) -> tuple[int, str]:
        units = shipping.ship(row, wanted, by=actor, tracking=_tracking(options))
        told = f"; {row.store} is told of it" if row.store.send_fulfilments else ""
        return units, f"booked as shipped here{told}"


def _tracking(options: dict[str, Any]) -> Tracking:
    """As the page checks it. Raises Refused."""
    form = TrackingForm(
        {
            "company": options["carrier"],
            "number": options["tracking_number"],
            "url": options["tracking_url"],
            "notify": options["notify"],
        }
    )
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        raise Refused(f"{form.fields[name].label} cannot be kept as it is given.", " ".join(map(str, problems)))
    return form.tracking
