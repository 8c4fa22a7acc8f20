"""The simulated shops, as a program of its own: `manage.py sandbox` is a door to `python -m sandbox`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from syncconsole import process_tree
from syncconsole.embedded.supervisor import Supervisor

PLANS = ("standard", "advanced", "plus", "enterprise")


class Command(BaseCommand):
    help = (
        "Serve simulated Shopify shops until Ctrl-C. Addresses and tokens are printed; the page at / explains the rest."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=process_tree.SANDBOX_PORT, help="Port on 127.0.0.1.")
        parser.add_argument("--plan", choices=PLANS, default="standard", help="Shopify plan: sets the call budget.")
        parser.add_argument("--shop", nargs="+", default=[], metavar="NAME", help="Shops, e.g. bucovina-ro.")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="Product CSV in Shopify's format to start with.")

    def handle(self, *args: Any, **options: Any) -> None:
        port: int = options["port"]
        csv: Path | None = options["csv"]
        if not process_tree.port_is_free(port):
            raise CommandError(f"Port {port} is taken by another program. Choose another one with --port.")
        if csv is not None and not csv.is_file():
            raise CommandError(f"{csv} cannot be read. Check the path.")
        child = process_tree.sandbox(port, plan=options["plan"], shops=options["shop"], csv=csv)
        sys.exit(Supervisor([child]).run())
