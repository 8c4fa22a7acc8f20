"""Undo a run: what it would take back, asked for with a reason; the plan and its approval come after."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors.models.runs import Trigger
from connectors.runs import RunAlreadyOpen, RunRefused
from connectors.views.run import RunView
from inventory import undo


class UndoRunPage(RunView):
    """The question, and the door that opens the undo."""

    permission = "connectors.start_run"
    title = "Undo"
    template_name = "inventory/undo.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, problem: str = "", reason: str = "") -> HttpResponse:
        """The page, with what was typed kept."""
        refused = undo.why_not(self.run)
        return self.page(
            status=status,
            run=self.run,
            zone=self.run.store.zone,
            changed=undo.changed(self.run).count(),
            refused=refused,
            problem=problem,
            reason=reason,
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        reason = request.POST.get("reason", "").strip()
        try:
            opened = undo.start(self.run, trigger=Trigger.PERSON, reason=reason, requested_by=self.person)
        except RunAlreadyOpen as already:
            return redirect("admin:run", already.run.pk)
        except RunRefused as refused:
            done = self.run.undone()
            if done is not None:
                return redirect("admin:run", done.pk)
            return self.show(status=422, problem=f"{refused.cause} {refused.remedy}", reason=reason)
        return redirect("admin:run", opened.pk)
