"""`waves [WAVE]`: the waves, or what one of them holds; `--csv` writes what is to be picked of it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from orders import picking, waves
from orders.commands import named_wave
from orders.models import Wave, WaveState
from syncconsole.kernel.commands import JsonCommand, Refused, Report, output_file
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

SHOWN = 50


class Command(JsonCommand):
    help = "List the newest waves, or with a number the lines of one."
    permission = waves.SEE_RIGHT

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("wave", nargs="?", type=int, help="Number of a wave.")
        parser.add_argument("--store", help="Slug: with an order of this store.")
        parser.add_argument("--state", choices=WaveState.values)
        parser.add_argument("--location", metavar="CODE", help="Of one of our locations.")
        parser.add_argument("--csv", metavar="FILE", help="Write what is to be picked of the wave to this file.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        if options["wave"] is not None:
            return _one(named_wave(options["wave"]), options["csv"])
        if options["csv"]:
            raise Refused("A pick list is that of one wave.", "Name the wave by its number.")
        found = waves.summed().select_related("location", "created_by")
        if options["store"]:
            found = waves.with_orders_of(found, named_store(options["store"]).slug)
        if options["state"]:
            found = found.filter(state=options["state"])
        if options["location"]:
            found = found.filter(location__code=options["location"])
        rows = [_told(wave) for wave in found.order_by("-pk")[:SHOWN]]
        lines = [
            f"{row['wave']:>8}  {row['state']:9}  {plural(row['orders'], 'order')}, {row['to_pick']} to pick, "
            f"{row['shipped']} shipped  {row['location']}, {row['created_by']}"
            for row in rows
        ]
        return Report({"waves": rows}, lines or ["There are no such waves."])


def _told(wave: Any) -> dict[str, Any]:
    """A wave as `waves.summed` gives it."""
    return {
        "wave": wave.pk,
        "state": wave.state,
        "location": wave.location.code,
        "orders": wave.orders,
        "to_pick": wave.to_pick,
        "shipped": wave.shipped,
        "created_by": str(wave.created_by),
        "created_at": wave.created_at,
        "closed_at": wave.closed_at,
        "reason": wave.reason,
    }


def _one(wave: Wave, path: str | None) -> Report:
    if path:
        with output_file(path) as file:
            file.writelines(picking.lines(wave))
    rows = wave.lines.select_related("stock__order__store", "stock__variant__product").defer("stock__order__snapshot")
    lines = [
        {
            "line": line.pk,
            "order": line.stock.order.name,
            "store": line.stock.order.store.slug,
            "sku": line.stock.variant.sku,
            "item": line.stock.variant.label,
            "quantity": line.quantity,
            "picked": line.picked,
            "state": line.state,
            "reason": line.reason,
        }
        for line in rows
    ]
    said = [f"{wave} at {wave.location}: {wave.standing.label}."]
    said += [
        f"{row['line']:>8}  {row['state']:7}  {row['quantity']} × {row['item']} of {row['order']}" for row in lines
    ]
    data = {"wave": wave.pk, "state": wave.state, "location": wave.location.code, "reason": wave.reason, "lines": lines}
    return Report(data, said)
