"""Doors for decisions about a run: each redirects to the run, whatever came of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors import approval
from connectors.approval import DecisionRefused
from connectors.models.runs import RunStatus
from connectors.views.run import RunPage, RunView, must_type_slug
from syncconsole.kernel.templatetags.console import plural


class ApproveRun(RunPage):
    """Approve the plan that is shown. The slug must be typed only where a limit is passed."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self.run
        if run.approved_by is not None:
            return self.decided_already()
        typed = request.POST.get("confirmation", "").strip()
        if must_type_slug(run) and typed != run.store.slug:
            return self.show(status=422, problem=f"Type {run.store.slug} to approve this plan. Nothing was approved.")
        try:
            approval.approve(run, self.person)
        except DecisionRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.success(request, f"{plural(run.totals.get('rows', 0), 'change')} approved; writing starts now.")
        return redirect("admin:run", run.pk)

    def decided_already(self) -> HttpResponse:
        """A repeat, or a colleague was faster: said, not an error."""
        run = self.run
        who = "you" if run.approved_by == self.person else str(run.approved_by)
        messages.info(self.request, f"Approved by {who} before.")
        return redirect("admin:run", run.pk)


class RejectRun(RunView):
    """Close the plan; nothing is written."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.run.status == RunStatus.CANCELLED:
            return redirect("admin:run", pk)
        try:
            approval.reject(self.run, self.person, request.POST.get("reason", "").strip()[:200])
        except DecisionRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.success(request, "Plan rejected. Nothing was written.")
        return redirect("admin:run", pk)


class CancelRun(RunView):
    """Stop the run after the batch it is sending."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            approval.cancel(self.run, self.person)
        except DecisionRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.info(request, "It stops after the batch it is sending. What was written stays.")
        return redirect("admin:run", pk)
