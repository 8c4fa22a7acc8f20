"""`integration_date STORE [--day DAY]`: from which day on orders count, and what another day would change; `--yes` sets it."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from connectors.commands import named_store
from connectors.store_settings import CHANGE_RIGHT
from orders import integration
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Say from which day on orders of a store count, and what --day would change; with --yes, let it count."
    permission = "connectors.view_store"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--day", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="By the store's calendar.")
        parser.add_argument("--yes", action="store_true", help="Set it; needs --as.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store, day = named_store(options["store"]), options["day"]
        before = store.integration_date
        data: dict[str, Any] = {"store": store.slug, "before": before, "day": day, "set": options["yes"]}
        lines = [f"Orders of {store} count from {before}." if before else f"{store} has no integration date yet."]
        if day is None:
            if options["yes"]:
                raise Refused("No day was given.", "Give --day YYYY-MM-DD.")
            return Report(data, lines)
        if options["yes"]:
            change = integration.set_day(store, day, by=acting_person(actor, "Setting the day", CHANGE_RIGHT))
            lines = [f"Orders of {store} count from {day}. A worker imports them now."]
        else:
            change = integration.preview(store, day)
            lines.append(f"With {day}, of the orders read so far:")
        data |= asdict(change)
        lines.append(
            f"{change.entering:,} enter, {change.leaving:,} leave; {change.kept:,} older ones stay, since refunds of "
            f"them are booked; {change.documented:,} of all these have documents; {change.waiting:,} wait for a day."
        )
        return Report(data, lines)
