"""The ledger check: every kept number is the sum of its entries."""

from __future__ import annotations

from typing import Any

from inventory import audit
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = "Check that every number is the sum of its entries. Exit 1 when one is not."
    permission = "inventory.view_ledgerentry"

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        result = audit.audit_ledger()
        lines = [f"{result.levels:,} levels, {result.entries:,} entries: {result.found:,} differences."]
        lines += [
            f"{d.invariant}: {d.subject} {d.subject_id}: {d.kept}; entries say {d.summed}" for d in result.differences
        ]
        return Report(data=result.as_dict(), lines=lines, complete=result.green)
