"""`refunds [STORE]`: refunds and what each became; `--decide NUMBER` books one that needs a person as it is."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db.models import QuerySet

from orders import documents
from orders.commands import StoreListCommand
from orders.documents import DECIDE_RIGHT, SEE_REFUNDS_RIGHT, DecisionRefused, why_due
from orders.models import Refund, RefundState
from syncconsole.kernel.commands import Refused
from syncconsole.kernel.models import User
from syncconsole.kernel.templatetags.console import money


class Command(StoreListCommand):
    help = "List refunds, newest first, with why each became what it is; with --decide, book one as it is."
    permission = SEE_REFUNDS_RIGHT
    deciding = DECIDE_RIGHT
    refusals = (DecisionRefused,)
    states = RefundState
    noun = "refund"
    verb_help = "One that needs a person; with --sentence, --reason and --as."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--sentence", help="What the list says of it: the decision holds for that, nothing else.")
        parser.add_argument("--reason", default="", help="Why it is right; kept in the audit log.")

    def listed(self, options: dict[str, Any]) -> QuerySet[Refund]:
        rows = Refund.objects.select_related("store", "order").defer("order__snapshot").prefetch_related("documents")
        return rows.order_by("-made_at", "-pk")

    def told(self, row: Refund) -> dict[str, Any]:
        cause, remedy = why_due(row) if row.state == RefundState.NEEDS_PERSON else ("", "")
        return {
            "number": row.pk,
            "store": row.store.slug,
            "order": row.order.name,
            "refund": row.ref,
            "made_at": row.made_at,
            "paid": row.paid,
            "pending": row.pending,
            "currency": row.currency,
            "state": row.state,
            "sentence": row.sentence,
            "documents": [
                {"document": each.label, "kind": each.kind, "state": each.state, "total": each.total}
                for each in row.documents.all()
            ],
            "cause": cause,
            "remedy": remedy,
        }

    def line(self, told: dict[str, Any]) -> str:
        paid, state = money(told["paid"], told["currency"]), RefundState(told["state"]).label
        why = " ".join(filter(None, [told["sentence"], told["cause"], told["remedy"]]))
        return f"{told['store']}: {told['order']}, {paid} paid back. {state}. {why}"

    def decide(self, row: Refund, by: User, options: dict[str, Any]) -> str:
        if options["sentence"] is None:
            raise Refused("Nothing says what the decision is about.", "Give --sentence with what the list says of it.")
        posted = documents.decide(row, options["sentence"], by=by, reason=options["reason"]).posted
        labels = ", ".join(document.label for document in posted)
        return f"Posted: {labels}." if labels else "Decided; it makes no document."
