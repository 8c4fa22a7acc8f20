"""`changes`: the queue of objects to be read from the stores; what failed, and `--retry` to have it read again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.db.models import Count, F

from connectors import changes, inbox
from connectors.commands import named_store
from connectors.models.webhooks import ChangeState
from syncconsole.kernel.commands import JsonCommand, Report, person
from syncconsole.kernel.models import User

SHOWN: Final = 20


class Command(JsonCommand):
    help = (
        "Count the objects that wait to be read from the stores, and list those that failed. Exit 1 when some failed."
    )
    permission = "connectors.view_remotechange"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", nargs="?", metavar="STORE", help="The store's short name; without it, all stores.")
        parser.add_argument("--kind", default="", help="Only this kind, e.g. order.")
        parser.add_argument("--retry", action="store_true", help="Have every failed one of them read again.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store, kind = options["store"] or "", options["kind"]
        if store:
            named_store(store)
        failed = changes.found(store=store, kind=kind, states=[ChangeState.FAILED])
        retried = 0
        if options["retry"]:
            person(options["as_email"], inbox.HANDLE_RIGHT)
            what = f"{store or 'all stores'}: {kind or 'every kind'}, failed"
            retried = changes.retry(failed, by=actor, what=what)
        return _report(store, kind, retried)


def _report(store: str, kind: str, retried: int) -> Report:
    rows = changes.found(store=store, kind=kind)
    counted = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    counts = {state.value: counted.get(state.value, 0) for state in ChangeState}
    failed = rows.filter(state=ChangeState.FAILED).order_by("-pk")
    problems = list(failed.values("kind", "ref", "cause", "remedy", slug=F("store__slug"))[:SHOWN])
    data = {"counts": counts, "retried": retried, "failed": problems}
    lines = [", ".join(f"{counts[state.value]:,} {state.label.lower()}" for state in ChangeState) + "."]
    if retried:
        lines.insert(0, f"{retried:,} failed ones wait again.")
    complaints = [f"{row['slug']} {row['kind']} {row['ref']}: {row['cause']} {row['remedy']}" for row in problems]
    return Report(data, lines, complaints, complete=not counts[ChangeState.FAILED])
