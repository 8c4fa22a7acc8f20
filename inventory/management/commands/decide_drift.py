"""Levels that differ, from the command line: listed by cause, and decided as on the page."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from connectors.models import Store
from inventory import deciding
from inventory.commands import named_location
from inventory.deciding import Decision, DriftDecisionRefused
from inventory.models import Drift
from inventory.models.drifts import DriftCause
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User

SHOWN = 50


class Command(JsonCommand):
    help = "List the levels of a store that differ and that nobody decided; with --decision, decide about them."
    permission = deciding.RIGHT
    refusals = (DriftDecisionRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--cause", choices=DriftCause.values, default=DriftCause.UNKNOWN.value)
        parser.add_argument("--drift", type=int, nargs="+", default=[], metavar="ID", help="Only these.")
        parser.add_argument("--decision", choices=Decision.values)
        parser.add_argument("--reason", default="", help="Kept with the entries and in the audit log.")
        parser.add_argument("--location", metavar="CODE", help="Which of our locations takes it, where several may.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        rows = deciding.of_group(store.slug, options["cause"])
        if options["drift"]:
            rows = rows.filter(pk__in=options["drift"])
        drifts = list(
            rows.select_related("publication__listed__variant__product", "publication__store_location")[: deciding.MOST]
        )
        if options["decision"] is None:
            return listed(store, drifts)
        return decided(drifts, Decision(options["decision"]), actor, options)


def listed(store: Store, drifts: list[Drift]) -> Report:
    """What is undecided, oldest first."""
    data = [
        {
            "drift": each.pk,
            "item": each.publication.listed.variant.label,
            "place": each.publication.store_location.name,
            "shown": each.shown,
            "quantity": each.quantity,
            "since": each.first_seen_at,
        }
        for each in drifts
    ]
    lines = [f"{row['drift']:>8}  {row['quantity']:+6d}  {row['item']}, {row['place']}" for row in data[:SHOWN]]
    lines.append(f"{len(drifts)} undecided in {store}, {sum(each.quantity for each in drifts):+d} units.")
    return Report(data={"store": store.slug, "undecided": data}, lines=lines)


def decided(drifts: list[Drift], decision: Decision, actor: User | None, options: dict[str, Any]) -> Report:
    """Decide about them, and say what became of each that was left."""
    choice: dict[int, int] = {}
    if code := options["location"]:
        location = named_location(code)
        choice = {each.publication.store_location_id: location.pk for each in drifts}
    report = deciding.decide([each.pk for each in drifts], decision, by=actor, reason=options["reason"], choice=choice)
    left = [{"drift": row.drift_id, "item": row.label, "cause": row.cause, "remedy": row.remedy} for row in report.left]
    data = {"decision": decision.value, "decided": report.decided, "units": report.units, "left": left}
    lines = [f"{decision.label}: {report.decided} levels, {report.units:+d} units; {len(left)} stay undecided."]
    complaints = [f"{row.label}: {row.cause} {row.remedy}" for row in report.left[:SHOWN]]
    return Report(data=data, lines=lines, complaints=complaints, complete=not left)
