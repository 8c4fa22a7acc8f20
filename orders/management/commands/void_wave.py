"""`void_wave WAVE --reason TEXT`: give all that waits in a wave back to released."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from orders import waves
from orders.commands import named_wave
from orders.waves import WaveRefused
from syncconsole.kernel.commands import JsonCommand, Report, acting_person
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Void a wave: nothing of it is shipped, and its orders are released again."
    permission = waves.WAVE_RIGHT
    refusals = (WaveRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("wave", type=int, help="Number of the wave.")
        parser.add_argument("--reason", default="", help="Why it is not picked; kept with the wave.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        wave = named_wave(options["wave"])
        waves.void(wave, reason=options["reason"], by=acting_person(actor, "Voiding a wave"))
        wave.refresh_from_db()
        data = {"wave": wave.pk, "state": wave.state, "reason": wave.reason}
        return Report(data, [f"{wave} is voided; its goods are released again."])
