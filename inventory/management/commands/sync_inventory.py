"""Inventory jobs from the command line: the same functions as the console and the schedule."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import approval
from connectors.commands import named_store
from connectors.following import follow
from connectors.models import Store, SyncRun
from connectors.models.runs import RunStatus, Trigger
from connectors.ports.errors import ConnectorError
from connectors.progress import progress
from connectors.runs import RunAlreadyOpen, RunRefused
from inventory import jobs
from inventory.jobs import Job
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User

PROBLEMS_SHOWN = 20


class Command(JsonCommand):
    help = "Plan and push inventory of a store. A plan over a limit waits for approve_run."
    permission = "connectors.start_run"
    refusals = (RunRefused, approval.DecisionRefused)
    failures = (ConnectorError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--mode", choices=[job.mode for job in Job], required=True)
        parser.add_argument("--plan-only", action="store_true", help="Stop after the plan; approve_run applies it.")
        parser.add_argument("--yes", action="store_true", help="Apply a full plan that passes no limit without asking.")
        parser.add_argument("--reason", default="", help="Why a full sync: go-live, major discrepancy, …")
        parser.add_argument(
            "--confirm", default="", metavar="SLUG", help="The store's slug, typed; full after go-live."
        )

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        if options["yes"] and options["plan_only"]:
            raise Refused("--yes and --plan-only contradict each other.", "Give one of them.")
        run = self._start(store, actor, options)
        run = follow(run, say=self.stderr.write)
        if run.status == RunStatus.AWAITING_APPROVAL and options["yes"]:
            approval.approve_without_limits(run, actor)
            run = follow(run, say=self.stderr.write)
        waits_by_wish = run.status == RunStatus.AWAITING_APPROVAL and not options["yes"]
        complete = run.status == RunStatus.COMPLETED or waits_by_wish
        return Report(data=run_as_dict(run), lines=run_lines(run), complete=complete)

    def _start(self, store: Store, actor: User | None, options: dict[str, Any]) -> SyncRun:
        common: dict[str, Any] = {
            "trigger": Trigger.COMMAND,
            "requested_by": actor,
            "plan_only": options["plan_only"],
        }
        try:
            job = Job.of_mode(options["mode"])
            return jobs.start(store, job, reason=options["reason"], confirmation=options["confirm"], **common)
        except RunAlreadyOpen as open_already:
            if open_already.run.status == RunStatus.AWAITING_APPROVAL:
                raise
            self.stderr.write(f"{open_already.cause} Following it.")
            return open_already.run


def run_as_dict(run: SyncRun) -> dict[str, Any]:
    """What a script wants to know of a run."""
    seconds = (run.finished_at - run.created_at).total_seconds() if run.finished_at else None
    return {
        "run": run.pk,
        "kind": run.kind,
        "store": run.store.slug,
        "status": run.status,
        "headline": progress(run).headline,
        "gates": run.gates,
        "totals": run.totals,
        "limits_passed": run.limits_passed,
        "counts": run.counts,
        "calls": run.calls,
        "points": run.points,
        "seconds": seconds,
        "cause": run.cause,
        "remedy": run.remedy,
        "problems": list(
            run.items.exclude(cause="").values("label", "place", "outcome", "cause", "remedy")[:PROBLEMS_SHOWN]
        ),
    }


def run_lines(run: SyncRun) -> list[str]:
    """The same for a person."""
    facts = run_as_dict(run)
    lines = [f"Run #{run.pk} · {run.label} · {run.store} · {run.state.label}", facts["headline"]]
    lines += [
        f"Needs approval: {sentence}" for sentence in run.limits_passed if run.status == RunStatus.AWAITING_APPROVAL
    ]
    lines += [
        f"{row['outcome']}: {row['label']}, {row['place']}: {row['cause']} {row['remedy']}" for row in facts["problems"]
    ]
    if run.status == RunStatus.AWAITING_APPROVAL:
        lines.append(f"Approve it with: manage.py approve_run {run.pk} --as EMAIL")
    if run.remedy:
        lines.append(run.remedy)
    return lines
