"""Documents of a store's refunds from the command line: the same settling as the import does order by order."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from orders import documents
from orders.models import Refund, RefundState
from syncconsole.kernel.commands import JsonCommand, Refused, Report
from syncconsole.kernel.models import User

PROBLEMS_SHOWN = 20


class Command(JsonCommand):
    help = "Bring the documents of a store's refunds up to date. Exit 1 when some wait for money or for a person."
    permission = "orders.import_orders"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        if store.integration_date is None:
            raise Refused(
                f"{store} has no integration date: nobody has said from which day its orders count.",
                "Set it on the store's page, import the orders, then run this again.",
            )
        done = documents.settle_store(store)
        open_refunds = Refund.objects.filter(store=store, state__in=(RefundState.WAITS, RefundState.NEEDS_PERSON))
        problems = [
            {"order": each.order.name, "refund": each.ref, "state": each.state, "why": each.sentence}
            for each in open_refunds.select_related("order").order_by("made_at", "pk")[:PROBLEMS_SHOWN]
        ]
        data = {
            "store": store.slug,
            "refunds": done.refunds,
            "posted": [document.label for document in done.posted],
            "waiting": done.waiting,
            "needing_person": done.needing_person,
            "problems": problems,
        }
        lines = [
            f"{store}: {done.refunds:,} refunds, {len(done.posted):,} documents posted now.",
            f"{done.waiting:,} wait for money, {done.needing_person:,} need a person.",
        ]
        complaints = [f"{each['order']}, refund {each['refund']}: {each['why']}" for each in problems]
        return Report(data=data, lines=lines, complaints=complaints, complete=not (done.waiting or done.needing_person))
