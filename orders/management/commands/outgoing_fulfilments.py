"""`outgoing_fulfilments [STORE]`: what stores were told of shipments made here; `--decide NUMBER --decision WORD` says what
became of one of which no store can say it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db.models import QuerySet

from connectors.models import Store
from orders import outgoing
from orders.commands import StoreListCommand
from orders.models import OutgoingFulfilment, OutgoingState
from orders.outgoing import SAID, SEE_RIGHT, Decision, SendingRefused
from orders.shipping import SHIP_RIGHT
from syncconsole.kernel.commands import Refused
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import plural


class Command(StoreListCommand):
    help = "List outgoing fulfilments, those that need a person first by --state; with --decide, decide about one."
    permission = SEE_RIGHT
    deciding = SHIP_RIGHT
    refusals = (SendingRefused,)
    states = OutgoingState
    noun = "outgoing fulfilment"
    verb_help = "One that needs a person; with --decision and --as."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--decision", choices=[decision.value for decision in Decision])

    def listed(self, options: dict[str, Any]) -> QuerySet[OutgoingFulfilment]:
        return outgoing.listed().order_by("-pk")

    def of_store(self, rows: QuerySet[OutgoingFulfilment], store: Store) -> QuerySet[OutgoingFulfilment]:
        return rows.filter(order__store=store)

    def told(self, row: OutgoingFulfilment) -> dict[str, Any]:
        return {
            "number": row.pk,
            "store": row.order.store.slug,
            "order": row.order.name,
            "from": row.store_location.name,
            "units": row.units,
            "state": row.state,
            "cause": row.cause,
            "remedy": row.remedy,
            "made_at": row.created_at,
            "decided_by": str(row.decided_by or ""),
        }

    def line(self, told: dict[str, Any]) -> str:
        state, why = OutgoingState(told["state"]).label, f"{told['cause']} {told['remedy']}".strip()
        return f"{told['store']}: {told['order']}, {plural(told['units'], 'unit')}. {state}. {why}".rstrip()

    def decide(self, row: OutgoingFulfilment, by: User, options: dict[str, Any]) -> str:
        if not options["decision"]:
            raise Refused("Nothing says what became of it.", "Give --decision was_sent, again or leave.")
        decision = Decision(options["decision"])
        outgoing.decide(row, decision, by=by)
        return f"{row}: {SAID[decision]}"
