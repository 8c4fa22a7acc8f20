"""The gates of a store: what must be true before each job may write, checked again while somebody looks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from connectors.models import Store
from connectors.runs import Gate
from connectors.views.frame import StorePage
from inventory.gates import every_gate, facts_of, with_facts
from inventory.jobs import Job
from syncconsole.kernel.admin import Crumb, opens
from syncconsole.kernel.models import User

SECONDS: Final = 15
"""So often an open page checks again."""

PLACES: Final[dict[str, tuple[str, str]]] = {
    "connection": ("admin:connectors_store_change", "Open settings"),
    "location_mapping": ("admin:store_mappings", "Map locations"),
    "linked": ("admin:links", "Open links"),
    "integration_date": ("admin:store_orders", "Open orders"),
    "orders_up_to_date": ("admin:order_queue", "Open queue"),
    "order_queue": ("admin:order_queue", "Open queue"),
    "ats_validated": ("admin:validation", "Open sheet"),
    "baseline": ("admin:start_full", "Full sync"),
    "track_quantity": ("admin:untracked", "Open list"),
}
"""Where a gate is opened: the page and the words of its link."""


@dataclass(frozen=True)
class GateRow:
    """A gate with the jobs that need it and the page that opens it."""

    gate: Gate
    jobs: str
    url: str
    verb: str


class BelowGates(StorePage):
    """A page that a gate leads to."""

    tab = "gates"

    def crumbs(self) -> list[Crumb]:
        return [
            Crumb("Stores", reverse("admin:stores")),
            Crumb(self.store.name, reverse("admin:store", args=[self.store.slug])),
            Crumb("Gates", reverse("admin:store_gates", args=[self.store.slug])),
            Crumb(self.title),
        ]


class GatesPage(StorePage):
    """Every gate, failing first, with which jobs need it."""

    title = "Gates"
    tab = "gates"
    template_name = "inventory/gates.html"

    def stores(self) -> QuerySet[Store]:
        return with_facts(super().stores())

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.page(**region(self.store, self.person))


class GatesLive(GatesPage):
    """The same rows for a page that is open: 204 while nothing changed."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        now = region(self.store, self.person)
        if request.GET.get("v") == now["version"]:
            return HttpResponse(status=204)
        context = {**now, "store": self.store, "zone": self.store.zone}
        return HttpResponse(render_to_string("inventory/gates_region.html", context, request))


def region(store: Store, person: User) -> dict[str, Any]:
    """What the region shows the person of a store read `with_facts`, and its version, which changes whenever that does. Only
    pages that are open to them are linked."""
    found = every_gate(facts_of(store))
    rows = [GateRow(gate, _needed_by(jobs), *_place(gate, store)) for gate, jobs in found]
    rows = [row if not row.url or opens(person, row.url) else replace(row, url="", verb="") for row in rows]
    told = "\n".join(f"{row.gate.name} {row.gate.passed} {row.gate.detail} {row.gate.remedy}" for row in rows)
    return {
        "rows": rows,
        "shut": sum(1 for row in rows if not row.gate.passed),
        "checked_at": timezone.now(),
        "seconds": SECONDS,
        "version": hashlib.sha256(told.encode()).hexdigest()[:16],
    }


def _needed_by(jobs: list[Job]) -> str:
    if set(jobs) >= {job for job in Job if job is not Job.OBSERVE}:
        return "every job" if Job.OBSERVE in jobs else "every job that writes"
    return ", ".join(job.mode for job in jobs)


def _place(gate: Gate, store: Store) -> tuple[str, str]:
    view, verb = PLACES.get(gate.name, ("", ""))
    if not view:
        return "", ""
    if view == "admin:connectors_store_change":
        return reverse(view, args=[store.pk]), verb
    if view in ("admin:links", "admin:order_queue"):
        return f"{reverse(view)}?store={store.slug}", verb
    return reverse(view, args=[store.slug]), verb
