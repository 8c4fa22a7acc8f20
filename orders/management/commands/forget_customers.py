"""Redacts old orders of a store from the command line: the same as every night."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from connectors.commands import named_store
from connectors.store_settings import CHANGE_RIGHT
from orders import retention
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Redact the orders of a store that are older than it keeps customers' data."
    permission = CHANGE_RIGHT

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--preview", action="store_true", help="Say how many; erase nothing.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        if store.keep_months is None:
            raise Refused(f"{store} keeps customers' data for ever.", "Set the months on the store's tab Orders.")
        outdated = retention.preview(store, store.keep_months)
        erased = 0 if options["preview"] else retention.forget(store, by=actor)[0]
        data = {"store": store.slug, **asdict(outdated), "before": str(outdated.before), "erased": erased}
        lines = [
            f"{outdated.orders:,} orders placed before {outdated.before} name somebody; {erased:,} were redacted.",
            *([f"{outdated.still_open:,} more still hold goods and wait."] if outdated.still_open else []),
        ]
        return Report(data, lines)
