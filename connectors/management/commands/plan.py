"""`plan RUN`: what a run would change or changed, the riskiest lines first; whole as a CSV file."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import plan_lines
from connectors.commands import named_run
from connectors.models import RunItem, SyncRun
from connectors.models.runs import Outcome
from syncconsole.kernel.commands import LISTED, JsonCommand, Report, output_file
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import money, n, plural, signed


class Command(JsonCommand):
    help = "Print the totals of a run's plan and its lines, the riskiest first, or write the lines to a CSV file."
    permission = plan_lines.SEE_RIGHT

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("run", type=int, help="Number of the run.")
        parser.add_argument("--outcome", choices=Outcome.values, help="Only lines that ended so.")
        parser.add_argument("--flag", choices=list(plan_lines.FLAGS), default="", help="Only such changes.")
        parser.add_argument("--item", default="", metavar="WORDS", help="Only lines whose SKU or title has them.")
        parser.add_argument("--csv", metavar="FILE", help="Write all of these lines to this file, as they are read.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        run = named_run(options["run"])
        rows = plan_lines.filtered(run, options["flag"], options["item"].strip())
        if options["outcome"]:
            rows = rows.filter(outcome=options["outcome"])
        count = rows.count()
        data: dict[str, Any] = {
            "run": run.pk,
            "kind": run.kind,
            "store": run.store.slug,
            "status": run.status,
            "totals": run.totals,
            "limits_passed": run.limits_passed,
            "counts": plan_lines.outcomes_of(run),
            "count": count,
        }
        lines = [f"Run #{run.pk} · {run.label} · {run.store} · {run.state.label}", *_sums(run), *run.limits_passed]
        if path := options["csv"]:
            with output_file(path) as file:
                file.writelines(plan_lines.csv_of(rows))
            return Report({**data, "file": path}, [*lines, f"{plural(count, 'line')} written to {path}."])
        told = [_told(row) for row in rows.order_by("-risk", "id")[:LISTED]]
        lines += [_line(each) for each in told]
        lines.append(f"{plural(count, 'line')}." if count <= LISTED else f"{n(count)} lines; {LISTED} are printed.")
        return Report({**data, "lines": told}, lines)


def _sums(run: SyncRun) -> list[str]:
    """The plan's sums in a sentence, once there is a plan."""
    sums = run.totals
    if "rows" not in sums:
        return []
    units = signed(int(sums["units_up"]) + int(sums["units_down"]))
    levels = f"{plural(sums['rows'], 'level')} to change, {n(sums['to_zero'])} to zero, {n(sums.get('held', 0))} held"
    without = f", {n(sums['without_cost'])} without cost" if sums.get("without_cost") else ""
    return [f"{levels}; {units} units net, {n(sums['units'])} moved, {money(sums['value'])} at cost{without}."]


def _told(row: RunItem) -> dict[str, Any]:
    return {
        "item": row.label,
        "place": row.place,
        "before": row.before,
        "after": row.after,
        "delta": row.delta,
        "value": row.value,
        "flags": row.flags,
        "outcome": row.outcome,
        "cause": row.cause,
        "remedy": row.remedy,
    }


def _line(told: dict[str, Any]) -> str:
    before, after = ("–" if value is None else str(value) for value in (told["before"], told["after"]))
    outcome = Outcome(told["outcome"]).label
    why = f"{told['cause']} {told['remedy']}".strip()
    return f"{told['delta']:+8d}  {before} → {after}  {told['item']}, {told['place']}. {outcome}. {why}".rstrip()
