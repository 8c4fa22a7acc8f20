"""One run: its plan as a diff, the decision, live progress, what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from connectors import plan_lines
from connectors.approval import why_not_approve
from connectors.models import RunItem, SyncRun
from connectors.models.runs import Outcome, RunStatus
from connectors.runs import count_outcomes, kind_class
from connectors.views import run_figures
from syncconsole.kernel.admin import ConsolePage, Crumb, people_with
from syncconsole.kernel.keyset import page_of


class RunView(ConsolePage):
    """A page or a door of one run."""

    permission = plan_lines.SEE_RIGHT
    run: SyncRun

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        runs = SyncRun.objects.select_related("store", "requested_by", "approved_by", "cancel_requested_by")
        self.run = get_object_or_404(runs, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def crumbs(self) -> Sequence[Crumb]:
        return [
            Crumb("Runs", reverse("admin:runs")),
            Crumb(self.run.store.name, reverse("admin:store", args=[self.run.store.slug])),
            Crumb(f"{self.run.label} #{self.run.pk}"),
        ]


class RunPage(RunView):
    """The run with all of it that exists so far."""

    template_name = "connectors/run.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, problem: str = "", rejecting: bool = False) -> HttpResponse:
        """The page; `problem` is said beside the decision that was not accepted."""
        run = self.run
        flag, search = self.request.GET.get("flag", ""), self.request.GET.get("q", "").strip()
        outcomes = plan_lines.outcomes_of(run)
        rows = page_of(self.request, plan_lines.filtered(run, flag, search), "-risk", "id")
        return self.page(
            status=status,
            run=run,
            zone=run.store.zone,
            live=run_figures.live(run, reverse("admin:run_live", args=[run.pk]), outcomes),
            radius=run_figures.blast_radius(run),
            chips=run_figures.chips(run, flag, outcomes),
            groups=run_figures.problems(run) if run.apply_started_at or outcomes.get(Outcome.HELD) else [],
            rows=[RunRowView(item) for item in rows.rows],
            keyset=rows,
            flag=flag,
            search=search,
            total=sum(outcomes.values()),
            problem=problem,
            rejecting=rejecting,
            **self.decision(),
        )

    def decision(self) -> dict[str, Any]:
        """Who may decide now, and what they must type."""
        run = self.run
        awaiting = run.status == RunStatus.AWAITING_APPROVAL
        refused = why_not_approve(run, self.person) if awaiting else None
        others: list[str] = []
        if refused and run.requested_by_id == self.person.pk:
            others = [str(person) for person in people_with("connectors.approve_run") if person != self.person]
        return {
            "awaiting": awaiting,
            "refused": refused,
            "others": others,
            "slug_due": must_type_slug(run),
            "may_reject": awaiting and self.can("connectors.approve_run"),
            "may_cancel": run.is_open and not awaiting and self.can("connectors.cancel_run"),
            **self.afterwards(),
            "failed_gates": [gate for gate in run.gates if not gate["passed"]],
            "gates": run.gates,
        }

    def afterwards(self) -> dict[str, Any]:
        """What may be done with a run that is over, and what was done with it."""
        run = self.run
        moves = kind_class(run.kind).moves_quantities and not run.is_open and self.can("connectors.start_run")
        undone = run.undone_by.order_by("-pk").first() if not run.is_open else None
        return {
            "undone": undone,
            "may_undo": moves and bool(run.counts.get(Outcome.APPLIED)) and run.undone() is None,
            "again": run.kind.rpartition(".")[2] if moves and run.state in UNFINISHED else "",
        }


UNFINISHED = (RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.EXPIRED)
"""Ends that leave something to be planned again."""


def must_type_slug(run: SyncRun) -> bool:
    """A plan over a limit, or a full sync of a store that is live, is approved by typing the store's short name."""
    return bool(run.limits_passed) or (run.kind == "inventory.full" and run.store.live_at is not None)


class RunRowView:
    """A line of the diff with its words and the address of its sum."""

    def __init__(self, item: RunItem) -> None:
        self.item = item
        self.outcome = Outcome(item.outcome)
        self.flags = [
            run_figures.FLAG_WORDS.get(flag, flag.replace("_", " ").capitalize())
            for flag in item.flags
            if not flag.startswith("hold")
        ]
        self.share = None if item.before is None or not item.before else round(100 * item.delta / abs(item.before))
        self.stale = self.outcome in (Outcome.LEFT, Outcome.CANCELLED)

    @property
    def why_url(self) -> str:
        """The page that explains the number; empty for kinds of run that have none."""
        if not self.item.run.kind.startswith("inventory."):
            return ""  # its lines are of something else than levels
        try:
            return reverse("admin:why", args=[self.item.subject_id])
        except NoReverseMatch:
            return ""


class RunLive(RunView):
    """The polled region: 204 while nothing changed, a reload of the page when the run entered another state."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self.run
        if request.GET.get("status") != run.status:
            return HttpResponse(headers={"HX-Refresh": "true"})
        outcomes = count_outcomes(run) if run.apply_started_at else {}
        now = run_figures.live(run, reverse("admin:run_live", args=[run.pk]), outcomes)
        if request.GET.get("v") == now.version:
            return HttpResponse(status=204)
        html = render_to_string(
            "components/run_progress.html", {"run": run, "live": now, "zone": run.store.zone}, request
        )
        return HttpResponse(html)


class RunExport(RunView):
    """The lines shown by the current chip and search as CSV, streamed."""

    def get(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        rows = plan_lines.filtered(self.run, request.GET.get("flag", ""), request.GET.get("q", "").strip())
        response = StreamingHttpResponse(plan_lines.csv_of(rows), content_type="text/csv")
        name = f"run-{self.run.pk}-{self.run.store.slug}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
