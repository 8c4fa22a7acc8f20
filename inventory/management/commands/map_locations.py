"""Say which location of a store each of our locations is sold from; without options, show how it is now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from connectors.models import Store, StoreLocation
from inventory import mapping
from inventory.models import Location
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = __doc__
    refusals = (mapping.MappingRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="The store's short name.")
        parser.add_argument("--create", action="store_true", help="Make our location for each of the store's first.")
        parser.add_argument("--by-name", action="store_true", help="Map those that have the same name.")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            dest="pairs",
            metavar="CODE=NAME",
            help='e.g. --map cluj="Depozit Cluj"',
        )
        parser.add_argument("--all-to", metavar="NAME", help="Map every location of ours to this one.")
        parser.add_argument("--unmap", action="append", default=[], metavar="CODE", help="Sell it from nowhere.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        made = []
        if options["create"]:
            made = [str(mapping.location_for(theirs, by=actor)) for theirs in mapping.usable(store)]
        changes: dict[int, int | None] = {}
        if options["by_name"]:
            changes |= mapping.propose_by_name(store)
        if options["all_to"]:
            target = store_location(store, options["all_to"]).pk
            changes |= dict.fromkeys(Location.objects.values_list("pk", flat=True), target)
        for pair in options["pairs"]:
            code, _, name = pair.partition("=")
            changes[our_location(code).pk] = store_location(store, name).pk
        for code in options["unmap"]:
            changes[our_location(code).pk] = None
        result = mapping.map_locations(store, changes, actor) if changes else mapping.MappingResult()
        return describe(store, result, made)


def our_location(code: str) -> Location:
    """Our location with this short name, or name. Raises Refused naming those there are."""
    for location in Location.objects.all():
        if code in (location.code, location.name):
            return location
    there = ", ".join(Location.objects.values_list("code", flat=True)) or "none yet"
    raise Refused(f"There is no location {code} here.", f"Use one of: {there}; or make them with --create.")


def store_location(store: Store, name: str) -> StoreLocation:
    """The store's location of this name. Raises Refused naming those there are."""
    found = [theirs for theirs in store.locations.all() if mapping.folded(theirs.name) == mapping.folded(name)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(store.locations.values_list("name", flat=True)) or "none yet: run test_connection first"
    cause = f"{store.name} has {len(found) or 'no'} {'locations' if found else 'location'} called {name}."
    raise Refused(cause, f"Its locations are: {there}.")


def describe(store: Store, result: mapping.MappingResult, made: list[str]) -> Report:
    """How every location is mapped now, and what this call changed."""
    mapped = {
        row.location_id: row.store_location.name for row in store.location_mappings.select_related("store_location")
    }
    rows = [{"code": ours.code, "name": ours.name, "sold_from": mapped.get(ours.pk)} for ours in Location.objects.all()]
    lines = [f"{row['name']} ({row['code']}) → {row['sold_from'] or 'not mapped'}" for row in rows]
    if result.mapped or result.moved or result.unmapped:
        lines.append(f"Mapped {result.mapped}, moved {result.moved}, taken out {result.unmapped}.")
    lines += result.words
    data = {
        "store": store.slug,
        "locations": rows,
        "created": made,
        "mapped": result.mapped,
        "moved": result.moved,
        "unmapped": result.unmapped,
        "new_baselines": result.new_baselines,
        "vacated": list(result.vacated),
        "left": list(result.left),
    }
    return Report(data, lines or ["There are no locations here yet. Make them with --create."])
