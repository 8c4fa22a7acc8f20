"""Saying what became of goods that their store cancelled without a word of where they are."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from inventory.models import LedgerEntry
from orders import put_back
from orders.shipping import ShippingRefused
from orders.views.goods import OrderGoods, units_typed


class PutBackPage(OrderGoods):
    """What was written off, and how much of it came back."""

    crumb = "Cancelled goods"
    template_name = "orders/put_back.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show()

    def show(self, *, status: int = 200, refused: ShippingRefused | None = None) -> HttpResponse:
        """The question; after a refusal with its cause and what was typed."""
        return self.page(
            status=status,
            incoming=self.incoming,
            rows=[self._row(entry) for entry in put_back.in_question(self.incoming)],
            asked=put_back.asks(self.incoming),
            reason=self.request.POST.get("reason", ""),
            refused=refused,
            back=self.order_url,
            zone=self.incoming.store.zone,
        )

    def _row(self, entry: LedgerEntry) -> tuple[LedgerEntry, int, str | int]:
        """A write-off, its units, and what is in its field."""
        units = int(-entry.on_hand_delta)
        return entry, units, self.request.POST.get(f"units-{entry.pk}", units)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            came = units_typed(request.POST, blank=0)
            units = put_back.settle(self.incoming, came, reason=request.POST.get("reason", ""), by=self.person)
        except ShippingRefused as refused:
            return self.show(status=409, refused=refused)
        gone = sum(each.of for each in came.values()) - units
        messages.success(request, f"{units:,} back in stock, {gone:,} written off for good.")
        return redirect(self.order_url)
