"""`link_items STORE`: bind the variants of a store to our items."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.linking import LinkRefused
from catalog.models import LinkConflict
from connectors.commands import named_store
from connectors.ports.errors import ConnectorError
from inventory.linking import link_store
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User

SHOWN = 20


class Command(JsonCommand):
    help = "Bind the variants of a store to our items: by remembered id, SKU, barcode, or handle and options."
    permission = "catalog.link_items"
    refusals = (LinkRefused,)
    failures = (ConnectorError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", metavar="STORE", help="The store's short name, e.g. bucovina-ro.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        result = link_store(store, actor=actor)
        conflicts = list(LinkConflict.objects.filter(store=store).exclude(kind="only_there")[:SHOWN])
        shown = [{"variant": c.remote_label, "kind": c.kind, "cause": c.cause, "remedy": c.remedy} for c in conflicts]
        complaints = [f"{row['variant']}: {row['cause']} {row['remedy']}" for row in shown]
        data = {"store": store.slug, **result.as_dict(), "first_conflicts": shown}
        return Report(data, [f"{store}: {result.sentence}"], complaints, complete=not result.links.conflicts)
