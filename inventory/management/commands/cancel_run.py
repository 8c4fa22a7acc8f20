"""`cancel_run RUN`: stop a run after the batch it is sending; a plan that waits is rejected."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import approval
from connectors.commands import named_run
from inventory.management.commands.sync_inventory import run_as_dict, run_lines
from syncconsole.kernel.commands import JsonCommand, Report, acting_person
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Stop a run after the batch it is sending. What was written stays."
    refusals = (approval.DecisionRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("run", type=int, help="Number of the run.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        run = named_run(options["run"])
        approval.cancel(run, acting_person(actor, "Cancelling a run"))
        return Report(run_as_dict(run), run_lines(run))
