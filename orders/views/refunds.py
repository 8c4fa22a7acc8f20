"""Refunds: what each became and why; those that need a person are decided here."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from connectors.models import Store
from orders import documents
from orders.documents import DECIDE_RIGHT, SEE_REFUNDS_RIGHT, DecisionRefused, why_due
from orders.models import Refund, RefundState
from orders.search import elsewhere, orders_found
from syncconsole.kernel.admin import ConsolePage, Crumb, Tab, people_with
from syncconsole.kernel.keyset import page_of

TABS: Final = (RefundState.NEEDS_PERSON, RefundState.WAITS, RefundState.LISTED)
"""States with a tab of their own."""


class RefundsPage(ConsolePage):
    """Refunds, newest first; those that need a person on a tab of their own."""

    permission = SEE_REFUNDS_RIGHT
    title = "Refunds"
    template_name = "orders/refunds.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET
        rows = Refund.objects.select_related("store", "order").defer("order__snapshot").prefetch_related("documents")
        if slug := asked.get("store"):
            rows = rows.filter(store__slug=slug)
        if words := asked.get("q", "").strip():
            rows = rows.filter(order__sales_order__in=orders_found(words))
        counts = {state: rows.filter(state=state).count() for state in TABS}
        state = asked.get("state", "")
        tabs = [Tab("All", self._tab(""), not state)] + [
            Tab(each.label, self._tab(each.value), state == each.value, f"{counts[each]:,}") for each in counts
        ]
        if state in RefundState.values:
            rows = rows.filter(state=state)
        page = page_of(request, rows, "-made_at", "-id")
        return self.page(
            rows=page.rows,
            elsewhere=elsewhere({row.pk: row.order for row in page.rows}),
            keyset=page,
            tabs=tabs,
            stores=Store.objects.all(),
            filtered=bool(asked.get("store") or asked.get("q") or state),
        )

    def _tab(self, state: str) -> str:
        asked = self.request.GET.copy()
        for name in ("after", "before", "state"):
            asked.pop(name, None)
        if state:
            asked["state"] = state
        return "?" + asked.urlencode()


class RefundPage(ConsolePage):
    """One refund: the sentence, the documents, the check, and the decision where one is due."""

    permission = SEE_REFUNDS_RIGHT
    template_name = "orders/refund.html"
    refund: Refund

    def crumbs(self) -> list[Crumb]:
        refunds, store = reverse("admin:refunds"), self.refund.store
        return [Crumb("Refunds", refunds), Crumb(store.name, f"{refunds}?store={store.slug}"), Crumb(str(self.refund))]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = Refund.objects.select_related("store", "order__sales_order", "decided_by").prefetch_related(
            "documents__lines"
        )
        self.refund = refund = get_object_or_404(found, pk=pk)
        due = refund.state == RefundState.NEEDS_PERSON
        may_decide = self.can(DECIDE_RIGHT)
        cause, remedy = why_due(refund) if due else ("", "")
        return self.page(
            refund=refund,
            elsewhere=elsewhere({refund.pk: refund.order}).get(refund.pk, []),
            cause=cause,
            remedy=remedy,
            state=RefundState(refund.state),
            zone=refund.store.zone,
            kept=list(refund.documents.all()),
            due=due,
            settled=refund.state == RefundState.READY,
            may_decide=may_decide,
            who=[] if may_decide or not due else people_with(DECIDE_RIGHT),
        )


class DecideRefund(ConsolePage):
    """Book a refund as it is; a repeat, or one that changed meanwhile, changes nothing."""

    permission = DECIDE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        refund = get_object_or_404(Refund, pk=pk)
        try:
            done = documents.decide(
                refund,
                request.POST.get("sentence", ""),
                by=self.person,
                reason=request.POST.get("reason", ""),
                address=request.META.get("REMOTE_ADDR"),
            )
        except DecisionRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            labels = ", ".join(document.label for document in done.posted)
            messages.success(request, f"Posted: {labels}." if labels else "Decided; it makes no document.")
        return redirect("admin:refund", pk=pk)
