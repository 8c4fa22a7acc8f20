"""`undo_run RUN --reason TEXT`: plan to take back what a run changed, where nothing else has touched it since."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_run
from connectors.following import follow
from connectors.models.runs import RunStatus, Trigger
from connectors.runs import RunRefused
from inventory import undo
from inventory.management.commands.sync_inventory import run_as_dict, run_lines
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Plan the undo of a run; approve_run carries the plan out. Levels taken back are frozen until let go."
    permission = "connectors.start_run"
    refusals = (RunRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("run", type=int, help="Number of the run that was wrong.")
        parser.add_argument("--reason", default="", help="What was wrong with it; shown on each frozen level.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        wrong = named_run(options["run"])
        opened = undo.start(wrong, trigger=Trigger.COMMAND, reason=options["reason"], requested_by=actor)
        run = follow(opened, say=self.stderr.write)
        return Report(run_as_dict(run), run_lines(run), complete=run.status == RunStatus.AWAITING_APPROVAL)
