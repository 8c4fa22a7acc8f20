"""Pulls of the stock feed that name an order: what waits for one, and what became of the others."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from connectors.models import Store
from orders import pulls
from orders.models import OrderPull, PullState
from orders.pulls import REMOVE_RIGHT, SEE_RIGHT, PullRefused
from syncconsole.kernel.admin import ConsolePage
from syncconsole.kernel.keyset import page_of


class PullsPage(ConsolePage):
    """Every pull that named an order, newest first, with *Remove* for those that wait."""

    permission = SEE_RIGHT
    title = "Pulls of the feed"
    template_name = "orders/pulls.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        state, rows = request.GET.get("state", ""), pulls.listed()
        if slug := request.GET.get("store", ""):
            rows = pulls.of_store(rows, slug)
        if state in PullState.values:
            rows = rows.filter(state=state)
        page = page_of(request, rows, "-id")
        chips = [
            {
                "label": label,
                "current": state == value,
                "url": "?" + urlencode({name: word for name, word in (("store", slug), ("state", value)) if word}),
            }
            for value, label in [("", "All"), *PullState.choices]
        ]
        return self.page(
            rows=page.rows,
            keyset=page,
            chips=chips,
            stores=Store.objects.all(),
            filtered=bool(state or slug),
            may_remove=self.can(REMOVE_RIGHT),
        )


class RemovePull(ConsolePage):
    """Take a row that waits off the list, with a reason."""

    permission = REMOVE_RIGHT
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        pull = get_object_or_404(OrderPull.objects.select_related("variant__product"), pk=pk)
        try:
            pulls.remove(pull, reason=request.POST.get("reason", ""), by=self.person)
        except PullRefused as refused:
            messages.warning(request, f"Nothing was changed. {refused.cause} {refused.remedy}")
        else:
            messages.success(request, f"{pull} is removed and booked nowhere.")
        return redirect("admin:pulls")
