"""`clones [STORE]`: pairs of variants that wait for a decision; `--decide ID --decision WORD` takes one, `--all-pairs` the same
for all pairs of the same two products."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.clone_decisions import Decided
from catalog.models import CloneDecision, CloneSuspect
from connectors.approval import DecisionRefused
from connectors.commands import named_store
from inventory import clones
from syncconsole.kernel.commands import JsonCommand, Refused, Report, acting_person
from syncconsole.kernel.models import User

SHOWN = 50
WORDS = [decision.value for decision in CloneDecision if decision]


class Command(JsonCommand):
    help = "List pairs of variants of which nobody can tell whose stock is ours, or decide one. Exit 1 while some wait."
    permission = "catalog.view_clonesuspect"
    refusals = (DecisionRefused,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", nargs="?", metavar="STORE", help="The store's short name; without it, all stores.")
        parser.add_argument("--decide", type=int, metavar="ID", help="The pair to decide; needs --decision and --as.")
        parser.add_argument("--decision", choices=WORDS, default="")
        parser.add_argument(
            "--all-pairs", action="store_true", help="Decide all pairs of the same two products as --decide ID."
        )

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        decided = self._decide(actor, options) if options["decide"] is not None else Decided([], [])
        rows = CloneSuspect.objects.filter(closed_at=None).select_related("store", "decided_by")
        if options["store"]:
            rows = rows.filter(store=named_store(options["store"]))
        waiting = rows.filter(decision=CloneDecision.NONE).count()
        shown = [_told(row) for row in rows[:SHOWN]]
        lines = [f"{waiting:,} {'pair waits' if waiting == 1 else 'pairs wait'} for a decision."]
        lines += [f"{row['id']}: {row['sku']} in {row['store']}, {row['decision']}" for row in shown]
        left = [{"id": pair.pk, "cause": refused.cause, "remedy": refused.remedy} for pair, refused in decided.refused]
        data = {"waiting": waiting, "decided": [pair.pk for pair in decided.pairs], "left": left, "pairs": shown}
        complaints = [f"{one['id']} was left: {one['cause']} {one['remedy']}" for one in left]
        return Report(data, lines, complaints, complete=not waiting and not left)

    @staticmethod
    def _decide(actor: User | None, options: dict[str, Any]) -> Decided:
        person = acting_person(actor, "A decision")
        if not CloneSuspect.objects.filter(pk=options["decide"]).exists():
            raise Refused(f"There is no pair {options['decide']}.", "Leave --decide out to list them.")
        decision = CloneDecision(options["decision"])
        if options["all_pairs"]:
            return clones.decide_alike(options["decide"], decision, by=person)
        return Decided([clones.decide(options["decide"], decision, by=person)], [])


def _told(row: CloneSuspect) -> dict[str, Any]:
    return {
        "id": row.pk,
        "store": row.store.slug,
        "kind": row.kind,
        "sku": row.sku,
        "original": row.original | {"variant": row.original_ref, "item": row.original_item},
        "copy": row.copy | {"variant": row.copy_ref, "item": row.copy_item},
        "since": row.first_seen_at,
        "decision": row.verdict.label,
        "decided_by": str(row.decided_by or ""),
    }
