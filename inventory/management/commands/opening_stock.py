"""`opening_stock LOCATION …`: plan what a location holds when Sync Console takes over; `--post PLAN` signs and posts it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from catalog.csv_rows import FileRefused
from connectors.commands import named_store
from inventory import openings
from inventory.commands import named_location
from inventory.models import Location, OpeningPlan
from inventory.openings import OpeningRefused
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person, input_file
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import money, plural


class Command(JsonCommand):
    help = "Plan the opening stock of a location from a store or a file; --post signs a plan (with --as) and posts it."
    permission = openings.RIGHT
    refusals = (OpeningRefused, FileRefused)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("location", help="Code of our location.")
        parser.add_argument("--store", help="Slug: its on hand as last read, or with --file its inventory CSV.")
        parser.add_argument("--file", help="A CSV file: ours, or with --store Shopify's inventory export.")
        parser.add_argument("--post", type=int, metavar="PLAN", help="Sign and post the plan of this number.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        location = named_location(options["location"])
        if options["post"]:
            return self._post(location, options["post"], actor)
        plan = self._plan(location, actor, options)
        sums, without = plan.totals, plural(plan.totals["without_cost"], "level")
        on_hand, moved = money(sums["stock_value"]), money(sums["value_moved"])
        lines = [
            f"Plan {plan.pk}: {sums['changes']:,} of {sums['levels']:,} levels differ from the ledger.",
            f"Value at cost: {on_hand} on hand, {moved} that moves; {without} without a cost.",
            f"Sign it in the console, or with: manage.py opening_stock {location.code} --post {plan.pk} --as EMAIL",
        ]
        complaints = [f"Line {line}: {cause} {remedy}" for line, cause, remedy in plan.problems]
        return Report(told(plan), lines, complaints, complete=not plan.problems)

    @staticmethod
    def _plan(location: Location, actor: User | None, options: dict[str, Any]) -> OpeningPlan:
        store = named_store(options["store"]) if options["store"] else None
        if options["file"]:
            with input_file(options["file"]) as stream:
                return openings.plan_from_file(location, stream, Path(options["file"]).name, actor, store=store)
        if store is None:
            raise Refused("No source is named.", "Give --store, --file, or both for Shopify's inventory CSV.")
        return openings.plan_from_store(location, store, actor)

    @staticmethod
    def _post(location: Location, number: int, actor: User | None) -> Report:
        plan = OpeningPlan.objects.filter(pk=number, location=location).first()
        if plan is None:
            raise Refused(f"{location} has no plan {number}.", "Look under Opening stock in the console.")
        plan = openings.sign(plan, acting_person(actor, "Signing a plan"))
        openings.post(plan)
        plan.refresh_from_db()
        counts = openings.outcomes(plan)
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        return Report({**told(plan), "outcomes": counts}, [f"{plan}: {said}."], complete=not counts.get("left"))


def told(plan: OpeningPlan) -> dict[str, Any]:
    """What a script wants to know of a plan."""
    return {
        "plan": plan.pk,
        "location": plan.location.code,
        "source": plan.source,
        "origin": plan.origin,
        "state": plan.state,
        **plan.totals,
        "problem_rows": [dict(zip(("line", "cause", "remedy"), row, strict=True)) for row in plan.problems],
    }
