"""`wave_orders LOCATION`: put released orders, those placed first at the head, in a new wave; `--preview` shows which."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from inventory.commands import named_location
from orders import waves
from orders.waves import LeftOut, WaveRefused
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

USUAL = 20


class Command(JsonCommand):
    help = "Make a wave of released orders whose goods are held at a location, or --preview it. Nothing moves by that."
    permission = waves.WAVE_RIGHT
    refusals = (WaveRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("location", help="Code of our location.")
        parser.add_argument("--store", help="Slug: orders of this store alone.")
        parser.add_argument("--limit", type=int, default=USUAL, metavar="N", help=f"Orders; {USUAL} unless given.")
        parser.add_argument("--parts", action="store_true", help="Also orders of which some goods are held elsewhere.")
        parser.add_argument("--preview", action="store_true", help="Show which orders it would be; make nothing.")
        parser.add_argument("--intent", type=uuid.UUID, metavar="UUID", help="Said twice with the same, one is made.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        location, limit = named_location(options["location"]), options["limit"]
        store = named_store(options["store"]) if options["store"] else None
        if not 1 <= limit <= waves.MOST:
            raise Refused(f"A wave of {limit:,} orders cannot be made.", f"Give --limit 1 to {waves.MOST}.")
        chosen: list[Any] = list(waves.choices(location, store=store, parts=options["parts"], limit=limit))
        orders = [
            {
                "order": sale.number,
                "store": sale.store.slug,
                "placed_at": sale.placed_at,
                "lines": sale.lines_here,
                "units": sale.units_here,
            }
            for sale in chosen
        ]
        units = sum(row["units"] for row in orders)
        data = {"location": location.code, "orders": orders, "units": units, "wave": None, "left_out": []}
        lines = [f"{row['order']:12} {row['store']:20} {plural(row['units'], 'unit')}" for row in orders]
        if options["preview"]:
            lines.append(f"{plural(len(orders), 'order')}, {plural(units, 'unit')} at {location}.")
            return Report(data, lines)
        intent, person = options["intent"] or uuid.uuid4(), acting_person(actor, "A wave")
        made = waves.create(location, [sale.incoming_id for sale in chosen], intent=intent, by=person)
        data |= {"wave": made.wave.pk, "left_out": told(made.left_out)}
        lines.append(f"{made.wave} at {location} is made.")
        return Report(data, lines, said(made.left_out), complete=not made.left_out)


def told(left_out: list[LeftOut]) -> list[dict[str, str]]:
    """Orders that were left out, for a script."""
    return [{"order": each.order, "cause": each.cause} for each in left_out]


def said(left_out: list[LeftOut]) -> list[str]:
    """The same for people."""
    return [f"{each.order} is left out: {each.cause}." for each in left_out]
