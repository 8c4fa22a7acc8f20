"""Doors that start jobs of a store."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from connectors.models.runs import Trigger
from connectors.runs import RunAlreadyOpen, RunRefused
from connectors.views.frame import StorePage
from inventory import full, jobs
from inventory.gates import gates_for
from inventory.jobs import Job
from syncconsole.kernel.admin import Crumb

REASONS = (
    ("go-live", "Go-live", "The first time: it tells us what the store shows, and makes it show what it should."),
    ("major discrepancy", "Major discrepancy", "The store and the ledger are apart in many places."),
    ("other", "Other", "Say what happened."),
)


class StartJob(StorePage):
    """Start a job; lands on the run, also when one is open already. A full sync has its own question."""

    permission = "connectors.start_run"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, slug: str, mode: str) -> HttpResponse:
        try:
            job = Job.of_mode(mode)
        except ValueError:
            raise Http404 from None
        if job is Job.FULL:
            return redirect("admin:start_full", slug)
        try:
            run = jobs.start(self.store, job, trigger=Trigger.PERSON, requested_by=self.person)
        except RunAlreadyOpen as already:
            return redirect("admin:run", already.run.pk)
        except RunRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
            return redirect("admin:store_gates", self.store.slug)
        return redirect("admin:run", run.pk)


class StartFull(StorePage):
    """Ask for the reason, show the last full sync, then plan one. Nothing is written before its plan is approved."""

    permission = "connectors.start_run"
    title = "Full sync"
    template_name = "inventory/start_full.html"

    def crumbs(self) -> list[Crumb]:
        return [
            Crumb("Stores", reverse("admin:stores")),
            Crumb(self.store.name, reverse("admin:store", args=[self.store.slug])),
            Crumb("Full sync"),
        ]

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, problem: str = "", given: dict[str, Any] | None = None) -> HttpResponse:
        """The question, with what was typed kept."""
        gates, last = gates_for(self.store, Job.FULL), full.last_full(self.store)
        return self.page(
            status=status,
            levels=full.levels_of(self.store.pk),
            last=last,
            warning=full.recent_full_warning(last),
            reasons=REASONS,
            shut=[gate for gate in gates if not gate.passed],
            problem=problem,
            given=given or {"reason": "" if self.store.live_at else "go-live"},
        )

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        choice, text = request.POST.get("reason", ""), request.POST.get("text", "").strip()
        reason = text if choice == "other" else ": ".join(part for part in (choice, text) if part)
        given = {"reason": choice, "text": text}
        if choice == "other" and not text:
            return self.show(status=422, problem="Say what happened: the reason stays with the run.", given=given)
        try:
            run = jobs.start(
                self.store,
                Job.FULL,
                reason=reason[:300],
                trigger=Trigger.PERSON,
                requested_by=self.person,
                confirmation=request.POST.get("confirmation", "").strip(),
            )
        except RunAlreadyOpen as already:
            return redirect("admin:run", already.run.pk)
        except RunRefused as refused:
            return self.show(status=422, problem=f"{refused.cause} {refused.remedy}", given=given)
        return redirect("admin:run", run.pk)
