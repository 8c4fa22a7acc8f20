"""`order_names STORE`: what a store's gateways, shipping methods, taxes and business buyers are called here; `--kind` with
`--name`, `--default` or `--unmapped` changes it."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from connectors.commands import named_store
from connectors.models import Store
from orders import mappings
from orders.models import MappedKind, Unmapped
from syncconsole.kernel.commands import LISTED, JsonCommand, Refused, Report, acting_person
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

LONGEST = 120


class Command(JsonCommand):
    help = "List the values that orders of a store have, those that stop orders first, with our names; or name them."
    permission = "orders.view_valuemapping"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument("--kind", choices=MappedKind.values, help="Of this kind alone; needed to change something.")
        parser.add_argument(
            "--name",
            nargs=2,
            action="append",
            default=[],
            metavar=("VALUE", "OURS"),
            help="What a value is called here; an empty name takes its own away. May be given several times.",
        )
        parser.add_argument("--default", metavar="OURS", help="Name of the values without one of their own.")
        parser.add_argument("--unmapped", choices=Unmapped.values, help="What becomes of orders with such a value.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store, released = named_store(options["store"]), None
        if options["name"] or options["default"] is not None or options["unmapped"]:
            released = _save(store, actor, options)
        rules = mappings.of_store(store).rules
        hidden = () if actor is None or mappings.may_see_businesses(actor) else (MappedKind.CUSTOMER,)
        kinds = [MappedKind(options["kind"])] if options["kind"] else list(MappedKind)
        rows = [row for row in mappings.in_use(store) if row.kind in kinds and row.kind not in hidden]
        data = {
            "store": store.slug,
            "released": released,
            "rules": {kind: {"unmapped": rule.unmapped, "default": rule.default} for kind, rule in rules.items()},
            "values": [
                {"kind": row.kind, "value": row.value, "ours": row.ours, "orders": row.orders, "waiting": row.waiting}
                for row in rows
            ],
        }
        lines = [] if released is None else [f"Saved. {plural(released, 'waiting order goes,waiting orders go')} on."]
        lines += [
            f"{row.kind.label}: {row.value} = {row.ours or '–'}  {plural(row.orders, 'order')}, {row.waiting:,} waiting"
            for row in rows[:LISTED]
        ]
        unnamed = sum(not row.ours for row in rows)
        lines.append(f"{plural(len(rows), 'value')}, {unnamed:,} without a name of its own.")
        return Report(data, lines)


def _save(store: Store, actor: User | None, options: dict[str, Any]) -> int:
    """Keep what the options say. Returns how many waiting orders that lets go on. Raises Refused."""
    if not options["kind"]:
        raise Refused("Nothing was saved: names of what?", f"Give --kind {', '.join(MappedKind.values)}.")
    person = acting_person(actor, "A name", mappings.MAP_RIGHT)
    kind, names = MappedKind(options["kind"]), dict(options["name"])
    if long := next((ours for ours in [*names.values(), options["default"] or ""] if len(ours) > LONGEST), ""):
        raise Refused(f"{long} is too long for a name.", f"Write at most {LONGEST} characters.")
    rule = mappings.of_store(store).rule(kind)
    if options["unmapped"]:
        rule = replace(rule, unmapped=Unmapped(options["unmapped"]))
    if options["default"] is not None:
        rule = replace(rule, default=options["default"].strip())
    return mappings.save(store, kind, rule, names, by=person)
