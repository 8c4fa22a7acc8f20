"""`order_pulls`: pulls of the stock feed that name an order; `--remove NUMBER` takes one that waits off the list."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db.models import QuerySet

from connectors.models import Store
from orders import pulls
from orders.commands import StoreListCommand
from orders.models import OrderPull, PullState
from orders.pulls import REMOVE_RIGHT, SEE_RIGHT, PullRefused
from syncconsole.kernel.models import User


class Command(StoreListCommand):
    help = "List pulls that named an order, newest first; with --remove, book one that waits nowhere, for good."
    permission = SEE_RIGHT
    deciding = REMOVE_RIGHT
    refusals = (PullRefused,)
    states = PullState
    noun = "pull"
    verb = "remove"
    verb_help = "One that waits; with --reason and --as."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="Why it is not booked; kept with the pull.")

    def listed(self, options: dict[str, Any]) -> QuerySet[OrderPull]:
        return pulls.listed().order_by("-pk")

    def of_store(self, rows: QuerySet[OrderPull], store: Store) -> QuerySet[OrderPull]:
        return pulls.of_store(rows, store.slug)

    def told(self, row: OrderPull) -> dict[str, Any]:
        return {
            "number": row.pk,
            "order": row.order_name,
            "store": row.store.slug if row.store else "",
            "sku": row.variant.sku,
            "item": row.variant.label,
            "location": row.location.code,
            "units": row.quantity,
            "state": row.state,
            "document": row.document,
            "happened_at": row.happened_at,
            "cause": row.cause,
            "remedy": row.remedy,
            "reason": row.reason,
        }

    def line(self, told: dict[str, Any]) -> str:
        state, why = PullState(told["state"]).label, f"{told['cause'] or told['reason']} {told['remedy']}".strip()
        return f"{told['units']} × {told['item']} for {told['order']} from {told['location']}. {state}. {why}".rstrip()

    def decide(self, row: OrderPull, by: User, options: dict[str, Any]) -> str:
        pulls.remove(row, reason=options["reason"], by=by)
        return f"{row} is removed and booked nowhere."
