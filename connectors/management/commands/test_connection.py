"""Ask a store who it is: shop, plan, scopes, locations; cause and remedy when something is missing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors import connection
from connectors.models import Store
from syncconsole.kernel.commands import JsonCommand, Refused, Report
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


def named_store(slug: str) -> Store:
    """The store with this short name. Raises Refused naming those there are."""
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        there = ", ".join(Store.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise Refused(f"There is no store {slug}.", f"Use one of: {there}; or add it with add_store.")
    return store


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
