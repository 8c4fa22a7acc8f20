"""Variants whose quantity the store does not track: the list, and switching it on for those that are chosen."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors.models.runs import Trigger
from connectors.runs import RunAlreadyOpen, RunRefused
from inventory.tracking import start_tracking, untracked
from inventory.views.gates import BelowGates
from syncconsole.kernel.keyset import page_of

RIGHT = "connectors.start_run"


class UntrackedPage(BelowGates):
    """Fifty at a time; a run switches them on, with a line for each."""

    title = "Untracked variants"
    template_name = "inventory/untracked.html"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        rows = untracked(self.store)
        page = page_of(request, rows.select_related("variant__product"), "id")
        return self.page(keyset=page, rows=page.rows, count=rows.count(), may_switch=self.can(RIGHT))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        if not self.can(RIGHT):
            return self.refuse(RIGHT)
        chosen = None if "all" in request.POST else [int(pk) for pk in request.POST.getlist("chosen") if pk.isdigit()]
        try:
            run = start_tracking(self.store, chosen, trigger=Trigger.PERSON, requested_by=self.person)
        except RunAlreadyOpen as already:
            return redirect("admin:run", already.run.pk)
        except RunRefused as refused:
            messages.warning(request, str(refused))
            return redirect("admin:untracked", slug)
        return redirect("admin:run", run.pk)
