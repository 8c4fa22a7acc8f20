"""`set_aside [STORE]`: levels frozen after an undo or refused by their store; `--release` lets those go that are listed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from inventory import frozen
from inventory.frozen import ReleaseRefused
from inventory.models.publications import SET_ASIDE
from syncconsole.kernel.commands import LISTED, JsonCommand, Refused, Report, acting_person
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural


class Command(JsonCommand):
    help = "List levels that take part in nothing until a person lets them go; with --release, let those listed go."
    permission = "inventory.view_levelpublication"
    refusals = (ReleaseRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", nargs="?", help="Slug: of this store alone.")
        parser.add_argument("--state", choices=[state.value for state in SET_ASIDE])
        parser.add_argument("--cause", metavar="TEXT", help="Only those with this cause, as listed.")
        parser.add_argument("--level", type=int, nargs="+", metavar="NUMBER", help="Only these.")
        parser.add_argument("--release", action="store_true", help="The next delta sends what is owed to them.")
        parser.add_argument("--reason", default="", help="What was corrected; kept in the audit log.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        rows = frozen.set_aside().with_target().order_by("state_cause", "pk")
        if options["store"]:
            rows = rows.filter(store=named_store(options["store"]))
        for field, name in (("state", "state"), ("state_cause", "cause"), ("pk__in", "level")):
            if options[name]:
                rows = rows.filter(**{field: options[name]})
        lines, released = [], 0
        if options["release"]:
            if not (options["store"] or options["level"]):
                raise Refused(
                    "Nothing was let go: which levels?", "Name the store, or give --level with their numbers."
                )
            person = acting_person(actor, "Letting levels go")
            released = frozen.release(list(rows.values_list("pk", flat=True)), by=person, reason=options["reason"])
            lines.append(f"{plural(released, 'level')} let go; the next delta sends what is owed to them.")
        count = rows.count()
        named = rows.select_related("listed__variant__product", "store_location", "store")
        listed = [_told(row) for row in named[:LISTED]]
        lines += [
            f"{row['level']:>8}  {row['owed']:+d} owed to {row['item']}, {row['place']} of {row['store']}. {row['cause']}"
            for row in listed
        ]
        lines.append(f"{plural(count, 'level is,levels are')} set aside.")
        return Report({"released": released, "count": count, "levels": listed}, lines)


def _told(row: Any) -> dict[str, Any]:
    """A level as `with_target` gives it."""
    return {
        "level": row.pk,
        "store": row.store.slug,
        "item": row.listed.variant.label,
        "place": row.store_location.name,
        "state": row.state,
        "cause": row.state_cause,
        "expected": row.expected_quantity,
        "owed": row.pending,
    }
