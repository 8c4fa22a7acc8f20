"""Why one number is what it is, now or at a past moment."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import moment, named_store
from inventory import explanation
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Print the terms that sum to what a store should show, and to what it is believed to show."
    permission = "inventory.view_levelpublication"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("item_number", help="Item number or SKU.")
        parser.add_argument("--at", default="", metavar="TIME", help="A past moment, e.g. 2026-11-19T10:00.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        at = moment(options["at"], store) if options["at"] else None
        found = explanation.find(store, options["item_number"])
        if not found:
            raise Refused(
                f"{options['item_number']} has no level in {store}.",
                "Check the item number; link the store if it is new there.",
            )
        explained = [explanation.explain(publication.pk, at) for publication in found]
        return Report(
            data={"levels": [e.as_dict() for e in explained]}, lines=["\n\n".join(e.text() for e in explained)]
        )
