"""Outgoing fulfilments: what stores were told of shipments made here, and what needs a person."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from connectors.models import Store
from connectors.privacy import PERSONAL_RIGHT
from orders import outgoing
from orders.models import OutgoingState
from orders.outgoing import SAID, SEE_RIGHT, Decision, SendingRefused
from orders.shipping import SHIP_RIGHT
from syncconsole.kernel.admin import ConsolePage, Tab
from syncconsole.kernel.keyset import page_of

_TABS: Final = (OutgoingState.NEEDS_PERSON, OutgoingState.WAITING, OutgoingState.SENT)


class OutgoingPage(ConsolePage):
    """Outgoing fulfilments, newest first; those that need a person, wait or are on their way on tabs of their own."""

    permission = SEE_RIGHT
    title = "Outgoing fulfilments"
    template_name = "orders/outgoing.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows, state = outgoing.listed(), request.GET.get("state", "")
        if slug := request.GET.get("store"):
            rows = rows.filter(order__store__slug=slug)
        counted = rows.filter(state__in=_TABS).order_by().values_list("state").annotate(n=Count("pk"))
        counts = dict(counted)
        if state in OutgoingState.values:
            rows = rows.filter(state=state)
        page = page_of(request, rows, "-id")
        tabs = [Tab(str(each.label), self._tab(each), state == each, f"{counts.get(each, 0):,}") for each in _TABS]
        return self.page(
            rows=page.rows,
            keyset=page,
            tabs=[Tab("All", self._tab(""), not state), *tabs],
            stores=Store.objects.all(),
            filtered=bool(slug or state),
            may_decide=self.can(SHIP_RIGHT),
            personal=self.can(PERSONAL_RIGHT),
        )

    def _tab(self, state: str) -> str:
        named = (("store", self.request.GET.get("store", "")), ("state", str(state)))
        return "?" + urlencode({name: value for name, value in named if value})


class DecideOutgoing(ConsolePage):
    """Say what became of a fulfilment of which no store can say it; a repeat changes nothing."""

    permission = SHIP_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = get_object_or_404(outgoing.listed(), pk=pk)
        try:
            decision = Decision(request.POST.get("decision", ""))
        except ValueError:
            messages.warning(request, "Nothing was decided. Choose what became of the fulfilment.")
            return redirect("admin:outgoing")
        try:
            outgoing.decide(row, decision, by=self.person, address=request.META.get("REMOTE_ADDR"))
        except SendingRefused as refused:
            messages.warning(request, f"{refused.cause} {refused.remedy}")
        else:
            messages.success(request, f"{row}: {SAID[decision]}")
        return redirect("admin:outgoing")
