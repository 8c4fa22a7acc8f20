"""Ask a store who it is: shop, plan, scopes, locations; cause and remedy when something is missing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import connection
from connectors.commands import named_store
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = __doc__
    permission = "connectors.test_connection"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="The store's short name, e.g. bucovina-ro.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        report = connection.test_connection(named_store(options["store"]))
        return Report(report.as_dict(), in_words(report), complete=report.ok)


def in_words(report: connection.ConnectionReport) -> list[str]:
    """The report for a terminal."""
    lines = [] if report.ok else [report.cause, report.remedy]
    if report.shop:
        lines += [
            f"Shop       {report.shop} ({report.domain}), plan {report.plan}, {report.currency}, {report.time_zone}",
            f"API        {report.api_version}",
            f"Scopes     {', '.join(report.scopes) or 'none'}",
        ]
    for location in report.locations:
        notes = [
            "" if location.is_active else "inactive",
            "fulfilment service" if location.is_fulfillment_service else "",
            "new" if location.new else "",
        ]
        lines.append(f"Location   {location.name}  {', '.join(filter(None, notes))}".rstrip())
    if report.ok:
        lines.append("Connected. Preferences are unchanged.")
    return lines
