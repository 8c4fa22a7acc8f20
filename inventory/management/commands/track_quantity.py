"""`track_quantity STORE`: which linked variants a store does not track, and switching it on there."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from connectors.following import follow
from connectors.models import RunItem
from connectors.models.runs import Outcome, RunStatus, Trigger
from connectors.progress import progress
from connectors.runs import RunRefused
from inventory.tracking import start_tracking, untracked
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User

SHOWN = 100


class Command(JsonCommand):
    help = "List linked variants whose quantity the store does not track; --all or --item switches it on there."
    permission = "connectors.start_run"
    refusals = (RunRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--all", action="store_true", dest="every", help="Switch it on for all of them.")
        parser.add_argument("--item", action="append", default=[], metavar="NUMBER", help="Switch it on for this item.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        rows = untracked(store)
        if not options["every"] and not options["item"]:
            items = list(rows.order_by("pk").values_list("variant__item_number", flat=True)[:SHOWN])
            count = rows.count()
            return Report({"store": store.slug, "untracked": count, "items": items}, [f"{count:,} untracked.", *items])
        chosen = rows.filter(variant__item_number__in=options["item"]).values_list("pk", flat=True)
        run = start_tracking(
            store, None if options["every"] else list(chosen), trigger=Trigger.COMMAND, requested_by=actor
        )
        run = follow(run, say=self.stderr.write)
        refused = RunItem.objects.filter(run=run, outcome=Outcome.REFUSED).values("label", "cause", "remedy")[:SHOWN]
        data = {"run": run.pk, "status": run.status, "counts": run.counts, "refused": list(refused)}
        complete = run.status == RunStatus.COMPLETED
        return Report(data, [progress(run).headline], complete=complete)
