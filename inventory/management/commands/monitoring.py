"""`monitoring STORE`: levels that should be right and are not, by what went wrong, with cause and remedy."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from connectors.commands import named_store
from inventory import monitoring
from inventory.models import LevelPublication
from inventory.monitoring import Trouble, Watch
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User

SHOWN = 50


class Command(JsonCommand):
    help = "List missed levels, duplicates and levels that left scope. Exit 0 unless --fail-on names one that is found."
    permission = "inventory.view_levelpublication"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", help="Slug of the store.")
        parser.add_argument(
            "--fail-on", nargs="+", choices=Trouble.values, default=[], help="Exit 1 while such levels are found."
        )

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        store = named_store(options["store"])
        watch = Watch(store)
        counts = watch.counts()
        lists = {trouble.value: _told(watch, trouble, count) for trouble, count in counts.items()}
        lines = []
        for trouble, count in counts.items():
            said = lists[trouble.value]
            lines.append(f"{trouble.label}: {count:,}")
            if count:
                lines.append(f"  {said['cause']} {said['remedy']}")
            lines += [f"  {row['item']}, {row['place']}: believed {row['expected']}" for row in said["levels"]]
        found = [trouble for trouble in options["fail_on"] if counts[Trouble(trouble)]]
        return Report({"store": store.slug, **lists}, lines, complete=not found)


def _told(watch: Watch, trouble: Trouble, count: int) -> dict[str, Any]:
    """One list: how many, the first of them, why, and what to do."""
    why = watch.why(trouble) if count else None
    rows = watch.found(trouble).select_related("listed__variant__product", "store_location").order_by("pk")
    return {
        "count": count,
        "cause": why.cause if why else "",
        "remedy": why.remedy if why else "",
        "levels": [_level(row) for row in rows[:SHOWN]] if count else [],
    }


def _level(row: LevelPublication) -> dict[str, Any]:
    return {
        "level": row.pk,
        "item": row.listed.variant.label,
        "place": row.store_location.name,
        "expected": row.expected_quantity,
        "observed": row.observed_available,
        "since": monitoring.since(row),
    }
