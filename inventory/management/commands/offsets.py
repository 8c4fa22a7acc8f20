"""`offsets STORE`: levels with committed units that belong to no order here; sign for one of them, or take that back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from connectors.models import Store
from inventory import offsets
from inventory.models import LevelPublication
from inventory.offsets import OffsetRefused
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural

SHOWN = 50


class Command(JsonCommand):
    help = "List levels held for orders that are not known here; --sign or --withdraw takes a decision about one."
    permission = offsets.SIGN_RIGHT
    refusals = (OffsetRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        decision = parser.add_mutually_exclusive_group()
        decision.add_argument("--sign", type=int, metavar="LEVEL", help="Sign for the units that nobody explains.")
        decision.add_argument("--withdraw", type=int, metavar="LEVEL", help="Take back what is signed there.")
        parser.add_argument("--committed", type=int, metavar="N", help="With --sign: committed there, as listed.")
        parser.add_argument("--open-here", type=int, metavar="N", help="With --sign: open here, as listed.")
        parser.add_argument("--reason", default="", help="Kept with the signature and in the audit log.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        if options["sign"] is not None:
            _sign(_level(store, options["sign"]), actor, options)
        elif options["withdraw"] is not None:
            level, person = _level(store, options["withdraw"]), acting_person(actor, "Withdrawing a signature")
            offsets.withdraw(level.pk, by=person, reason=options["reason"])
        rows = offsets.listed(store)
        count, shown = rows.count(), [_told(row) for row in rows[:SHOWN]]
        lines = [
            f"{row['level']:>8}  {row['committed']} committed, {row['open_here']} open here, {row['signed']} signed for: "
            f"{row['item']}, {row['place']}"
            for row in shown
        ]
        lines.append(f"{plural(count, 'level')} of {store} held or signed for.")
        hidden = offsets.older_orders_hidden(store)
        if hidden and count:
            lines.append("The app may not see orders older than 60 days, the usual cause: grant it read_all_orders.")
        return Report({"store": store.slug, "older_orders_hidden": hidden, "count": count, "levels": shown}, lines)


def _level(store: Store, number: int) -> LevelPublication:
    found = offsets.listed(store).filter(pk=number).first()
    if found is None:
        raise Refused(
            f"Level {number} is neither held for unknown orders nor signed for.", "Leave it out to list them."
        )
    return found


def _sign(level: LevelPublication, actor: User | None, options: dict[str, Any]) -> None:
    committed, open_here = options["committed"], options["open_here"]
    if committed is None or open_here is None:
        raise Refused(
            "The numbers that are signed are missing.", "Give --committed and --open-here as they are listed."
        )
    person = acting_person(actor, "A signature")
    offsets.acknowledge(level.pk, committed=committed, open_here=open_here, by=person, reason=options["reason"])


def _told(level: LevelPublication) -> dict[str, Any]:
    known = offsets.known(level)
    return {
        "level": level.pk,
        "item": level.listed.variant.label,
        "place": level.store_location.name,
        "committed": known.committed,
        "open_here": known.open_here,
        "orders": [{"order": order.number, "units": order.units} for order in known.orders],
        "signed": known.signed,
        "held": level.hold_test == "b",
        "since": level.held_since,
    }
