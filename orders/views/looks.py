"""Closing what an order asks a person to look at."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders import looks
from orders.shipping import ShippingRefused
from orders.views.goods import OrderGoods


class CloseLook(OrderGoods):
    """Keep what was found; sent twice, it is closed once."""

    crumb = "To look at"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        asked = request.POST
        try:
            looks.close(self.incoming, seen=asked.get("seen", ""), reason=asked.get("reason", ""), by=self.person)
        except ShippingRefused as refused:
            messages.warning(request, f"Nothing was closed. {refused.cause} {refused.remedy}")
        else:
            messages.success(request, "Closed; what you found is in the audit log.")
        return redirect(self.order_url)
