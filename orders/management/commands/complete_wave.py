"""`complete_wave WAVE --picked FILE`: ship what was picked of a wave; what is short goes back to released."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.csv_rows import FileRefused
from orders import picking, waves
from orders.commands import named_wave
from orders.management.commands.wave_orders import said, told
from orders.waves import WaveRefused
from syncconsole.kernel.commands import JsonCommand, Report, acting_person, input_file
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural


class Command(JsonCommand):
    help = "Ship what a file (of `waves WAVE --csv FILE`) says was picked. Exit 1 when an order was left out."
    permission = waves.WAVE_RIGHT
    refusals = (WaveRefused, FileRefused)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("wave", type=int, help="Number of the wave.")
        parser.add_argument("--picked", required=True, metavar="FILE", help="The CSV file; - is standard input.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        wave, person = named_wave(options["wave"]), acting_person(actor, "Shipping a wave")
        with input_file(options["picked"]) as stream:
            picked = picking.read(stream)
        done = waves.complete(wave, picked, by=person)
        wave.refresh_from_db()
        data = {"wave": wave.pk, "state": wave.state, "units": done.units, "left_out": told(done.left_out)}
        units = plural(done.units, "unit is,units are")
        line = f"{wave}: {units} booked as shipped. It is {wave.standing.label.lower()}."
        return Report(data, [line], said(done.left_out), complete=not done.left_out)
