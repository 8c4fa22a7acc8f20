"""`written_off`: goods that refunds did not put back in stock; `--return NUMBER --units N` puts some of them back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db.models import QuerySet

from connectors.models import Store
from inventory.models import LedgerEntry
from inventory.search import levels_found
from orders import put_back, written_off
from orders.commands import StoreListCommand
from orders.written_off import RETURN_RIGHT, ReturnRefused
from syncconsole.kernel.commands import Refused
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural, source


class Command(StoreListCommand):
    help = "List written-off returns, newest first; with --return, put one back in stock."
    permission = "inventory.view_ledgerentry"
    deciding = RETURN_RIGHT
    refusals = (ReturnRefused,)
    noun = "written-off return"
    verb = "return"
    verb_help = "Put this one back; with --units, --reason and --as."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--item", default="", metavar="WORDS", help="SKU, barcode, item number or name.")
        parser.add_argument("--units", type=int, metavar="N", help="How many; the rest stays written off for good.")
        parser.add_argument("--reason", default="", help="Kept with the entry and in the audit log.")

    def listed(self, options: dict[str, Any]) -> QuerySet[LedgerEntry]:
        rows = written_off.written_off().select_related("level__variant__product", "level__location").order_by("-pk")
        return rows.filter(level__in=levels_found(options["item"])) if options["item"] else rows

    def of_store(self, rows: QuerySet[LedgerEntry], store: Store) -> QuerySet[LedgerEntry]:
        return rows.filter(origin=store.origin)

    def told(self, row: LedgerEntry) -> dict[str, Any]:
        return {
            "number": row.pk,
            "units": int(-row.on_hand_delta),
            "sku": row.level.variant.sku,
            "item": row.level.variant.label,
            "location": row.level.location.code,
            "document": row.document,
            "written_off_at": row.effective_at,
        }

    def line(self, told: dict[str, Any]) -> str:
        return f"{told['units']} × {told['item']} at {told['location']}, {source(told['document'])}"

    def decide(self, row: LedgerEntry, by: User, options: dict[str, Any]) -> str:
        if options["units"] is None:
            raise Refused("Nothing says how many come back.", "Give --units N.")
        if order := put_back.asked_about([row]).get(row.pk):
            raise Refused(
                f"{order.store} may have put the goods of {order.name} back itself.",
                f"Say first whether it did: manage.py put_back {order.store.slug} {order.name} --answer back, or gone.",
            )
        written_off.return_to_stock(row, options["units"], by=by, reason=options["reason"])
        return f"{plural(options['units'], 'unit')} of {row.level.variant.label} put back; the stores follow."
