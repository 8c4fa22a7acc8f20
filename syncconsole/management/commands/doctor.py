"""Look at the whole installation: services, versions, secrets, clocks, every store. Exit 0 when all is well."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError

from connectors.models import Store
from connectors.models.stores import Health
from syncconsole import health
from syncconsole.kernel.commands import JsonCommand, Report
from syncconsole.kernel.models import User


class Command(JsonCommand):
    help = __doc__
    requires_system_checks = []  # it is asked when something is wrong: it must always answer

    def work(self, actor: User | None, options: dict[str, Any]) -> Report:
        checks = health.checks()
        stores, problems = look_at_stores()
        for check in checks:
            if not check.ok:
                problems.append({"name": check.name, "cause": check.detail, "remedy": check.remedy})
        versions = health.versions()
        data = {
            "stores": stores,
            "services": {check.name: check.as_dict() for check in checks},
            "versions": versions,
            "problems": problems,
        }
        lines = [f"{'✔' if check.ok else '✖'} {check.label:<14} {check.detail}" for check in checks]
        lines += [f"{store['shape']} {store['slug']:<14} {store['label']}: {store['reason']}" for store in stores]
        lines.append(", ".join(f"{name} {version or 'unknown'}" for name, version in versions.items()))
        for problem in problems:
            lines.append(f"\n✖ {problem['cause']}\n  {problem['remedy']}")
        lines.append("All is well." if not problems else f"{len(problems)} to see to.")
        return Report(data, lines, complete=not problems)


SHAPES = {
    Health.PAUSED: "✖",
    Health.NEEDS_YOU: "◆",
    Health.ATTENTION: "▲",
    Health.SETTING_UP: "‖",
    Health.HEALTHY: "✔",
}


def look_at_stores() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Every store with its word and reason, and those that are stopped as problems."""
    stores, problems = [], []
    try:
        for store in Store.objects.all():
            word, reason = health.store_health(store)
            stores.append(
                {"slug": store.slug, "health": word.value, "label": word.label, "reason": reason, "shape": SHAPES[word]}
            )
            if word is Health.PAUSED and not store.writes_paused:
                remedy = store.connection_remedy or "Open the store's page; it names what to do."
                problems.append({"name": f"store {store.slug}", "cause": f"{store.name}: {reason}", "remedy": remedy})
    except DatabaseError:
        problems.append(
            {"name": "stores", "cause": "The stores cannot be read.", "remedy": "See the check of the database."}
        )
    return stores, problems
