"""Saying if goods came back that were shipped here and cancelled with restock in their store."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders import came_back
from orders.shipping import ShippingRefused
from orders.views.goods import OrderGoods, units_typed


class CameBackPage(OrderGoods):
    """The order's units in doubt, line by line."""

    crumb = "Did they come back"
    template_name = "orders/came_back.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, refused: ShippingRefused | None = None) -> HttpResponse:
        """The form; after a refusal with its cause and what was typed."""
        typed = self.request.POST
        return self.page(
            status=status,
            incoming=self.incoming,
            rows=[(row, typed.get(f"units-{row.pk}", row.in_doubt)) for row in came_back.in_doubt(self.incoming)],
            reason=typed.get("reason", ""),
            refused=refused,
            back=self.order_url,
            zone=self.incoming.store.zone,
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            came = units_typed(request.POST, blank=0)
            units = came_back.settle(self.incoming, came, reason=request.POST.get("reason", ""), by=self.person)
        except ShippingRefused as refused:
            return self.show(status=409, refused=refused)
        gone = sum(each.of for each in came.values()) - units
        messages.success(request, f"{units:,} came back and can be sold again, {gone:,} did not.")
        return redirect(self.order_url)
