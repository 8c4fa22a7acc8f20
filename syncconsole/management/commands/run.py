"""Web, worker and beat on one machine: an installation for trying things out with data that are kept."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command

from syncconsole import process_tree
from syncconsole.embedded.development import services_problem
from syncconsole.embedded.supervisor import Supervisor
from syncconsole.kernel.models import User


class Command(BaseCommand):
    help = "Migrate, then run web, worker and beat until Ctrl-C. With no DATABASE_URL and REDIS_URL, on data kept in .data/."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port of the console on 127.0.0.1.")

    def handle(self, *args: Any, **options: Any) -> None:
        port: int = options["port"]
        if not process_tree.port_is_free(port):
            raise CommandError(f"Port {port} is taken by another program. Choose another one with --port.")
        call_command("migrate", interactive=False, verbosity=0)
        children = [process_tree.web(port), process_tree.worker(), process_tree.beat()]
        sys.exit(Supervisor(children, watches=[services_problem]).run(lambda: self.tell_where(port)))

    def tell_where(self, port: int) -> None:
        self.stdout.write(f"\nThe console is at http://127.0.0.1:{port}/ — Ctrl-C stops everything.")
        if not User.objects.filter(is_active=True, is_staff=True).exists():
            self.stdout.write("Nobody can sign in yet. In another terminal: .venv/bin/python manage.py createsuperuser")
        self.stdout.flush()
