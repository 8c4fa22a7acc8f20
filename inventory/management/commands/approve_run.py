"""Approve or reject a waiting plan from the command line, as a named person."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import approval
from connectors.commands import named_run
from connectors.following import follow
from connectors.models.runs import RunStatus
from inventory.management.commands.sync_inventory import run_as_dict, run_lines
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Approve (or --reject) a plan that waits, then apply it and report."
    permission = "connectors.approve_run"
    refusals = (approval.DecisionRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("run", type=int, help="Number of the run.")
        parser.add_argument("--reject", metavar="REASON", help="Reject the plan instead; nothing is written.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        if actor is None:
            raise Refused("Approving is done by a person.", "Say who with --as EMAIL.")
        run = named_run(options["run"])
        if options["reject"] is not None:
            approval.reject(run, actor, options["reject"])
            return Report(data=run_as_dict(run), lines=run_lines(run))
        approval.approve(run, actor)
        run = follow(run, say=self.stderr.write)
        return Report(data=run_as_dict(run), lines=run_lines(run), complete=run.status == RunStatus.COMPLETED)
