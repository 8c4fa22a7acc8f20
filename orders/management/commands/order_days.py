"""`order_days STORE`: what a store told of in two weeks and what became of it, day by day; exit 1 while some are not here."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from connectors.commands import named_store
from orders import days
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Count the orders of a store by day, each once, and name those that the store has and we have not."
    permission = "orders.view_incomingorder"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store, now = named_store(options["store"]), timezone.now()
        rows, missing = days.of_store(store, now), days.not_here(store, now)
        lines = [
            f"{row.day}  {row.told:,} told: {row.sales:,} sales orders, {row.left_out:,} left out, {row.waiting:,} wait, "
            f"{row.failed:,} lack something, {row.not_here:,} not here"
            for row in rows
        ]
        complaints = [f"{row.ref} is not here ({row.state}). {row.cause} {row.remedy}".rstrip() for row in missing]
        data = {
            "store": store.slug,
            "days": [asdict(row) for row in rows],
            "not_here": [asdict(row) for row in missing],
        }
        return Report(data, lines or [f"{store} told of no order in two weeks."], complaints, complete=not missing)
