"""`webhooks STORE`: compare a store's webhook subscriptions with those we want, and make the missing ones again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import subscriptions
from connectors.commands import named_store
from connectors.ports.errors import ConnectorError
from connectors.subscriptions import CheckRefused
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Compare a store's webhook subscriptions with those we want, and make the missing and changed ones again."
    permission = subscriptions.CHECK_RIGHT
    refusals = (CheckRefused,)
    failures = (ConnectorError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", metavar="STORE", help="The store's short name, e.g. bucovina-ro.")
        parser.add_argument("--check-only", action="store_true", help="Look, and change nothing.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        report = subscriptions.check(named_store(options["store"]), only_look=options["check_only"])
        data = report.as_dict()
        counted = ", ".join(f"{count} {state}" for state, count in sorted(data["counts"].items()))
        lines = [f"{report.store}: {counted}.", *(f"Made again: {topic}" for topic in report.restored)]
        complaints = [f"{topic}: {problem}" for topic, problem in report.problems.items()]
        return Report(data, lines, complaints, complete=report.ok)
