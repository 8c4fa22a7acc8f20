"""Saying what became of goods that their store cancelled without a word of where they are."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders import put_back
from orders.shipping import ShippingRefused
from orders.views.goods import OrderGoods


class PutBackPage(OrderGoods):
    """What was written off, and the two answers."""

    crumb = "Cancelled goods"
    template_name = "orders/put_back.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, refused: ShippingRefused | None = None) -> HttpResponse:
        """The question; after a refusal with its cause and what was typed."""
        return self.page(
            status=status,
            incoming=self.incoming,
            rows=[(entry, int(-entry.on_hand_delta)) for entry in put_back.in_question(self.incoming)],
            asked=put_back.asks(self.incoming),
            reason=self.request.POST.get("reason", ""),
            refused=refused,
            back=self.order_url,
            zone=self.incoming.store.zone,
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        came_back = request.POST.get("answer") == "back"
        try:
            units = put_back.settle(
                self.incoming, came_back=came_back, reason=request.POST.get("reason", ""), by=self.person
            )
        except ShippingRefused as refused:
            return self.show(status=409, refused=refused)
        back = f"{units:,} {'unit is' if units == 1 else 'units are'} back in stock."
        messages.success(request, back if came_back else "The write-off stands.")
        return redirect(self.order_url)
