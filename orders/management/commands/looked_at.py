"""`looked_at STORE ORDER`: what an order asks a person to look at; `--reason` closes it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from orders import looks
from orders.commands import OrderCommand
from syncconsole.kernel.commands import Report, acting_person
from syncconsole.kernel.models import User


class Command(OrderCommand):
    help = "Say what an order asks a person to look at; with --seen and --reason, close it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--seen", help="What it asked, as this command says it.")
        parser.add_argument("--reason", default="", help="What you found; kept in the audit log.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        row = self.order(options)
        if options["seen"] is not None:
            looks.close(row, seen=options["seen"], reason=options["reason"], by=acting_person(actor, "Looking"))
            row.refresh_from_db()
        look = looks.open_look(row)
        data = {"store": row.store.slug, "order": row.name, "ref": row.ref, "look": look}
        return Report(data, [look or f"{row} asks nothing."])
