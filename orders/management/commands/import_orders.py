"""Orders of a store from the command line: the same feed and the same reader as the schedule."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db.models import QuerySet

from connectors import feeds
from connectors.commands import named_store
from connectors.models import RemoteChange, Store
from connectors.models.webhooks import ChangeState
from connectors.ports.errors import ConnectorError, FeatureNotSupported
from orders import imports, intake
from orders.imports import Imported
from orders.models import IncomingOrder, IncomingState
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User

PROBLEMS_SHOWN = 20


class Command(JsonCommand):
    help = "Ask a store which orders changed since the last time, read and import them. Exit 1 when some still wait."
    permission = "orders.import_orders"
    refusals = (feeds.PassRunning, FeatureNotSupported)
    failures = (ConnectorError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument(
            "--all", action="store_true", dest="whole", help="The whole history; needs read_all_orders."
        )
        parser.add_argument(
            "--shown", action="store_true", help="As far back as the store shows, whatever lies before."
        )
        parser.add_argument("--retry", action="store_true", help="Try those that lack something once more.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        if options["whole"] and options["shown"]:
            raise Refused("--all and --shown contradict each other.", "Give one of them.")
        begin: feeds.Begin = "beginning" if options["whole"] else "shown" if options["shown"] else "watermark"
        done = feeds.poll(store, feeds.ORDER, begin=begin)
        read = 0
        while settled := intake.read_changes(store, at_leisure=True):
            read += settled
        if options["retry"]:
            imports.retry(IncomingOrder.objects.filter(store=store))
        return _report(store, done, read, imports.import_waiting(store))


def _report(store: Store, done: feeds.Pass, read: int, imported: Imported) -> Report:
    open_changes = RemoteChange.objects.filter(store=store, kind=intake.KIND).exclude(state=ChangeState.DONE)
    failed = open_changes.filter(state=ChangeState.FAILED)
    waiting = open_changes.filter(state=ChangeState.WAITING).count()
    kept = IncomingOrder.objects.filter(store=store)
    refused = kept.filter(state=IncomingState.FAILED).order_by("pk")
    problems = [*_told(open_changes.exclude(cause=""), "ref"), *_told(refused, "name")]
    data = {
        "store": store.slug,
        "listed": done.listed,
        "found": done.found,
        "up_to": done.watermark,
        "read": read,
        "waiting": waiting,
        "failed": failed.count(),
        "orders": kept.count(),
        "imported": imported.done,
        "refused": refused.count(),
        "integration_date": store.integration_date,
        "problems": problems,
    }
    lines = [
        f"{store}: {done.listed:,} changes listed up to {done.watermark:%Y-%m-%d %H:%M:%S %Z}, {done.found:,} of them news.",
        f"{read:,} orders read; {data['orders']:,} are kept, {waiting:,} wait, {data['failed']:,} failed.",
    ]
    if store.integration_date is None:
        lines.append("None is imported: say on the store's page, under Orders, from which day on orders count.")
    else:
        lines.append(f"{imported.done:,} imported; {data['refused']:,} lack something and wait.")
    complaints = [f"{row['ref']}: {row['cause']} {row['remedy']}" for row in problems]
    return Report(data=data, lines=lines, complaints=complaints, complete=not (waiting or failed or refused))


def _told(rows: QuerySet[Any], name: str) -> list[dict[str, str]]:
    """The first of these rows with cause and remedy, called by their field `name`."""
    found = rows.values_list(name, "state", "cause", "remedy")[:PROBLEMS_SHOWN]
    return [dict(zip(("ref", "state", "cause", "remedy"), row, strict=True)) for row in found]
