"""`change_log STORE`: what moved, was pushed, drifted or was held, newest first; whole as a CSV file."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.models import Variant
from connectors.commands import moment, named_store
from connectors.models import Store
from inventory import change_file, change_log
from inventory.change_log import Change, ChangeKind, Wanted
from inventory.commands import named_location
from syncconsole.kernel.commands import JsonCommand, Refused, Report, output_file
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

SHOWN = 50


class Command(JsonCommand):
    help = "Print the newest changes of a store's levels, or write all of them to a CSV file."
    permission = "inventory.view_ledgerentry"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--sku", help="Of the items with this SKU or item number.")
        parser.add_argument("--location", metavar="CODE", help="At one of our locations.")
        parser.add_argument("--kind", nargs="+", choices=ChangeKind.values, default=ChangeKind.values)
        parser.add_argument(
            "--since", metavar="TIME", help="From a moment on, e.g. 2026-11-19T10:00 by the store's clock."
        )
        parser.add_argument("--until", metavar="TIME", help="Up to a moment.")
        parser.add_argument(
            "--limit", type=int, default=SHOWN, metavar="N", help=f"Changes printed; {SHOWN} unless given."
        )
        parser.add_argument("--csv", metavar="FILE", help="Write every change to this file, as it is read.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        wanted = _wanted(store, options)
        if path := options["csv"]:
            count = _write(wanted, path)
            line = f"{plural(count, 'change')} written to {path}."
            return Report({"store": store.slug, "file": path, "count": count}, [line])
        if options["limit"] < 1:
            raise Refused(f"{options['limit']} changes cannot be printed.", "Give --limit 1 or more.")
        changes, after = change_log.page(wanted, None, options["limit"])
        data = {"store": store.slug, "changes": [change.as_dict() for change in changes], "more": after is not None}
        return Report(data, [_line(store, change) for change in changes] or ["Nothing happened there."])


def _wanted(store: Store, options: dict[str, Any]) -> Wanted:
    """What the options narrow the log to. Raises Refused for an item or a location that is not there."""
    variants = None
    if sku := options["sku"]:
        named = Variant.objects.filter(sku=sku) | Variant.objects.filter(item_number=sku)
        variants = list(named.values_list("pk", flat=True))
        if not variants:
            raise Refused(f"No item has the SKU or item number {sku}.", "Write it as under Items.")
    return Wanted(
        kinds=[ChangeKind(kind) for kind in options["kind"]],
        store=store,
        location=named_location(options["location"]).code if options["location"] else "",
        variants=variants,
        since=moment(options["since"], store) if options["since"] else None,
        until=moment(options["until"], store) if options["until"] else None,
    )


def _write(wanted: Wanted, path: str) -> int:
    """The file of the page, a page of changes in memory at a time. Returns how many."""
    count = 0
    with output_file(path) as file:
        for count, line in enumerate(change_file.lines(wanted)):  # noqa: B007 - the last one is the count
            file.write(line)
    return count


def _line(store: Store, change: Change) -> str:
    told = change.as_dict()
    units = "" if told["quantity"] is None else f"{told['quantity']:+f}"
    at = f"{change.at.astimezone(store.zone):%Y-%m-%d %H:%M:%S}"
    end = " · ".join(filter(None, [change.detail, change.who]))
    return f"{at}  {change.kind.label:5}  {units:>6}  {change.item}, {change.place}: {change.what}  {end}".rstrip()
